"""Files that cannot be written: the answer is printed all the same, and no half file is left."""

import errno
import os
import weakref

import pytest
from PIL import Image

from imgbatch.outputs import pictures
from tests.drawing import jpeg, photo, settle

MOST_BYTES = 512 * 120
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits, links or permissions")


FULL_DISK = ("sh", "-c", f'ulimit -f {MOST_BYTES // 512}; exec "$@"', "sh")
"""Before a command: it can write files of `MOST_BYTES` at most, as if the disk were full then."""


@pytest.fixture
def mixed(cli, tmp_path):
    """Twelve indexed photos, one of them larger than a full disk takes; (folder, large file)."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    large = folder / "5.jpg"
    large.write_bytes(large.read_bytes() + bytes(2 * MOST_BYTES))
    settle(folder)
    assert cli("different", folder, "-n", 12, "--no-sheet").code == 0
    return folder, large


@posix
@pytest.mark.slow
def test_a_full_disk_leaves_only_whole_copies_and_the_answer_is_printed(command, mixed, tmp_path):
    folder, large = mixed
    answer = command(
        "different", folder, "-n", 12, "--seed", 1, "--json", "--no-sheet", "--no-refresh",
        "--copy-to", tmp_path / "out", prefix=FULL_DISK,
    )  # fmt: skip
    chosen = [image["path"] for image in answer.json["images"]]
    done = chosen.index(str(large))
    assert len(chosen) == 12
    assert 0 < done < 11
    (line,) = answer.err.splitlines()
    assert line.startswith("error: cannot copy 5.jpg into ")
    assert f"{os.strerror(errno.EFBIG)}; {done} of 12 images were copied" in line
    assert answer.code == 1
    copies = sorted((tmp_path / "out").iterdir())
    assert len(copies) == done
    for copy, source in zip(copies, chosen, strict=False):
        with open(source, "rb") as original:
            assert copy.read_bytes() == original.read()


@posix
@pytest.mark.slow
@pytest.mark.parametrize("form", ["--json", "table"])
@pytest.mark.parametrize("option", ["-o", "default"])
def test_a_full_disk_costs_the_sheet_and_not_the_answer(command, mixed, tmp_path, option, form):
    folder, _ = mixed
    (tmp_path / "work").mkdir()
    asked = ["-o", tmp_path / "work" / "sheet.png"] if option == "-o" else []
    answer = command(
        "different", folder, "-n", 12, "--seed", 1, "--no-refresh", *asked,
        *([form] if form == "--json" else []), prefix=FULL_DISK, cwd=tmp_path / "work",
    )  # fmt: skip
    if form == "--json":
        assert answer.json["sheet"] is None
        assert len(answer.json["images"]) == 12
    else:
        assert "12 different images of 12" in answer.out
        assert "sheet" not in answer.out
    (line,) = answer.err.splitlines()
    assert line.startswith("error: cannot write" if asked else "note: cannot write")
    assert os.strerror(errno.EFBIG) in line
    assert answer.code == (1 if asked else 0)
    assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == []


def test_what_was_asked_for_and_cannot_be_written_is_told_in_one_line(cli, indexed, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    monkeypatch.setattr("shutil.copyfileobj", full)
    answer = cli(
        "similar", indexed.folder, "--index", indexed.index, "-n", 3, "--json",
        "-o", "sheet.png", "--copy-to", "out",
    )  # fmt: skip
    assert len(answer.json["images"]) == 3
    (line,) = answer.err.splitlines()
    assert line.startswith("error: cannot write ")
    assert "sheet.png: No space left on device; cannot copy " in line
    assert "0 of 3 images were copied; choose another" in line
    assert answer.code == 1


def test_explain_prints_the_answer_without_its_picture(cli, indexed, monkeypatch):
    a, b = (indexed.folder / name for name in indexed.names[:2])
    given = ("explain", a, b, "--folder", indexed.folder, "--index", indexed.index, "--json")
    expected = cli(*given, "--no-picture").json
    (file := indexed.index.parent / "file").write_text("in the way")
    monkeypatch.setattr("imgbatch.cli.explain.default_picture", lambda *_: file / "a.png")
    answer = cli(*given)
    assert answer.json == expected
    assert answer.err.startswith("note: cannot write ")
    assert answer.code == 0


def test_a_preview_that_cannot_be_written_costs_no_plan_and_no_figures(cli, indexed):
    with open("imgbatch-out", "w", encoding="utf-8") as file:
        file.write("in the way")
    answer = cli(
        "batches", indexed.folder, "--index", indexed.index, "--batch-size", 4, "--preview", 2,
        "-o", "plan.csv", "--json",
    )  # fmt: skip
    assert answer.json["preview"] is None
    assert answer.json["plan"] == os.path.abspath("plan.csv")
    assert answer.json["figures"]
    (line,) = answer.err.splitlines()
    assert line.startswith("error: cannot write ")
    assert answer.code == 1


@pytest.mark.parametrize("form", ["--json", "table"])
def test_the_settings_that_tune_found_are_printed_if_they_cannot_be_written(
    cli, indexed, monkeypatch, form
):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    options = ["--json"] if form == "--json" else []
    answer = cli(
        "tune", indexed.folder, "--index", indexed.index, "--trials", 1, "--enabled-only", *options
    )
    if options:
        assert answer.json["config"] is None
        assert answer.json["settings"]["weights"]
    else:
        assert "[weights]" in answer.out
        assert "hog = " in answer.out
        assert "precision at 10" in answer.out
    assert answer.err.splitlines()[-1].startswith("error: cannot write imgbatch-tuned.toml: No sp")
    assert answer.code == 1


def test_a_config_that_another_search_wrote_meanwhile_is_not_replaced(cli, indexed, monkeypatch):
    from imgbatch.evaluation import tune as tuning

    search = tuning.tune

    def search_beside_another(*arguments, **options):
        found = search(*arguments, **options)
        with open("imgbatch-tuned.toml", "x", encoding="utf-8") as file:
            file.write("theirs")
        return found

    monkeypatch.setattr(tuning, "tune", search_beside_another)
    options = ("--trials", 1, "--enabled-only", "--json")
    answer = cli("tune", indexed.folder, "--index", indexed.index, *options)
    assert answer.json["config"] == "imgbatch-tuned-2.toml"
    with open("imgbatch-tuned.toml", encoding="utf-8") as file:
        assert file.read() == "theirs"


@posix
@pytest.mark.slow
def test_a_copy_that_failed_is_told_even_if_the_reader_has_left(start, mixed, tmp_path):
    folder, _ = mixed
    reading, writing = os.pipe()
    os.close(reading)
    process = start(
        "different", folder, "-n", 12, "--no-sheet", "--no-refresh", "--copy-to", tmp_path / "out",
        stdout=writing, prefix=FULL_DISK,
    )  # fmt: skip
    os.close(writing)
    _, err = process.communicate(timeout=120)
    assert len(err.splitlines()) == 1
    assert err.startswith(b"error: cannot copy 5.jpg")
    assert process.returncode == 1


# ----- names --------------------------------------------------------------------------------------


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
        assert sheet.endswith(f"-{seed}.png")
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
    monkeypatch.setattr("imgbatch.collection.load", lambda *_: pytest.fail("work was done"))
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
    monkeypatch.setattr("imgbatch.collection.load", lambda *_: pytest.fail("work was done"))
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
        assert given[-1] in answer.err
        assert not (tmp_path / "a.png").exists()


# ----- many images --------------------------------------------------------------------------------


def test_a_sheet_shows_what_fits_and_says_what_it_leaves_out(cli, indexed, monkeypatch):
    monkeypatch.setattr("imgbatch.outputs.sheet._MOST_PIXELS", 252 * 274 * 13)
    answer = cli(
        "similar", indexed.folder, "--index", indexed.index, "-n", 24, "--json", "-o", "s.webp"
    )
    assert answer.code == 0
    assert len(answer.json["images"]) == 24
    note = "the sheet shows the first 10 of 24 images; more do not fit on a page"
    assert note in answer.json["notes"]
    assert answer.err == f"note: {note}\n"


def test_a_preview_shows_the_batches_that_fit(cli, indexed, monkeypatch):
    given = ("batches", indexed.folder, "--index", indexed.index, "--batch-size", 2, "--json")
    with Image.open(cli(*given, "--preview", 2, "--seed", 1).json["preview"]) as page:
        small = page.size
    monkeypatch.setattr("imgbatch.outputs.sheet._MOST_PIXELS", 252 * 274 * 9)
    answer = cli(*given, "--preview", 5, "--seed", 1)
    note = "the preview shows the first 2 of 5 batches; more do not fit on a page"
    assert answer.err == f"note: {note}\n"
    with Image.open(answer.json["preview"]) as page:
        assert page.size == small


@pytest.mark.parametrize("options", [["--json", "--no-sheet"], ["--no-sheet"], ["--json"]])
def test_pictures_are_not_kept(cli, indexed, monkeypatch, options):
    """However many images are asked for, few pictures are in memory at a time."""
    alive, most = set(), 0
    load = pictures.load_picture

    def counted(*arguments):
        nonlocal most
        picture = load(*arguments).copy()
        alive.add(number := len(seen))
        seen.append(weakref.finalize(picture, alive.discard, number))
        most = max(most, len(alive))
        return picture

    seen = []
    monkeypatch.setattr(pictures, "load_picture", counted)
    answer = cli("similar", indexed.folder, "--index", indexed.index, "-n", 24, *options)
    assert answer.code == 0
    assert len(seen) == 24
    assert most <= 3


def test_no_picture_is_decoded_that_nothing_shows(cli, indexed, monkeypatch):
    monkeypatch.setattr(pictures, "load_picture", lambda *_: pytest.fail("decoded"))
    answer = cli(
        "similar", indexed.folder, "--index", indexed.index, "--no-sheet", env={"COLUMNS": "60"}
    )
    assert answer.code == 0


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


@posix
def test_a_default_place_that_cannot_be_used_is_a_note(cli, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = ("similar", photos, "-n", 2, "--json")
    (tmp_path / "file").write_text("x")
    config = tmp_path / "c.toml"
    for folder, word in (
        (str(tmp_path / "file"), "file is not a folder"), ("/dev", "no place for files"),
        ("a\\u0000b", "NUL"), ("n" * 300, "name too long"),
    ):  # fmt: skip
        config.write_text(f'[sheet]\nfolder = "{folder}"\n')
        answer = cli(*given, "--config", config)
        assert (answer.code, answer.json["sheet"]) == (0, None)
        (line,) = answer.err.splitlines()
        assert line.startswith("note: cannot write ")
        assert word in line
    config.write_text('[sheet]\nfolder = "~/sheets"\n')
    sheet = cli(*given, "--config", config).json["sheet"]
    assert os.path.dirname(sheet) == str(tmp_path / "home" / "sheets")


@posix
def test_the_answer_is_printed_before_any_note(command, photos, tmp_path):
    """A note that cannot be written is no reason to lose the answer."""
    shell = ("sh", "-c", 'exec "$@" 2> /dev/full', "sh")
    options = ("--no-sheet", "--json", "--copy-to", tmp_path / "out")
    answer = command("similar", photos, "-n", 2, *options, prefix=shell)
    assert len(answer.json["images"]) == 2
