"""imgbatch on 10,000, 100,000 and 1,000,000 images: index size, time and memory of every step.

    python benchmarks/scale.py FOLDER [--sizes 10000 100000 1000000] [--markdown FILE]

FOLDER is a folder of images to take descriptors from. The catalogues are synthetic: descriptor
bytes of its images, jittered, without image files, so that requests run with --no-refresh. Each
step is a process of its own, whose peak memory is shown; memory counts mapped files that were read.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table
from synthetic import write_catalogue

import imgbatch
from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.files.cache import index_directory

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent)}
BATCH_SIZE, REPEATS = 64, 5
BYTES_OF_RSS = 1024 if sys.platform != "darwin" else 1
COLUMNS = {
    "images": "images",
    "written": "index written",
    "index_mb": "index",
    "space_mb": "space and rows",
    "first": "first request",
    "first_mb": "its memory",
    "similar_process": "similar, process",
    "different_process": "different, process",
    "process_mb": "memory",
    "load": "load",
    "similar": "similar",
    "different": "different",
    "batches": f"batches of {BATCH_SIZE}",
    "peak_mb": "memory with batches",
}
UNITS = {"similar": "ms", "different": "ms"}


def size_mb(*places: Path) -> float:
    files = (one for place in places for one in [place, *place.rglob("*")] if one.is_file())
    return sum(one.stat().st_size for one in files) / 1e6


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_RSS / 1e6


def request(mode: str, folder: str, cache: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one request as a process."""
    command = [sys.executable, "-m", "imgbatch", mode, folder, "--index", str(cache)]
    command += ["--no-refresh", "--no-sheet", "--json"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, usage.ru_maxrss * BYTES_OF_RSS / 1e6


def timed(work: Callable[[int], object], repeats: int = REPEATS) -> list[float]:
    seconds = []
    for number in range(repeats):
        started = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - started)
    return seconds


def inside(folder: str, cache: str) -> None:
    """Child process: loading, selectors once the points are mapped, one epoch of batches."""
    started = time.perf_counter()
    photos = imgbatch.load(folder, index=cache, refresh=False)
    points, hashes = photos.points, photos.projection.hashes
    loaded = time.perf_counter() - started
    np.add.reduce(points[::7], axis=None)  # the points are in memory from here on
    photos.similar(10, seed=REPEATS)
    facts = {
        "load": [loaded],
        "similar": timed(lambda seed: photos.similar(10, seed=seed)),
        "different": timed(lambda seed: photos.different(10, seed=seed)),
    }
    facts["batches"] = timed(
        lambda seed: deal_batches(Population(points, hashes), DealOptions(BATCH_SIZE, seed)), 1
    )
    print(json.dumps(facts | {"peak_mb": [peak_mb()]}))


def measure(source: imgbatch.Collection, n: int, cache: Path) -> dict[str, list[float]]:
    folder = str(cache / f"images-{n}")
    written = write_catalogue(source, n, folder, cache / "index")
    place = index_directory(folder, cache / "index")
    index_mb = size_mb(place)
    first = request("similar", folder, cache / "index")
    asked = {
        mode: [request(mode, folder, cache / "index") for _ in range(REPEATS)]
        for mode in ("similar", "different")
    }
    child = subprocess.run(
        [sys.executable, __file__, "--inside", folder, str(cache / "index")],
        env=ENVIRONMENT | {"OMP_NUM_THREADS": "1"}, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return {
        "images": [n],
        "written": [written],
        "index_mb": [index_mb],
        "space_mb": [size_mb(place / "spaces", place / "listings")],
        "first": [first[0]],
        "first_mb": [first[1]],
        "similar_process": [seconds for seconds, _ in asked["similar"]],
        "different_process": [seconds for seconds, _ in asked["different"]],
        "process_mb": [max(mb for answers in asked.values() for _, mb in answers)],
        **json.loads(child.stdout),
    }


def shown(name: str, values: Sequence[float]) -> str:
    if name == "images":
        return f"{values[0]:,}"
    if name.endswith("_mb"):
        return f"{values[0]:,.0f} MB"
    if UNITS.get(name) == "ms":
        return f"{1000 * median(values):.0f} ms ({1000 * min(values):.0f})"
    best = f" ({min(values):.2f})" if len(values) > 1 else ""
    return f"{median(values):.2f} s{best}"


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="imgbatch-scale-") as temporary:
        source = imgbatch.load(given.folder, index=Path(temporary) / "source")
        found = []
        for n in given.sizes:
            print(f"{n:,} images", file=sys.stderr)
            found.append(measure(source, n, Path(temporary)))
    rows = [
        [title, *(shown(name, one[name]) for one in found)]
        for name, title in COLUMNS.items()
        if name != "images"
    ]
    head = ["", *(shown("images", one["images"]) for one in found)]
    caption = (
        f"Synthetic catalogues from {given.folder.resolve().name}, {source.points.shape[1]} "
        f"dimensions; median (least) of {REPEATS}; {os.cpu_count()} cores, load {load:.1f} before "
        f"and {os.getloadavg()[0]:.1f} after (from two on, others were using the machine). "
        "`similar`, `different`, batches: through a loaded Collection, points mapped, BLAS on one "
        "thread. `python benchmarks/scale.py FOLDER`."
    )
    table = Table(*head, title="Scale", caption=caption)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if given.markdown:
        lines = [head, ["---"] * len(head), *rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        given.markdown.write_text(f"# Scale\n\n{caption}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
