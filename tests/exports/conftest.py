"""A PostgreSQL server with pgvector for the tests, and an empty database on it."""

import tempfile
import warnings
from pathlib import Path

import pytest

from tests.exports.asking import ask


@pytest.fixture(scope="session")
def server():
    """A server for each worker of the test run.

    Its files do not lie below pytest's folder: a run of pytest that starts meanwhile closes that
    folder to other users, and root's PostgreSQL is another user.
    """
    pytest.importorskip("psycopg", reason="needs psycopg")
    pytest.importorskip("pgvector", reason="needs pgvector")
    with tempfile.TemporaryDirectory(prefix="imgbatch-pg-") as base:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pgserver: where its lock file lies
            pgserver = pytest.importorskip("pgserver", reason="has no wheel for this Python")
            running = pgserver.get_server(Path(base) / "data", cleanup_mode="delete")
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            ask(running.get_uri(), statement)
        yield running
        running.cleanup()


@pytest.fixture
def url(server):
    """An empty database: the same one, swept, as making one takes longer."""
    url = server.get_uri()
    ask(url, "DROP SCHEMA IF EXISTS mine CASCADE")
    ask(url, "DROP SCHEMA public CASCADE")
    ask(url, "CREATE SCHEMA public")
    ask(url, "GRANT USAGE ON SCHEMA public TO public")
    return url
