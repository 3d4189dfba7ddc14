"""A seeded hostile campaign on the finished product, by parts; see `__main__`."""
