"""What is learned from a folder's own images by linear methods."""
