"""Files that are not what they seem cost a line in the list of skipped files, never the run."""

import os
import struct
import zlib

import pytest

import imgbatch
from imgbatch.index import extract
from tests.drawing import jpeg, photo, png
from tests.peaks import ON_LINUX, peak_of_decoding

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")


def skipped(folder):
    return {file.path: file.reason for file in imgbatch.load(folder).skipped}


@POSIX
@pytest.mark.parametrize("kind", ["fifo", "device", "link to a device", "link to a fifo"])
def test_only_regular_files_are_opened_and_nothing_blocks(photos, tmp_path, kind):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    if kind == "fifo":
        os.mkfifo(photos / "x.jpg")
    elif kind == "device":
        pytest.importorskip("os").geteuid() == 0 or pytest.skip("only root makes devices")
        os.mknod(photos / "x.jpg", 0o600 | 0o020000, os.makedev(1, 5))
    else:
        (photos / "x.jpg").symlink_to("/dev/zero" if "device" in kind else fifo)
    assert skipped(photos) == {"x.jpg": "not a regular file"}


@POSIX
def test_a_file_that_becomes_a_fifo_after_it_was_listed_is_skipped(photos, monkeypatch):
    real = extract.read_regular

    def exchange(path, most_bytes, **options):
        if path.endswith("x.jpg"):
            os.unlink(path)
            os.mkfifo(path)
        return real(path, most_bytes, **options)

    (photos / "x.jpg").write_bytes(jpeg(photo(1)))
    monkeypatch.setattr(extract, "read_regular", exchange)
    assert "not a regular file" in skipped(photos)["x.jpg"]


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="needs Linux's kernel log")
def test_a_link_to_the_kernel_log_does_not_hang_the_index(photos):
    (photos / "x.jpg").symlink_to("/proc/kmsg")
    assert list(skipped(photos)) == ["x.jpg"]


@POSIX
def test_a_file_over_the_limit_of_bytes_is_named_and_the_others_are_indexed(photos):
    with (photos / "large.jpg").open("wb") as file:
        file.truncate(6_000_000_000)  # sparse: it takes no space
    collection = imgbatch.load(photos)
    assert len(collection) == 12
    (large,) = collection.skipped
    assert large.path == "large.jpg"
    assert "6,000 MB" in large.reason
    assert "images.max_file_megabytes" in large.reason


def test_a_file_that_memory_does_not_hold_never_ends_the_run(photos, monkeypatch):
    real = extract.decode

    def decode(data, options):
        if data == poison:
            raise MemoryError
        return real(data, options)

    poison = jpeg(photo(99))
    (photos / "poison.jpg").write_bytes(poison)
    monkeypatch.setattr(extract, "decode", decode)
    assert skipped(photos) == {"poison.jpg": "decoding needs more memory than there is"}


def chunk(kind, data, length=None):
    body = kind + data
    declared = len(data) if length is None else length
    return struct.pack(">I", declared) + body + struct.pack(">I", zlib.crc32(body))


def damaged_png(length, kind=b"IDAT"):
    header = struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(kind, b"x" * 9, length) + chunk(b"IEND", b"")


@pytest.mark.slow
@ON_LINUX
@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt", b"zTXt", b"iCCP", b"PLTE", b"acTL", b"fdAT"])
@pytest.mark.parametrize("length", [0xFFFFFFF0, 0x7FFFFFFF, 1 << 30])
def test_a_chunk_longer_than_its_file_takes_no_memory(tmp_path, kind, length):
    file = tmp_path / "damaged.png"
    file.write_bytes(damaged_png(length, kind))
    assert peak_of_decoding(file).peak_mb < 110


def test_a_png_whose_last_chunk_is_cut_off_is_still_skipped_or_shown_as_before(tmp_path):
    whole = png(photo(3))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "whole.png").write_bytes(whole)
    (tmp_path / "photos" / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert "cut off" in skipped(tmp_path / "photos")["cut.png"]
