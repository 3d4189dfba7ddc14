"""A sealed file that is damaged is noticed, and an untouched one is not read again."""

import json
import os
import shutil

import pytest

from imgbatch.files import seals
from imgbatch.files.seals import (
    BrokenSealError,
    check_seal,
    read_checked,
    seal,
    write_checked,
)


@pytest.fixture
def sealed(tmp_path):
    """Two files and their seal."""
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(file.name.encode() * 10_000)
    seal(tmp_path / "seal", files)
    return tmp_path / "seal", files


def test_a_changed_byte_is_noticed_even_if_size_and_time_stay(sealed):
    target, files = sealed
    status = files[1].stat()
    with files[1].open("r+b") as opened:
        opened.seek(5000)
        opened.write(b"c")
    os.utime(files[1], ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(BrokenSealError, match="b is damaged"):
        check_seal(target, files)


def test_two_sealed_files_that_swapped_their_names_are_noticed(sealed):
    target, files = sealed
    files[0].rename(target.with_name("c"))
    files[1].rename(files[0])
    target.with_name("c").rename(files[1])
    with pytest.raises(BrokenSealError):
        check_seal(target, files)


def test_untouched_files_are_not_read_again(sealed, monkeypatch):
    target, files = sealed
    monkeypatch.setattr(seals, "_digest", lambda _: pytest.fail("read again"))
    check_seal(target, files)


def test_touched_files_are_compared_once(sealed, monkeypatch):
    target, files = sealed
    os.utime(files[0])
    check_seal(target, files)
    monkeypatch.setattr(seals, "_digest", lambda _: pytest.fail("read again"))
    check_seal(target, files)


def test_after_a_new_start_of_the_machine_files_are_compared_once(sealed, monkeypatch):
    target, files = sealed
    monkeypatch.setattr(seals, "_boot", lambda: "another start")
    compared, digest = [], seals._digest
    monkeypatch.setattr(seals, "_digest", lambda file: compared.append(file) or digest(file))
    check_seal(target, files)
    check_seal(target, files)
    assert compared == files


def test_a_missing_file_is_missing_and_not_damaged(sealed):
    target, files = sealed
    files[0].unlink()
    with pytest.raises(FileNotFoundError):
        check_seal(target, files)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"digests": 1}',
        b'{"digests": ["x"], "checked": ""}',
        b"[" * 9999,
    ],
)
def test_a_damaged_seal_seals_nothing(sealed, content):
    target, files = sealed
    target.write_bytes(content)
    with pytest.raises(BrokenSealError):
        check_seal(target, files)


def test_a_seal_that_cannot_be_renewed_still_holds(sealed, monkeypatch):
    target, files = sealed
    os.utime(files[0])

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(seals, "write_bytes", refuse)
    before = json.loads(target.read_bytes())
    check_seal(target, files)
    assert json.loads(target.read_bytes()) == before


def test_a_checked_file_under_the_name_of_another_counts_as_missing(tmp_path):
    one, other = str(tmp_path / "1-copies.npz"), str(tmp_path / "2-copies.npz")
    write_checked(one, b"of the first images")
    shutil.copyfile(one, other)
    assert read_checked(one) == b"of the first images"
    assert read_checked(other) is None
