"""The commands: what they print, write and return."""

import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.drawing import jpeg, photo

ANSI = re.compile(r"\x1b\[")
TOP = {"mode", "seed", "folder", "images", "sheet", "skipped", "indexed", "seconds"}
EACH = {"path", "score", "width", "height"}
CACHE_DIR = ("cache", "dir")  # prints so little that it is written at the very end


@pytest.fixture
def ask(cli, indexed):
    """Run a mode on the shared folder of photos and its index."""

    def run(mode, *arguments, **options):
        return cli(mode, indexed.folder, "--index", indexed.index, *arguments, **options)

    return run


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")
    )


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_json_is_one_document_with_the_promised_keys(ask, indexed, mode):
    answer = ask(mode, "-n", 5, "--seed", 7, "--json")
    document = answer.json
    assert (answer.code, answer.err) == (0, "")
    assert document.keys() >= TOP
    assert (document["mode"], document["seed"], document["indexed"]) == (mode, 7, 24)
    assert document["folder"] == str(indexed.folder)
    assert document["skipped"] == []
    assert isinstance(document["seconds"], float)
    assert len(document["images"]) == 5
    for image in document["images"]:
        assert image.keys() >= EACH
        assert os.path.isabs(image["path"])
        with Image.open(image["path"]) as opened:
            assert (image["width"], image["height"]) == opened.size
        assert 0 <= image["score"] <= 3
    assert len({image["path"] for image in document["images"]}) == 5
    assert Path(document["sheet"]).is_file()
    again = ask(mode, "-n", 5, "--seed", 7, "--json", "--no-sheet").json
    assert again["images"] == document["images"]
    assert again["sheet"] is None


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_without_a_seed_sets_differ_and_the_printed_seed_repeats_them(ask, mode):
    sets = []
    # Twenty-four images have few sets of four: two seeds give the same set in one of seven cases.
    for _ in range(30):
        sets.append(ask(mode, "-n", 4, "--json", "--no-sheet").json)
        if sets[-1]["images"] != sets[0]["images"]:
            break
    assert sets[-1]["images"] != sets[0]["images"]
    assert len({one["seed"] for one in sets}) == len(sets)
    repeated = ask(mode, "-n", 4, "--json", "--no-sheet", "--seed", sets[0]["seed"]).json
    assert repeated["images"] == sets[0]["images"]


def test_the_table_names_images_and_the_seed_and_has_no_colour_codes_in_a_pipe(ask):
    answer = ask("similar", "-n", 3, "--seed", 5)
    assert answer.code == 0
    assert not ANSI.search(answer.out)
    assert "--seed 5" in answer.out
    chosen = ask("similar", "-n", 3, "--seed", 5, "--json", "--no-sheet").json["images"]
    for image in chosen:
        assert Path(image["path"]).name in answer.out
        assert f"{image['score']:.3f}" in answer.out
    sheet = re.search(r"sheet\s+(\S+)", answer.out)
    assert sheet
    assert Path(sheet[1]).is_file()


def test_a_narrow_terminal_gets_a_narrow_table(ask):
    answer = ask("different", "-n", 3, "--seed", 5, "--no-sheet", env={"COLUMNS": "40"})
    table = [line for line in answer.out.splitlines() if line[:1] in "┏┃┡│└"]
    assert len(table) >= 5
    assert max(map(len, table)) <= 40


def test_no_color_is_honoured_even_where_colour_is_forced(ask):
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    colour = ask("similar", "-n", 2, "--seed", 5, "--no-sheet", env=forced)
    plain = ask("similar", "-n", 2, "--seed", 5, "--no-sheet", env=forced | {"NO_COLOR": "1"})
    assert re.search(r"\x1b\[[\d;]*38;", colour.out)
    assert not re.search(r"\x1b\[[\d;]*38;", plain.out)


@pytest.mark.parametrize("arguments", [
    ("different",), ("similar", "x", "y"), ("similar", "--nonsense", "x"), ("nonsense",),
    ("similar", "x", "-n", "many"), ("similar", "x", "--seed", "1.5"), ("cache", "nonsense"),
])  # fmt: skip
def test_bad_options_exit_with_2_and_say_so_on_stderr(cli, arguments):
    cli(*arguments).assert_one_clear_line(2, "imgbatch", "-h tells its use")


def test_words_that_were_not_quoted_are_answered_with_that_advice(cli):
    cli("search", "photos", "a", "dog").assert_one_clear_line(2, "dog", "quotes")


def test_version_and_help_go_to_stdout(cli):
    assert re.fullmatch(r"imgbatch \d+\.\d+\.\d+\n", cli("--version").out)
    answer = cli("--help")
    assert answer.code == 0
    assert all(name in answer.out for name in ("similar", "different", "index", "cache"))


def test_a_commands_own_options_come_first_and_shared_ones_below_headings(cli):
    text = cli("similar", "--help").out
    assert text.startswith("Usage: imgbatch similar [OPTIONS] [FOLDER]\n")
    own, output, images, settings = re.split(r"\n(?:Output|Images|Settings and index):\n", text)
    for part, names in (
        (own, ("FOLDER", "--like IMAGE", "-n N", "--seed N", "-h, --help")),
        (output, ("--json", "-o, --output FILE", "--copy-to DIR")),
        (images, ("--label CLASS", "--metadata, --labels FILE")),
        (settings, ("--config FILE", "--index DIR", "--no-refresh")),
    ):
        assert [name for name in names if f"  {name} " not in part] == []
    usage = cli("explain", "-h").out.splitlines()[0]
    assert usage == "Usage: imgbatch explain [OPTIONS] A [B]"


@pytest.mark.parametrize(("arguments", "words"), [
    (("-n", 25), ["25", "24"]), (("-n", 0), ["0", "24"]), (("-n", -3), ["-3"]),
    (("--seed", -1), ["-1"]), (("--workers", -2), ["-2"]),
    (("--copy-to", "a", "--link-to", "b"), ["--copy-to", "--link-to"]),
    (("-o", "sheet.bmp"), [".bmp", ".png"]), (("-o", "sheet"), [".png"]),
])  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_exit_2(ask, arguments, words):
    answer = (
        ask("similar", *arguments, "--json")
        if "--link-to" not in arguments
        else ask("similar", *arguments)
    )
    answer.assert_one_clear_line(2, *map(str, words))


def test_all_images_may_be_asked_for(ask, indexed):
    for mode in ("similar", "different"):
        chosen = ask(mode, "-n", 24, "--json", "--no-sheet").json["images"]
        names = sorted(
            Path(image["path"]).relative_to(indexed.folder).as_posix() for image in chosen
        )
        assert names == indexed.names


# ----- --like -------------------------------------------------------------------------------------


def test_like_takes_a_path_from_here_or_from_inside_the_folder(ask, indexed):
    absolute = indexed.folder / indexed.names[5]
    for given in (absolute, indexed.names[5], os.path.relpath(absolute)):
        images = ask("similar", "-n", 3, "--like", given, "--json", "--no-sheet").json["images"]
        assert len(images) == 3
        assert images[0]["path"] == str(absolute)
        assert images[0]["score"] == 0


def test_like_takes_an_image_from_outside_as_rank_0(ask, indexed, tmp_path):
    outside = tmp_path / "copy.jpg"
    outside.write_bytes((indexed.folder / indexed.names[5]).read_bytes()[:-2] + b"\xff\xd9xx")
    images = ask("similar", "-n", 3, "--like", outside, "--json", "--no-sheet",
                 "--keep-duplicates").json["images"]  # fmt: skip
    assert len(images) == 4
    assert images[0]["path"] == str(outside)
    assert Path(images[1]["path"]).relative_to(indexed.folder).as_posix() == indexed.names[5]
    assert images[1]["score"] < 1e-3


@pytest.mark.parametrize("kind", ["missing", "folder", "text"])
def test_a_like_that_is_no_image_is_one_line_and_exit_2(ask, tmp_path, kind):
    given = tmp_path / "given.jpg"
    if kind == "folder":
        given.mkdir()
    if kind == "text":
        given.write_text("words")
    ask("similar", "--like", given, "--json").assert_one_clear_line(2, "given.jpg", "--like")


def test_a_like_of_many_gigabytes_is_refused_unread(ask, tmp_path):
    given = tmp_path / "given.jpg"
    with open(given, "wb") as file:
        file.truncate(100_000_000_000)
    ask("similar", "--like", given, "--json").assert_one_clear_line(
        2, "given.jpg", "limit", "--like"
    )


# ----- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--copy-to", pytest.param("--link-to", marks=pytest.mark.skipif(
    os.name != "posix", reason="links need rights on Windows"))])  # fmt: skip
def test_images_are_handed_out_once(ask, tmp_path, option):
    out = tmp_path / "out"
    for _ in range(2):
        answer = ask("similar", "-n", 3, "--seed", 5, "--json", "--no-sheet", option, out)
        assert answer.code == 0
    chosen = answer.json["images"]
    assert "note: 0 images" in answer.err
    assert "3 were there already" in answer.err
    assert len(list(out.iterdir())) == 3
    for rank, image in enumerate(chosen, 1):
        first = out / f"{rank:02}-{Path(image['path']).name}"
        assert first.read_bytes() == Path(image["path"]).read_bytes()
        assert first.is_symlink() == (option == "--link-to")


@pytest.mark.parametrize("ending", [".png", ".jpg", ".JPEG", ".webp"])
def test_the_sheet_goes_where_it_is_wanted_in_the_format_of_its_ending(ask, tmp_path, ending):
    target = tmp_path / "new" / f"sheet{ending}"
    answer = ask("different", "-n", 4, "--json", "-o", target)
    assert answer.json["sheet"] == str(target)
    with Image.open(target) as sheet:
        assert sheet.format in {"png": "PNG", "webp": "WEBP"}.get(ending[1:].lower(), "JPEG")
        assert min(sheet.size) > 200
    assert os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize("option", ["-o", "--copy-to", "--link-to", "--index"])
def test_targets_inside_the_image_folder_are_refused(cli, indexed, option):
    before = listing(indexed.folder)
    answer = cli("similar", indexed.folder, option, indexed.folder / "sub" / "a.png")
    answer.assert_one_clear_line(2, "inside the image folder")
    assert listing(indexed.folder) == before


@pytest.mark.parametrize("place", [".", "class0"])
def test_the_image_folder_is_never_written_to_even_as_the_working_directory(ask, indexed, place):
    before = listing(indexed.folder)
    answer = ask("similar", "-n", 3, "--json", cwd=indexed.folder / place)
    assert answer.code == 0
    assert Path(answer.json["sheet"]).is_file()
    assert not Path(answer.json["sheet"]).is_relative_to(indexed.folder)
    assert listing(indexed.folder) == before


# ----- settings, cache, index ---------------------------------------------------------------------


def test_a_config_error_is_one_line_and_exit_2(ask, cli, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[sheet]\ncolums = 3\n")
    ask("similar", "--config", file).assert_one_clear_line(2, "c.toml", "colums", "columns")
    cli("config", "--config", file).assert_one_clear_line(2, "colums")
    cli("config", env={"IMGBATCH_CONFIG": str(tmp_path / "none")}).assert_one_clear_line(
        2, "IMGBATCH_CONFIG"
    )


def test_config_shows_each_setting_with_its_source(cli, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[sheet]\ncolumns = 3\n")
    answer = cli("config", env={"IMGBATCH_CONFIG": str(file)})
    assert re.search(rf"columns = 3\s+# {re.escape(str(file))}", answer.out)
    assert re.search(r"cell_px = \d+\s+# default", answer.out)
    document = cli("config", "--config", file, "--json").json
    assert document["settings"]["sheet"]["columns"] == 3
    assert document["sources"]["sheet.columns"] == str(file)
    assert document["sources"]["sheet.cell_px"] == "default"


def test_another_programs_config_toml_here_is_ignored_with_a_note(ask):
    Path("config.toml").write_text("[server]\nport = 80\n")
    answer = ask("similar", "-n", 2, "--json", "--no-sheet")
    assert answer.code == 0
    assert answer.err.startswith("note: config.toml")


def test_index_counts_what_it_did(cli, photos):
    keys = ("indexed", "read", "described", "removed")

    def counts():
        document = cli("index", photos, "--json").json
        return tuple(document[key] for key in keys)

    assert counts() == (12, 12, 12, 0)
    assert counts() == (12, 0, 0, 0)
    (photos / "image003.jpg").rename(photos / "renamed.jpg")
    (photos / "image004.jpg").unlink()
    assert counts() == (11, 1, 0, 2)


def test_the_cache_can_be_shown_and_cleaned(cli, photos, tmp_path):
    root = tmp_path / "root"
    env = {"IMGBATCH_CACHE_DIR": str(root)}
    assert cli("cache", "dir", env=env).out.strip() == str(root)
    assert cli("cache", "list", "--json", env=env).json == {"indexes": []}
    cli("index", photos, env=env)
    (entry,) = cli("cache", "list", "--json", env=env).json["indexes"]
    assert entry["folder"] == os.path.realpath(photos)
    assert entry["bytes"] > 1000
    assert os.path.realpath(photos) in cli("cache", "list", env=env | {"COLUMNS": "250"}).out
    cli("cache", "clean", tmp_path / "other", env=env).assert_one_clear_line(2, "no index")
    assert "removed 0" in cli("cache", "clean", "--orphaned", env=env).out
    (basket := Path(entry["index"]) / "basket.json").write_text('["image003.jpg"]')
    assert f"basket stays: {basket}" in cli("cache", "clean", photos, env=env).err.replace("\n", "")
    basket.write_text("[]")
    assert "removed 1" in cli("cache", "clean", photos, env=env).out
    assert cli("cache", "list", "--json", env=env).json == {"indexes": []}
    assert len(list(photos.iterdir())) == 12


# ----- streams ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="broken pipes are POSIX's")
@pytest.mark.parametrize("arguments", [
    ("similar", "--json"), ("similar", "-n", 1, "--json", "--no-sheet"), ("similar", "--no-sheet"), CACHE_DIR,
    ("batches", "--batch-size", 4),
    ("evaluate", "--sets", 5, "-n", 4),
    ("tune", "--trials", 1, "--enabled-only"),
], ids=lambda arguments: " ".join(map(str, arguments)))  # fmt: skip
def test_a_reader_that_leaves_early_gets_no_complaint(start, indexed, arguments):
    if arguments != CACHE_DIR:
        arguments = (arguments[0], indexed.folder, "--index", indexed.index, *arguments[1:])
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=120)
    complaints = [line for line in err.splitlines() if not line.startswith(b"trial ")]
    assert (process.returncode, complaints) == (0, [])


@pytest.mark.slow
def test_an_ascii_terminal_gets_unicode_names_escaped(command, tmp_path):
    for number in range(3):
        (tmp_path / f"bild-ü-画{number}.jpg").write_bytes(jpeg(photo(number)))
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    answer = command("similar", tmp_path, "-n", 2, "--no-sheet", env=ascii_only)
    assert answer.code == 0
    assert answer.raw.isascii()
    document = command("similar", tmp_path, "-n", 2, "--no-sheet", "--json", env=ascii_only).json
    assert "ü-画" in json.dumps(document, ensure_ascii=False)


def test_debug_shows_a_traceback_with_the_error(cli, tmp_path):
    answer = cli("--debug", "similar", tmp_path / "missing")
    assert answer.code == 2
    assert "Traceback" in answer.err
    assert "error: folder not found" in answer.err


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_no_refresh_answers_from_the_index_alone(cli, tmp_path, mode):
    folder = tmp_path / "gone"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    asked = (mode, folder, "-n", 3, "--seed", 1, "--json", "--no-sheet", "--index", tmp_path / "i")
    before = cli(*asked, "--no-refresh")
    assert (before.code, len(before.err.splitlines())) == (2, 1)
    assert "there is no index" in before.err
    expected = cli(*asked).json["images"]
    folder.rename(tmp_path / "away")
    answer = cli(*asked, "--no-refresh")
    assert answer.code == 0
    assert [one["path"] for one in answer.json["images"]] == [one["path"] for one in expected]


def test_config_of_a_folder_shows_what_the_weights_come_to(cli, indexed):
    given = ("--index", indexed.index, "--emphasis", "color")
    answer = cli("config", indexed.folder, *given, "--json")
    assert answer.json["folder"] == str(indexed.folder)
    assert answer.json["shares"] == pytest.approx({"hsv": 0.85, "hog": 0.10, "phash": 0.05})
    assert answer.json["settings"]["weights"]["hsv"] == 0.85
    assert cli("config", "--json").json["shares"] is None
    lines = cli("config", indexed.folder, *given).out.splitlines()
    assert lines[-3:] == ["hsv    0.850", "hog    0.100", "phash  0.050"]
