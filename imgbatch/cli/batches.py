"""``batches``: deal a folder into diverse training batches, and write the plan."""

import os
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, default_picture, note, open_folder
from imgbatch.cli.options import Folder, FolderOptions, Json, Seed
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imgbatch.batches.plans import PlannedBatch
    from imgbatch.batches.tally import Tally
    from imgbatch.collection import Collection
    from imgbatch.outputs.batches import ShownBatch
    from imgbatch.types import Rows

BatchSize = Annotated[int, typer.Option(metavar="B", help="Images in a batch, 1 or more.")]
Epochs = Annotated[int, typer.Option(metavar="E", help="Epochs; each holds every image once.")]
PlanPath = Annotated[
    str | None,  # not a path, which would lose a slash at its end
    typer.Option(
        "-o",
        "--output",
        metavar="PLAN",
        help="Write the plan here, a line a batch (.jsonl, .csv, .parquet, or folder/ of .jsonl).",
    ),
]
Balance = Annotated[
    bool, typer.Option("--balance", help="TaskMap the classes (subfolders) evenly too.")
]
DropLast = Annotated[
    bool, typer.Option("--drop-last", help="Leave out random images, so that all batches are full.")
]
Preview = Annotated[
    int, typer.Option(metavar="K", help="Write a sheet of K batches and K random ones, as rows.")
]


_INDEX = FolderOptions()


@command
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
    options: FolderOptions = _INDEX,
) -> None:
    """Deal all images into training batches that differ inside and resemble each other."""
    from imgbatch.outputs.batches import BatchesResult, batches_document, write_batches_table
    from imgbatch.outputs.json import print_json
    from imgbatch.selection.answer import checked_seed

    started = time.perf_counter()
    _check(batch_size, epochs, preview)
    target = _check_target(output, folder)
    photos = open_folder(folder, options)
    seed = checked_seed(seed)
    wish = _Wish(photos, batch_size, epochs, seed, balance, drop_last)
    chunks = wish.chunks()
    first = next(chunks)
    figures = _Figures(wish, first.batches)
    count = wish.write(target, chain([first], chunks), figures)
    result = BatchesResult(
        seed=seed,
        folder=photos.folder,
        batch_size=batch_size,
        epochs=epochs,
        batches=count,
        figures=figures.ours.figures(),
        random=figures.chance.figures(),
        plan=None if target is None else target.path.absolute(),
        preview=_preview(wish, first.batches, preview, figures.ours) if preview else None,
        skipped=tuple(photos.skipped),
        skipped_list=photos.skipped_list,
        indexed=len(photos),
        seconds=time.perf_counter() - started,
    )
    if json:
        print_json(batches_document(result))
    else:
        write_batches_table(result)
    note([*photos.notes, *figures.notes])


def _check(batch_size: int, epochs: int, preview: int) -> None:
    for option, value, least in (
        ("--batch-size", batch_size, 1),
        ("--epochs", epochs, 1),
        ("--preview", preview, 0),
    ):
        if value < least:
            raise UsageError(f"{option} is {value}", f"give a whole number from {least} on")


@dataclass(frozen=True)
class _Target:
    """Where the plan goes, to a file or into a folder of its own."""

    path: Path
    as_folder: bool


def _check_target(output: str | None, folder: str) -> _Target | None:
    """Where the plan goes; a slash at the end, or a folder that is there, asks for a folder."""
    from imgbatch.batches.plan_files import check_plan_path
    from imgbatch.files.readonly import refuse_inside

    if output is None:
        return None
    path = Path(output)
    target = _Target(path, output.endswith(("/", os.sep)) or path.is_dir())
    if not target.as_folder:
        check_plan_path(path)
    refuse_inside(path, folder, "-o")
    return target


@dataclass(frozen=True)
class _Chunk:
    """Batches that were dealt together; `number` counts an epoch's chunks."""

    epoch: int
    number: int
    batches: "list[Rows]"


@dataclass(frozen=True)
class _Wish:
    """What to deal, from where."""

    photos: "Collection"
    batch_size: int
    epochs: int
    seed: int
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

    def chunks(self) -> "Iterator[_Chunk]":
        """Deal all epochs."""
        for epoch in range(self.epochs):
            dealt = self.photos.batch_chunks(
                self.batch_size,
                seed=self.seed,
                epoch=epoch,
                drop_last=self.drop_last,
                balance=self.balance,
            )
            for number, batches in enumerate(dealt):
                yield _Chunk(epoch, number, batches)

    def random(self, images: int, epoch: int) -> "list[Rows]":
        """As many random batches of some images as would be dealt."""
        from imgbatch.batches.tally import random_batches

        batches = random_batches(images, self.batch_size, self.seed, epoch)
        return batches[: images // self.batch_size] if self.drop_last else batches

    def write(self, target: _Target | None, chunks: "Iterable[_Chunk]", figures: "_Figures") -> int:
        """Tally and write what is dealt, as it comes; the number of batches."""
        from imgbatch import __version__
        from imgbatch.batches.plan_files import write_plan, write_plan_folder
        from imgbatch.batches.plans import PlanHeader, PlannedBatch

        records = self.photos.records
        count = 0

        def planned() -> "Iterator[list[PlannedBatch]]":
            nonlocal count
            before = 0
            for chunk in chunks:
                figures.add(chunk)
                before = 0 if chunk.number == 0 else before
                yield [
                    PlannedBatch(
                        chunk.epoch, number, tuple(records[row].path for row in rows.tolist())
                    )
                    for number, rows in enumerate(chunk.batches, start=before)
                ]
                before += len(chunk.batches)
                count += len(chunk.batches)

        header = PlanHeader(self.seed, self.batch_size, self.photos.folder, __version__)
        if target is None:
            for chunk in chunks:
                figures.add(chunk)
                count += len(chunk.batches)
        elif target.as_folder:
            write_plan_folder(target.path, header, planned())
        else:
            write_plan(target.path, header, chain.from_iterable(planned()))
        return count


class _Figures:
    """Figures of what is dealt, beside random batches: of all, or of a first chunk of many."""

    def __init__(self, wish: _Wish, first: "Sequence[Rows]") -> None:
        import numpy as np

        from imgbatch.batches.tally import Tally

        population = wish.photos.population
        self.wish, self.notes = wish, list[str]()
        self.rows = np.sort(np.concatenate(first)) if len(population.parts) > 1 else None
        if self.rows is not None:
            population = population.subset(self.rows)
            if len(self.rows) < len(wish.photos):
                self.notes = [f"figures are those of the first {len(self.rows)} images dealt"]
        self.ours, self.chance = (Tally(population, wish.batch_size) for _ in range(2))
        self.images = len(population.points)

    def add(self, chunk: _Chunk) -> None:
        """Take a chunk into account, if it is one that is looked at."""
        if self.rows is None:
            self.ours.add(chunk.batches)
        elif (chunk.epoch, chunk.number) == (0, 0):
            self.ours.add([self.rows.searchsorted(batch) for batch in chunk.batches])
        else:
            return
        self.chance.add(self.wish.random(self.images, chunk.epoch))


def _preview(wish: _Wish, first: "Sequence[Rows]", rows: int, ours: "Tally") -> Path:
    """Write the first full batches, and as many random ones, as rows of pictures."""
    from imgbatch.outputs.batches import write_preview

    photos = wish.photos
    sections = [
        (f"{kind} batches - {Path(photos.folder).name} - seed {wish.seed}{more}", shown)
        for kind, more, shown in (
            ("diverse", "", _shown(wish, first[:rows])),
            (
                "random",
                "; framed: closer to another of its batch than any two in a diverse batch",
                _shown(wish, wish.random(len(photos), 0)[:rows]),
            ),
        )
    ]
    stem = f"batches-{Path(photos.folder).name or 'root'}-{wish.seed}"
    target = default_picture(photos, stem).absolute()
    write_preview(sections, target, photos.config.sheet, min(ours.closest, default=0.0))
    return target


def _shown(wish: _Wish, batches: "Sequence[Rows]") -> "list[ShownBatch]":
    from imgbatch.batches.tally import mate_distances
    from imgbatch.files import paths
    from imgbatch.outputs.batches import MOST_SHOWN, ShownBatch
    from imgbatch.outputs.pictures import load_picture

    photos = wish.photos
    shown: list[ShownBatch] = []
    for batch in batches:
        if shown and len(batch) < len(batches[0]):
            continue  # rows of the page are as long as the first
        rows = batch[:MOST_SHOWN].tolist()
        files = [paths.join(photos.folder, photos.records[row].path) for row in rows]
        names = [Path(file).name for file in files]
        distances = mate_distances(photos.points, batch)[:MOST_SHOWN].tolist()
        side = photos.config.sheet.cell_px
        pictures = [load_picture(file, photos.config, side) for file in files]
        shown.append(ShownBatch(pictures, names, distances))
    return shown
