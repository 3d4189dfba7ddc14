"""Handing out images: numbered copies or links, never over an existing file."""

import os
from pathlib import Path

import pytest

from imgbatch.errors import OutputError
from imgbatch.files.handout import hand_out

posix = pytest.mark.skipif(os.name != "posix", reason="needs links or POSIX names")


def sources(folder: Path, *names: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
        os.utime(folder / name, (1_500_000_000, 1_500_000_000))
    return [str(folder / name) for name in names]


def test_copies_are_numbered_by_rank_and_keep_content_and_time(tmp_path):
    made = hand_out(sources(tmp_path / "in", "b.jpg", "a.png"), tmp_path / "out", link=False)
    assert [path.name for path in made] == ["01-b.jpg", "02-a.png"]
    assert [path.read_bytes() for path in made] == [b"b.jpg", b"a.png"]
    assert made[0].stat().st_mtime == 1_500_000_000


def test_numbers_have_as_many_digits_as_needed(tmp_path):
    names = sources(tmp_path / "in", *(f"{n}.jpg" for n in range(120)))
    made = hand_out(names, tmp_path / "out", link=False)
    assert (made[0].name, made[-1].name) == ("001-0.jpg", "120-119.jpg")


@pytest.mark.parametrize("link", [False, pytest.param(True, marks=posix)])
def test_nothing_is_ever_overwritten(tmp_path, link):
    names = sources(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").write_text("mine")
    made = [hand_out(names, tmp_path / "out", link=link)[0].name for _ in range(3)]
    assert made == ["01-a-2.jpg", "01-a-3.jpg", "01-a-4.jpg"]
    assert (tmp_path / "out" / "01-a.jpg").read_text() == "mine"


@posix
def test_a_dangling_link_in_the_way_is_not_written_through(tmp_path):
    names = sources(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01-a.jpg").symlink_to(tmp_path / "precious")
    assert hand_out(names, tmp_path / "out", link=False)[0].name == "01-a-2.jpg"
    assert not (tmp_path / "precious").exists()


@posix
def test_links_are_absolute_and_lead_to_the_source(tmp_path, monkeypatch):
    sources(tmp_path / "in", "a.jpg")
    monkeypatch.chdir(tmp_path)
    (made,) = hand_out(["in/a.jpg"], Path("out"), link=True)
    assert os.readlink(made) == str(tmp_path / "in" / "a.jpg")


def test_a_vanished_source_is_an_output_error_and_leaves_no_half_file(tmp_path):
    with pytest.raises(OutputError, match="cannot copy into"):
        hand_out([str(tmp_path / "gone.jpg")], tmp_path / "out", link=False)
    assert os.listdir(tmp_path / "out") == []


@posix
def test_a_very_long_name_can_be_handed_out(tmp_path):
    name = "n" * 250 + ".jpg"
    (made,) = hand_out(sources(tmp_path / "in", name), tmp_path / "out", link=False)
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
    first, second = (hand_out(names, tmp_path / "out", link=False)[0] for _ in range(2))
    assert first.name.startswith("01-nnn")
    assert second.name == f"{first.stem}-2.jpg"
    assert second.read_bytes() == first.read_bytes() == os.fsencode("n" * 251 + ".jpg")
