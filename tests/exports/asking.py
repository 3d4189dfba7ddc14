"""Asks a PostgreSQL server directly."""

from contextlib import closing


def ask(url, query, *values):
    """The rows of a statement; [] for one that has none."""
    import psycopg

    with closing(psycopg.connect(url, autocommit=True)) as db:
        cursor = db.execute(query, values)
        return cursor.fetchall() if cursor.description else []
