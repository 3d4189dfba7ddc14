"""What is in a folder, how repetitive it is, and what may be wrong with it."""
