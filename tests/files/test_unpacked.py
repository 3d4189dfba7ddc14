"""Files of arrays from anybody: read, or refused before memory is taken or a pickle is run."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from imgbatch.files.unpacked import numbers, unpacked_arrays


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file


def member(header, data=b""):
    """An .npz file with one array of this header."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        length = len(header).to_bytes(2, "little")
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + length + header.encode() + data)
    return file


def described(kind, shape):
    return f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}\n"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.float32),
        np.float64(3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(["sea", "sky"]),
        np.array([True]),
    ],
)
def test_what_numpy_wrote_is_read_as_numpy_reads_it(array):
    read = unpacked_arrays(packed(a=array))["a"]
    assert read.dtype == np.asarray(array).dtype
    assert np.array_equal(read, array)


def test_wanted_arrays_alone_are_read():
    file = packed(a=np.arange(3), objects=np.array([None]))
    assert list(unpacked_arrays(file, ("a",))) == ["a"]


@pytest.mark.parametrize(
    "file",
    [
        io.BytesIO(),
        io.BytesIO(b"no archive"),
        packed(a=np.array([None, 1])),
        member(described("<f4", "(10000000000,)")),
        member(described("<U100000000", "(10000000000,)")),
        member(described("<f4", "(-1,)")),
        member(described("<f4", "(1.5,)"), bytes(8)),
        member(described("<f4", "(4,)"), bytes(8)),
        member(described("no type", "(1,)"), bytes(8)),
        member("(" * 3000),
        member("{" + "'a': 1, " * 2000 + "}"),
    ],
)
def test_what_is_no_array_is_one_short_error(file):
    with pytest.raises(ValueError, match=r"^[ -~]{1,200}$"):
        unpacked_arrays(file)


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_archive_that_numpy_would_not_pack_is_refused(method, damaged):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a.npy", bytes(1000))
    data = bytearray(file.getvalue())
    if damaged:
        data[40:50] = bytes(10)
    with pytest.raises(ValueError, match="NumPy does not use"):
        unpacked_arrays(io.BytesIO(data))


def test_an_archive_that_unpacks_to_far_more_than_it_holds_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(1000))
    data = bytearray(file.getvalue())
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = (200_000_000).to_bytes(4, "little")
    with pytest.raises(ValueError, match="claims to unpack to 200,000,000 bytes"):
        unpacked_arrays(io.BytesIO(data))


def test_an_array_that_unpacks_to_more_than_the_archive_lists_takes_no_memory():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(50_000_000))
    data = bytearray(file.getvalue())
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    del archive
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"CRC|lists"):
            unpacked_arrays(io.BytesIO(data))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_an_array_of_fewer_bytes_than_the_archive_lists_is_refused():
    file = packed(a=np.arange(3))
    data = bytearray(file.getvalue())
    at = data.rindex(b"PK\1\2") + 24
    size = int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (size + 1).to_bytes(4, "little")
    with pytest.raises(ValueError, match="lists"):
        unpacked_arrays(io.BytesIO(data))


def test_a_flipped_bit_in_an_array_is_noticed():
    data = bytearray(packed(a=np.arange(30)).getvalue())
    data[data.index(b"NUMPY") + 200] ^= 1
    with pytest.raises(ValueError, match="CRC"):
        unpacked_arrays(io.BytesIO(data))


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.full((2, 3), np.nan), np.full((2, 3), np.inf), np.zeros((2, 3), int)]
)
def test_numbers_have_their_shape_and_are_finite(array):
    with pytest.raises(ValueError, match="'a' has not"):
        numbers({"a": array}, "a", (None, 3))
