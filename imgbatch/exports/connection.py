"""Connections to PostgreSQL: errors in one line, and no password in any message."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imgbatch.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

_WAIT_SECONDS = 10
_LEAST_VERSION = (0, 5)  # of pgvector: the first with HNSW
_FORM = (
    "write postgresql://USER@HOST:PORT/DATABASE, with %40 for @ and %2F for / in a password; or"
    " keep the password in PGPASSWORD or ~/.pgpass"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A database: its URL, and the form of it that may be shown.

    Attributes
    ----------
    url
        The URL as given, with its password.
    shown
        The URL without secrets, for messages.
    secrets
        Passwords, to be masked wherever the server repeats them.
    """

    url: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take a URL apart.

        Raises
        ------
        UsageError
            The URL is invalid, or psycopg is missing. The message repeats nothing of the URL,
            since a character in the password may be what makes it invalid.
        """
        psycopg = need_psycopg()
        try:
            parts = psycopg.conninfo.conninfo_to_dict(url)
        except (psycopg.Error, ValueError):
            raise _invalid_url() from None
        values = {name: str(value) for name, value in parts.items() if value is not None}
        host, port = values.get("host", ""), values.get("port", "")
        database = values.get("dbname", "")
        # A raw @ or / in a password moves its rest to these.
        if "@" in host + database or not re.fullmatch(r"[\d,]*", port):
            raise _invalid_url()
        user = f"{values['user']}@" if values.get("user") else ""
        server = f"{'' if host.startswith('/') else host}{':' if port else ''}{port}"
        shown = f"postgresql://{user}{server}/{database}"
        secrets = tuple(values[name] for name in ("password", "sslpassword") if values.get(name))
        return cls(url, shown, secrets)

    @contextlib.contextmanager
    def connect(self) -> "Iterator[Connection[Any]]":
        """An open connection in autocommit mode, closed at the end.

        Raises
        ------
        DatabaseError
            The server cannot be reached, or a statement fails.
        """
        psycopg = need_psycopg()
        with self._readable():
            given = psycopg.conninfo.conninfo_to_dict(self.url)
            wait = {"connect_timeout": _WAIT_SECONDS} | given
            try:
                db = psycopg.connect(**wait, autocommit=True, prepare_threshold=None)
            except psycopg.OperationalError as error:
                raise DatabaseError(
                    f"cannot connect to {self.shown}: {self._first_line(error)}",
                    "check host, port, user, password and database, and that the server runs",
                ) from None
            with contextlib.closing(db):
                db.execute("SET client_encoding TO 'UTF8'")
                yield db

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        psycopg = need_psycopg()
        errors = psycopg.errors
        try:
            yield
        except errors.InsufficientPrivilege as error:
            raise DatabaseError(
                f"{self.shown} refuses: {self._first_line(error)}",
                "ask its owner for the right, or use another user or database",
            ) from None
        except (errors.UndefinedColumn, errors.UndefinedTable, errors.DatatypeMismatch) as error:
            raise DatabaseError(
                f"{self.shown} holds other tables than an export makes: {self._first_line(error)}",
                "use another database, or another schema: ...?options=-csearch_path%3DSCHEMA",
            ) from None
        except psycopg.Error as error:
            raise DatabaseError(
                f"{self.shown} failed: {self._first_line(error)}",
                "the same command goes on where it was",
            ) from None

    def _first_line(self, error: Exception) -> str:
        lines = [line for line in str(error).splitlines() if line.strip()]
        text = lines[0].strip() if lines else type(error).__name__
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _invalid_url() -> UsageError:
    return UsageError("the target is no valid PostgreSQL URL", _FORM)


def need_psycopg() -> Any:
    """The psycopg module, with pgvector at hand; raises `UsageError` if either is missing."""
    try:
        import pgvector  # noqa: F401
        import psycopg
        import psycopg.conninfo
    except ImportError:
        raise UsageError(
            "PostgreSQL needs psycopg and pgvector, which are not installed",
            "pip install 'imgbatch[pgvector]'",
        ) from None
    return psycopg


def use_vectors(db: "Connection[Any]", address: Address, *, create: bool = False) -> None:
    """Check that the database has pgvector's extension, and register its type.

    Raises
    ------
    DatabaseError
        The extension is not installed, must not be created, or is too old for HNSW.
    """
    from pgvector.psycopg import register_vector

    ensure_extension(db, address, "vector", create=create)
    (version,) = db.execute(
        "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
    ).fetchone() or ("0",)
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < _LEAST_VERSION:
        raise DatabaseError(
            f"{address.shown} has pgvector {version}, which has no HNSW",
            "install 0.5 or newer and run ALTER EXTENSION vector UPDATE",
        )
    register_vector(db)


def ensure_extension(
    db: "Connection[Any]", address: Address, name: str, *, create: bool = False
) -> None:
    """Raise `DatabaseError` unless the database has an extension or, if allowed, now gets it."""
    psycopg = need_psycopg()
    there = "SELECT FROM pg_extension WHERE extname = %s"
    if db.execute(there, (name,)).fetchone() is not None:
        return
    if not create:
        raise DatabaseError(
            f"{address.shown} has no extension {name}, so nothing was exported there",
            "check the URL, or export the folder there first",
        )
    make = psycopg.sql.SQL("CREATE EXTENSION IF NOT EXISTS {}")
    try:
        db.execute(make.format(psycopg.sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise DatabaseError(
            f"{address.shown} has no extension {name}, and this user must not create it",
            f"let an administrator run CREATE EXTENSION {name} there",
        ) from None
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        raise DatabaseError(
            f"the server of {address.shown} does not have the extension {name}",
            "install pgvector on the server: https://github.com/pgvector/pgvector",
        ) from None
