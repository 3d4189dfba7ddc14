"""Metadata files that a user names."""

import os
from collections.abc import Iterable

from imgbatch.errors import LabelError, UsageError
from imgbatch.files import paths
from imgbatch.files.regular import only_regular

MetadataFiles = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def given_files(metadata: MetadataFiles | None) -> tuple[str, ...]:
    """The files that the user named; raises `LabelError` for one that cannot be opened."""
    if metadata is None:
        return ()
    files = (metadata,) if isinstance(metadata, str | os.PathLike) else metadata
    given = tuple(os.fspath(file) for file in files)
    for file in given:
        if paths.is_url(file):
            raise UsageError(f"the metadata {file} is a URL", "copy the file to this machine")
        try:
            os.close(only_regular(file, os.O_RDONLY))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LabelError(
                f"the metadata {file or repr(file)} cannot be read: {reason}",
                "give `metadata` a file",
            ) from None
    return given
