"""Paths in and out of pipes: FOLDER -, --paths, -0."""

import os
import subprocess
import sys

import pytest

from imgbatch.cli.common import in_options
from tests.commands import environment
from tests.drawing import jpeg, photo, settle

ODD = [b"sp ace.jpg", b"new\nline.jpg", b"caf\xe9.jpg", "\u00fc.jpg".encode(), b"-n.jpg", b"sub dir/x.jpg",
       b"[b]x.jpg", b"'q\".jpg", b"tab\t.jpg", b"$(x).jpg"]  # fmt: skip
ON_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the file system must take any byte"
)
IMGBATCH = f"{sys.executable} -m imgbatch"


@pytest.fixture
def odd(tmp_path):
    """A folder of photos with names that break scripts."""
    folder = tmp_path / "odd"
    (folder / "sub dir").mkdir(parents=True)
    for number, name in enumerate(ODD):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(jpeg(photo(number)))
    settle(folder)
    return folder


def shell(script: str, folder, tmp_path) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell in the folder; `imgbatch` in it is ours."""
    function = f"imgbatch() {{ {IMGBATCH} \"$@\" --index '{tmp_path / 'index'}'; }}\n"
    env = environment({"LC_ALL": "C.UTF-8"})
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail\n{function}{script}"],
        cwd=folder, env=env, capture_output=True, timeout=120, check=False,
    )  # fmt: skip


@ON_LINUX
def test_names_of_any_bytes_pass_through_find_and_xargs(odd, tmp_path):
    each = 'xargs -0 sh -c \'for f; do test -f "$f" && printf "%s\\0" "$f"; done\' sh'
    found = "find . -print0 | imgbatch similar - -0 --paths -n 10 --keep-duplicates"
    done = shell(f"{found} | {each}", odd, tmp_path)
    assert done.returncode == 0, done.stderr
    folder = os.fsencode(odd)
    assert {*done.stdout.split(b"\0")[:-1]} == {folder + b"/" + name for name in ODD}
    assert b"of 12 listed files 10 are images: 2 no readable image" in done.stderr


@ON_LINUX
def test_early_readers_end_the_command_quietly(odd, tmp_path):
    done = shell(
        "imgbatch different . --paths -n 9 --seed 1 | head -c 1; imgbatch tags . | true",
        odd,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"/"
    assert b"error" not in done.stderr
    assert b"Traceback" not in done.stderr


@ON_LINUX
def test_lines_are_read_and_written_and_a_newline_in_a_name_is_told(odd, tmp_path):
    done = shell(
        "ls -d -- *e.jpg *p* | imgbatch similar - -n 1 --like 'sp ace.jpg' --paths", odd, tmp_path
    )
    assert done.stdout == os.fsencode(odd) + b"/sp ace.jpg\n"
    assert b"not there" in done.stderr  # `ls` has broken a name into two lines
    told = shell("imgbatch similar . -n 10 --keep-duplicates --paths", odd, tmp_path)
    assert b"1 of these hold a newline; give -0" in told.stderr


@pytest.mark.parametrize("command", [
    ("similar", "FOLDER", "-n", 3), ("different", "FOLDER", "-n", 3), ("search", "FOLDER", "class1", "-n", 3),
    ("label", "next", "FOLDER", "-n", 3, "--metadata", "LABELS"), ("label", "check", "FOLDER", "-n", 3), ("duplicates", "FOLDER"),
])  # fmt: skip
def test_paths_alone_are_on_standard_output_and_no_sheet_is_made(cli, indexed, tmp_path, command):
    few = tmp_path / "few.csv"
    few.write_text(f"file_name,label\n{indexed.names[0]},a\n{indexed.names[1]},b\n")
    words = [{"FOLDER": indexed.folder, "LABELS": few}.get(word, word) for word in command]
    answer = cli(*words, "--paths", "--index", indexed.index, cwd=tmp_path)
    assert answer.code == 0, answer.err
    paths = answer.out.splitlines()
    assert len(paths) == (0 if command[0] == "duplicates" else 3) or command[1] == "check"
    assert {*paths} <= {str(indexed.folder / name) for name in indexed.names}
    assert os.listdir(tmp_path) == ["few.csv"]
    nulls = cli(*words, "--paths", "-0", "--index", indexed.index, cwd=tmp_path)
    assert nulls.raw.count(b"\0") == nulls.raw.count(b"/image")
    assert b"\n" not in nulls.raw


def test_the_extra_images_of_groups_are_listed_and_not_those_worth_keeping(cli, photos, tmp_path):
    data = (photos / "image003.jpg").read_bytes()
    for name in ("copy1.jpg", "copy2.jpg"):
        (photos / name).write_bytes(data)
    answer = cli("duplicates", photos, "--paths", "--index", tmp_path / "index")
    assert len(answer.out.splitlines()) == 2
    assert {*answer.out.splitlines()} < {
        str(photos / f"{name}.jpg") for name in ("copy1", "copy2", "image003")
    }


def test_paths_with_files_that_are_asked_for_are_both_made(cli, indexed, tmp_path):
    sheet = tmp_path / "sheet.png"
    answer = cli(
        "similar", indexed.folder, "--paths", "-n", 2, "-o", sheet, "--index", indexed.index
    )
    assert len(answer.out.splitlines()) == 2
    assert sheet.is_file()


def test_a_command_of_a_list_repeats_its_set_and_writes_nothing_into_its_folder(
    photos, tmp_path, command
):
    index = ("--index", tmp_path / "index")

    def run(*words):
        with _names(photos) as file:
            return command(*words, *index, stdin=file)

    first, again = (run("different", "-", "-n", 3, "--seed", 4, "--paths") for _ in range(2))
    assert (first.code, first.out) == (0, again.out)
    refused = run("different", "-", "-o", photos / "x.png")
    refused.assert_one_clear_line(2, "lies inside the image folder")
    page = tmp_path / "page.html"
    assert run("different", "-", "-n", 3, "-o", page).code == 0
    assert "imgbatch different - -n 3 --seed" in page.read_text()


def test_a_list_is_not_exported_to_a_database_which_would_lose_the_other_images(photos, command):
    with _names(photos) as names:
        answer = command("export", "-", "--to", "postgresql://nowhere.invalid/db", stdin=names)
    answer.assert_one_clear_line(2, "removes all others", "lists of files")


def _names(photos):
    file = photos.parent / "names"
    file.write_bytes(
        b"\n".join(os.fsencode(photos / f"image00{number}.jpg") for number in range(6))
    )
    return file.open("rb")


@pytest.mark.parametrize("words", [
    ("batches", "-", "--batch-size", 2), ("overview", "-"), ("map", "-"), ("tags", "-"), ("duplicates", "-"),
    ("label", "split", "-", "-o", "OUT/split.csv"), ("export", "-", "--to", "OUT/x.csv"),
])  # fmt: skip
def test_every_command_that_looks_at_a_folder_takes_a_list(photos, tmp_path, command, words):
    words = [str(word).replace("OUT", str(tmp_path)) for word in words]
    with _names(photos) as names:
        answer = command(*words, "--json", "--index", tmp_path / "index", stdin=names)
    assert answer.code == 0, answer.err
    assert "image007" not in answer.out


@pytest.mark.parametrize(("words", "told"), [
    (["-0"], "-0 was given without FOLDER - or --paths"),
    (["--paths", "--json"], "--paths and --json were both given"),
])  # fmt: skip
def test_options_that_contradict_are_refused(cli, photos, words, told):
    cli("similar", photos, *words).assert_one_clear_line(2, told)


def test_a_list_of_nothing_is_refused_with_the_way_to_give_one(command):
    answer = command("similar", "-", stdin=subprocess.DEVNULL)
    answer.assert_one_clear_line(2, "standard input lists no file", "find -print0")


def test_messages_of_the_library_are_told_in_options(cli, photos, tmp_path):
    cli(
        "similar", photos, "--like", "gone.jpg", "--index", tmp_path / "index"
    ).assert_one_clear_line(2, "give --like a file")
    cli("similar", photos, "--no-refresh", "--index", tmp_path / "i").assert_one_clear_line(
        2, "run without --no-refresh once"
    )
    assert in_options("run `imgbatch duplicates` once; `n` is 0; `keep_duplicates=True`") == (
        "run `imgbatch duplicates` once; -n is 0; --keep-duplicates"
    )
    assert in_options("cannot read a/`b` or `c`.jpg") == "cannot read a/`b` or `c`.jpg"
