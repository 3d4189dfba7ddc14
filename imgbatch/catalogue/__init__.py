"""The index on disk."""

from imgbatch.catalogue.store import FILE_NAME, Catalogue, KnownFile, ReadFile

__all__ = ["FILE_NAME", "Catalogue", "KnownFile", "ReadFile"]
