"""Arrays of NumPy's .npz form from files that anybody may have made.

`numpy.load` believes what such a file says of itself: an archive of a megabyte unpacks to
gigabytes, and an array is made as large as its header claims, before the first number is read.
Here sizes are compared first. Objects, which only a pickle can hold, are refused.
"""

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Container, Mapping
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

_MOST_BYTES = 100_000_000
"""That a small file may unpack to; a large one may hold as many bytes as it has."""
_ENDING = ".npy"
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Readers of an array's header by the version of the form; all that is written here is of 1.0."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How NumPy packs arrays; decoders of other ways fail in ways of their own."""
_BROKEN = (
    OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, NotImplementedError,
    OverflowError, RecursionError, RuntimeError, SyntaxError, struct.error, tokenize.TokenError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What ZIP archives and array headers that are broken raise; an archive with a password, too."""


def unpacked_arrays(
    file: BinaryIO, wanted: Container[str] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an opened .npz file by name, all of them or those that are wanted.

    Raises
    ------
    ValueError
        It is no such file, or damaged, or claims more than it holds.

    Examples
    --------
    >>> packed = io.BytesIO()
    >>> np.savez(packed, numbers=np.arange(3))
    >>> unpacked_arrays(packed)
    {'numbers': array([0, 1, 2])}
    """
    try:
        most = max(file.seek(0, io.SEEK_END), _MOST_BYTES)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            named = {info.filename.removesuffix(_ENDING): info for info in archive.infolist()}
            members = {name: named[name] for name in named if wanted is None or name in wanted}
            total = sum(info.file_size for info in members.values())
            if total > most:
                raise ValueError(f"it claims to unpack to {total:,} bytes")
            if any(info.compress_type not in _PACKINGS for info in members.values()):
                raise ValueError("it is packed in a way that NumPy does not use")
            return {name: _array(_unpacked(archive, info)) for name, info in members.items()}
    except _BROKEN as error:
        raise ValueError(_in_short(error)) from None


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member; no more are unpacked than the archive lists. Their CRC is checked."""
    with archive.open(info) as member:  # `archive.read` would unpack all that there is
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ValueError(f"it lists {info.file_size:,} bytes of an array that has {len(data):,}")
    return data


def numbers(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int | None, ...]
) -> npt.NDArray[Any]:
    """An array of finite floating-point numbers; None in its shape stands for any length.

    Raises
    ------
    KeyError, ValueError
        It is missing, of another shape or type, or holds what is no number.

    Examples
    --------
    >>> numbers({"a": np.zeros((2, 3))}, "a", (None, 3)).shape
    (2, 3)
    """
    array = arrays[name]
    fits = len(array.shape) == len(shape) and all(
        length in (None, there) for length, there in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind != "f" or not np.isfinite(array).all():
        told = "finite numbers" if fits else "the shape that it must have"
        raise ValueError(f"its array {name!r:.40} has not {told}")
    return array


def _array(data: bytes) -> npt.NDArray[Any]:
    """The array of an .npy file, of which every byte is there."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
        raise ValueError(f"an array is of version {version}")
    shape, by_columns, dtype = _READERS[version](file)
    if dtype.hasobject:
        raise ValueError("an array holds objects")
    count = math.prod(shape)
    if count < 0 or count * dtype.itemsize != len(data) - file.tell():
        raise ValueError("an array has not the size that it claims")
    flat = np.frombuffer(data, dtype, count, file.tell()) if count else np.zeros(0, dtype)
    array = flat.reshape(shape, order="F" if by_columns else "C")
    return cast("npt.NDArray[Any]", array.copy(order="K"))


def _in_short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text if text.isprintable() and len(text) < 200 else "") or type(error).__name__
