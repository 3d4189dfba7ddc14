"""The index on disk."""

from imgbatch.catalogue.opening import FILE_NAME, signature
from imgbatch.catalogue.store import Catalogue, KnownFile

__all__ = ["FILE_NAME", "Catalogue", "KnownFile", "signature"]
