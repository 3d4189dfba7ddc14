"""What people know of their images."""
