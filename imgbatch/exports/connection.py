"""Connections to PostgreSQL whose troubles are readable and whose passwords stay secret."""

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
    """A database: its URL, and how that may be shown."""

    url: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take a URL apart.

        Raises
        ------
        UsageError
            It is no valid one, or psycopg is missing; nothing of the URL is repeated, since a
            password may be what made it invalid.
        """
        psycopg = need_psycopg()
        try:
            parts = psycopg.conninfo.conninfo_to_dict(url)
        except (psycopg.Error, ValueError):
            raise _no_url() from None
        values = {name: str(value) for name, value in parts.items() if value is not None}
        host, port = values.get("host", ""), values.get("port", "")
        database = values.get("dbname", "")
        # A raw @ or / in a password moves its rest to these.
        if "@" in host + database or not re.fullmatch(r"[\d,]*", port):
            raise _no_url()
        user = f"{values['user']}@" if values.get("user") else ""
        place = f"{'' if host.startswith('/') else host}{':' if port else ''}{port}"
        shown = f"postgresql://{user}{place}/{database}"
        secrets = tuple(values[one] for one in ("password", "sslpassword") if values.get(one))
        return cls(url, shown, secrets)

    @contextlib.contextmanager
    def connect(self) -> "Iterator[Connection[Any]]":
        """An open connection, each statement a transaction of its own, closed at the end.

        Raises
        ------
        DatabaseError
            The server cannot be reached, or anything goes wrong inside.
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


def _no_url() -> UsageError:
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
    """Make sure of pgvector's extension in the database, and teach the connection its type.

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
            "check the URL, or run `imgbatch export FOLDER --to` it first",
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
