"""The terminal command: options in, one call, one output.

Heavy libraries are imported inside the commands, so that ``--help`` stays fast.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from imgbatch import __version__
from imgbatch.errors import ImgbatchError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.config import Config
    from imgbatch.types import Selection

app = typer.Typer(
    name="imgbatch",
    help="Pick similar or different images from a folder, with classical descriptors on a CPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache_app = typer.Typer(help="Show or remove the indexes on disk.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")

Folder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="Folder of images; never written to.")
]
Count = Annotated[int, typer.Option("-n", help="How many images: 1 to the folder's size.")]
Like = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="Take this image, in the folder or not, as the anchor."),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Repeat the set of this seed; without it, a new set."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
SheetPath = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="SHEET",
        help="Write the contact sheet here (.jpg, .png, .webp). Default: a file in imgbatch-out/.",
    ),
]
NoSheet = Annotated[bool, typer.Option("--no-sheet", help="Make no contact sheet.")]
CopyTo = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Copy the chosen images there; never overwrites.")
]
LinkTo = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Link the chosen images there; never overwrites.")
]
KeepDuplicates = Annotated[
    bool, typer.Option("--keep-duplicates", help="Allow near-duplicates in the set.")
]
ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Settings to use; see config.toml.")
]
IndexDir = Annotated[
    str | None,
    typer.Option(
        "--index", metavar="DIR", help="Keep indexes here, not in the user's cache folder."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Processes that read images; 0 means one for each core."),
]


@contextlib.contextmanager
def _friendly() -> Iterator[None]:
    """Turn what went wrong into one line and an exit code."""
    try:
        yield
    except ImgbatchError as error:
        _fail(f"error: {error.message}", error.hint, error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; what was indexed is kept, the same command goes on from there", "", 130)
    except BrokenPipeError:
        # The reader, say `head`, has seen enough. Nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001 - a bug must not show its insides unasked
        what = " ".join(str(error).split()) or "no message"
        _fail(f"error: unexpected {type(error).__name__}: {what}", "run again with --debug", 1)


def _fail(line: str, hint: str, code: int) -> NoReturn:
    from imgbatch.outputs.base import printable

    if _state["debug"] and sys.exc_info()[0] is not None:
        traceback.print_exc()
    text = f"{line}; {hint}" if hint else line
    print(printable(text), file=sys.stderr)
    raise typer.Exit(code)


_state: dict[str, Any] = {"debug": False}


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        print(f"imgbatch {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with errors.")] = False,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    _state["debug"] = debug or bool(os.environ.get("IMGBATCH_DEBUG"))


@app.command("similar")
def similar_command(
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
    index: IndexDir = None,
    workers: Workers = None,
) -> None:
    """Pick images of one kind: a random anchor and its nearest neighbours."""
    with _friendly():
        wishes = _Wishes(folder, json, output, no_sheet, copy_to, link_to)
        collection = _load(folder, config, index, workers)
        picked = collection.similar(n, like=like, seed=seed, keep_duplicates=keep_duplicates)
        wishes.fulfil(collection, picked)


@app.command("different")
def different_command(
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
    index: IndexDir = None,
    workers: Workers = None,
) -> None:
    """Pick images that differ as much as possible, anew on each request."""
    with _friendly():
        wishes = _Wishes(folder, json, output, no_sheet, copy_to, link_to)
        collection = _load(folder, config, index, workers)
        picked = collection.different(n, seed=seed, keep_duplicates=keep_duplicates)
        wishes.fulfil(collection, picked)


@app.command("index")
def index_command(
    folder: Folder,
    json: Json = False,
    config: ConfigFile = None,
    index: IndexDir = None,
    workers: Workers = None,
) -> None:
    """Bring a folder's index up to date; the other commands do it by themselves."""
    with _friendly():
        from dataclasses import asdict

        from imgbatch.outputs import print_json, write_facts

        collection = _load(folder, config, index, workers)
        report = collection.report
        facts = {
            "folder": collection.folder,
            "indexed": len(collection),
            "read": report.read,
            "described": report.described,
            "removed": report.removed,
            "index": str(collection.index_directory),
            "seconds": round(collection.seconds, 3),
        }
        if json:
            print_json(facts | {"skipped": [asdict(one) for one in collection.skipped]})
        else:
            where = f"  (list: {collection.skipped_list})" if collection.skipped else ""
            write_facts(facts | {"skipped": f"{len(collection.skipped)}{where}"})
        _note(collection.notes)


@app.command("config")
def config_command(config: ConfigFile = None, json: Json = False) -> None:
    """Print the settings in force and where each came from."""
    with _friendly():
        from imgbatch.config import load_config, user_config_path
        from imgbatch.outputs.json import print_json
        from imgbatch.outputs.summaries import write_facts, write_settings

        loaded = load_config(config)
        settings = loaded.config.model_dump(mode="json")
        file = None if loaded.file is None else str(loaded.file)
        if json:
            print_json({"file": file, "settings": settings, "sources": loaded.sources})
        else:
            write_facts({"config file": file or "none, the defaults", "user's": user_config_path()})
            write_settings(settings, loaded.sources)
        _note(loaded.notes)


@cache_app.command("dir")
def cache_dir_command(index: IndexDir = None) -> None:
    """Print the folder that holds the indexes."""
    with _friendly():
        from imgbatch.locations import cache_root

        print(cache_root(index))


@cache_app.command("list")
def cache_list_command(index: IndexDir = None, json: Json = False) -> None:
    """List the indexes with their image folders and sizes."""
    with _friendly():
        from imgbatch.locations import cache_root, list_indexes
        from imgbatch.outputs.json import print_json
        from imgbatch.outputs.summaries import write_rows

        found = list_indexes(cache_root(index))
        if json:
            print_json(
                {
                    "indexes": [
                        {"folder": one.folder, "index": str(one.directory), "bytes": one.size}
                        for one in found
                    ]
                }
            )
            return
        rows = [
            (one.folder + (" (gone)" if one.orphaned else ""), f"{one.size / 1e6:.1f} MB")
            for one in found
        ]
        write_rows(f"{len(found)} indexes in {cache_root(index)}", ("image folder", "size"), rows)


@cache_app.command("clean")
def cache_clean_command(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER]", help="Only this image folder's index. Default: all."),
    ] = None,
    orphaned: Annotated[
        bool, typer.Option("--orphaned", help="Only indexes whose image folder is gone.")
    ] = False,
    index: IndexDir = None,
) -> None:
    """Remove indexes; the next request on a folder makes its index anew."""
    with _friendly():
        from imgbatch.locations import cache_root, index_directory, list_indexes, remove_index

        found = list_indexes(cache_root(index))
        if folder is not None:
            wanted = index_directory(folder, index)
            found = [one for one in found if one.directory == wanted]
            if not found:
                raise UsageError(f"no index of {folder}", "`imgbatch cache list` shows all")
        if orphaned:
            found = [one for one in found if one.orphaned]
        for one in found:
            remove_index(one)
        print(f"removed {len(found)} indexes, {sum(one.size for one in found) / 1e6:.1f} MB")


class _Wishes:
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

        self.format = "json" if json else "table"
        self.output, self.no_sheet = output, no_sheet
        self.hand_out_to = copy_to or link_to
        self.link = link_to is not None
        if copy_to and link_to:
            raise UsageError("--copy-to and --link-to were both given", "give one of them")
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
            sheet = (self.output or _default_sheet(collection, picked)).absolute()
            write_sheet(Result(picked, pictures), sheet, collection.config.sheet)
        if self.hand_out_to is not None:
            made = hand_out([one.path for one in picked.images], self.hand_out_to, link=self.link)
            _note(
                [f"{len(made)} images {'linked' if self.link else 'copied'} to {self.hand_out_to}"]
            )
        OUTPUTS[self.format](Result(picked, pictures, sheet, collection.skipped_list))
        _note(picked.notes)


def _default_sheet(collection: "Collection", picked: "Selection") -> Path:
    """``imgbatch-out/`` in the working directory, or beside the index if that is among images."""
    from imgbatch.files import is_inside

    options = collection.config.sheet
    folder = Path(options.folder)
    if is_inside(folder, collection.folder):
        folder = collection.index_directory / "sheets"
    name = Path(collection.folder).name or "root"
    return folder / f"{picked.mode}-{name}-{picked.seed}.{options.format}"


def _load(folder: str, config: str | None, index: str | None, workers: int | None) -> "Collection":
    from imgbatch.collection import load
    from imgbatch.outputs.progress import progress_bar

    with progress_bar("indexing") as progress:
        return load(folder, config=_settings(config, workers), index=index, progress=progress)


def _settings(config: str | None, workers: int | None) -> "Config":
    from imgbatch.config import load_config

    loaded = load_config(config)
    _note(loaded.notes)
    if workers is None:
        return loaded.config
    if workers < 0:
        raise UsageError(f"--workers is {workers}", "give 0 (one for each core) or more")
    changed = loaded.config.index.model_copy(update={"workers": workers})
    return loaded.config.model_copy(update={"index": changed})


def _note(notes: Any) -> None:
    from imgbatch.outputs.base import printable

    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)


def main() -> None:
    """Entry point of the ``imgbatch`` command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="imgbatch")
