"""The index of a folder: which images there are, and what describes them."""
