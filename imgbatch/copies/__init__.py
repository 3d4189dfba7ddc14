"""Near-duplicates: the rule that tells them, and the pairs of them in a set of images."""
