"""The index in one SQLite file, for one machine."""
