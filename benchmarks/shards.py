"""similar and different on ten million points that lie on disk in parts: time, memory, quality.

    python benchmarks/shards.py FOLDER [--rows 10000000] [--place DIR] [--markdown FILE]

The points are those of FOLDER's images in a space of 64 dimensions, jittered, in the order of the
images they come from, so that each part holds other kinds: the hard case. They are written to DIR
(13 kB for each 16 points, three times) and removed afterwards. Every layout is asked by a process
of its own; the first request reads from the disk, whose cache is emptied before.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

import imgbatch
from imgbatch.embedding.projection import write_arrays
from imgbatch.index.shards.points import StoredPart
from imgbatch.neighbours.parts import Parted, PartedSearch, as_array
from imgbatch.neighbours.search import NeighbourSearch, distances_to, squared_lengths
from imgbatch.runners import usable_cores
from imgbatch.runners.maps import ThreadMap
from imgbatch.selection.coresets import different_in_parts
from imgbatch.selection.different import DifferentOptions
from imgbatch.selection.similar import SimilarOptions, choose_anchor, similar
from imgbatch.types import Floats, Hashes, Rows

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"}
COMPONENTS = {"hsv": 20, "hog": 36, "phash": 8}
PART_ROWS = 262_144
LAYOUTS = {"1": 1, "8": 8, "parts of 262,144": 0}
N, REPEATS, SEEDS = 10, 5, 40
JITTER = 0.3  # length of what is added to a point; a typical pair of images is 1 apart
BLOCK = 65_536
SPREAD = ThreadMap(usable_cores())
BYTES_OF_RSS = 1024 if sys.platform != "darwin" else 1


def small_space(folder: Path, place: Path) -> Floats:
    """The points of a folder's images in 64 dimensions."""
    file = place / "small.toml"
    lines = "".join(f"{name} = {most}\n" for name, most in COMPONENTS.items())
    file.write_text(f"[space.components]\n{lines}", encoding="utf-8")
    return np.asarray(imgbatch.load(folder, config=file, index=place / "index").points)


def jittered(points: Floats, rows: int) -> Iterator[tuple[Floats, Floats, Hashes]]:
    """Points, squares and hashes of `rows` synthetic images, some at a time."""
    random = np.random.default_rng(0)
    spread = np.float32(JITTER / np.sqrt(points.shape[1]))
    for start in range(0, rows, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, rows))
        noise = random.standard_normal((len(numbers), points.shape[1]), dtype=np.float32)
        made = points[numbers * len(points) // rows] + noise * spread
        yield made, squared_lengths(made), random.integers(0, 2**64, len(made), dtype=np.uint64)


def cut(rows: int, parts: int) -> list[int]:
    sizes = [PART_ROWS] * (rows // PART_ROWS) if parts == 0 else [rows // parts] * parts
    sizes[-1:] = [sizes[-1], rows - sum(sizes)] if parts == 0 else [rows - sum(sizes[:-1])]
    return [size for size in sizes if size]


def write(points: Floats, sizes: Sequence[int], place: Path) -> list[StoredPart]:
    """Write the same synthetic points as parts of these sizes."""
    place.mkdir()
    blocks = jittered(points, sum(sizes))
    held = next(blocks)
    parts = []

    def taken(size: int) -> Iterator[tuple[Floats, Floats, Hashes]]:
        nonlocal held
        while size:
            if not len(held[0]):
                held = next(blocks)
            some = tuple(array[:size] for array in held)
            held = tuple(array[size:] for array in held)  # type: ignore[assignment]
            size -= len(some[0])
            yield some  # type: ignore[misc]

    for number, size in enumerate(sizes):
        with tempfile.TemporaryDirectory(dir=place) as temporary:
            write_arrays(taken(size), size, Path(temporary))
            for file in Path(temporary).iterdir():
                file.rename(place / f"{number:05}.{file.name}")
        parts.append(StoredPart(str(place / f"{number:05}"), (size, points.shape[1])))
    return parts


def forget(place: Path) -> None:
    """Empty the disk's cache of some files, so that the next request reads them."""
    for file in place.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ask_similar(parts: Sequence[StoredPart], seed: int) -> Rows:
    """As `Collection.similar`."""
    if len(parts) == 1:
        search = NeighbourSearch(parts[0].points, 0, parts[0].squares)
        hashes = parts[0].hashes
    else:
        search, hashes = PartedSearch(parts, SPREAD), as_array(Parted(parts, "hashes", SPREAD))
    options = SimilarOptions(hashes=hashes)
    anchor = choose_anchor(search, N, options, np.random.default_rng(seed))
    return similar(search, anchor, N, options)[0]


def ask_different(parts: Sequence[StoredPart], seed: int) -> Rows:
    """As `Collection.different`."""
    options = DifferentOptions(hashes=np.empty(0, np.uint64))
    return different_in_parts(parts, N, options, np.random.default_rng(seed), SPREAD)[0]


ASKED: dict[str, Callable[[Sequence[StoredPart], int], Rows]] = {
    "similar": ask_similar,
    "different": ask_different,
}


def inside(place: Path, name: str) -> None:
    """Child process: requests of one kind on the parts of one layout."""
    described = json.loads((place.parent / f"{place.name}.json").read_text())
    parts = [StoredPart(where, tuple(shape)) for where, shape in described]
    forget(place)
    seconds, cpu, sets = [], [], []
    for seed in range(1 + REPEATS):
        started, used = time.perf_counter(), time.process_time()
        sets.append(ASKED[name](parts, seed).tolist())
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_RSS
    facts = {name: seconds, f"{name}_cpu": cpu, f"{name}_sets": sets, f"{name}_peak": [peak]}
    if name == "different":
        facts["radii"] = radii(parts)
    print(json.dumps(facts))


def radii(parts: Sequence[StoredPart]) -> list[float]:
    """How far the farthest of 20,000 random points is from each of many sets."""
    world = Parted(parts, "points")
    seen = world[np.random.default_rng(1).choice(len(world), min(len(world), 20_000), False)]
    return [
        float(np.min([distances_to(seen, point) for point in world[rows]], axis=0).max())
        for rows in (ask_different(parts, seed) for seed in range(SEEDS))
    ]


def measure(points: Floats, rows: int, place: Path) -> dict[str, dict[str, list[float]]]:
    found = {}
    for name, parts in LAYOUTS.items():
        print(f"{rows:,} points, {name}", file=sys.stderr)
        here = place / f"layout-{parts}"
        made = write(points, cut(rows, parts), here)
        described = [(part.path, part.shape) for part in made]
        (place / f"{here.name}.json").write_text(json.dumps(described))
        found[name] = {"parts": [len(made)]}
        for asked in ASKED:
            child = subprocess.run(
                [sys.executable, __file__, "--inside", str(here), asked],
                env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            found[name] |= json.loads(child.stdout)
    return found


def lines_of(found: dict[str, dict[str, list[float]]]) -> list[list[str]]:
    one = found["1"]
    lines = []
    for facts in found.values():
        line = [f"{facts['parts'][0]}"]
        for name in ("similar", "different"):
            warm, cpu = median(facts[name][1:]), median(facts[f"{name}_cpu"][1:])
            line += [f"{facts[name][0]:.2f} s", f"{warm:.2f} s ({cpu:.2f})"]
        line.append(f"{max(facts['similar_peak'] + facts['different_peak']) / 1e9:.1f} GB")
        same = facts["similar_sets"] == one["similar_sets"]
        line.append("the same" if same else "OTHERS")
        ratios = np.array(facts["radii"]) / np.array(one["radii"])
        line.append(f"{np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})")
        lines.append(line)
    return lines


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--place", type=Path, help="where to write; default: the temporary folder")
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="imgbatch-shards-", dir=given.place) as temporary:
        points = small_space(given.folder, Path(temporary))
        found = measure(points, given.rows, Path(temporary))
    head = [
        "parts", "similar, from disk", "similar (CPU)", "different, from disk", "different (CPU)",
        "peak memory", "similar sets", "radius of different : one part's",
    ]  # fmt: skip
    size = given.rows * points.shape[1] * 4 / 1e9
    caption = (
        f"{given.rows:,} points of {points.shape[1]} dimensions, {size:.2f} GB, jittered from "
        f"{given.folder.resolve().name}, each part of other kinds of images. Sets of {N}. From "
        "disk: one request with the disk's cache emptied; then the median of "
        f"{REPEATS}, with its CPU seconds. Memory counts mapped points that were read. Radius: "
        f"over 20,000 random points, median (range) of {SEEDS} seeds. {os.cpu_count()} cores, "
        f"{SPREAD.count} threads where there are several parts; load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after: above 1.5, others were using the machine. "
        "`python benchmarks/shards.py FOLDER`."
    )
    lines = lines_of(found)
    table = Table(*head, title="Shards", caption=caption)
    for line in lines:
        table.add_row(*line)
    Console().print(table)
    if given.markdown:
        rows = "\n".join(f"| {' | '.join(one)} |" for one in [head, ["---"] * len(head), *lines])
        given.markdown.write_text(f"# Shards\n\n{caption}\n\n{rows}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
