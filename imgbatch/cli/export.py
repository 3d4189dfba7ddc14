"""``export``: hand a folder's images, with points, to a database or a file."""

import time
from typing import Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.listed import ListedFolder
from imgbatch.cli.options import FilterOptions, Folder, FolderOptions, Json

Target = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="TARGET",
        help="A file (.parquet, .npz, .csv), tensorboard:DIR for its projector, or "
        "postgresql://USER@HOST/DATABASE with pgvector.",
    ),
]


_INDEX = FolderOptions()
_ALL = FilterOptions()


@command
def export(
    folder: Folder,
    to: Target,
    json: Json = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _INDEX,
) -> None:
    """Write all images, with points, metadata and hashes, to a database or a file.

    In a database only what differs is written; a stopped export goes on where it was. Names stand
    in a .csv as they are: a spreadsheet should import them as text, not as formulas.
    """
    from dataclasses import asdict

    from imgbatch.exports import run
    from imgbatch.files.targets import refuse_input
    from imgbatch.outputs import print_json, write_facts
    from imgbatch.outputs.progress import progress_bar

    started = time.perf_counter()
    is_part = filters != _ALL or isinstance(folder, ListedFolder)
    run.check_target(to, folder, is_filtered=is_part)
    refuse_input("--to", to, *(options.metadata or ()))
    photos = open_folder(folder, options, filters)
    with progress_bar("exporting") as progress:
        report = run.export(photos, to, progress=progress)
    facts = {
        "folder": photos.folder,
        "to": report.target,
        "indexed": report.images,
        "dimensions": report.dimensions,
        "fingerprint": report.fingerprint,
        "changed": report.written.changed,
        "sent": report.written.sent,
        "removed": report.written.removed,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if json:
        skipped = [asdict(file) for file in photos.skipped]
        print_json({"mode": "export"} | facts | {"skipped": skipped, "ignored": photos.ignored})
    else:
        where = f"  (list: {photos.skipped_list})" if photos.skipped else ""
        write_facts(facts | {"skipped": f"{len(photos.skipped):,}{where}"})
    note((*photos.notes, *report.notes))
