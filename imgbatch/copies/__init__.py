"""Near-duplicates: the rule, and the pairs that it finds."""
