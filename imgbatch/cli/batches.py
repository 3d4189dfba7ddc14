"""``batches``: deal a folder into diverse training batches, and write the plan."""

import os
import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import check_report, command, note, open_folder
from imgbatch.cli.options import (
    OUTPUT,
    FilterOptions,
    Folder,
    FolderOptions,
    Json,
    Report,
    Seed,
    target_name,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.shown_batches import FirstBatches
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imgbatch.batches.population import DealOptions
    from imgbatch.batches.schedule import Comparison, DealtChunk
    from imgbatch.collection import Collection
    from imgbatch.outputs.batches import BatchesResult

BatchSize = Annotated[int, typer.Option(metavar="B", help="Images in a batch, 1 or more.")]
Epochs = Annotated[int, typer.Option(metavar="E", help="Epochs; each holds every image once.")]
PlanPath = Annotated[
    str | None,  # not a path, which would lose a slash at its end
    typer.Option(
        "-o",
        "--output",
        metavar="PLAN",
        parser=target_name,
        help="Write the plan here, a line a batch (.jsonl, .csv, .parquet, or folder/ of .jsonl).",
        rich_help_panel=OUTPUT,
    ),
]
Balance = Annotated[bool, typer.Option("--balance", help="Spread the classes evenly too.")]
DropLast = Annotated[
    bool, typer.Option("--drop-last", help="Leave out random images, so that all batches are full.")
]
Preview = Annotated[
    int,
    typer.Option(
        metavar="K",
        help="Write a sheet of K batches and K random ones, as rows.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class DealingOptions:
    """What is dealt, and what is made of it."""

    epochs: Epochs = 1
    seed: Seed = None
    output: PlanPath = None
    balance: Balance = False
    drop_last: DropLast = False
    preview: Preview = 0
    report: Report = None
    json: Json = False


_DEALING, _INDEX = DealingOptions(), FolderOptions()
_ALL = FilterOptions()


@command
def batches(
    context: typer.Context,
    folder: Folder,
    batch_size: BatchSize,
    dealing: DealingOptions = _DEALING,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _INDEX,
) -> None:
    """Deal all images into training batches that differ inside and resemble each other."""
    from imgbatch.batches.population import DealOptions
    from imgbatch.batches.schedule import Comparison, Schedule
    from imgbatch.outputs.batches import BatchesResult
    from imgbatch.seeds import checked_seed

    started = time.perf_counter()
    _check(batch_size, dealing, folder)
    target = _check_target(dealing.output, folder)
    photos = open_folder(folder, options, filters)
    _check_fits(batch_size, photos, drop_last=dealing.drop_last)
    seed = checked_seed(dealing.seed)
    how = DealOptions(batch_size, seed, 0, dealing.drop_last, dealing.balance)
    schedule = Schedule(photos.population, how, dealing.epochs)
    chunks = schedule.chunks()
    comparison = Comparison(schedule, first := next(chunks))
    count = _write(target, chain([first], chunks), comparison, photos, how)
    with answer_first() as unwritten:
        shown = FirstBatches(photos, schedule, first, comparison)
        result = BatchesResult(
            seed=seed,
            folder=photos.folder,
            batch_size=batch_size,
            epochs=dealing.epochs,
            batches=count,
            figures=comparison.dealt.figures(),
            random=comparison.random.figures(),
            plan=None if target is None else target.path.absolute(),
            preview=None,
            skipped=tuple(photos.skipped),
            skipped_list=photos.skipped_list,
            ignored=photos.ignored,
            indexed=len(photos),
            seconds=time.perf_counter() - started,
            notes=_notes(comparison, len(photos)),
        )
        with unwritten.remembered(asked=True):
            result = replace(result, preview=shown.preview(dealing.preview))
        with unwritten.remembered(asked=True):
            line = command_line(context, seed=seed)
            result = replace(result, report=shown.report(result, dealing.report, line))
        _print(result, json=dealing.json)
        note((*photos.notes, *result.notes))


def _notes(comparison: "Comparison", images: int) -> tuple[str, ...]:
    if comparison.images == images:
        return ()
    return (f"figures are those of the first {comparison.images:,} images dealt",)


def _print(result: "BatchesResult", *, json: bool) -> None:
    from imgbatch.outputs.batches import batches_document, write_batches_table
    from imgbatch.outputs.json import print_json

    if json:
        print_json(batches_document(result))
    else:
        write_batches_table(result)


def _check(batch_size: int, dealing: DealingOptions, folder: str) -> None:
    check_report(dealing.report, folder)
    for option, value, least in (
        ("--batch-size", batch_size, 1),
        ("--epochs", dealing.epochs, 1),
        ("--preview", dealing.preview, 0),
    ):
        if value < least:
            raise UsageError(f"{option} is {value}", f"give a whole number from {least} on")


def _check_fits(batch_size: int, photos: "Collection", *, drop_last: bool) -> None:
    """Say so if a batch is larger than the folder; raise if no batch is left."""
    images = len(photos)
    if batch_size <= images:
        return
    message = f"--batch-size is {batch_size}, but {photos.holding}"
    if drop_last:
        raise UsageError(f"{message}: with --drop-last no batch is left", f"give 1 to {images}")
    note([f"{message}: one incomplete batch an epoch"])


@dataclass(frozen=True)
class _Target:
    """Where the plan goes: to a file, or into a folder of its own."""

    path: Path
    as_folder: bool


def _check_target(output: str | None, folder: str) -> _Target | None:
    """Where the plan goes. A slash at the end, or an existing folder, asks for a folder."""
    from imgbatch.batches.plan_files import check_plan_path
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, check_folder

    if output is None:
        return None
    path = Path(output)
    target = _Target(path, output.endswith(("/", os.sep)) or os.path.isdir(path))
    if not target.as_folder:
        check_plan_path(path)
    refuse_inside(path, folder, "-o")
    (check_folder if target.as_folder else check_file)(path)
    return target


def _write(
    target: _Target | None,
    chunks: "Iterable[DealtChunk]",
    comparison: "Comparison",
    photos: "Collection",
    how: "DealOptions",
) -> int:
    """Measure and write the chunks as they come; returns the number of batches."""
    from imgbatch import __version__
    from imgbatch.batches.plan_files import write_plan, write_plan_folder
    from imgbatch.batches.plans import PlanHeader
    from imgbatch.batches.schedule import planned_batches

    count = 0

    def measured() -> "Iterator[DealtChunk]":
        nonlocal count
        for chunk in chunks:
            comparison.add(chunk)
            count += len(chunk.batches)
            yield chunk

    header = PlanHeader(how.seed, how.batch_size, photos.folder, __version__)
    if target is None:
        for _ in measured():
            pass
    elif target.as_folder:
        write_plan_folder(target.path, header, planned_batches(measured(), photos.records))
    else:
        planned = planned_batches(measured(), photos.records)
        write_plan(target.path, header, chain.from_iterable(planned))
    return count
