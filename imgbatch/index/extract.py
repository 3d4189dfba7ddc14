"""Read, decode and describe files: the work that runners spread."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imgbatch.descriptors.base import Codes, Descriptor, fingerprint
from imgbatch.errors import SelectionError, UnreadableImage
from imgbatch.files import paths
from imgbatch.images.decode import DECODING_VERSION, decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.images.view import Decoded
from imgbatch.types import DecodeOptions, ReadFile

_RECENT_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again within one tick of its clock."""
_HASH_BYTES = 16
"""Of a content's SHA-256, which processors compute twice as fast as BLAKE2 since about 2018."""
_CHUNK_BYTES, _LEAST_BYTES = 16_000_000, 1_000_000
_TOGETHER = 16
"""Pictures described together; their views, some 50 kB each, fit into a processor's cache."""
_SHARES = 8
"""A chunk is at most this part of what is left."""


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
        "decoding": DECODING_VERSION,
        "view_px": options.view_px,
        "background": list(options.background),
    }
    return tuple((fingerprint(descriptor, context), descriptor) for descriptor in descriptors)


def limits_of(options: DecodeOptions) -> str:
    """Text that changes whenever a file may become readable or unreadable."""
    return (
        f"decoding={DECODING_VERSION} max_megapixels={options.max_megapixels}"
        f" min_shown_share={options.min_shown_share}"
    )


def chunks(
    folder: str,
    work: Sequence[Work],
    descriptors: tuple[tuple[str, Descriptor], ...],
    options: DecodeOptions,
    most: int,
) -> Iterator[Chunk]:
    """Cut the work into chunks of at most `most` files and, but for single files, 16 MB.

    Chunks shrink towards the end, so that all workers are done at about the same time.
    """
    some: list[Work] = []
    left = sum(one.size for one in work)
    size, limit, most_bytes = 0, 0, 0
    for at, one in enumerate(work):
        if some and (len(some) >= limit or size + one.size > most_bytes):
            yield Chunk(folder, tuple(some), descriptors, options)
            some, size = [], 0
        if not some:
            limit = min(most, max(_TOGETHER, (len(work) - at) // _SHARES))
            most_bytes = min(_CHUNK_BYTES, max(_LEAST_BYTES, left // _SHARES))
        some.append(one)
        size += one.size
        left -= one.size
    if some:
        yield Chunk(folder, tuple(some), descriptors, options)


def read_chunk(chunk: Chunk) -> list[ReadFile]:
    """Do a chunk's work; bad files become answers with a reason. Deterministic but for times.

    Some pictures at a time go through one descriptor after the other, as its code and tables then
    stay in the processor's cache: 9% faster than picture by picture.
    """
    parts = (chunk.work[at : at + _TOGETHER] for at in range(0, len(chunk.work), _TOGETHER))
    return [answer for some in parts for answer in _read_some(chunk, some)]


def _read_some(chunk: Chunk, some: Sequence[Work]) -> list[ReadFile]:
    files, pictures = list[ReadFile](), list[Decoded | str | None]()
    for work in some:
        read, data = read_bytes(chunk.folder, work)
        files.append(read)
        pictures.append(None if data is None else _decode(data, chunk.options))
    codes = [dict[str, bytes]() for _ in some]
    for mark, descriptor in chunk.descriptors:
        wanted = [
            (own, picture.view)
            for work, picture, own in zip(some, pictures, codes, strict=True)
            if isinstance(picture, Decoded) and (work.wanted is None or mark in work.wanted)
        ]
        if wanted:
            found = descriptor.describe_many([view for _, view in wanted])
            for (own, _), code in zip(wanted, found, strict=True):
                own[mark] = code.tobytes()
    return [_answer(*one) for one in zip(files, pictures, codes, strict=True)]


def _decode(data: bytes, options: DecodeOptions) -> Decoded | str:
    """The picture, or why it cannot be used."""
    try:
        return decode(data, options)
    except UnreadableImage as error:
        return error.message


def _answer(read: ReadFile, picture: Decoded | str | None, codes: dict[str, bytes]) -> ReadFile:
    if picture is None:
        return read
    if isinstance(picture, str):
        return replace(read, error=picture)
    width, height = picture.width, picture.height
    return replace(read, width=width, height=height, note=picture.note, codes=codes)


def read_bytes(folder: str, work: Work) -> tuple[ReadFile, bytes | None]:
    """Read and hash one file; no bytes if it cannot be read or its content is known."""
    try:
        read_it = _read_url if paths.is_url(folder) else _read_local
        data, size, mtime_ns = read_it(folder, work)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        return ReadFile(work.path, work.size, -1, None, error=reason), None
    content_hash = hashlib.sha256(data).digest()[:_HASH_BYTES]
    read = ReadFile(work.path, size, mtime_ns, content_hash)
    if content_hash in work.known:
        return replace(read, known=True), None
    return read, data


def _read_local(folder: str, work: Work) -> tuple[bytes, int, int]:
    with open(os.path.join(folder, work.path), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        data = file.readall()
    recent = status.st_mtime_ns > time.time_ns() - _RECENT_NS
    return data, status.st_size, -1 if recent else status.st_mtime_ns


def _read_url(folder: str, work: Work) -> tuple[bytes, int, int]:
    data = paths.read(paths.join(folder, work.path))
    return data, len(data), work.mtime_ns if len(data) == work.size else -1


def describe_file(
    path: str,
    descriptors: Sequence[tuple[str, Descriptor]],
    options: DecodeOptions,
    hint: str,
) -> tuple[Decoded, dict[str, Codes]]:
    """Decode one file and compute its codes, by descriptor name, for a request that names it.

    Raises
    ------
    SelectionError
        It cannot be read or used, with the hint what to do.
    """
    try:
        with quiet_codecs():
            decoded = decode(paths.read(path), options)
    except OSError as error:
        why = error.strerror or error
        raise SelectionError(f"the image {path} cannot be read: {why}", hint) from None
    except UnreadableImage as error:
        raise SelectionError(f"the image {path} cannot be used: {error.message}", hint) from None
    return decoded, {one.name: one.describe(decoded.view) for _, one in descriptors}
