"""Measure the `batches` selector against random batches: evenness, closest pairs, copies, time.

    python benchmarks/batches.py FOLDER          a folder of images, classes in its subfolders
    python benchmarks/batches.py                 synthetic clustered points
    python benchmarks/batches.py --scale 10000 100000 1000000 --markdown batches.md

Variance: of the batch means, in proportion to that of random batches of the same run. Closest
pair: the least distance of two images in one batch, the worst of all batches and epochs, and how
often that is the random one. Copies: near-duplicate pairs (at most 6 bits) in one batch.
Mates: pairs of batch mates that two epochs share, the mean over all pairs of epochs, in proportion
to random partitions.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded: one thread

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from imgbatch.selectors.batches import deal_batches
from imgbatch.selectors.duplicates import hamming

Batches = list[npt.NDArray[np.int64]]
CLUSTERS = 200
SHARE_OF_RSS = 1024**2 if sys.platform != "darwin" else 1024**3


def clustered_points(n: int, d: int = 64) -> npt.NDArray[np.float32]:
    """Unit rows around random centres, some of them tight."""
    rng = np.random.default_rng(0)
    scales = np.linspace(1, 0.1, d, dtype=np.float32)
    centres = rng.standard_normal((CLUSTERS, d), dtype=np.float32) * scales
    points = rng.standard_normal((n, d), dtype=np.float32)
    points *= 0.6 * scales
    points += centres[rng.integers(CLUSTERS, size=n)]
    points /= np.sqrt(np.einsum("ij,ij->i", points, points))[:, None]
    return points


def unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def describe(folder: Path) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """Points, pHashes and classes of a folder: a quick version of the feature space."""
    import cv2

    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    hog = cv2.HOGDescriptor((128, 128), (32, 32), (16, 16), (16, 16), 9)
    colours, shapes, hashes, classes = [], [], [], []
    for path in paths:
        image = cv2.imread(str(path))
        if image is None:
            continue
        small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
        histogram = cv2.calcHist([hsv], [0, 1, 2], None, [16, 4, 4], [0, 180, 0, 256, 0, 256])
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        tiny = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
        low = cv2.dct(tiny)[:8, :8].ravel()
        colours.append(np.sqrt(histogram.ravel() / histogram.sum()))
        shapes.append(hog.compute(grey).ravel())
        hashes.append(np.packbits(low > np.median(low)).view(np.uint64)[0])
        classes.append(path.parent.name)
    if not classes:
        raise SystemExit(f"no readable image in {folder}")
    bits = np.unpackbits(np.array(hashes).view(np.uint8)).reshape(-1, 64).astype(np.float32)
    blocks = []
    for rows, weight in ((np.array(colours), 1), (np.array(shapes), 1), (bits, 0.1)):
        block = unit((rows - rows.mean(axis=0)).astype(np.float32))
        block -= block.mean(axis=0)
        blocks.append(block * np.sqrt(weight / (2 * (block**2).sum(axis=1).mean())))
    joined = np.hstack(blocks)
    axes = np.linalg.eigh((joined.T @ joined).astype(np.float64))[1][:, ::-1][:, :64]
    points = unit(joined @ axes.astype(np.float32))
    return points, np.array(hashes, np.uint64), np.unique(classes, return_inverse=True)[1]


def random_batches(n: int, batch_size: int, seed: int) -> Batches:
    order = np.random.default_rng(seed).permutation(n)
    return np.split(order, np.arange(batch_size, n, batch_size))


def figures(
    points: npt.NDArray[np.float32], hashes: npt.NDArray[np.uint64] | None, dealt: Batches
) -> tuple[float, float, int]:
    """Mean squared deviation of full batches' means, closest pair, near-duplicate pairs."""
    mean, size = points.mean(axis=0), len(dealt[0])
    deviations, closest, copies = [], np.inf, 0
    for rows in dealt:
        upper = np.triu_indices(len(rows), 1)
        if len(rows) == size:
            deviations.append(((points[rows].mean(axis=0) - mean) ** 2).sum())
        if len(rows) > 1:
            here = points[rows].astype(np.float64)
            norms = (here**2).sum(axis=1)
            apart = (norms[:, None] + norms - 2 * here @ here.T)[upper]
            closest = min(closest, float(np.sqrt(max(apart.min(), 0))))
            near = apart < 1e-12
            if hashes is not None:
                near |= hamming(hashes[rows][:, None], hashes[rows])[upper] <= 6
            copies += int(near.sum())
    return float(np.mean(deviations)), closest, copies


def shared_mates(one: Batches, two: Batches, n: int) -> int:
    """Count the pairs that share a batch in both epochs."""
    batch_of = np.empty(n, np.int64)
    for number, rows in enumerate(two):
        batch_of[rows] = number
    met = [np.unique(batch_of[rows], return_counts=True)[1] for rows in one]
    return int(sum((counts * (counts - 1) // 2).sum() for counts in met))


def assert_partition(dealt: Batches, n: int) -> None:
    if not np.array_equal(np.sort(np.concatenate(dealt)), np.arange(n)):
        raise SystemExit("not every row was dealt exactly once")


def over_epochs(
    make: Callable[[int], Batches], points: npt.NDArray, hashes: npt.NDArray | None, epochs: int
) -> dict[str, float]:
    """Mean variance, worst closest pair, all copies, mean shared mates, median seconds."""
    seconds, results, shared, earlier = [], [], [], []
    for epoch in range(epochs):
        start = time.perf_counter()
        dealt = make(epoch)
        seconds.append(time.perf_counter() - start)
        assert_partition(dealt, len(points))
        results.append(figures(points, hashes, dealt))
        shared += [shared_mates(before, dealt, len(points)) for before in earlier]
        earlier.append(dealt)
    deviations, closest, copies = zip(*results, strict=True)
    return {
        "variance": float(np.mean(deviations)),
        "closest": min(closest),
        "copies": sum(copies),
        "mates": float(np.mean(shared)) if shared else np.nan,
        "seconds": float(np.median(seconds)),
    }


def quality_table(
    points: npt.NDArray,
    hashes: npt.NDArray | None,
    classes: npt.NDArray | None,
    options: argparse.Namespace,
) -> Table:
    name = options.folder.name if options.folder else "synthetic points"
    title = f"{name}: {len(points):,} rows, {options.epochs} epochs"
    table = Table(title=title)
    for column in ("B", "variance", "closest pair", "x random", "copies (random)", "mates", "ms"):
        table.add_column(column, justify="right")
    modes = [("", None), (" balanced", classes)] if classes is not None else [("", None)]
    for size in options.sizes:
        chance = over_epochs(
            lambda e, size=size: random_batches(len(points), size, e),
            points,
            hashes,
            options.epochs,
        )
        for mode, labels in modes:
            ours = over_epochs(
                lambda e, size=size, labels=labels: deal_batches(
                    points, size, seed=1, epoch=e, hashes=hashes, labels=labels
                ),
                points,
                hashes,
                options.epochs,
            )
            table.add_row(
                f"{size}{mode}",
                f"{ours['variance'] / chance['variance']:.3f}",
                f"{ours['closest']:.2f}",
                f"{ours['closest'] / max(chance['closest'], 1e-9):.1f}",
                f"{ours['copies']} ({chance['copies']})",
                f"{ours['mates'] / chance['mates']:.2f}",
                f"{1000 * ours['seconds']:.0f}",
            )
    return table


def scale_table(sizes: list[int], batch_size: int) -> Table:
    table = Table(title=f"Growth, 64 dimensions, B={batch_size}, one thread")
    for column in ("rows", "seconds", "us a row", "variance", "peak GB"):
        table.add_column(column, justify="right")
    for n in sizes:
        points = clustered_points(n)
        start = time.perf_counter()
        dealt = deal_batches(points, batch_size, seed=1)
        seconds = time.perf_counter() - start
        assert_partition(dealt, n)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / SHARE_OF_RSS
        ours = figures(points, None, dealt)[0]
        chance = figures(points, None, random_batches(n, batch_size, 1))[0]
        table.add_row(
            f"{n:,}",
            f"{seconds:.2f}",
            f"{1e6 * seconds / n:.0f}",
            f"{ours / chance:.3f}",
            f"{peak:.2f}",
        )
    return table


def as_markdown(table: Table) -> str:
    columns = [list(column.cells) for column in table.columns]
    heads = [str(column.header) for column in table.columns]
    rows = [heads, ["---:"] * len(heads), *map(list, zip(*columns, strict=True))]
    lines = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
    return f"**{table.title}**\n\n{lines}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="images (default: synthetic points)")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 32, 100], help="batch sizes")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--scale", nargs="*", type=int, default=[], help="numbers of rows to time")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    if options.folder:
        points, hashes, classes = describe(options.folder)
    else:
        points, hashes, classes = clustered_points(5293), None, None
    tables = [quality_table(points, hashes, classes, options)]
    if options.scale:
        tables.append(scale_table(options.scale, 64))
    console = Console()
    for table in tables:
        console.print(table)
    if options.markdown:
        unfinished = options.markdown.with_suffix(".unfinished")
        unfinished.write_text("\n".join(map(as_markdown, tables)), encoding="utf-8")
        unfinished.replace(options.markdown)


if __name__ == "__main__":
    main()
