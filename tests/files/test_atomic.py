"""Writing files: whole or not at all, never over the user's, never into the image folder."""

import os
from pathlib import Path

import pytest

from imgbatch.errors import OutputError, UsageError
from imgbatch.files.atomic import hand_out, is_inside, refuse_inside, replacing, replacing_folder

posix = pytest.mark.skipif(os.name != "posix", reason="needs links or POSIX permissions")


def test_the_target_appears_whole_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.suffix == ".txt"
    assert target.read_text() == "half"
    assert os.listdir(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), replacing(target) as temporary:  # noqa: PT012 - both lines matter
        temporary.write_text("new")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_replaced_is_put_back(tmp_path):
    target = tmp_path / "plan"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(OutputError), replacing_folder(target, lambda _: {"a"}) as made:
        made.rmdir()  # so that only the second of the two renames fails
    assert (target / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["plan"]


@posix
def test_others_may_read_what_is_written(tmp_path):
    old = os.umask(0o022)
    try:
        with replacing(tmp_path / "a") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_written_is_an_output_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OutputError, match=r"cannot write .*file"),
        replacing(tmp_path / "file" / "a.png"),
    ):
        pytest.fail("the block must not be entered")


def test_a_folder_in_the_targets_place_is_an_output_error(tmp_path):
    (tmp_path / "a.png" / "sub").mkdir(parents=True)
    with pytest.raises(OutputError), replacing(tmp_path / "a.png") as temporary:
        temporary.write_text("x")
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize(("target", "inside"), [
    ("photos/a.png", True), ("photos/sub/deep/a.png", True), ("photos", True),
    ("photos/../a.png", False), ("photos-2/a.png", False), ("a.png", False),
])  # fmt: skip
def test_inside_is_told_by_the_path(tmp_path, target, inside):
    (tmp_path / "photos").mkdir()
    folder = str(tmp_path / "photos")
    assert is_inside(tmp_path / target, folder) is inside
    assert is_inside(tmp_path / target, f"file://{folder}") is inside
    if inside:
        with pytest.raises(UsageError, match=r"-o .* lies inside the image folder"):
            refuse_inside(tmp_path / target, folder, "-o")


@posix
def test_inside_is_told_through_links(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "door").symlink_to(tmp_path / "photos")
    assert is_inside(tmp_path / "door" / "a.png", str(tmp_path / "photos"))
    assert is_inside(tmp_path / "photos" / "a.png", str(tmp_path / "door"))


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
