"""Handing out images: numbered copies or links, never over an existing file."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from imgbatch.errors import OutputError
from imgbatch.files.handout import hand_out, hand_out_by_class

posix = pytest.mark.skipif(os.name != "posix", reason="needs links or POSIX names")


def sources(folder: Path, *names: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
        os.utime(folder / name, (1_500_000_000, 1_500_000_000))
    return [str(folder / name) for name in names]


def test_copies_are_numbered_by_rank_and_keep_content_and_time(tmp_path):
    made = hand_out(sources(tmp_path / "in", "b.jpg", "a.png"), tmp_path / "out", link=False).files
    assert [path.name for path in made] == ["01-b.jpg", "02-a.png"]
    assert [path.read_bytes() for path in made] == [b"b.jpg", b"a.png"]
    assert made[0].stat().st_mtime == 1_500_000_000


def test_numbers_have_as_many_digits_as_needed(tmp_path):
    names = sources(tmp_path / "in", *(f"{n}.jpg" for n in range(120)))
    made = hand_out(names, tmp_path / "out", link=False).files
    assert (made[0].name, made[-1].name) == ("001-0.jpg", "120-119.jpg")


@pytest.mark.parametrize("link", [False, pytest.param(True, marks=posix)])
def test_nothing_is_ever_overwritten(tmp_path, link):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").write_text("mine")
    made = []
    for number in range(3):
        names = sources(tmp_path / f"in{number}", "a.jpg")
        Path(names[0]).write_text(f"content {number}")
        made += [file.name for file in hand_out(names, tmp_path / "out", link=link).files]
    assert made == ["01-a-2.jpg", "01-a-3.jpg", "01-a-4.jpg"]
    assert (tmp_path / "out" / "01-a.jpg").read_text() == "mine"


@pytest.mark.parametrize("link", [False, pytest.param(True, marks=posix)])
def test_the_same_set_is_handed_out_once_also_under_numbered_names(tmp_path, link):
    names = sources(tmp_path / "in", "a.jpg", "b.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").write_text("mine")
    first, again = (hand_out(names, tmp_path / "out", link=link) for _ in range(2))
    assert (first.made, again.made) == (2, 0)
    assert first.files == again.files
    assert len(os.listdir(tmp_path / "out")) == 3
    assert again.in_words().endswith("out, 2 were there already")


@posix
def test_a_dangling_link_in_the_way_is_not_written_through(tmp_path):
    names = sources(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").symlink_to(tmp_path / "precious")
    assert hand_out(names, tmp_path / "out", link=False).files[0].name == "01-a-2.jpg"
    assert not (tmp_path / "precious").exists()


@posix
def test_links_are_absolute_and_lead_to_the_source(tmp_path, monkeypatch):
    sources(tmp_path / "in", "a.jpg")
    monkeypatch.chdir(tmp_path)
    (made,) = hand_out(["in/a.jpg"], Path("out"), link=True).files
    assert os.readlink(made) == str(tmp_path / "in" / "a.jpg")


def test_a_vanished_source_is_an_output_error_and_leaves_no_half_file(tmp_path):
    with pytest.raises(OutputError, match=r"cannot copy gone\.jpg into .*: No such"):
        hand_out([str(tmp_path / "gone.jpg")], tmp_path / "out", link=False)
    assert os.listdir(tmp_path / "out") == []


@posix
def test_a_very_long_name_can_be_handed_out(tmp_path):
    name = "n" * 250 + ".jpg"
    (made,) = hand_out(sources(tmp_path / "in", name), tmp_path / "out", link=False).files
    assert made.read_bytes() == name.encode()
    assert made.suffix == ".jpg"


def test_a_url_that_cannot_be_read_leaves_no_file(tmp_path):
    pytest.importorskip("fsspec")
    with pytest.raises(OutputError, match="cannot copy"):
        hand_out(["memory://no-such-folder/a.jpg"], tmp_path / "out", link=False)
    assert os.listdir(tmp_path / "out") == []


@posix
def test_a_name_of_255_bytes_that_is_taken_still_gets_a_number(tmp_path):
    names = sources(tmp_path / "in", "n" * 251 + ".jpg")
    (first,) = hand_out(names, tmp_path / "out", link=False).files
    first.write_bytes(b"mine")
    (second,) = hand_out(names, tmp_path / "out", link=False).files
    assert first.name.startswith("01-nnn")
    assert second.name == f"{first.stem}-2.jpg"
    assert (first.read_bytes(), second.read_bytes()) == (b"mine", os.fsencode("n" * 251 + ".jpg"))


def no_hard_links(*_names, **_options):
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_copy_appears_under_its_name_only_when_it_is_whole(tmp_path, monkeypatch, hard_links):
    if not hard_links:
        monkeypatch.setattr(os, "link", no_hard_links)
    names = sources(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg")

    def fill_the_disk(reader, writer):
        assert not list((tmp_path / "out").glob("0*-*.jpg")) or reader.name != names[0]
        writer.write(reader.read(2))
        if reader.name == names[1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        writer.write(reader.read())

    monkeypatch.setattr(shutil, "copyfileobj", fill_the_disk)
    with pytest.raises(OutputError) as raised:
        hand_out(names, tmp_path / "out", link=False)
    assert "b.jpg" in raised.value.message
    assert "No space left on device" in raised.value.message
    assert "1 of 3 images were copied" in raised.value.message
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "01-a.jpg": b"a.jpg"
    }


def test_ctrl_c_leaves_whole_copies_alone(tmp_path, monkeypatch):
    names = sources(tmp_path / "in", "a.jpg", "b.jpg")

    def interrupt(reader, writer):
        writer.write(reader.read(2))
        if reader.name == names[1]:
            raise KeyboardInterrupt
        writer.write(reader.read())

    monkeypatch.setattr(shutil, "copyfileobj", interrupt)
    with pytest.raises(KeyboardInterrupt):
        hand_out(names, tmp_path / "out", link=False)
    assert os.listdir(tmp_path / "out") == ["01-a.jpg"]


def test_nothing_is_overwritten_where_there_are_no_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", no_hard_links)
    names = sources(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").write_bytes(b"mine")
    (made,) = hand_out(names, tmp_path / "out", link=False).files
    assert (made.name, made.read_bytes()) == ("01-a-2.jpg", b"a.jpg")
    assert (tmp_path / "out" / "01-a.jpg").read_bytes() == b"mine"
    assert len(os.listdir(tmp_path / "out")) == 2


def test_a_copy_whose_time_cannot_be_set_is_still_a_copy(tmp_path, monkeypatch):
    """Some file systems, such as those of memory cards, refuse the mode of the source."""

    def refused(*_files):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(shutil, "copystat", refused)
    (made,) = hand_out(sources(tmp_path / "in", "a.jpg"), tmp_path / "out", link=False).files
    assert made.read_bytes() == b"a.jpg"


@posix
def test_a_name_is_cut_between_characters_and_keeps_its_ending(tmp_path):
    name = "a" + "ü" * 124 + ".jpg"  # 253 bytes
    (made,) = hand_out(sources(tmp_path / "in", name), tmp_path / "out", link=False).files
    made.name.encode()
    assert made.name.endswith("ü.jpg")


@posix
def test_a_name_that_is_nearly_all_ending_can_be_handed_out(tmp_path):
    name = "a." + "x" * 253
    names = sources(tmp_path / "in", name)
    (made,) = hand_out(names, tmp_path / "out", link=False).files
    assert made.name.startswith("01-a")
    made.write_bytes(b"mine")
    assert hand_out(names, tmp_path / "out", link=False).made == 1
    assert len(os.listdir(tmp_path / "out")) == 2


def test_files_of_one_name_are_copied_once_into_the_folder_of_their_class(tmp_path):
    names = [*sources(tmp_path / "in", "1.jpg"), *sources(tmp_path / "other", "1.jpg")]
    Path(names[1]).write_bytes(b"another picture")
    done = [hand_out_by_class(names, ["cat", "cat"], tmp_path / "out") for _ in range(3)]
    assert done == [(2, 0), (0, 2), (0, 2)]
    assert sorted(os.listdir(tmp_path / "out" / "cat")) == ["1-2.jpg", "1.jpg"]
