"""Folders as they come: odd names, odd files, missing rights. One clear line, never a traceback."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from tests import drawing
from tests.drawing import encode, jpeg, photo, png, settle, turned

CHATTER = ("Corrupt", "libpng", "Premature", "premature", "Warning", "warning", "WARN", "Traceback",
           "TIFF", "grfmt")  # fmt: skip


def no_chatter(err: str) -> None:
    assert not any(word in err for word in CHATTER), err


@pytest.fixture
def zoo(tmp_path):
    """Every kind of good and bad file; (folder, names of the good, names of the bad)."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    picture = photo(3, 300, 200, noise=40)
    deep = Image.fromarray(np.linspace(0, 65535, 9000).reshape(90, 100).astype(np.uint16))
    good = {
        "a.jpg": jpeg(picture), "B.JPEG": jpeg(photo(4)), "c.PnG": png(photo(5)),
        "d.webp": encode(photo(6), "WEBP"), "e.bmp": encode(photo(7), "BMP"),
        "f.tif": encode(photo(8), "TIFF"), "g.tiff": encode(photo(9), "TIFF"),
        "h.gif": encode(photo(10), "GIF"), "really-png.jpg": png(photo(11)),
        "turned.jpg": jpeg(turned(photo(12), 6)[0], exif=turned(photo(12), 6)[1]),
        "grey.png": png(photo(13).convert("L")), "deep.png": png(deep),
        "cmyk.jpg": jpeg(photo(14).convert("CMYK")), "rgba.png": png(photo(15).convert("RGBA")),
        "one.png": png(photo(16, 1, 1)), "thin.jpg": jpeg(photo(17, 3000, 2)),
        "nearly.jpg": jpeg(picture)[:-3000], "sub/deep/er.jpg": jpeg(photo(18)),
    }  # fmt: skip
    bad = {
        "empty.jpg": b"", "text.jpg": b"words", "noise.png": np.random.default_rng(1).bytes(4000),
        "cut.jpg": jpeg(picture)[:4000], "cut.png": png(picture)[:4000],
        "bomb.png": drawing.png_claiming(60_000, 60_000),
        "bomb.tif": drawing.tiff_claiming(60_000, 60_000),
        "bomb.gif": drawing.gif_claiming(60_000, 60_000),
        "header.png": png(picture)[:40], "cut.tif": encode(picture, "TIFF")[:3000],
    }  # fmt: skip
    for name, data in (good | bad).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name in (".hidden.jpg", "Thumbs.db", "notes.txt"):
        (folder / name).write_bytes(jpeg(picture))
    settle(folder)
    return folder, sorted(good), sorted(bad)


def test_good_files_are_used_and_bad_ones_named_with_reasons(cli, zoo):
    folder, good, bad = zoo
    answer = cli("different", folder, "-n", len(good), "--json")
    document = answer.json
    assert answer.code == 0
    assert [one["path"] for one in document["skipped"]] == bad
    assert all(len(one["reason"]) > 8 for one in document["skipped"])
    names = sorted(os.path.relpath(image["path"], folder) for image in document["images"])
    assert [name.replace(os.sep, "/") for name in names] == good
    notes = {os.path.basename(image["path"]): image["note"] for image in document["images"]}
    assert "cut off" in notes["nearly.jpg"]
    assert {name for name, note in notes.items() if note} == {"nearly.jpg"}
    sizes = {os.path.basename(i["path"]): (i["width"], i["height"]) for i in document["images"]}
    assert sizes["turned.jpg"] == (120, 90)
    assert sizes["thin.jpg"] == (3000, 2)
    no_chatter(answer.err)


@pytest.mark.parametrize("workers", [1, 2])
def test_libraries_do_not_talk_to_the_user(cli, zoo, workers):
    folder, _, bad = zoo
    (folder / "large.bmp").write_bytes(encode(photo(1, 1500, 1000), "BMP"))  # worth two processes
    answer = cli("similar", folder, "-n", 3, "--workers", workers)
    assert answer.code == 0
    assert f"{len(bad)} of the folder's files" in answer.out
    whitening, ignored = answer.err.splitlines()
    assert whitening.startswith("note: whitening is off")
    assert ignored.endswith("ignored: no images")


NAMES = ["with space.jpg", "ümlaut 画像.jpg", "[bold]x[/bold].jpg", "[/x].jpg", "-n.jpg", ":smile:.jpg",
         "a'b\"c.jpg", "%s{0}$HOME.jpg", pytest.param("new\nline.jpg", id="newline"),
         pytest.param("tab\tand\x1b[31mred.jpg", id="escape")]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")
@pytest.mark.parametrize("name", NAMES)
def test_odd_file_and_folder_names_are_shown_as_they_are(cli, tmp_path, name):
    folder = tmp_path / name.removesuffix(".jpg").replace("/", "|")
    folder.mkdir()
    safe = name.replace("/", "|")
    (folder / safe).write_bytes(jpeg(photo(1)))
    (folder / f"bad{safe}").write_bytes(b"bad")
    answer = cli("similar", folder, "-n", 1, "-o", tmp_path / "sheet.png", env={"COLUMNS": "250"})
    assert answer.code == 0, answer.err
    shown = safe.replace("\n", "\\n").replace("\t", "\\t").replace("\x1b", "\\x1b")
    shown = shown.removesuffix(".jpg").replace(" ", "")
    assert "".join(answer.out.split()).count(shown) >= 2  # in the title, which wraps, and the table
    assert "\x1b" not in answer.out
    document = cli("index", folder, "--json").json
    assert document["folder"] == str(folder)
    assert document["skipped"][0]["path"] == f"bad{safe}"


@pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")
def test_a_folder_that_looks_like_markup_is_shown_as_it_is(cli, tmp_path):
    """A slash in brackets needs a folder below: `[` and `x]`."""
    folder = tmp_path / "[" / "x]"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg(photo(1)))
    answer = cli("similar", folder, "-n", 1, "--no-sheet", env={"COLUMNS": "250"})
    assert answer.code == 0, answer.err
    assert "[/x]" in answer.out
    env = {"IMGBATCH_CACHE_DIR": str(tmp_path / "[" / "y]"), "COLUMNS": "250"}
    answer = cli("cache", "list", env=env)
    assert answer.code == 0, answer.err
    assert "[/y]" in answer.out


@pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")
def test_evaluate_shows_a_folder_that_looks_like_markup_as_it_is(cli, tmp_path):
    folder = tmp_path / "x[" / "y]"
    drawing.write_photos(folder, 6, classes=2)
    answer = cli("evaluate", folder, "--sets", 2, "-n", 2, env={"COLUMNS": "250"})
    assert answer.code == 0, answer.err
    assert "x[/y]" in answer.out


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the file system must take any byte"
)
def test_names_that_are_not_utf8_work_everywhere(cli, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        with open(os.path.join(os.fsencode(folder), b"caf\xe9%d.jpg" % number), "wb") as file:
            file.write(jpeg(photo(number)))
    like = os.path.join(os.fsencode(folder), b"caf\xe91.jpg")
    answer = cli(
        "similar", folder, "-n", 2, "--json", "--like", like, "--copy-to", tmp_path / "out"
    )
    assert answer.code == 0, answer.err
    assert os.fsencode(answer.json["images"][0]["path"]) == like
    assert b"01-caf\xe91.jpg" in os.listdir(os.fsencode(tmp_path / "out"))
    assert "caf\\xe91.jpg" in cli("similar", folder, "-n", 2, "--like", like).out


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_links_that_lead_nowhere_or_to_themselves_are_harmless(cli, tmp_path):
    drawing.write_photos(tmp_path / "photos", 3)
    (tmp_path / "photos" / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "photos" / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "photos" / "up").symlink_to(tmp_path / "photos")
    answer = cli("similar", tmp_path / "photos", "-n", 3, "--json", "--no-sheet")
    assert answer.code == 0, answer.err
    assert answer.json["indexed"] == 3
    assert [one["path"] for one in answer.json["skipped"]] == ["gone.jpg", "self.jpg"]


@pytest.mark.parametrize("mode", ["similar", "different", "index"])
@pytest.mark.parametrize("kind", ["missing", "file", "empty", "bad"])
def test_a_folder_without_images_is_one_line_and_exit_2(cli, tmp_path, mode, kind):
    folder = tmp_path / "folder"
    if kind == "file":
        folder.write_bytes(jpeg(photo(1)))
    elif kind != "missing":
        folder.mkdir()
    if kind == "bad":
        (folder / "a.jpg").write_bytes(b"words")
    answer = cli(mode, folder, "--json")
    words = {"missing": "not found", "file": "not a folder", "empty": "no images", "bad": "a.jpg"}
    answer.assert_one_clear_line(2, str(folder), words[kind])


@pytest.mark.slow
def test_a_folder_without_read_permission_is_one_line_and_exit_2(command, tmp_path, as_anybody):
    (tmp_path / "closed").mkdir(mode=0)
    answer = command("similar", tmp_path / "closed", "--json", prefix=as_anybody)
    answer.assert_one_clear_line(2, "closed", "Permission denied")


@pytest.mark.slow
def test_files_and_subfolders_without_read_permission_are_skipped_with_the_reason(
    command, tmp_path, as_anybody
):
    folder = tmp_path / "photos"
    drawing.write_photos(folder, 3)
    (folder / "image001.jpg").chmod(0)
    (folder / "sub").mkdir(mode=0)
    (folder / "way").symlink_to(folder / "sub" / "deeper")
    answer = command("similar", folder, "-n", 2, "--json", "--no-sheet", prefix=as_anybody)
    assert answer.code == 0, answer.err
    assert answer.json["skipped"] == [
        {"path": "image001.jpg", "reason": "cannot be read: Permission denied"},
        {"path": "sub", "reason": "folder cannot be read: Permission denied"},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--index", "-o", "--copy-to"])
def test_a_target_without_write_permission_is_one_line_and_exit_1(
    command, photos, tmp_path, as_anybody, option
):
    (tmp_path / "closed").mkdir(mode=0o500)
    target = tmp_path / "closed" / ("sheet.png" if option == "-o" else "sub")
    answer = command("similar", photos, "-n", 2, "--json", option, target, prefix=as_anybody)
    answer.assert_one_clear_line(1, "closed", "ermission denied" if option != "--index" else "")


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--no-refresh",)])
def test_an_index_that_cannot_be_written_still_answers(
    command, photos, tmp_path, as_anybody, options
):
    asked = ("similar", photos, "--seed", 3, "--json", "--no-sheet", "--index", tmp_path / "index")
    expected = command(*asked).json["images"]
    everything = [tmp_path / "index", *(tmp_path / "index").rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        answer = command(*asked, *options, prefix=as_anybody)
    finally:
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert answer.json["images"] == expected


def test_an_unreadable_config_is_one_line_and_exit_2(command, photos, tmp_path, as_anybody):
    (tmp_path / "c.toml").write_text("")
    (tmp_path / "c.toml").chmod(0)
    answer = command("similar", photos, "--config", tmp_path / "c.toml", prefix=as_anybody)
    answer.assert_one_clear_line(2, "c.toml", "Permission denied")


def test_an_index_that_cannot_be_written_is_one_line_and_exit_1(cli, photos, tmp_path):
    (tmp_path / "file").write_text("x")
    answer = cli("similar", photos, "--json", "--index", tmp_path / "file" / "sub")
    answer.assert_one_clear_line(1, "index", "--index")


def test_a_sheet_that_cannot_be_written_is_one_line_and_exit_1(cli, photos, tmp_path):
    (tmp_path / "file").write_text("x")
    answer = cli("similar", photos, "--json", "-o", tmp_path / "file" / "a.png")
    answer.assert_one_clear_line(1, "cannot write", "a.png")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tiny_folders_work_and_are_told_once_what_they_are_too_small_for(cli, tmp_path, count):
    for number in range(count):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(photo(number // 2)))
    told = f"note: whitening is off: it takes 100 images, and there are {-(-count // 2)}\n"
    for mode in ("similar", "different"):
        answer = cli(mode, tmp_path, "-n", count, "--json", "--no-sheet")
        assert (answer.code, answer.err) == (0, told)
        told = ""
        assert len(answer.json["images"]) == count


@pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")
@pytest.mark.parametrize("given", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "PHOTOS", "--labels", "GIVEN"),
        ("tune", "PHOTOS", "--labels", "GIVEN"),
        ("export", "PHOTOS", "--to", "a.npz", "--labels", "GIVEN"),
        ("similar", "PHOTOS", "--like", "GIVEN"),
        ("similar", "PHOTOS", "--config", "GIVEN"),
        ("config", "--config", "GIVEN"),
        ("explain", "GIVEN", "PHOTOS/image000.jpg", "--folder", "PHOTOS"),
        ("explain", "GIVEN", "PHOTOS/image000.jpg"),
        ("index", "GIVEN"),
    ],
    ids=" ".join,
)
def test_only_regular_files_are_read(cli, photos, tmp_path, arguments, given):
    os.mkfifo(tmp_path / "pipe")
    named = [text.replace("PHOTOS", str(photos)) for text in arguments]
    named = [text.replace("GIVEN", str(tmp_path / given)) for text in named]
    answer = cli(*named)
    answer.assert_one_clear_line(2, str(tmp_path / given))
    assert "regular file" in answer.err or "no such image file" in answer.err or "index" in named


def test_labels_with_a_quote_that_is_not_closed_are_one_line_and_exit_2(cli, photos, tmp_path):
    (tmp_path / "l.csv").write_text('path,label\nimage000.jpg,"a\nimage001.jpg,b\n')
    answer = cli("evaluate", photos, "--labels", tmp_path / "l.csv")
    answer.assert_one_clear_line(2, "l.csv", "line 2", "close every quote")
