"""Exports: a folder's images, as rows with points, for other programs."""

from imgbatch.errors import UsageError
from imgbatch.exports import csv, npz, parquet, postgres, tensorboard
from imgbatch.exports.base import Exporter, ImageTable, Written
from imgbatch.index.portable import PortableSpace

EXPORTERS: dict[str, Exporter] = {
    ".parquet": parquet.EXPORTER,
    ".npz": npz.EXPORTER,
    ".csv": csv.EXPORTER,
    "postgresql://": postgres.EXPORTER,
    "postgres://": postgres.EXPORTER,
    tensorboard.SCHEME: tensorboard.EXPORTER,
}
"""Exporter by ending of a file, scheme of a URL, or word before a folder.

A new exporter: its file, a line here."""


def exporter_of(target: str) -> Exporter:
    """The exporter for a file or URL.

    Raises
    ------
    UsageError
        No exporter has this ending or scheme. The message repeats nothing of a URL but its scheme.

    Examples
    --------
    >>> exporter_of("photos.npz").local("photos.npz").name
    'photos.npz'
    """
    scheme, is_url, _ = target.partition("://")
    kind = f"{scheme}://".lower() if is_url else _ending(target)
    if target.startswith(tensorboard.SCHEME):
        kind = tensorboard.SCHEME
    if kind not in EXPORTERS:
        what = f"the scheme {scheme!r}" if is_url else f"the ending {kind or 'none'!r}"
        raise UsageError(
            f"the target of the export has {what}", f"use one of {', '.join(EXPORTERS)}"
        )
    return EXPORTERS[kind]


def _ending(target: str) -> str:
    from pathlib import Path

    return Path(target).suffix.lower()


__all__ = [
    "EXPORTERS",
    "Exporter",
    "ImageTable",
    "PortableSpace",
    "Written",
    "exporter_of",
]
