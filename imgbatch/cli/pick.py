"""``similar`` and ``different``: pick images and show them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from imgbatch.cli.common import friendly, note, open_folder, settings_of, use_one_thread
from imgbatch.cli.options import (
    Cluster,
    ConfigFile,
    CopyTo,
    Count,
    Database,
    Emphasis,
    Folder,
    IndexDir,
    Json,
    KeepDuplicates,
    Like,
    LinkTo,
    MaybeFolder,
    NoRefresh,
    NoSheet,
    Seed,
    SheetPath,
    Workers,
)
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.types import Selection


class Images(Protocol):
    """Images that were picked from: a folder's, or those of its export."""

    config: "Config"
    folder: str

    @property
    def index_directory(self) -> Path:
        """Where the folder's index lies."""
        ...

    @property
    def skipped_list(self) -> Path | None:
        """The file that lists what was skipped, if there is one."""
        ...


def similar(
    folder: MaybeFolder = None,
    n: Count = 10,
    like: Like = None,
    database: Database = None,
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
        request: dict[str, Any] = {
            "n": n,
            "like": like,
            "seed": seed,
            "keep_duplicates": keep_duplicates,
        }
        if database is not None:
            useless = {
                "--emphasis": emphasis,
                "--index": index,
                "--workers": workers,
                "--cluster": cluster,
            }
            _check_together(like, useless | {"--no-refresh": no_refresh or None})
            _similar_there(database, folder, wishes, settings_of(config, None), request)
            return
        if folder is None:
            raise UsageError("no folder was given", "give the folder that holds the images")
        collection = open_folder(
            folder, config, index, workers, emphasis, refresh=not no_refresh, cluster=cluster
        )
        wishes.fulfil(collection, collection.similar(**request))


def _check_together(like: str | None, useless: "dict[str, Any]") -> None:
    if like is None:
        raise UsageError("--from was given without --like", "give --like IMAGE")
    for option, value in useless.items():
        if value is not None:
            raise UsageError(
                f"{option} was given with --from", "leave it out: the export has its own"
            )


def _similar_there(
    url: str,
    folder: str | None,
    wishes: "Wishes",
    settings: "Config",
    request: "dict[str, Any]",
) -> None:
    """Answer from an export."""
    from imgbatch.exports.remote import RemoteImages

    exported = RemoteImages(url, folder, settings)
    wishes.stay_out_of(exported.folder)
    wishes.fulfil(exported, exported.similar(**request))


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
        folder: str | None,
        json: bool,  # noqa: FBT001
        output: Path | None,
        no_sheet: bool,  # noqa: FBT001
        copy_to: Path | None,
        link_to: Path | None,
    ) -> None:
        from imgbatch.files.paths import is_url
        from imgbatch.outputs.sheet import check_sheet_path

        self.format = "json" if json else "table"
        self.output, self.no_sheet = output, no_sheet
        self.hand_out_to = copy_to or link_to
        self.link = link_to is not None
        if copy_to and link_to:
            raise UsageError("--copy-to and --link-to were both given", "give one of them")
        if link_to and folder is not None and is_url(folder):
            raise UsageError(f"{folder} is a URL, to which no link leads", "give --copy-to")
        if output is not None:
            check_sheet_path(output)
        if folder is not None:
            self.stay_out_of(folder)

    def stay_out_of(self, folder: str) -> None:
        """Raise if anything would be written into the image folder."""
        from imgbatch.files.readonly import refuse_inside

        if self.output is not None:
            refuse_inside(self.output, folder, "-o")
        if self.hand_out_to is not None:
            refuse_inside(self.hand_out_to, folder, "--link-to" if self.link else "--copy-to")

    def fulfil(self, collection: Images, picked: "Selection") -> None:
        """Write the sheet, hand out files, print."""
        from imgbatch.files.handout import hand_out
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


def default_sheet(collection: Images, stem: str) -> Path:
    """In ``imgbatch-out/`` of the working directory, or by the index if that is among images."""
    from imgbatch.files.readonly import lies_inside

    options = collection.config.sheet
    folder = Path(options.folder)
    if lies_inside(folder, collection.folder):
        folder = collection.index_directory / "sheets"
    return folder / f"{stem}.{options.format}"
