"""``--cluster`` gives the answers of one machine and leaves no process behind."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

from tests.commands import ROOT, environment
from tests.drawing import jpeg, photo, settle

pytestmark = pytest.mark.slow
SLOW = "[images]\nview_px = 512\n[index]\nworkers = 2\n[cluster]\nshard_images = 8\n"
linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks into Linux's /proc")


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Four hundred files, seconds of work, of ten pictures."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    folder.mkdir()
    pictures = [jpeg(photo(number, 640, 480, noise=30)) for number in range(10)]
    for number in range(400):
        (folder / f"{number:03}.jpg").write_bytes(pictures[number % 10] + b"file %d" % number)
    settle(folder)
    (folder.parent / "slow.toml").write_text(SLOW)
    return folder


def test_a_local_cluster_gives_what_one_machine_gives(cli, command):
    samples, cluster = ROOT / "samples", ("--cluster", "local", "--workers", 2)
    note = "note: 1 .md ignored: no images\n"
    arguments = ("index", samples, "--json")
    alone, spread = cli(*arguments), command(*arguments, *cluster)
    assert (alone.err, spread.err) == (note, note)
    assert list(alone.json) == list(spread.json)
    changing = {"seconds"}
    assert all(alone.json[key] == spread.json[key] for key in alone.json if key not in changing)
    for mode in ("similar", "different"):
        arguments = (mode, samples, "--seed", 5, "--json", "--no-sheet")
        alone, spread = cli(*arguments), command(*arguments, *cluster)
        assert (alone.err, spread.err) == (note, note)
        assert list(alone.json) == list(spread.json)
        assert alone.json["images"] == spread.json["images"]


def test_what_a_cluster_cannot_do_is_one_clear_line(cli, command, photos, tmp_path):
    cli("similar", photos, "--cluster", "four").assert_one_clear_line(2, "four", "scheduler")
    cli("similar", "s3://bucket/photos").assert_one_clear_line(2, "URL", "--cluster")
    cli("similar", "nothing://here", "--cluster", "local").assert_one_clear_line(2, "nothing")
    cli("index", tmp_path / "none", "--cluster", "local").assert_one_clear_line(2, "not found")
    (tmp_path / "without" / "distributed").mkdir(parents=True)
    (tmp_path / "without" / "distributed" / "__init__.py").write_text("raise ImportError")
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "without"), environment()["PYTHONPATH"]])}
    answer = command("index", photos, "--cluster", "local", env=path)
    answer.assert_one_clear_line(2, "imgbatch[cluster]")


@pytest.fixture
def indexing(start, many, tmp_path) -> subprocess.Popen[bytes]:
    """A process, leader of its session, that indexes the many files on a local cluster."""
    options = ("--json", "--index", tmp_path / "index", "--config", many.parent / "slow.toml")
    return start("index", many, "--cluster", "local", *options, start_new_session=True)


def wait_for_marks(process: subprocess.Popen[bytes], index: Path) -> None:
    deadline = time.monotonic() + 90
    while len(list(index.glob("*/store/marks/*.json"))) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no shard in a minute and a half"
        time.sleep(0.01)


def session(leader: int) -> list[int]:
    """Every process of a session that still runs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@linux
@pytest.mark.parametrize("ending", ["interrupted", "killed"])
def test_a_stopped_run_leaves_no_process_and_the_next_goes_on(
    command, indexing, many, tmp_path, ending
):
    process = indexing
    wait_for_marks(process, tmp_path / "index")
    assert len(session(process.pid)) >= 3
    if ending == "interrupted":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all of them see it
    else:
        process.kill()
    out, err = process.communicate(timeout=60)
    assert out == b""
    if ending == "interrupted":
        assert process.returncode == 130
        assert err.decode().startswith("stopped")
        assert len(err.decode().splitlines()) == 1
    deadline = time.monotonic() + 30
    while session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert session(process.pid) == []
    answer = command("index", many, "--cluster", "local", "--json", "--index", tmp_path / "index",
                     "--config", many.parent / "slow.toml")  # fmt: skip
    assert answer.json["indexed"] == 400
    assert 0 < answer.json["described"] < 400
    assert answer.err == ""
