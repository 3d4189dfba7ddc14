"""An index that was interrupted, killed, damaged or built twice at once gives the same answers."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import imgbatch
from imgbatch.index.sqlite.connect import FILE_NAME
from tests.drawing import jpeg, photo, settle

TOTAL = 200
SLOW = "[images]\nview_px = 512\n[index]\nchunk_images = 4\nworkers = 2\n"
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and process groups")


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Two hundred files, large enough for worker processes, of ten pictures."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    folder.mkdir()
    pictures = [jpeg(photo(number, 640, 480, noise=30)) for number in range(10)]
    for number in range(TOTAL):
        data = pictures[number % 10] + f"file {number}".encode()  # another content, the same view
        (folder / f"{number:03}.jpg").write_bytes(data)
    settle(folder)
    return folder


@pytest.fixture(scope="module")
def slow(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("config") / "slow.toml"
    file.write_text(SLOW)
    return file


def contents(database: Path) -> dict[tuple[bytes, str], bytes]:
    db = sqlite3.connect(database)
    rows = db.execute(
        "SELECT path, fingerprint, data FROM images JOIN vectors USING (content_id)"
        " JOIN descriptors ON descriptors.id = descriptor_id"
    ).fetchall()
    db.close()
    return {(path, mark): data for path, mark, data in rows}


@pytest.fixture(scope="module")
def uninterrupted(many, slow, tmp_path_factory) -> dict[tuple[bytes, str], bytes]:
    index = tmp_path_factory.mktemp("reference")
    collection = imgbatch.load(many, index=index, config=slow)
    return contents(collection.index_directory / FILE_NAME)


@pytest.fixture
def start_indexing(start, many, slow, tmp_path) -> Callable[[], subprocess.Popen[bytes]]:
    """Index the many files in a process group of its own, to which signals can be sent."""
    options = ("--json", "--config", slow, "--index", tmp_path / "index")
    return lambda: start("index", many, *options, start_new_session=True)


def wait_until_half_done(process: subprocess.Popen[bytes], index: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"ended too early: {process.communicate()}")
        for database in index.glob(f"*/{FILE_NAME}"):
            try:
                reading = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0.01)
                with contextlib.closing(reading) as db:
                    (count,) = db.execute("SELECT count(*) FROM images").fetchone()
            except sqlite3.Error:
                continue
            if 16 <= count < TOTAL:
                return
        time.sleep(0.005)
    pytest.fail("no rows after a minute")


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@posix
@pytest.mark.parametrize("ending", ["interrupted", "killed"])
def test_a_stopped_index_goes_on_where_it_was(
    cli, start_indexing, many, slow, uninterrupted, tmp_path, ending
):
    index = tmp_path / "index"
    process = start_indexing()
    wait_until_half_done(process, index)
    os.killpg(process.pid, signal.SIGINT if ending == "interrupted" else signal.SIGKILL)
    out, err = process.communicate(timeout=30)
    assert out == b""
    if ending == "interrupted":
        assert process.returncode == 130
        assert err.decode().startswith("stopped")
        assert len(err.decode().splitlines()) == 1
    document = cli("index", many, "--json", "--config", slow, "--index", index).json
    assert 0 < document["described"] <= TOTAL - 16
    assert document["read"] == document["described"]
    assert document["indexed"] == TOTAL
    assert contents(Path(document["index"]) / FILE_NAME) == uninterrupted


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in Linux's /proc")
def test_ctrl_c_while_workers_start_leaves_one_line_and_no_process(start_indexing, tmp_path):
    process = start_indexing()
    deadline = time.monotonic() + 30
    while not (workers := children(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert workers
    assert not list((tmp_path / "index").glob("*/*"))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().startswith("stopped")
    assert len(err.decode().splitlines()) == 1
    deadline = time.monotonic() + 10  # the one that watches the others' resources ends after all
    while not all(map(gone, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(map(gone, workers))


@pytest.mark.slow
def test_workers_that_started_early_for_nothing_end_without_a_word(command, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(photo(1, 60, 40)))
    (folder / "film.mp4").write_bytes(bytes(5_000_000))
    done = command("index", folder, "--json", "--index", tmp_path / "index", "--workers", 2)
    assert (done.code, done.json["indexed"]) == (0, 1)
    assert done.err.splitlines() == [
        "note: whitening is off: it takes 100 images, and there are 1",
        "note: 1 .mp4 ignored: no images",
    ]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in Linux's /proc")
def test_workers_end_by_themselves_when_the_parent_is_killed(start_indexing, tmp_path):
    process = start_indexing()
    wait_until_half_done(process, tmp_path / "index")
    workers = children(process.pid)
    assert workers
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while not all(map(gone, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in workers if not gone(pid)]
    process.communicate()
    assert left == []


@pytest.mark.slow
def test_two_at_once_on_a_fresh_folder_give_the_same_answer(start, many, slow, tmp_path):
    options = ("--json", "--no-sheet", "--config", slow, "--index", tmp_path / "index")
    pair = [start("similar", many, "--seed", 3, *options) for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in pair]
    assert [(process.returncode, err) for process, (_, err) in zip(pair, answers, strict=True)] == [
        (0, b""), (0, b""),
    ]  # fmt: skip
    first, second = (json.loads(out) for out, _ in answers)
    assert first["images"] == second["images"]
    assert first["indexed"] == second["indexed"] == TOTAL


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_nothing(many, slow, uninterrupted, tmp_path, workers):
    settings = imgbatch.load_config(slow).config
    index = settings.index.model_copy(update={"workers": workers, "chunk_images": 7 * workers})
    settings = settings.model_copy(update={"index": index})
    collection = imgbatch.load(many, index=tmp_path / "index", config=settings)
    assert contents(collection.index_directory / FILE_NAME) == uninterrupted


def test_sets_do_not_depend_on_the_order_of_indexing(cli, photos, tmp_path):
    whole = cli("different", photos, "-n", 5, "--seed", 9, "--json", "--no-sheet").json["images"]
    files = sorted(photos.iterdir())
    data = {file: (file.read_bytes(), file.stat().st_mtime) for file in files}
    for file in files[::2]:
        file.unlink()
    imgbatch.load(photos, index=tmp_path / "index")
    for file in files[::2]:
        file.write_bytes(data[file][0])
        os.utime(file, (data[file][1], data[file][1]))
    piecewise = cli(
        "different", photos, "-n", 5, "--seed", 9, "--json", "--no-sheet", "--index",
        tmp_path / "index",
    ).json["images"]  # fmt: skip
    assert piecewise == whole


# ----- damage -------------------------------------------------------------------------------------


def damage(database: Path, how: str) -> None:
    data = bytearray(database.read_bytes())
    if how == "garbage":
        data[:] = b"garbage" * 1000
    elif how == "truncated":
        del data[5000:]
    elif how == "overwritten":
        data[4096 : len(data) * 3 // 4] = b"\xa5" * (len(data) * 3 // 4 - 4096)
    else:
        data[60:64] = (9999).to_bytes(4, "big")  # SQLite's user_version
    database.write_bytes(data)


@pytest.mark.parametrize("how", ["garbage", "truncated", "overwritten", "newer"])
def test_a_damaged_or_newer_index_is_rebuilt_with_a_note(cli, photos, how):
    arguments = ("similar", photos, "-n", 4, "--seed", 3, "--json", "--no-sheet")
    before = cli(*arguments).json["images"]
    directory = imgbatch.load(photos).index_directory
    damage(directory / FILE_NAME, how)
    answer = cli(*arguments)
    assert answer.code == 0, answer.err
    assert answer.json["images"] == before
    notes = answer.err.splitlines()
    assert len(notes) == 2
    assert notes[0].startswith("note: the index")
    assert notes[1].startswith("note: whitening is off")  # as whenever small folders are described
    assert "rebuilt" in notes[0]
    assert cli(*arguments).err == ""


def test_damage_on_any_page_never_stops_a_request(photos):
    """The points beside the index are removed too, so that every page is read."""
    collection = imgbatch.load(photos)
    directory, expected = collection.index_directory, collection.paths
    del collection
    database = directory / FILE_NAME
    whole = database.read_bytes()
    failures = []
    for page in range(len(whole) // 4096):
        data = bytearray(whole)
        data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
        shutil.rmtree(directory)
        directory.mkdir()
        database.write_bytes(data)
        try:
            again = imgbatch.load(photos)
            assert len(again.similar(4, seed=1).images) == 4
            assert again.paths == expected
        except Exception as error:  # noqa: BLE001 - all pages are tried before it fails
            failures.append(f"page {page}: {type(error).__name__}: {error}")
    assert failures == []


def test_damaged_points_are_computed_anew(photos):
    collection = imgbatch.load(photos)
    before = collection.similar(4, seed=1)
    files = [f for f in (collection.index_directory / "spaces").rglob("*") if f.is_file()]
    assert files
    for file in files:
        for content in (b"", b"garbage", file.read_bytes()[:-100]):
            whole = file.read_bytes()
            file.unlink()
            file.write_bytes(content)
            again = imgbatch.load(photos).similar(4, seed=1)
            assert again.images == before.images, (file.name, content[:9])
            if file.exists():
                file.unlink()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(whole)
