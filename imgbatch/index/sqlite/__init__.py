"""The index in SQLite, for one machine."""
