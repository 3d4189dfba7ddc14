"""Quantities of pictures, and the tags that rules on them make."""
