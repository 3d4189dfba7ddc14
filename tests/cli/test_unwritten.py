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


@posix
def test_a_default_place_that_cannot_be_used_is_a_note(cli, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = ("similar", photos, "-n", 2, "--json")
    assert cli("index", photos).code == 0
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


# ----- many images --------------------------------------------------------------------------------


def test_a_sheet_shows_what_fits_and_says_what_it_leaves_out(cli, indexed, monkeypatch):
    monkeypatch.setattr("imgbatch.outputs.sheet._MOST_PIXELS", 252 * 274 * 13)
    answer = cli(
        "similar", indexed.folder, "--index", indexed.index, "-n", 24, "--json", "-o", "s.webp"
    )
    assert answer.code == 0
    assert len(answer.json["images"]) == 24
    note = "the sheet shows the first 12 of 24 images; more do not fit on a page"
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
    monkeypatch.setenv("FORCE_COLOR", "1")  # the table then shows colours
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
