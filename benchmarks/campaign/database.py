"""Part `database`: exports to PostgreSQL and searches there, while server or database go wrong.

The server is `pgserver`'s, one for each slot. A case ends its connections or crashes it at a random
moment, kills the export, changes the shape of a table, takes rights away, or lets pgvector seem too
old. The command must end with its whole answer, or with one clear line of error that holds no
password. The earlier export must still answer as before, unless the case itself has hurt it, and
once all is well again the same export must succeed and the search answer as at the beginning.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from campaign.answers import clear_line, difference, document
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.folders import copy_pictures
from campaign.processes import Command, Ended, run

_SECRET = "sesame"
_MOST_SECONDS = 3.0
_LIKE = 7


class _Server:
    """A server with pgvector, and a folder that was exported to it."""

    def __init__(self, campaign: Campaign, home: Path, place: Path) -> None:
        self.campaign, self.home, self.place = campaign, home, place
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of where its lock file lies
            try:
                import pgserver
            except ImportError:
                raise BrokenError("the part needs pgserver and imgbatch[pgvector]") from None
            self.running = pgserver.get_server(place / "data", cleanup_mode="delete")
        socket = self.running.get_uri().partition("host=")[2]
        self.url = f"postgresql://postgres:{_SECRET}@/postgres?host={socket}"
        self.poor = f"postgresql://poor:{_SECRET}@/postgres?host={socket}"
        self.ask("CREATE ROLE poor LOGIN")
        self.pictures = copy_pictures(home / "photos", campaign.pictures)

    def ask(self, statement: str) -> None:
        """Say something to the database."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(statement)

    def empty(self) -> None:
        """Begin anew."""
        self.ask("DROP SCHEMA public CASCADE")
        self.ask("CREATE SCHEMA public")
        self.ask("GRANT USAGE ON SCHEMA public TO poor")

    def end_connections(self) -> None:
        """End every connection but this one, as an administrator does."""
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")  # fmt: skip

    def crash(self) -> None:
        """Let the server die as if the power failed, and start it again."""
        number = int((self.place / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(number, signal.SIGQUIT)
        while Path(f"/proc/{number}").exists() and (self.place / "data/postmaster.pid").exists():
            time.sleep(0.01)
        self.running.ensure_postgres_running()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):
                self.ask("SELECT 1")
                return
            time.sleep(0.1)
        raise BrokenError("the server does not start again")

    def export(self, url: str = "") -> list[object]:
        """The arguments of an export."""
        return ["export", self.home / "photos", "--json", "--to", url or self.url]

    def search(self) -> list[object]:
        """The arguments of a search."""
        like = self.pictures[_LIKE].relative_to(self.home / "photos")
        return ["similar", "--like", like, "--from", self.url, "-n", 5, "--json", "--no-sheet"]

    def run(self, arguments: list[object]) -> Ended:
        """Run a command undisturbed."""
        return run(self.campaign, arguments, self.home)


@contextlib.contextmanager
def _server(campaign: Campaign, number: int) -> Iterator[_Server]:
    home = campaign.folder(f"database-{number}")
    # Beside the campaign's folder, which only its owner may enter; the server is another user.
    place = Path(tempfile.mkdtemp(prefix="imgbatch-pg-", dir="/tmp"))
    server = None
    try:
        server = _Server(campaign, home, place)
        yield server
    finally:
        if server is not None:
            with contextlib.suppress(subprocess.SubprocessError, OSError):
                server.running.cleanup()
        shutil.rmtree(place, ignore_errors=True)


# ----- what goes wrong ----------------------------------------------------------------------------


def _at_a_moment(
    server: _Server, arguments: list[object], random: Random, fault: Callable[[Command], object]
) -> Ended:
    """Run a command, and let something happen at a random moment."""
    after_seconds = random.uniform(0.2, _MOST_SECONDS)
    command = Command(server.campaign, arguments, server.home)
    while command.seconds < after_seconds and not command.poll():
        time.sleep(0.005)
    fault(command)
    return command.end()


def _connections_end(server: _Server, random: Random) -> Ended:
    return _at_a_moment(server, server.export(), random, lambda _: server.end_connections())


def _connections_of_a_search_end(server: _Server, random: Random) -> Ended:
    return _at_a_moment(server, server.search(), random, lambda _: server.end_connections())


def _the_server_crashes(server: _Server, random: Random) -> Ended:
    return _at_a_moment(server, server.export(), random, lambda _: server.crash())


def _the_export_is_killed(server: _Server, random: Random) -> Ended:
    return _at_a_moment(
        server, server.export(), random, lambda one: one.send(signal.SIGKILL, group=True)
    )


def _a_table_has_another_shape(server: _Server, random: Random) -> Ended:
    table = random.choice(
        ("images", "image_spaces", "image_embeddings", "image_tags", "image_texts")
    )
    server.ask(random.choice((
        f"ALTER TABLE {table} ADD COLUMN more integer NOT NULL DEFAULT 1",
        f"ALTER TABLE {table} RENAME TO gone",
        f"DROP TABLE {table} CASCADE; CREATE TABLE {table} (a integer)",
        f"COMMENT ON TABLE {table} IS 'of somebody else'",
        f"DROP TABLE {table} CASCADE",
        f"DROP TABLE {table} CASCADE; CREATE VIEW {table} AS SELECT 1 AS id",
        "ALTER TABLE images DROP COLUMN label",
        "UPDATE image_spaces SET arrays = 'none'", "UPDATE image_spaces SET settings = '[]'",
        "UPDATE image_spaces SET complete = false", "DROP EXTENSION vector CASCADE",
    )))  # fmt: skip
    return server.run(random.choice((server.export, server.search))())


def _rights_are_missing(server: _Server, random: Random) -> Ended:
    rights = random.choice(("SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE", "INSERT"))
    server.ask(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO poor")
    return server.run(server.export(server.poor))


def _pgvector_is_old(server: _Server, random: Random) -> Ended:
    version = random.choice(("0.4.4", "0.1.0", "", "new"))
    server.ask(f"UPDATE pg_extension SET extversion = '{version}' WHERE extname = 'vector'")
    ended = server.run(random.choice((server.export, server.search))())
    server.ask("UPDATE pg_extension SET extversion = '0.6.2' WHERE extname = 'vector'")
    return ended


_FAULTS: tuple[tuple[Callable[[_Server, Random], Ended], bool], ...] = (
    (_connections_end, True),
    (_connections_of_a_search_end, True),
    (_the_server_crashes, True),
    (_the_export_is_killed, True),
    (_a_table_has_another_shape, False),
    (_rights_are_missing, True),
    (_pgvector_is_old, True),
)
"""What happens, and whether the earlier export must answer afterwards as before."""


# ----- a case -------------------------------------------------------------------------------------


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    yield from each_case(
        campaign, cases, lambda number: _server(campaign, number),
        lambda server, case: _attempt(campaign, server, case),
    )  # fmt: skip


def _attempt(campaign: Campaign, server: _Server, case: int) -> Outcome:
    random = campaign.random("database", case)
    fault, holds = _FAULTS[case % len(_FAULTS)]
    expected = _fresh(server)
    changed = random.random() < 0.5 and holds
    if changed:  # so that there is something to send
        server.ask("UPDATE image_spaces SET complete = complete; DELETE FROM image_tags")
        server.ask("UPDATE images SET label = 'other', hash = '0' WHERE width % 2 = 0")
    ended = fault(server, random)
    found = list(_wrong_end(ended, killed=fault is _the_export_is_killed))
    if holds:
        found += _wrong_answer(server.run(server.search()), expected, "the earlier export")
    else:
        server.empty()
    again = server.run(server.export())
    if again.code != 0:
        found.append(("the next export fails", again.in_short))
    found += _wrong_answer(server.run(server.search()), expected, "the next export")
    name = fault.__name__.strip("_").replace("_", " ")
    failures = tuple(Failure(f"{name}: {kind}", text) for kind, text in found)
    return Outcome(case, failures, ended.memory_mb)


def _fresh(server: _Server) -> dict[str, Any]:
    """A database with one export, and the answer of a search in it."""
    server.empty()
    exported, ended = server.run(server.export()), server.run(server.search())
    told = document(ended)
    if exported.code != 0 or told is None:
        raise BrokenError(f"undisturbed: {exported.in_short}; {ended.in_short}")
    return _images(told)


def _images(told: dict[str, Any]) -> dict[str, Any]:
    """What was found, without classes, which cases change."""
    return {"images": [(one["relative"], one["score"]) for one in told["images"]]}


def _wrong_answer(ended: Ended, expected: dict[str, Any], what: str) -> Iterator[tuple[str, str]]:
    told = document(ended)
    if ended.code != 0 or told is None:
        yield f"{what} does not answer", ended.in_short
    elif text := difference(_images(told), expected):
        yield f"{what} answers otherwise", text


def _wrong_end(ended: Ended, *, killed: bool) -> Iterator[tuple[str, str]]:
    if _SECRET in ended.out + ended.err:
        yield "the password is told", ended.in_short
    if ended.strays:
        yield "processes are left", "; ".join(ended.strays)
    if ended.code not in {0, -signal.SIGKILL if killed else 0} and (text := clear_line(ended)):
        yield f"no clear line: {text}", ended.in_short
    if ended.code == 0 and document(ended) is None:
        yield "exit code 0, and no answer", ended.in_short


PART = Part("database", "PostgreSQL that goes away or is odd is one clear line", 70, _run)
