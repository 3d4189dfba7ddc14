"""How good the sets are, and the search for better settings."""
