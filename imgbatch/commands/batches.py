"""``batches``: deal a folder into diverse training batches, and write the plan."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.commands.options import Cluster, ConfigFile, Folder, IndexDir, Json, Seed, Workers
from imgbatch.commands.pick import default_sheet
from imgbatch.commands.support import friendly, note, open_folder
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imgbatch.batching import Tally
    from imgbatch.collection import Collection
    from imgbatch.outputs.batches import ShownBatch
    from imgbatch.plans import PlannedBatch
    from imgbatch.types import Batches, Rows

BatchSize = Annotated[int, typer.Option(metavar="B", help="Images in a batch, 1 or more.")]
Epochs = Annotated[int, typer.Option(metavar="E", help="Epochs; each holds every image once.")]
PlanPath = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PLAN",
        help="Write the plan here, a line a batch (.jsonl, .csv, .parquet).",
    ),
]
Balance = Annotated[
    bool, typer.Option("--balance", help="Spread the classes (subfolders) evenly too.")
]
DropLast = Annotated[
    bool, typer.Option("--drop-last", help="Leave out random images, so that all batches are full.")
]
Preview = Annotated[
    int, typer.Option(metavar="K", help="Write a sheet of K batches and K random ones, as rows.")
]


def batches(
    folder: Folder,
    batch_size: BatchSize,
    epochs: Epochs = 1,
    seed: Seed = None,
    output: PlanPath = None,
    balance: Balance = False,
    drop_last: DropLast = False,
    preview: Preview = 0,
    json: Json = False,
    config: ConfigFile = None,
    index: IndexDir = None,
    workers: Workers = None,
    cluster: Cluster = None,
) -> None:
    """Deal all images into training batches that differ inside and resemble each other."""
    with friendly():
        from imgbatch.batching import Tally
        from imgbatch.outputs.batches import BatchesResult, batches_document, write_batches_table
        from imgbatch.outputs.json import print_json

        started = time.perf_counter()
        _check(batch_size, epochs, preview)
        _check_target(output, folder)
        photos = open_folder(folder, config, index, workers, cluster=cluster)
        wish = _Wish(photos, batch_size, epochs, balance, drop_last)
        first = wish.deal(seed, 0)
        ours, chance = (Tally(photos.population, batch_size) for _ in range(2))
        count = wish.write(output, first, ours, chance)
        result = BatchesResult(
            seed=first.seed,
            folder=photos.folder,
            batch_size=batch_size,
            epochs=epochs,
            batches=count,
            figures=ours.figures(),
            random=chance.figures(),
            plan=None if output is None else output.absolute(),
            preview=_preview(wish, first, preview, ours) if preview else None,
            skipped=tuple(photos.skipped),
            skipped_list=photos.skipped_list,
            indexed=len(photos),
            seconds=time.perf_counter() - started,
        )
        if json:
            print_json(batches_document(result))
        else:
            write_batches_table(result)
        note(photos.notes)


def _check(batch_size: int, epochs: int, preview: int) -> None:
    for option, value, least in (
        ("--batch-size", batch_size, 1),
        ("--epochs", epochs, 1),
        ("--preview", preview, 0),
    ):
        if value < least:
            raise UsageError(f"{option} is {value}", f"give a whole number from {least} on")


def _check_target(target: Path | None, folder: str) -> None:
    from imgbatch.files import refuse_inside
    from imgbatch.plans import check_plan_path

    if target is not None:
        check_plan_path(target)
        refuse_inside(target, folder, "-o")


@dataclass(frozen=True)
class _Wish:
    """What to deal, from where."""

    photos: "Collection"
    batch_size: int
    epochs: int
    balance: bool
    drop_last: bool

    def __post_init__(self) -> None:
        images = len(self.photos)
        if self.batch_size <= images:
            return
        what = f"--batch-size is {self.batch_size}, but {self.photos.folder} holds {images} images"
        if self.drop_last:
            raise UsageError(f"{what}: with --drop-last no batch is left", f"give 1 to {images}")
        note([f"{what}: one incomplete batch an epoch"])

    def deal(self, seed: int | None, epoch: int) -> "Batches":
        """Deal one epoch."""
        return self.photos.batches(
            self.batch_size,
            seed=seed,
            epoch=epoch,
            drop_last=self.drop_last,
            balance=self.balance,
        )

    def random(self, seed: int, epoch: int) -> "list[Rows]":
        """As many random batches as are dealt."""
        from imgbatch.batching import random_batches

        full = len(self.photos) // self.batch_size
        batches = random_batches(len(self.photos), self.batch_size, seed, epoch)
        return batches[:full] if self.drop_last else batches

    def write(self, target: Path | None, first: "Batches", ours: "Tally", chance: "Tally") -> int:
        """Deal all epochs, tally and write them; the number of batches."""
        from imgbatch import __version__
        from imgbatch.plans import PlanHeader, PlannedBatch, write_plan

        records = self.photos.records

        def planned() -> "Iterator[PlannedBatch]":
            for epoch in range(self.epochs):
                dealt = self.deal(first.seed, epoch) if epoch else first
                ours.add(dealt)
                chance.add(self.random(first.seed, epoch))
                for number, rows in enumerate(dealt):
                    paths = tuple(records[row].path for row in rows.tolist())
                    yield PlannedBatch(epoch, number, paths)

        if target is None:
            return sum(1 for _ in planned())
        header = PlanHeader(first.seed, self.batch_size, self.photos.folder, __version__)
        write_plan(target, header, planned())
        return self.epochs * len(first)


def _preview(wish: _Wish, first: "Batches", rows: int, ours: "Tally") -> Path:
    """Write the first full batches, and as many random ones, as rows of pictures."""
    from imgbatch.outputs.batches import write_preview

    photos = wish.photos
    sections = [
        (f"{kind} batches - {Path(photos.folder).name} - seed {first.seed}{more}", shown)
        for kind, more, shown in (
            ("diverse", "", _shown(wish, list(first)[:rows])),
            (
                "random",
                "; framed: closer to another of its batch than any two in a diverse batch",
                _shown(wish, wish.random(first.seed, 0)[:rows]),
            ),
        )
    ]
    stem = f"batches-{Path(photos.folder).name or 'root'}-{first.seed}"
    target = default_sheet(photos, stem).absolute()
    write_preview(sections, target, photos.config.sheet, min(ours.closest, default=0.0))
    return target


def _shown(wish: _Wish, batches: "Sequence[Rows]") -> "list[ShownBatch]":
    from imgbatch import places
    from imgbatch.batching import mate_distances
    from imgbatch.outputs.batches import MOST_SHOWN, ShownBatch
    from imgbatch.outputs.pictures import load_picture

    photos = wish.photos
    shown: list[ShownBatch] = []
    for batch in batches:
        if shown and len(batch) < len(batches[0]):
            continue  # rows of the page are as long as the first
        rows = batch[:MOST_SHOWN].tolist()
        paths = [places.join(photos.folder, photos.records[row].path) for row in rows]
        names = [Path(path).name for path in paths]
        distances = mate_distances(photos.points, batch)[:MOST_SHOWN].tolist()
        side = photos.config.sheet.cell_px
        pictures = [load_picture(path, photos.config, side) for path in paths]
        shown.append(ShownBatch(pictures, names, distances))
    return shown
