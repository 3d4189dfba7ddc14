"""Where indexes are kept: every command says in one line what is wrong with the place."""

import os
import shutil
from pathlib import Path

import pytest

import imgbatch
from tests.drawing import write_photos

posix = pytest.mark.skipif(os.name != "posix", reason="needs links or POSIX permissions")

COMMANDS = {
    "similar": ("similar", "PHOTOS", "-n", 2),
    "different": ("different", "PHOTOS", "-n", 2, "--json"),
    "batches": ("batches", "PHOTOS", "--batch-size", 4),
    "explain": ("explain", "PHOTOS/class0/image000.jpg", "PHOTOS/class0/image002.jpg"),
    "explain --folder": ("explain", "class0/image000.jpg", "class0/image002.jpg", "--folder",
                         "PHOTOS"),
    "index": ("index", "PHOTOS", "--workers", 1),
    "no refresh": ("similar", "PHOTOS", "--no-refresh"),
    "export": ("export", "PHOTOS", "--to", "out.npz"),
    "evaluate": ("evaluate", "PHOTOS"),
    "tune": ("tune", "PHOTOS", "--trials", 1),
    "cache dir": ("cache", "dir"),
    "cache list": ("cache", "list"),
    "cache list --json": ("cache", "list", "--json"),
    "cache clean": ("cache", "clean"),
    "cache clean FOLDER": ("cache", "clean", "PHOTOS"),
}  # fmt: skip
PLACES = {
    "a file": ("file", 1, "is not a folder"),
    "below a file": ("file/sub", 1, "file is not a folder"),
    "a dangling link": ("dangling", 1, "leads nowhere"),
    "below a dangling link": ("dangling/sub", 1, "leads nowhere"),
    "a link to itself": ("loop", 1, "leads nowhere"),
    "a long name": ("n" * 300, 1, "name too long"),
    "a long path": ("/".join(["n" * 250] * 20), 1, "name too long"),
    "a URL": ("s3://bucket/indexes", 2, "is a URL"),
    "nobody's home": ("~no-such-user/indexes", 2, "begins with ~"),
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Twelve photos in two classes, which no test changes."""
    folder = tmp_path_factory.mktemp("places") / "photos"
    write_photos(folder, 12, classes=2)
    return folder


@pytest.fixture
def place(tmp_path):
    (tmp_path / "file").write_text("mine")
    if os.name == "posix":
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
    return tmp_path


def filled(arguments, folder):
    return [str(argument).replace("PHOTOS", str(folder)) for argument in arguments]


@posix
@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_can_hold_no_indexes_is_one_line(cli, labelled, place, name, kind):
    given, code, word = PLACES[kind]
    given = given if given.startswith(("~", "s3:")) else str(place / given)
    answer = cli(*filled(COMMANDS[name], labelled), env={"IMGBATCH_CACHE_DIR": given})
    answer.assert_one_clear_line(code, word)
    assert "IMGBATCH_CACHE_DIR" in answer.err or code == 2
    assert (place / "file").read_text() == "mine"
    if not given.startswith("s3:"):
        answer = cli(*filled(COMMANDS[name], labelled), "--index", given)
        answer.assert_one_clear_line(code, word)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_name_for_the_index_is_one_line(cli, labelled, name):
    answer = cli(*filled(COMMANDS[name], labelled), "--index", "")
    answer.assert_one_clear_line(2, "--index", "empty")


@pytest.mark.slow
@posix
@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize(
    "name", ["similar", "index", "explain", "cache list", "cache clean", "cache clean FOLDER"]
)
def test_a_place_without_permission_is_one_line(
    command, labelled, tmp_path, as_anybody, name, mode
):
    root = tmp_path / "closed"
    assert command("index", labelled, "--index", root / "kept").code == 0
    (root / "kept").chmod(mode)
    given = root / "kept" if name.startswith("cache") else root / "kept" / "sub"
    answer = command(*filled(COMMANDS[name], labelled), "--index", given, prefix=as_anybody)
    (root / "kept").chmod(0o700)
    if name == "cache list" and mode == 0o500:
        assert answer.code == 0
        assert "1 index in" in answer.out
        return
    if name.startswith("cache clean") and mode == 0o500:  # entries go first, then the folder
        assert answer.code == 1
    answer.assert_one_clear_line(1, "closed", "Permission denied")


@posix
def test_a_tilde_is_the_users_home(cli, labelled, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = {"IMGBATCH_CACHE_DIR": "~/indexes"}
    assert cli("index", labelled, env=given).code == 0
    assert len(os.listdir(tmp_path / "indexes")) == 1
    assert cli("cache", "dir", env=given).out.strip() == str(tmp_path / "indexes")
    assert cli("cache", "dir", "--index", "~").out.strip() == str(tmp_path)
    assert not Path("~").exists()


# ----- what lies in an index's folder -------------------------------------------------------------


def put(path: Path, kind: str) -> None:
    """Put something of another kind in the place of a file."""
    if path.exists():
        path.unlink()
    if kind == "folder":
        (path / "sub").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "empty":
        path.write_bytes(b"")
    else:
        assert kind == "gone"


@pytest.fixture
def two(cli, tmp_path):
    """Two folders with indexes in the same place; (the first, its index, the second)."""
    for name in ("a", "b"):
        write_photos(tmp_path / name, 4)
        (tmp_path / name / "bad.jpg").write_bytes(b"no picture")
        assert cli("index", tmp_path / name).code == 0
    return tmp_path / "a", imgbatch.load(tmp_path / "a").index_directory, tmp_path / "b"


KINDS = ["folder", "pipe", "dangling", "loop", "empty"]


@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["image-folder.txt", "skipped.tsv"])
def test_an_entry_of_another_kind_is_made_anew(cli, two, name, kind):
    folder, index, _ = two
    before = (index / name).read_bytes()
    put(index / name, kind)
    answer = cli("similar", folder, "-n", 2, "--no-sheet", "--seed", 1)
    assert (answer.code, answer.err) == (0, "")
    assert str(index / "skipped.tsv")[:40] in answer.out
    assert (index / name).read_bytes() == before
    assert not (index / name).is_symlink()


@posix
@pytest.mark.parametrize("kind", [*KINDS, "unreadable"])
def test_an_index_that_does_not_say_its_folder_is_listed_beside_the_others(
    cli, command, two, kind, request
):
    folder, index, other = two
    if kind == "unreadable":
        (index / "image-folder.txt").chmod(0)
        prefix = request.getfixturevalue("as_anybody")
        listed = command("cache", "list", "--json", prefix=prefix)
    else:
        put(index / "image-folder.txt", kind)
        listed = cli("cache", "list", "--json")
    assert listed.code == 0, listed.err
    by_index = {entry["index"]: entry for entry in listed.json["indexes"]}
    assert by_index.keys() == {str(index), *(by_index.keys() - {str(index)})}
    assert len(by_index) == 2
    assert by_index.pop(str(index))["folder"] is None
    (left,) = by_index.values()
    assert left["folder"] == os.path.realpath(other)
    table = cli("cache", "list", env={"COLUMNS": "300"})
    assert os.path.realpath(other) in table.out
    if kind != "unreadable":
        assert f"unknown, {index}" in table.out
    assert "removed 0" in cli("cache", "clean", "--orphaned").out
    assert "removed 1" in cli("cache", "clean", folder).out
    assert not index.exists()
    assert "removed 1" in cli("cache", "clean").out


@posix
@pytest.mark.parametrize("kind", ["file", "dangling", "link", "gone"])
def test_an_index_folder_of_any_kind_can_be_cleaned(cli, two, tmp_path, kind):
    folder, index, _ = two
    if kind == "gone":
        (index / "image-folder.txt").unlink()
    else:
        shutil.move(index, tmp_path / "elsewhere")
        if kind == "file":
            index.write_text("x")
        else:
            index.symlink_to(tmp_path / ("elsewhere" if kind == "link" else "nowhere"))
    assert "removed 1" in cli("cache", "clean", folder).out
    assert not os.path.lexists(index)
    assert (tmp_path / "elsewhere").exists() == (kind != "gone")
    assert cli("similar", folder, "-n", 2, "--no-sheet").code == 0


def test_the_index_of_no_folder_is_no_index(cli, two):
    cli("cache", "clean", "").assert_one_clear_line(2, "no folder was given")
    assert len(cli("cache", "list", "--json").json["indexes"]) == 2
