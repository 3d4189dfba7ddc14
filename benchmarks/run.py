"""How fast imgbatch is beside decoding alone, hashing and a neural encoder: one table, one machine.

    python benchmarks/run.py FOLDER [--repeats 3] [--only ROW ...] [--markdown FILE]
                             [--imagededup PYTHON] [--torch PYTHON]

Every row is measured once in each round, so that a slow moment of the machine meets them all;
ratios are formed within a round; shown are medians and ranges over the rounds. Catalogues are cold,
files warm (read once before), two processes or threads are used wherever a row can use two.
PYTHON is the interpreter of an environment that holds imagededup or torch; rows whose tool is
missing are skipped, and say so. Pictures of 24 megapixels and PNGs are drawn for the occasion.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from pictures import draw_big, draw_pngs, pictures_in
from PIL import Image
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent)}
CORES = 2
VIEW_PX = 128  # the longer side imgbatch decodes to is at least this
REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
VIT_IMAGES, LOOP_IMAGES = 96, 1000


@dataclass
class Bench:
    """The folders measured, and what was measured: seconds by row, one a round."""

    folder: Path
    big: Path
    png: Path
    temporary: Path
    imagededup: str | None
    torch: str | None
    pool: "multiprocessing.pool.Pool"
    seconds: dict[str, list[float]] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


# ----- what is measured -------------------------------------------------------------------------


def reduction(path: str) -> int:
    """The largest of 1, 2, 4, 8 that leaves the longer side at least `VIEW_PX`; PNGs have none."""
    if path.lower().endswith(".png"):
        return 1
    with Image.open(path) as picture:
        longer = max(picture.size)
    return max(factor for factor in REDUCED if factor == 1 or longer // factor >= VIEW_PX)


def decode(work: tuple[str, int]) -> int:
    path, factor = work
    with open(path, "rb") as file:
        picture = cv2.imdecode(np.frombuffer(file.read(), np.uint8), REDUCED[factor])
    return 0 if picture is None else 1


def use_one_thread(_number: int = 0) -> None:
    cv2.setNumThreads(1)


def decoding(bench: Bench, folder: Path, *, reduced: bool) -> tuple[int, float]:
    """Read and decode every file in two processes that are up already."""
    work = [(path, reduction(path) if reduced else 1) for path in pictures_in(folder)]
    chunk = max(1, min(64, len(work) // (4 * CORES)))
    started = time.perf_counter()
    done = sum(bench.pool.imap_unordered(decode, work, chunksize=chunk))
    return done, time.perf_counter() - started


def imgbatch(*arguments: object) -> float:
    command = [sys.executable, "-m", "imgbatch", *map(str, arguments), "--json"]
    started = time.perf_counter()
    subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def indexing(bench: Bench, folder: Path) -> tuple[int, float]:
    """`imgbatch index` as a process, with an empty index; start-up is taken off later."""
    with tempfile.TemporaryDirectory(dir=bench.temporary) as cache:
        seconds = imgbatch("index", folder, "--index", cache, "--workers", CORES)
    return len(pictures_in(folder)), seconds


def starting(bench: Bench) -> tuple[int, float]:
    return indexing(bench, bench.temporary / "one")


def warm(bench: Bench, mode: str) -> tuple[int, float]:
    """A request on an indexed folder as a process, its second: the first makes the space."""
    cache = bench.temporary / "warm"
    if not cache.exists():
        for _ in range(2):
            imgbatch("different", bench.folder, "--no-sheet", "--index", cache)
    return len(pictures_in(bench.folder)), imgbatch(
        mode, bench.folder, "--no-sheet", "--index", cache
    )


def importing(bench: Bench) -> tuple[int, float]:
    """The modules that a warm request loads, imported and nothing done."""
    warm(bench, "similar")
    script = (
        "import sys; from imgbatch.cli.app import app; "
        "app(sys.argv[1:], standalone_mode=False); "
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    arguments = ["similar", str(bench.folder), "--no-sheet", "--json"]
    arguments += ["--index", str(bench.temporary / "warm")]
    asked = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=ENVIRONMENT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = asked.stderr.splitlines()[-1].split()
    modules = [one for one in names if all(part.isidentifier() for part in one.split("."))]
    body = (
        "import contextlib, importlib, sys\n"
        "for one in sys.argv[1:]:\n"
        "    with contextlib.suppress(Exception): importlib.import_module(one)"
    )
    command = [sys.executable, "-c", body, *(one for one in modules if one[:2] != "__")]
    started = time.perf_counter()
    subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
    return 1, time.perf_counter() - started


def elsewhere(python: str | None, script: str, *arguments: object) -> tuple[int, float]:
    """What a script of this folder measured under another interpreter."""
    if python is None:
        raise LookupError("give its interpreter")
    done = subprocess.run(
        [python, HERE / script, *map(str, arguments)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise LookupError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return answer["images"], answer["seconds"]


def imagehash_loop(bench: Bench) -> tuple[int, float]:
    import imagehash

    paths = pictures_in(bench.folder)
    paths = paths[:: max(1, len(paths) // LOOP_IMAGES)][:LOOP_IMAGES]
    started = time.perf_counter()
    for path in paths:
        imagehash.phash(Image.open(path))
    return len(paths), time.perf_counter() - started


ROWS: dict[str, tuple[str, Callable[[Bench], tuple[int, float]]]] = {
    "start": ("imgbatch index on one image (start-up)", starting),
    "decode": ("decode only, full size", lambda b: decoding(b, b.folder, reduced=False)),
    "reduced": ("decode only, reduced size", lambda b: decoding(b, b.folder, reduced=True)),
    "index": ("imgbatch index, past start-up", lambda b: indexing(b, b.folder)),
    "imagededup": (
        "imagededup PHash encoding, two workers",
        lambda b: elsewhere(b.imagededup, "dedup.py", b.folder),
    ),
    "vit": (
        "ViT-B/32 encoder, random weights, two threads",
        lambda b: elsewhere(b.torch, "vit.py", b.folder, VIT_IMAGES),
    ),
    "imagehash": ("imagehash.phash in a loop", imagehash_loop),
    "big-reduced": ("24 MP JPEG: decode only, reduced", lambda b: decoding(b, b.big, reduced=True)),
    "big-index": ("24 MP JPEG: imgbatch index, past start-up", lambda b: indexing(b, b.big)),
    "png-decode": ("PNG: decode only", lambda b: decoding(b, b.png, reduced=False)),
    "png-index": ("PNG: imgbatch index, past start-up", lambda b: indexing(b, b.png)),
    "similar": ("imgbatch similar, warm", lambda b: warm(b, "similar")),
    "different": ("imgbatch different, warm", lambda b: warm(b, "different")),
    "imports": ("the imports of a warm request alone", importing),
}
IN_SECONDS = ("start", "similar", "different", "imports")
RATIOS = (
    ("index", "decode", 0.40),
    ("index", "reduced", None),
    ("index", "imagededup", 2.0),
    ("index", "vit", 150.0),
    ("index", "imagehash", None),
    ("big-index", "big-reduced", 0.70),
    ("png-index", "png-decode", None),
)
LIMITS = {"start": 0.6, "similar": 1.0, "different": 1.0}


# ----- rounds and tables ------------------------------------------------------------------------


def prepare(temporary: Path, folder: Path, rows: Sequence[str]) -> tuple[Path, Path]:
    (temporary / "one").mkdir()
    first = Path(pictures_in(folder)[0])
    (temporary / "one" / first.name).write_bytes(first.read_bytes())
    big, png = temporary / "big", temporary / "png"
    if any(row.startswith("big") for row in rows):
        draw_big(big)
    if any(row.startswith("png") for row in rows):
        draw_pngs(png, folder)
    for path in pictures_in(folder):  # the files are warm from here on
        Path(path).read_bytes()
    return big, png


def measure(bench: Bench, rows: Sequence[str], repeats: int) -> None:
    for number in range(repeats):
        for row in rows:
            if row in bench.skipped:
                continue
            print(f"round {number + 1} of {repeats}: {row}", file=sys.stderr)
            try:
                images, seconds = ROWS[row][1](bench)
            except LookupError as error:
                bench.skipped[row] = f"skipped: {error}"
                continue
            if row.endswith("index"):
                seconds -= bench.seconds["start"][number]
            bench.images[row] = images
            bench.seconds.setdefault(row, []).append(seconds)


def spread(values: Sequence[float], digits: int, unit: str = "") -> str:
    middle, low, high = (f"{x:,.{digits}f}" for x in (median(values), min(values), max(values)))
    return f"{middle}{unit} ({low} to {high})"


def rates(bench: Bench, row: str) -> list[float]:
    return [bench.images[row] / seconds for seconds in bench.seconds[row]]


def tables(bench: Bench, rows: Sequence[str]) -> list[tuple[str, list[str], list[list[str]]]]:
    speeds = []
    for row in rows:
        if row in bench.skipped:
            speeds.append([row, ROWS[row][0], "", bench.skipped[row]])
        elif row in IN_SECONDS:
            limit = f", wanted at most {LIMITS[row]} s" if row in LIMITS else ""
            shown = spread(bench.seconds[row], 2, " s") + limit
            speeds.append([row, ROWS[row][0], str(bench.images[row]), shown])
        else:
            values = rates(bench, row)
            digits = 1 if median(values) < 100 else 0
            shown = spread(values, digits, " img/s")
            speeds.append([row, ROWS[row][0], str(bench.images[row]), shown])
    ratios = []
    for upper, lower, wanted in RATIOS:
        if upper in bench.seconds and lower in bench.seconds:
            values = [a / b for a, b in zip(rates(bench, upper), rates(bench, lower), strict=True)]
            goal = "" if wanted is None else f"at least {wanted:g}"
            ratios.append([f"{upper} / {lower}", spread(values, 2), goal])
    if {"similar", "imports"} <= bench.seconds.keys():
        pairs = zip(bench.seconds["similar"], bench.seconds["imports"], strict=True)
        past = [whole - imports for whole, imports in pairs]
        ratios.append(["similar - imports", spread(past, 2, " s"), "at most 0.25 s"])
    return [
        ("Speed", ["row", "what", "images", "median (range)"], speeds),
        ("Ratios, formed within each round", ["ratio", "median (range)", "wanted"], ratios),
    ]


def markdown(found: list[tuple[str, list[str], list[list[str]]]], caption: str) -> str:
    lines = ["# Speed", "", caption, ""]
    for title, head, body in found:
        lines += [f"## {title}", "", *(f"| {' | '.join(r)} |" for r in (head, ["---"] * len(head)))]
        lines += [*(f"| {' | '.join(row)} |" for row in body), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", default=list(ROWS))
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--imagededup", metavar="PYTHON")
    parser.add_argument("--torch", metavar="PYTHON")
    given = parser.parse_args()
    needs_start = any(row.endswith("index") for row in given.only)
    rows = [row for row in ROWS if row in given.only or (row == "start" and needs_start)]
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="imgbatch-bench-") as name,
        multiprocessing.get_context("spawn").Pool(CORES, use_one_thread) as pool,
    ):
        temporary, folder = Path(name), given.folder.resolve()
        big, png = prepare(temporary, folder, rows)
        pool.map(use_one_thread, range(8))
        bench = Bench(folder, big, png, temporary, given.imagededup, given.torch, pool)
        measure(bench, rows, given.repeats)
        caption = (
            f"{folder.name}: {len(pictures_in(folder))} images; {os.cpu_count()} cores; load "
            f"{load:.1f} before and {os.getloadavg()[0]:.1f} after (from two on, others were "
            f"using the machine); {given.repeats} rounds. `python benchmarks/run.py FOLDER`."
        )
    found = tables(bench, rows)
    console = Console()
    for title, head, body in found:
        table = Table(*head, title=title)
        for row in body:
            table.add_row(*row)
        console.print(table)
    console.print(caption)
    if given.markdown:
        given.markdown.write_text(markdown(found, caption), encoding="utf-8")


if __name__ == "__main__":
    main()
