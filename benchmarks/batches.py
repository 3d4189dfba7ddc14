"""Measure the `batches` selector against random batches: evenness, closest pairs, copies, time.

    python benchmarks/batches.py FOLDER ...      folders of images, classes in their subfolders
    python benchmarks/batches.py                 synthetic clustered points
    python benchmarks/batches.py --scale 10000 100000 1000000 --markdown benchmarks/BATCHES.md

Variance: of the batch means, in proportion to what is expected of random batches, in the 48
leading principal components, in which batches are dealt, and in all. Closest pair: the least
distance of two images in one batch, the least of all batches and epochs, how often that is the one
of random batches, and the mean over batches beside the random one. Copies: near-duplicate pairs
(at most 6 bits) in one batch. Mates: pairs of batch mates that two epochs share, the mean over all
pairs of epochs, in proportion to random partitions. ms: median CPU time of an epoch, one thread.
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

import imgbatch
from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.tally import Tally, random_batches

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
    make: Callable[[int], Batches], people: Population, size: int, epochs: int
) -> dict[str, float]:
    """The figures of all epochs, mean shared mates, median seconds."""
    seconds, shared, earlier = [], [], []
    tally = Tally(people, size)
    n = len(people.points)
    for epoch in range(epochs):
        start = time.process_time()
        dealt = make(epoch)
        seconds.append(time.process_time() - start)
        assert_partition(dealt, n)
        tally.add(dealt)
        shared += [shared_mates(before, dealt, n) for before in earlier]
        earlier.append(dealt)
    mates = float(np.mean(shared)) if shared else np.nan
    return {**tally.figures(), "mates": mates, "seconds": float(np.median(seconds))}


def quality_table(name: str, people: Population, options: argparse.Namespace) -> Table:
    n = len(people.points)
    title = f"{name}: {n:,} rows, {people.points.shape[1]} dimensions, {options.epochs} epochs"
    table = Table(title=title)
    heads = ("B", "variance, leading", "variance, all", "closest pair", "x random")
    heads += ("mean (random)", "copies (random)", "mates", "ms")
    for column in heads:
        table.add_column(column, justify="right")
    for size in options.sizes:
        chance = over_epochs(
            lambda e, size=size: random_batches(n, size, 0, e), people, size, options.epochs
        )
        for balance in (False, True)[: 1 + (people.labels is not None)]:
            ours = over_epochs(
                lambda epoch, size=size, balance=balance: deal_batches(
                    people, DealOptions(size, seed=1, epoch=epoch, balance=balance)
                ),
                people,
                size,
                options.epochs,
            )
            table.add_row(
                f"{size}{' balanced' * balance}",
                f"{ours['leading_variance']:.3f}",
                f"{ours['variance']:.3f}",
                f"{ours['closest']:.2f}",
                f"{ours['closest'] / max(chance['closest'], 1e-9):.1f}",
                f"{ours['mean_closest']:.2f} ({chance['mean_closest']:.2f})",
                f"{ours['near_duplicates']} ({chance['near_duplicates']})",
                f"{ours['mates'] / chance['mates']:.2f}",
                f"{1000 * ours['seconds']:.0f}",
            )
    return table


def scale_table(sizes: list[int], batch_size: int) -> Table:
    table = Table(title=f"Growth, 64 dimensions, B={batch_size}, one thread")
    for column in ("rows", "CPU seconds", "us a row", "variance, leading", "peak GB"):
        table.add_column(column, justify="right")
    for n in sizes:
        points = clustered_points(n)
        start = time.process_time()
        dealt = deal_batches(Population(points), DealOptions(batch_size, seed=1))
        seconds = time.process_time() - start
        assert_partition(dealt, n)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / SHARE_OF_RSS
        tally = Tally(Population(points), batch_size)
        tally.add(dealt)
        table.add_row(
            f"{n:,}",
            f"{seconds:.2f}",
            f"{1e6 * seconds / n:.0f}",
            f"{tally.figures()['leading_variance']:.3f}",
            f"{peak:.2f}",
        )
    return table


def as_markdown(table: Table) -> str:
    columns = [list(column.cells) for column in table.columns]
    heads = [str(column.header) for column in table.columns]
    rows = [heads, ["---:"] * len(heads), *map(list, zip(*columns, strict=True))]
    lines = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
    return f"**{table.title}**\n\n{lines}\n"


PUBLISHED = """**Published**, for scale; other data and machines. Assignment-based anticlustering
(ABA), of which ours is a variant, and fast_anticlustering (5 exchange partners), from the results
that accompany arXiv 2601.06351. The variances are derived from the sums of squares there, the
scatter at two batches taken as the total.

| method | data | B | variance | seconds |
| --- | --- | ---: | ---: | ---: |
| ABA | ImageNet8, 1.28M x 192 | 256 | 0.008 | 23 |
| fast_anticlustering | ImageNet8, 1.28M x 192 | 256 | 0.053 | 235 |
| ABA | ImageNet32, 1.28M x 3072 | 256 | 0.063 | 446 |
| ABA | CIFAR-10 | 100 | 0.079 | 9.4 |
| ABA | CIFAR-10 | 10 | 0.227 | 10.3 |
| ABA | MNIST | 12 | 0.256 | 3.1 |
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="images (default: synthetic points)")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 32, 100], help="batch sizes")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--scale", nargs="*", type=int, default=[], help="numbers of rows to time")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    tables = [scale_table(options.scale, 64)] if options.scale else []  # first: it tells the peak
    populations = {folder.name: imgbatch.load(folder).population for folder in options.folders}
    if not populations:
        populations["synthetic points"] = Population(clustered_points(5293))
    tables += [quality_table(name, people, options) for name, people in populations.items()]
    console = Console(width=140)
    for table in tables:
        console.print(table)
    if options.markdown:
        explained = "\n".join(__doc__.splitlines()[6:]).strip()
        title = "# How even and diverse dealt batches are"
        head = f"{title}\n\nBy `benchmarks/batches.py`.\n{explained}\n"
        unfinished = options.markdown.with_suffix(".unfinished")
        parts = [head, *map(as_markdown, tables), PUBLISHED]
        unfinished.write_text("\n".join(parts), encoding="utf-8")
        unfinished.replace(options.markdown)


if __name__ == "__main__":
    main()
