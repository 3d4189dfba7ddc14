"""The index of a folder: which images there are, and what describes them."""

DESCRIBING_MODULES = ("imgbatch.index.views", "imgbatch.descriptors")
"""Modules that describe images, by name, for workers to import before their first task."""
