"""``similar`` and ``different``: pick images and show them."""

from pathlib import Path
from typing import TYPE_CHECKING

from imgbatch.commands.options import (
    Cluster,
    ConfigFile,
    CopyTo,
    Count,
    Emphasis,
    Folder,
    IndexDir,
    Json,
    KeepDuplicates,
    Like,
    LinkTo,
    NoRefresh,
    NoSheet,
    Seed,
    SheetPath,
    Workers,
)
from imgbatch.commands.support import friendly, note, open_folder, use_one_thread
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.types import Selection


def similar(
    folder: Folder,
    n: Count = 10,
    like: Like = None,
    seed: Seed = None,
    json: Json = False,
    output: SheetPath = None,
    no_sheet: NoSheet = False,
    copy_to: CopyTo = None,
    link_to: LinkTo = None,
    keep_duplicates: KeepDuplicates = False,
    config: ConfigFile = None,
    emphasis: Emphasis = None,
    index: IndexDir = None,
    no_refresh: NoRefresh = False,
    cluster: Cluster = None,
    workers: Workers = None,
) -> None:
    """Pick images of one kind: a random anchor and its nearest neighbours."""
    with friendly():
        use_one_thread()
        wishes = Wishes(folder, json, output, no_sheet, copy_to, link_to)
        collection = open_folder(
            folder, config, index, workers, emphasis, refresh=not no_refresh, cluster=cluster
        )
        picked = collection.similar(n, like=like, seed=seed, keep_duplicates=keep_duplicates)
        wishes.fulfil(collection, picked)


def different(
    folder: Folder,
    n: Count = 10,
    seed: Seed = None,
    json: Json = False,
    output: SheetPath = None,
    no_sheet: NoSheet = False,
    copy_to: CopyTo = None,
    link_to: LinkTo = None,
    keep_duplicates: KeepDuplicates = False,
    config: ConfigFile = None,
    emphasis: Emphasis = None,
    index: IndexDir = None,
    no_refresh: NoRefresh = False,
    cluster: Cluster = None,
    workers: Workers = None,
) -> None:
    """Pick images that differ as much as possible, anew on each request."""
    with friendly():
        use_one_thread()
        wishes = Wishes(folder, json, output, no_sheet, copy_to, link_to)
        collection = open_folder(
            folder, config, index, workers, emphasis, refresh=not no_refresh, cluster=cluster
        )
        picked = collection.different(n, seed=seed, keep_duplicates=keep_duplicates)
        wishes.fulfil(collection, picked)


class Wishes:
    """What to make of a selection; impossible wishes are refused before any work is done."""

    def __init__(
        self,
        folder: str,
        json: bool,  # noqa: FBT001
        output: Path | None,
        no_sheet: bool,  # noqa: FBT001
        copy_to: Path | None,
        link_to: Path | None,
    ) -> None:
        from imgbatch.files import refuse_inside
        from imgbatch.outputs.sheet import check_sheet_path
        from imgbatch.places import is_url

        self.format = "json" if json else "table"
        self.output, self.no_sheet = output, no_sheet
        self.hand_out_to = copy_to or link_to
        self.link = link_to is not None
        if copy_to and link_to:
            raise UsageError("--copy-to and --link-to were both given", "give one of them")
        if link_to and is_url(folder):
            raise UsageError(f"{folder} is a URL, to which no link leads", "give --copy-to")
        if output is not None:
            check_sheet_path(output)
            refuse_inside(output, folder, "-o")
        if self.hand_out_to is not None:
            refuse_inside(self.hand_out_to, folder, "--link-to" if self.link else "--copy-to")

    def fulfil(self, collection: "Collection", picked: "Selection") -> None:
        """Write the sheet, hand out files, print."""
        from imgbatch.files import hand_out
        from imgbatch.outputs import OUTPUTS, Result, load_pictures, write_sheet

        pictures = load_pictures(picked, collection.config)
        sheet = None
        if not self.no_sheet:
            stem = f"{picked.mode}-{Path(collection.folder).name or 'root'}-{picked.seed}"
            sheet = (self.output or default_sheet(collection, stem)).absolute()
            write_sheet(Result(picked, pictures), sheet, collection.config.sheet)
        if self.hand_out_to is not None:
            made = hand_out([one.path for one in picked.images], self.hand_out_to, link=self.link)
            note(
                [f"{len(made)} images {'linked' if self.link else 'copied'} to {self.hand_out_to}"]
            )
        OUTPUTS[self.format](Result(picked, pictures, sheet, collection.skipped_list))
        note(picked.notes)


def default_sheet(collection: "Collection", stem: str) -> Path:
    """In ``imgbatch-out/`` of the working directory, or by the index if that is among images."""
    from imgbatch.files import is_inside

    options = collection.config.sheet
    folder = Path(options.folder)
    if is_inside(folder, collection.folder):
        folder = collection.index_directory / "sheets"
    return folder / f"{stem}.{options.format}"
