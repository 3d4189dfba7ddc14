"""The tables of the index, as numbered migrations.

A migration is a tuple of statements. It is never edited once released; a change is a new migration
at the end. SQLite's ``user_version`` holds the number of migrations that were applied.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 1: the path is the identity, the content hash the key of everything computed.
    (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE contents (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,       -- first 16 bytes of the file's SHA-256
        limits TEXT NOT NULL,            -- fingerprint of the limits it was read under
        width INTEGER, height INTEGER,   -- pixels of the upright picture, NULL if unreadable
        note TEXT NOT NULL,              -- what was odd about it
        error TEXT                       -- why it is unreadable, NULL if it is readable
    )""",
        """CREATE TABLE images (
        path BLOB PRIMARY KEY,           -- inside the folder, as bytes: names need not be text
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,       -- -1: changed too recently to be trusted
        content_id INTEGER REFERENCES contents (id),
        error TEXT                       -- why the file could not be read at all
    )""",
        "CREATE INDEX images_by_content ON images (content_id)",
        "CREATE TABLE descriptors (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE)",
        """CREATE TABLE vectors (
        descriptor_id INTEGER NOT NULL REFERENCES descriptors (id),
        content_id INTEGER NOT NULL REFERENCES contents (id),
        data BLOB NOT NULL,
        PRIMARY KEY (descriptor_id, content_id)
    )""",
    ),
    # 2: what a row must be, and when a file was last renamed, linked or changed in any other way.
    # Both are NULL in rows of older versions, until the file is read again.
    (
        "ALTER TABLE images ADD COLUMN ctime_ns INTEGER",
        "ALTER TABLE images ADD COLUMN checksum INTEGER",
        "ALTER TABLE contents ADD COLUMN checksum INTEGER",
        "ALTER TABLE vectors ADD COLUMN checksum INTEGER",
    ),
)
