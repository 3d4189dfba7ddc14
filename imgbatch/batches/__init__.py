"""Training batches: dealing a folder, its figures, plan files."""
