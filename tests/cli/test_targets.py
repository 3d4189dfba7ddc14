"""Targets of commands: names that fit, names that cannot be written, names given by mistake."""

import os

import pytest
from PIL import Image

from tests.drawing import jpeg, photo, settle

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX names, links or permissions")


@posix
@pytest.mark.parametrize("letter", ["n", "ü"])
def test_a_folder_with_the_longest_name_gets_its_sheet_picture_and_preview(cli, tmp_path, letter):
    folder = tmp_path / (letter * (250 // len(letter.encode())))
    folder.mkdir()
    names = [("画" * 80)[: 240 // 3] + f"{number}.jpg" for number in range(6)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(jpeg(photo(number)))
    settle(folder)
    for seed in (1, 2**31 - 1):
        sheet = cli("similar", folder, "-n", 3, "--seed", seed, "--json").json["sheet"]
        assert os.path.isfile(sheet)
        assert sheet.endswith(f"-{seed}.jpg")
    shown = cli("batches", folder, "--batch-size", 2, "--preview", 1, "--seed", 7, "--json").json
    assert os.path.isfile(shown["preview"])
    pictures = {
        cli("explain", folder / names[0], folder / other, "--json").json["picture"]
        for other in names[1:3]
    }
    assert len(pictures) == 2
    assert all(map(os.path.isfile, pictures))


def unusable(tmp_path, kind):
    """A target that cannot be written, and a word of the reason."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.png").mkdir()
    target, word = {
        "long": (tmp_path / ("n" * 252 + ".png"), "name too long"),
        "long parent": (tmp_path / ("n" * 300) / "a.png", "name too long"),
        "below a file": (tmp_path / "file" / "a.png", "not a folder"),
        "folder": (tmp_path / "folder.png", "a folder stands there"),
        "far": (tmp_path.joinpath(*["n" * 200] * 25, "a.png"), "name too long"),
    }[kind]
    return target, word


@posix
@pytest.mark.parametrize("kind", ["long", "long parent", "below a file", "folder", "far"])
@pytest.mark.parametrize("mode", ["similar", "different", "explain", "batches", "tune", "export"])
def test_a_target_that_can_never_be_written_is_refused_before_the_work(
    cli, tmp_path, monkeypatch, mode, kind
):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(jpeg(photo(1)))
    monkeypatch.setattr("imgbatch.loading.load", lambda *_: pytest.fail("work was done"))
    target, word = unusable(tmp_path, kind)
    ending = {"batches": ".csv", "export": ".npz"}.get(mode, ".png")
    if kind == "folder" and mode in {"batches", "tune"}:
        pytest.skip("batches writes plans into folders; tune has its own words")
    if kind == "folder":
        target = target.rename(target.with_suffix(ending))
        word = word if mode != "export" else "is a folder"
    else:
        target = target.with_suffix(ending)
    images = [photos / "a.jpg"] * 2 if mode == "explain" else [photos]
    more = ["--batch-size", 2] if mode == "batches" else []
    answer = cli(mode, *images, "--to" if mode == "export" else "-o", target, *more)
    answer.assert_one_clear_line(1, word, "cannot write" if word != "is a folder" else "")


@pytest.mark.parametrize("option", ["--copy-to", "--link-to"])
@pytest.mark.parametrize("kind", ["long parent", "below a file", "file"])
def test_a_folder_for_images_that_can_never_be_written_is_refused_before_the_work(
    cli, photos, tmp_path, monkeypatch, option, kind
):
    monkeypatch.setattr("imgbatch.loading.load", lambda *_: pytest.fail("work was done"))
    if kind == "file":
        (target := tmp_path / "given").write_text("x")
        word = "is not a folder"
    else:
        target, word = unusable(tmp_path, kind)
    cli("similar", photos, option, target).assert_one_clear_line(1, "cannot write", word)


def test_a_sheet_that_is_both_named_and_refused_is_not_made_and_noted(cli, photos, tmp_path):
    one = next(photos.iterdir())
    for given in (("similar", photos, "--no-sheet"), ("explain", one, one, "--no-picture")):
        answer = cli(*given, "-o", tmp_path / "a.png")
        assert answer.code == 0
        assert "--no-sheet" in answer.err
        assert not (tmp_path / "a.png").exists()


# ----- names that are given by mistake ------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "-"])
@pytest.mark.parametrize("arguments", [
    ("similar", "PHOTOS", "-o"), ("similar", "PHOTOS", "--copy-to"),
    ("similar", "PHOTOS", "--link-to"), ("explain", "PHOTOS/a.jpg", "PHOTOS/a.jpg", "-o"),
    ("tune", "PHOTOS", "-o"), ("batches", "PHOTOS", "--batch-size", 2, "-o"),
    ("export", "PHOTOS", "--to"),
], ids=lambda arguments: " ".join(map(str, arguments)))  # fmt: skip
def test_an_empty_name_or_a_dash_is_no_target(cli, photos, arguments, name):
    (photos / "image000.jpg").rename(photos / "a.jpg")
    given = [str(one).replace("PHOTOS", str(photos)) for one in arguments]
    answer = cli(*given, name)
    assert (answer.code, answer.out) == (2, "")
    assert os.listdir(".") == []


@pytest.mark.parametrize("arguments", [
    ("similar", "PHOTOS", "--config", ""), ("config", "--config", ""),
    ("export", "PHOTOS", "--to", "a.csv", "--labels", ""),
    ("evaluate", "PHOTOS", "--labels", ""), ("similar", "PHOTOS", "--like", ""),
    ("similar", "--from", "", "--like", "a.jpg"),
    ("explain", "PHOTOS/image000.jpg", "PHOTOS/image001.jpg", "--folder", ""),
], ids=" ".join)  # fmt: skip
def test_an_empty_name_is_not_taken_for_none(cli, photos, arguments):
    given = [one.replace("PHOTOS", str(photos)) for one in arguments]
    cli(*given).assert_one_clear_line(2)


@pytest.mark.parametrize("mode", ["similar", "tune", "export", "explain"])
def test_what_a_command_reads_is_not_replaced_by_what_it_writes(cli, indexed, tmp_path, mode):
    given = tmp_path / "given"
    given.mkdir()
    image, table = given / "a.png", given / "labels.csv"
    Image.open(indexed.folder / indexed.names[0]).save(image)
    lines = [f"{name},{number % 2}\n" for number, name in enumerate(indexed.names)]
    table.write_text("".join(["path,label\n", *lines]))
    before = image.read_bytes(), table.read_bytes()
    index = ("--index", indexed.index)
    link = tmp_path / ("link.csv" if mode in {"tune", "export"} else "link.png")
    os.link(table if mode in {"tune", "export"} else image, link)
    answer = {
        "similar": lambda: cli("similar", indexed.folder, *index, "--like", image, "-o", link),
        "tune": lambda: cli("tune", indexed.folder, *index, "--labels", table, "-o", link),
        "export": lambda: cli("export", indexed.folder, *index, "--labels", table, "--to", link),
        "explain": lambda: cli(
            "explain", image, indexed.folder / indexed.names[1], "--folder", indexed.folder, *index,
            "-o", link,
        ),
    }[mode]()  # fmt: skip
    answer.assert_one_clear_line(2, str(link), "is also read")
    assert (image.read_bytes(), table.read_bytes()) == before


@posix
@pytest.mark.slow
def test_a_write_protected_file_is_not_replaced(command, photos, tmp_path, as_anybody):
    (target := tmp_path / "sheet.png").write_text("mine")
    target.chmod(0o444)
    answer = command("similar", photos, "-n", 2, "-o", target, prefix=as_anybody)
    answer.assert_one_clear_line(1, "cannot write", "write-protected")
    assert target.read_text() == "mine"
