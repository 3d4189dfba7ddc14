"""Read, decode and describe files: the work that runners spread."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imgbatch import images, places
from imgbatch.descriptors.base import Codes, Descriptor, fingerprint
from imgbatch.errors import SelectionError, UnreadableImage
from imgbatch.types import DecodeOptions, ReadFile

_RECENT_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again within one tick of its clock."""
_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """One file to read. Contents in `known` need no decoding; `wanted` None means everything.

    ``mtime_ns`` is what a listing says of a file given by a URL, where reading it tells no time.
    """

    path: str
    size: int
    known: tuple[bytes, ...] = ()
    wanted: frozenset[str] | None = None
    mtime_ns: int = -1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some files for one worker, with all it needs to describe them."""

    folder: str
    work: tuple[Work, ...]
    descriptors: tuple[tuple[str, Descriptor], ...]
    options: DecodeOptions

    def split(self) -> list["Chunk"]:
        """The same work, each file on its own."""
        return [replace(self, work=(one,)) for one in self.work]

    def crashed(self) -> list[ReadFile]:
        """The answer for files that kill whoever decodes them."""
        return [
            replace(read_bytes(self.folder, work)[0], error="decoding it crashed the decoder")
            for work in self.work
        ]


def with_fingerprints(
    descriptors: Sequence[Descriptor], options: DecodeOptions
) -> tuple[tuple[str, Descriptor], ...]:
    """Pair descriptors with fingerprints that also cover how pictures are decoded."""
    context: dict[str, Any] = {
        "decoding": images.DECODING_VERSION,
        "view_px": options.view_px,
        "background": list(options.background),
    }
    return tuple((fingerprint(descriptor, context), descriptor) for descriptor in descriptors)


def limits_of(options: DecodeOptions) -> str:
    """Text that changes whenever a file may become readable or unreadable."""
    return (
        f"decoding={images.DECODING_VERSION} max_megapixels={options.max_megapixels}"
        f" min_shown_share={options.min_shown_share}"
    )


def chunks(
    folder: str,
    work: Sequence[Work],
    descriptors: tuple[tuple[str, Descriptor], ...],
    options: DecodeOptions,
    most: int,
) -> Iterator[Chunk]:
    """Cut the work into chunks of at most `most` files and, but for single files, 16 MB."""
    some: list[Work] = []
    size = 0
    for one in work:
        if some and (len(some) >= most or size + one.size > _CHUNK_BYTES):
            yield Chunk(folder, tuple(some), descriptors, options)
            some, size = [], 0
        some.append(one)
        size += one.size
    if some:
        yield Chunk(folder, tuple(some), descriptors, options)


def read_chunk(chunk: Chunk) -> list[ReadFile]:
    """Do a chunk's work; bad files become answers with a reason. Deterministic but for times."""
    answers = []
    for work in chunk.work:
        read, data = read_bytes(chunk.folder, work)
        answers.append(read if data is None else describe(data, read, work, chunk))
    return answers


def read_bytes(folder: str, work: Work) -> tuple[ReadFile, bytes | None]:
    """Read and hash one file; no bytes if it cannot be read or its content is known."""
    try:
        read_it = _read_url if places.is_url(folder) else _read_local
        data, size, mtime_ns = read_it(folder, work)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        return ReadFile(work.path, work.size, -1, None, error=reason), None
    content_hash = hashlib.blake2b(data, digest_size=16).digest()
    read = ReadFile(work.path, size, mtime_ns, content_hash)
    if content_hash in work.known:
        return replace(read, known=True), None
    return read, data


def _read_local(folder: str, work: Work) -> tuple[bytes, int, int]:
    with open(os.path.join(folder, work.path), "rb") as file:
        status = os.fstat(file.fileno())
        data = file.read()
    recent = status.st_mtime_ns > time.time_ns() - _RECENT_NS
    return data, status.st_size, -1 if recent else status.st_mtime_ns


def _read_url(folder: str, work: Work) -> tuple[bytes, int, int]:
    data = places.read(places.join(folder, work.path))
    return data, len(data), work.mtime_ns if len(data) == work.size else -1


def describe(data: bytes, read: ReadFile, work: Work, chunk: Chunk) -> ReadFile:
    """Decode the bytes and compute the descriptors that are wanted."""
    try:
        decoded = images.decode(data, chunk.options)
    except UnreadableImage as error:
        return replace(read, error=error.message)
    codes = {
        mark: descriptor.describe(decoded.view).tobytes()
        for mark, descriptor in chunk.descriptors
        if work.wanted is None or mark in work.wanted
    }
    return replace(read, width=decoded.width, height=decoded.height, note=decoded.note, codes=codes)


def describe_file(
    path: str,
    descriptors: Sequence[tuple[str, Descriptor]],
    options: DecodeOptions,
    hint: str,
) -> tuple[images.Decoded, dict[str, Codes]]:
    """Decode one file and compute its codes, by descriptor name, for a request that names it.

    Raises
    ------
    SelectionError
        It cannot be read or used, with the hint what to do.
    """
    try:
        with images.quiet_codecs():
            decoded = images.decode(places.read(path), options)
    except OSError as error:
        why = error.strerror or error
        raise SelectionError(f"the image {path} cannot be read: {why}", hint) from None
    except UnreadableImage as error:
        raise SelectionError(f"the image {path} cannot be used: {error.message}", hint) from None
    return decoded, {one.name: one.describe(decoded.view) for _, one in descriptors}
