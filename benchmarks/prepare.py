"""`prepare` with local pictures: speed, memory, reruns, kills, a full disk.

    python benchmarks/prepare.py speed FOLDER [--images 1500] [--rounds 5]
    python benchmarks/prepare.py large FOLDER [--images 100000]
    python benchmarks/prepare.py rows [--rows 10000000]
    python benchmarks/prepare.py kills FOLDER [--kills 200]
    python benchmarks/prepare.py disk FOLDER

FOLDER gives the pictures: each is brought to the size asked for, and written under many names with
some bytes behind its end, so that all files differ. Work is done in --work (default: a temporary
folder), which is removed. `disk` mounts a small file system in memory, which takes root.
"""

import argparse
import csv
import itertools
import json
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2

from imgbatch.config import load_config
from imgbatch.images.decode import decode
from imgbatch.intake.database import PLACE
from imgbatch.intake.making import form_of
from imgbatch.intake.pictures import Chunk, Task, fit_picture, view_px_of
from imgbatch.intake.prepare import prepare
from imgbatch.intake.records import Fit, Prepare
from imgbatch.runners import ProcessRunner, usable_cores

SIZE = (384, 384)
BASES = 200
CONFIG = load_config().config
QUALITY = 90


def bases(folder: str, size: tuple[int, int]) -> list[bytes]:
    """Pictures of a folder at a size, as JPEG."""
    found = sorted(path for path in Path(folder).rglob("*.jpg"))
    step = max(1, len(found) // BASES)
    made = []
    for path in found[::step][:BASES]:
        picture = fit_picture(cv2.imread(str(path)), size, Fit.COVER, (0, 0, 0))
        data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1]
        made.append(data.tobytes())
    return made


def write_pictures(folder: Path, pictures: list[bytes], count: int) -> None:
    """Write `count` files, all of unlike content, in subfolders of a thousand."""
    for number in range(count):
        file = folder / f"{number // 1000:03}" / f"{number:08}.jpg"
        if number % 1000 == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(pictures[number % len(pictures)] + b"%08d" % number)


def write_table(file: Path, count: int) -> None:
    """Titles, descriptions and ids, in Parquet; one title of a hundred is empty."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("title", pa.string()), ("description", pa.string())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, count, 50_000):
            numbers = range(start, min(start + 50_000, count))
            columns = [
                [f"{n // 1000:03}/{n:08}" for n in numbers],
                [None if n % 100 == 99 else f"title {n}" for n in numbers],
                [f"a longer description of the picture number {n}" for n in numbers],
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def wanted(work: Path, to: str) -> Prepare:
    """The pipeline: rows without a title go, ids become paths, pictures 384x384."""
    return Prepare(
        str(work / "table.parquet"), work / to, str(work / "raw"), "id", "{id}.jpg", None,
        ("title",), SIZE,
    )  # fmt: skip


def alone(chunk: Chunk) -> list[int]:
    """What `speed` compares with: read, decode and resize the same files, and nothing else."""
    sizes = []
    for task in chunk.tasks:
        data = Path(task.source).read_bytes()
        view = decode(data, chunk.form.options, view_px=view_px_of(data, SIZE)).view
        sizes.append(fit_picture(view, SIZE, Fit.COVER, (0, 0, 0)).size)
    return sizes


def decode_alone(files: list[str]) -> None:
    """Decode and resize in as many processes as `prepare` has."""
    form = form_of(wanted(Path(), "to"), CONFIG)
    batches = itertools.batched(files, 16) if sys.version_info >= (3, 12) else _batched(files)
    chunks = (Chunk(tuple(Task(0, file, "") for file in batch), form, "", "") for batch in batches)
    runner = ProcessRunner(usable_cores(), ("imgbatch.intake.pictures",))
    assert list(runner.run(alone, chunks, split=Chunk.split, crashed=Chunk.crashed))


def _batched(files: list[str]) -> Iterator[list[str]]:
    return (files[start : start + 16] for start in range(0, len(files), 16))


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def speed(options: argparse.Namespace, work: Path) -> None:
    """Images a second, in alternating pairs."""
    print("pictures    prepare img/s   decoding and resizing alone img/s   ratio (each pair)")
    for size in ((320, 240), (640, 480), (1280, 960)):
        shutil.rmtree(work / "raw", ignore_errors=True)
        write_pictures(work / "raw", bases(options.folder, size), options.images)
        write_table(work / "table.parquet", options.images)
        files = [str(path) for path in sorted((work / "raw").rglob("*.jpg"))]
        ours, theirs = [], []
        for number in range(options.rounds):
            theirs.append(len(files) / seconds(lambda files=files: decode_alone(files)))
            to = f"to{size[0]}-{number}"
            kept = options.images - options.images // 100
            ours.append(kept / seconds(lambda to=to: prepare(wanted(work, to), CONFIG)))
            shutil.rmtree(work / to)
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        print(
            f"{size[0]:>4}x{size[1]:<4} {statistics.median(ours):12.0f} "
            f"{statistics.median(theirs):25.0f} {statistics.median(ratios):19.2f}  "
            f"({', '.join(f'{ratio:.2f}' for ratio in sorted(ratios))})",
            flush=True,
        )


def peak_mb() -> float:
    """The largest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6  # type: ignore[index]


def in_new_process(function: Callable[..., object], *arguments: object) -> object:
    """A function's answer in a process of its own, whose peak of memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def run_once(work: Path, to: str) -> tuple[float, float, float, int]:
    before, started = peak_mb(), time.perf_counter()
    done = prepare(wanted(work, to), CONFIG)
    return time.perf_counter() - started, before, peak_mb(), done.made


def large(options: argparse.Namespace, work: Path) -> None:
    """A large folder, prepared twice."""
    write_pictures(work / "raw", bases(options.folder, (320, 240)), options.images)
    write_table(work / "table.parquet", options.images)
    for name in ("first run", "second run"):
        took, before, peak, made = in_new_process(run_once, work, "to")  # type: ignore[misc]
        print(
            f"{name}: {took:.1f} s, {made:,} pictures made, {made / took:.0f} a second; memory of "
            f"the process {before:.0f} MB before, {peak:.0f} MB at most",
            flush=True,
        )


def rows(options: argparse.Namespace, work: Path) -> None:
    """Rows alone: none of the pictures is there."""
    (work / "raw").mkdir()
    for count in (options.rows // 10, options.rows):
        write_table(work / "table.parquet", count)
        took, before, peak, _ = in_new_process(run_once, work, f"to{count}")  # type: ignore[misc]
        print(
            f"{count:,} rows: {took:.0f} s, {before:.0f} MB before, {peak:.0f} MB at most",
            flush=True,
        )


def command(work: Path, to: Path) -> list[str]:
    return [
        sys.executable, "-m", "imgbatch", "prepare", str(work / "table.parquet"), "--to", str(to),
        "--images", str(work / "raw"), "--id", "id", "--pattern", "{id}.jpg", "--require", "title",
        "--size", "384x384", "--json",
    ]  # fmt: skip


def kills(options: argparse.Namespace, work: Path) -> None:
    """Kill runs at evenly spread moments until some number; then one run to the end."""
    count = 300
    write_pictures(work / "raw", bases(options.folder, (320, 240)), count)
    write_table(work / "table.parquet", count)
    whole = seconds(lambda: subprocess.run(command(work, work / "whole"), check=True, stdout=-3))
    check_folder(work / "whole", count - count // 100)
    killed = finished = 0
    for number in range(options.kills):
        if number % 10 == 0:
            shutil.rmtree(work / "to", ignore_errors=True)
        process = subprocess.Popen(command(work, work / "to"), stdout=-3, stderr=-3)
        try:
            process.wait(whole * 1.1 * (number * 7 % options.kills + 1) / options.kills)
            finished += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        if number % 10 == 9:
            subprocess.run(command(work, work / "to"), check=True, stdout=-3)
            check_folder(work / "to", count - count // 100)
            found = unlike(work / "to", work / "whole")
            assert not found, f"after {number + 1} runs unlike those without kills: {found}"
    print(f"{killed} kills, {finished} runs that came to their end before; nothing lost or doubled")


def check_folder(to: Path, count: int) -> None:
    """Every row has its picture, every picture its row, nothing half is left."""
    with (to / "metadata.csv").open(newline="") as text:
        names = [row["file_name"] for row in csv.DictReader(text)]
    files = {path.relative_to(to).as_posix() for path in (to / "images").rglob("*.*")}
    assert len(names) == len(set(names)) == count, (len(names), count)
    assert set(names) == files, set(names) ^ files
    assert os.listdir(to / PLACE) == ["prepare.sqlite"], os.listdir(to / PLACE)


def unlike(one: Path, other: Path) -> list[str]:
    """The tables and pictures that two folders do not have in common."""

    def content(to: Path) -> dict[str, bytes]:
        files = [*to.glob("*.csv"), *(to / "images").rglob("*.*")]
        return {path.relative_to(to).as_posix(): path.read_bytes() for path in files}

    first, second = content(one), content(other)
    names = first.keys() | second.keys()
    return sorted(name for name in names if first.get(name) != second.get(name))


def disk(options: argparse.Namespace, work: Path) -> None:
    """Run into a full disk, make room, run again."""
    count = 600
    write_pictures(work / "raw", bases(options.folder, (320, 240)), count)
    write_table(work / "table.parquet", count)
    small = work / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(small)], check=True)
    try:
        failed = subprocess.run(
            command(work, small / "to"), check=False, capture_output=True, text=True
        )
        print(f"full: exit {failed.returncode}, {failed.stderr.strip()[:160]}")
        print(f"      {len(list((small / 'to' / 'images').rglob('*.jpg')))} pictures are there")
        subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        again = subprocess.run(
            command(work, small / "to"), check=False, capture_output=True, text=True
        )
        answer = json.loads(again.stdout)
        check_folder(small / "to", count - count // 100)
        print(f"room: exit {again.returncode}, kept {answer['kept']}, made {answer['made']}")
    finally:
        subprocess.run(["umount", str(small)], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=("speed", "large", "rows", "kills", "disk"))
    parser.add_argument("folder", nargs="?", default="samples")
    parser.add_argument("--images", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    options.images = options.images or {"large": 100_000}.get(options.part, 1500)
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        globals()[options.part](options, Path(work))


if __name__ == "__main__":
    main()
