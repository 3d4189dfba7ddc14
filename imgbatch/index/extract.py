"""Read, decode and describe files: the work that runners spread."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.descriptors.base import fingerprint as fingerprint_of
from imgbatch.errors import ClusterError, SelectionError, UnreadableImage
from imgbatch.files import paths
from imgbatch.files.regular import TooLargeError, is_recent, read_regular
from imgbatch.images.decode import DECODING_VERSION, decode
from imgbatch.images.formats import HEAD_BYTES, NO_IMAGE, ends_like_image, format_of
from imgbatch.images.quiet import quiet_codecs
from imgbatch.images.view import Decoded
from imgbatch.runners.clock import start_clock, stop_clock
from imgbatch.types import DecodeOptions, ReadFile, View

_HASH_BYTES = 16
"""Of a content's SHA-256, which processors compute twice as fast as BLAKE2 since about 2018."""
_MOST_CHUNK_BYTES, _LEAST_CHUNK_BYTES = 16_000_000, 1_000_000
READ_ERRORS = (OSError, MemoryError, TooLargeError)
"""What reading an image file raises."""
_GROUP_FILES = 16
"""Files described together; their views, some 50 kB each, fit into a processor's cache."""
_SHARE_OF_REST = 8
"""A chunk is at most this part of the files that are left."""


@dataclass(frozen=True, slots=True)
class FileTask:
    """One file to read and describe.

    Attributes
    ----------
    path
        Inside the folder.
    size
        Bytes, as the folder's listing says.
    known
        Hashes of contents that need no decoding.
    wanted
        Fingerprints of the descriptors to compute; None for all.
    mtime_ns
        What the listing says of a file given by a URL, as reading it gives no time of change.
    """

    path: str
    size: int
    known: tuple[bytes, ...] = ()
    wanted: frozenset[str] | None = None
    mtime_ns: int = -1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Several files for one worker, with all it needs to describe them."""

    folder: str
    files: tuple[FileTask, ...]
    descriptors: tuple[tuple[str, Descriptor], ...]
    options: DecodeOptions

    def split(self) -> list["Chunk"]:
        """The same files, one in each chunk."""
        return [replace(self, files=(file,)) for file in self.files]

    def crashed(self) -> list[ReadFile]:
        """The answer for files that kill every worker that decodes them, or take it too long."""
        error = (
            "decoding it crashed the decoder, or took over "
            f"{self.options.max_seconds:g} seconds (images.max_seconds)"
        )
        return [
            replace(_read_bytes(self.folder, file, self.options)[0], error=error)
            for file in self.files
        ]


def with_fingerprints(
    descriptors: Sequence[Descriptor], options: DecodeOptions
) -> tuple[tuple[str, Descriptor], ...]:
    """Pair descriptors with fingerprints, which change also when pictures are decoded otherwise."""
    context: dict[str, Any] = {
        "decoding": DECODING_VERSION,
        "view_px": options.view_px,
        "background": list(options.background),
    }
    return tuple((fingerprint_of(descriptor, context), descriptor) for descriptor in descriptors)


def check_version(descriptors: tuple[tuple[str, Descriptor], ...], options: DecodeOptions) -> None:
    """Make sure that this process computes the descriptors that another one asks for.

    Raises
    ------
    ClusterError
        It has another version of imgbatch.
    """
    if with_fingerprints([descriptor for _, descriptor in descriptors], options) != descriptors:
        raise ClusterError(
            "a worker runs another version of imgbatch", "install the same one on each"
        )


def limits_of(options: DecodeOptions) -> str:
    """Text that changes whenever a file may become readable or unreadable."""
    return (
        f"decoding={DECODING_VERSION} max_megapixels={options.max_megapixels}"
        f" min_shown_share={options.min_shown_share}"
    )


def chunks(
    folder: str,
    files: Sequence[FileTask],
    descriptors: tuple[tuple[str, Descriptor], ...],
    options: DecodeOptions,
    most_files: int,
) -> Iterator[Chunk]:
    """Cut files into chunks that shrink towards the end, so that all workers end at the same time.

    A chunk has at most `most_files` files and, unless it is a single file, at most 16 MB.

    Examples
    --------
    >>> files = [FileTask(f"{number}.jpg", 1000) for number in range(200)]
    >>> [len(chunk.files) for chunk in chunks("photos", files, (), DecodeOptions(), 128)]
    [25, 21, 19, 16, 16, 16, 16, 16, 16, 16, 16, 7]
    """
    chunk: list[FileTask] = []
    rest_bytes = sum(file.size for file in files)
    chunk_bytes, limit_files, limit_bytes = 0, 0, 0
    for number, file in enumerate(files):
        if chunk and (len(chunk) >= limit_files or chunk_bytes + file.size > limit_bytes):
            yield Chunk(folder, tuple(chunk), descriptors, options)
            chunk, chunk_bytes = [], 0
        if not chunk:
            share_files = (len(files) - number) // _SHARE_OF_REST
            limit_files = min(most_files, max(_GROUP_FILES, share_files))
            share_bytes = rest_bytes // _SHARE_OF_REST
            limit_bytes = min(_MOST_CHUNK_BYTES, max(_LEAST_CHUNK_BYTES, share_bytes))
        chunk.append(file)
        chunk_bytes += file.size
        rest_bytes -= file.size
    if chunk:
        yield Chunk(folder, tuple(chunk), descriptors, options)


def read_chunk(chunk: Chunk) -> list[ReadFile]:
    """Read, decode and describe a chunk's files; a bad file's answer says what is wrong with it.

    The answers come in the order of files and depend on nothing but the files, except for times of
    change. A group of files goes through one descriptor after the other, as the descriptor's code
    and tables then stay in the processor's cache: 9% faster than file by file.

    Examples
    --------
    >>> chunk = Chunk("photos", (FileTask("missing.jpg", 0),), (), DecodeOptions())
    >>> read_chunk(chunk)[0].error
    'cannot be read: No such file or directory'
    """
    starts = range(0, len(chunk.files), _GROUP_FILES)
    groups = (chunk.files[start : start + _GROUP_FILES] for start in starts)
    return [answer for group in groups for answer in _read_group(chunk, group)]


def _read_group(chunk: Chunk, group: Sequence[FileTask]) -> list[ReadFile]:
    answers, pictures = list[ReadFile](), list[Decoded | str | None]()
    for file in group:
        answer, data = _read_bytes(chunk.folder, file, chunk.options)
        answers.append(answer)
        pictures.append(None if data is None else _decode(data, chunk.options))
        del data  # before the next file is read
    codes = [dict[str, bytes]() for _ in group]
    for fingerprint, descriptor in chunk.descriptors:
        wanted = [
            (codes_of_file, picture.view)
            for file, picture, codes_of_file in zip(group, pictures, codes, strict=True)
            if isinstance(picture, Decoded) and (file.wanted is None or fingerprint in file.wanted)
        ]
        if wanted:
            rows = descriptor.describe_many([view for _, view in wanted])
            for (codes_of_file, _), row in zip(wanted, rows, strict=True):
                codes_of_file[fingerprint] = row.tobytes()
    return [_complete(*parts) for parts in zip(answers, pictures, codes, strict=True)]


def _decode(data: bytes, options: DecodeOptions) -> Decoded | str:
    """The picture, or why it cannot be used."""
    start_clock(options.max_seconds)
    try:
        return decode(data, options)
    except UnreadableImage as error:
        return error.message
    except MemoryError:
        return "decoding needs more memory than there is"
    finally:
        stop_clock()


def _complete(answer: ReadFile, picture: Decoded | str | None, codes: dict[str, bytes]) -> ReadFile:
    """A file's answer with what its picture gave: codes, or why it is unreadable."""
    if picture is None:
        return answer
    if isinstance(picture, str):
        return replace(answer, error=picture)
    width, height = picture.width, picture.height
    return replace(answer, width=width, height=height, note=picture.note, codes=codes)


def _read_bytes(
    folder: str, file: FileTask, options: DecodeOptions
) -> tuple[ReadFile, bytes | None]:
    """Read and hash a file; None instead of bytes if it cannot be read or its content is known.

    Of a file whose name does not end like an image's and whose first bytes are no image's, only
    these are read and hashed: a file of just these bytes is no image either.
    """
    read = _read_url if paths.is_url(folder) else _read_local
    most_bytes = _most_bytes(options)
    try:
        if not ends_like_image(file.path) and (other := _no_image(folder, file)) is not None:
            return other, None
        if file.size > most_bytes:
            raise TooLargeError(file.size)
        data, size, mtime_ns, ctime_ns = read(folder, file, most_bytes)
    except READ_ERRORS as error:
        return ReadFile(file.path, file.size, -1, None, error=_unread(error, options)), None
    content_hash = content_hash_of(data)
    answer = ReadFile(file.path, size, mtime_ns, content_hash, ctime_ns=ctime_ns)
    if content_hash in file.known:
        return replace(answer, known=True), None
    return answer, data


def _no_image(folder: str, file: FileTask) -> ReadFile | None:
    """What is recorded of a file of this machine whose first bytes are no image's; else None."""
    if paths.is_url(folder):
        return None
    head, size, mtime_ns, ctime_ns = _read_local(folder, file, 0, head_bytes=HEAD_BYTES)
    if format_of(head) is not None:
        return None
    content = content_hash_of(head)
    return ReadFile(file.path, size, mtime_ns, content, error=NO_IMAGE, ctime_ns=ctime_ns)


def _most_bytes(options: DecodeOptions) -> int:
    return int(options.max_file_megabytes * 1e6)


def _unread(error: Exception, options: DecodeOptions) -> str:
    """Why a file's bytes are not there."""
    if isinstance(error, TooLargeError):
        return (
            f"{error.size_bytes / 1e6:,.0f} MB is over the limit of "
            f"{options.max_file_megabytes:g} MB (images.max_file_megabytes)"
        )
    return f"cannot be read: {getattr(error, 'strerror', None) or error or 'out of memory'}"


def _read_local(
    folder: str, file: FileTask, most_bytes: int, head_bytes: int | None = None
) -> tuple[bytes, int, int, int | None]:
    """Bytes, size and times of change; -1 for a time so recent that the file may change unseen."""
    place = os.path.join(folder, file.path)
    data, status = read_regular(place, most_bytes, head_bytes=head_bytes)
    mtime_ns = -1 if is_recent(status, time.time_ns()) else status.st_mtime_ns
    return data, status.st_size, mtime_ns, status.st_ctime_ns


def _read_url(folder: str, file: FileTask, _most_bytes: int) -> tuple[bytes, int, int, int | None]:
    """Bytes, size and the listing's time; -1 for a file that is no longer as the listing says."""
    data = paths.read(paths.join(folder, file.path))
    return data, len(data), file.mtime_ns if len(data) == file.size else -1, None


def read_file(path: str, options: DecodeOptions) -> bytes:
    """All bytes of an image file given by its path or URL.

    Raises
    ------
    OSError, MemoryError, TooLargeError
        It cannot be read (`READ_ERRORS`); only files of this machine can be too large.
    """
    if paths.is_url(path):
        return paths.read(path)
    return read_regular(path, _most_bytes(options))[0]


def read_view(path: str, options: DecodeOptions) -> View | None:
    """The view of an image file given by its path or URL; None if it cannot be read."""
    try:
        return decode(read_file(path, options), options).view
    except (UnreadableImage, *READ_ERRORS):
        return None


def content_hash_of(data: bytes) -> bytes:
    """16 bytes by which the index knows the content of a file.

    >>> len(content_hash_of(b"content"))
    16
    """
    return hashlib.sha256(data).digest()[:_HASH_BYTES]


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
        The file cannot be read, or not as an image; its hint is `hint`.
    """
    try:
        data = read_file(path, options)
    except (ValueError, *READ_ERRORS) as error:  # no file's name has a null byte
        raise SelectionError(f"the image {path}: {_unread(error, options)}", hint) from None
    return describe_data(data, path, descriptors, options, hint)


def describe_data(
    data: bytes,
    name: str,
    descriptors: Sequence[tuple[str, Descriptor]],
    options: DecodeOptions,
    hint: str,
) -> tuple[Decoded, dict[str, Codes]]:
    """See `describe_file`, for the bytes of a file that messages call `name`."""
    with quiet_codecs():
        decoded = _decode(data, options)
    if isinstance(decoded, str):
        raise SelectionError(f"the image {name} cannot be used: {decoded}", hint)
    codes = {descriptor.name: descriptor.describe(decoded.view) for _, descriptor in descriptors}
    return decoded, codes
