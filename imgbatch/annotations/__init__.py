"""What people say of their images: classes."""
