"""What the tests of the catalogue record and read back."""

from imgbatch.index.sqlite.store import Catalogue
from imgbatch.types import ReadFile

LIMITS = "limits"


def read(path: str, content: bytes = b"", **values) -> ReadFile:
    content = content or path.encode()
    usual = {"size": len(path), "mtime_ns": 5, "width": 4, "height": 3, "codes": {"f": b"ab"}}
    return ReadFile(path=path, content_hash=content.ljust(16)[:16], **(usual | values))


def rows(catalogue: Catalogue, fingerprint: str = "f", dim: int = 2) -> list[bytes]:
    return [bytes(row) for block in catalogue.codes(fingerprint, dim) for row in block]
