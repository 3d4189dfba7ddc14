"""``browse``: the folder as a page on this machine."""

import contextlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, default_file, note, settings_of, use_one_thread
from imgbatch.cli.interrupts import EXIT_CODE, Telling
from imgbatch.cli.options import (
    EXTENDED,
    IndexOptions,
    MetadataFile,
    NoRefresh,
    TrustPredicted,
    VocabularyFile,
    WholeFolder,
    target_path,
)
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.config.schema import Config
    from imgbatch.web.site import Site
    from imgbatch.web.source import FolderSource

Port = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, metavar="N", help="Port on 127.0.0.1. Default: one of the folder's own."
    ),
]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Do not open the page in a browser.")]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        parser=target_path,
        help="Write labels and tags that are given on the page here, as a table (.csv) to give as "
        "--metadata; an existing one is continued. Default: imgbatch-out/FOLDER-labels.csv.",
    ),
]


@dataclass(frozen=True)
class BrowseOptions(IndexOptions):
    """How the folder is opened."""

    no_refresh: NoRefresh = False
    metadata: MetadataFile = None
    trust_predicted: TrustPredicted = False
    vocabulary: VocabularyFile = None


_OPTIONS = BrowseOptions()


_LIBRARIES = ("starlette", "uvicorn", "python_multipart")


@command
def browse(
    folder: WholeFolder,
    port: Port = None,
    no_open: NoOpen = False,
    save: Save = None,
    options: BrowseOptions = _OPTIONS,
) -> None:
    """Look through a folder on a local page: pick, search, label, clean up, by clicks and keys."""
    _require_libraries()
    use_one_thread()  # the other core is the browser's
    from imgbatch.web.serving import bind, serve, usual_port

    if save is not None:
        _check_save(save, folder)
    source = _source(folder, settings_of(options, EXTENDED), options)
    with bind(folder, port) as listening:
        site = _opened(source, save, refresh=not options.no_refresh)
        note(site.photos.notes)

        def ready(url: str) -> None:
            print(url, flush=True)
            taken = usual_port(folder)
            if port is None and listening.getsockname()[1] != taken:
                note([f"port {taken}, the folder's own, is taken, perhaps by another page of it"])
            print("Ctrl-C ends the page", file=sys.stderr, flush=True)
            if not no_open:
                note(_open_page(url))

        with contextlib.suppress(KeyboardInterrupt):
            serve(site, listening, ready)
        with Telling():  # in place of the line on what was indexed
            told = f"; labels and tags are in {site.saved.file}" if site.saved.is_begun else ""
            print(f"the page has ended{told}", file=sys.stderr)
        raise typer.Exit(EXIT_CODE)


def _require_libraries() -> None:
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"browse needs libraries that are not installed: {', '.join(missing)}",
            "pip install 'imgbatch[browse]'",
        )


def _check_save(save: Path, folder: str) -> None:
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file
    from imgbatch.outputs.files import check_ending

    if save.is_dir():
        raise UsageError(f"--save {save} is a folder", f"name a table in it: {save / 'labels.csv'}")
    check_ending(save, {".csv": "a table"})
    refuse_inside(save, folder, "--save")
    check_file(save)


def _source(folder: str, settings: "Config", options: BrowseOptions) -> "FolderSource":
    from imgbatch.config import load_config
    from imgbatch.web.source import FolderSource

    words = list[str]()
    for name in ("config", "emphasis", "index", "vocabulary"):
        if getattr(options, name) is not None:
            words += [f"--{name}", getattr(options, name)]
    if options.trust_predicted:
        words.append("--trust-predicted")
    chosen = options.emphasis or load_config(options.config).unless_weighted(EXTENDED)
    return FolderSource(
        folder,
        settings,
        options.index,
        tuple(options.metadata or ()),
        options.trust_predicted,
        options.vocabulary,
        tuple(words),
        "" if options.emphasis else chosen or "",
    )


def _opened(source: "FolderSource", save: Path | None, *, refresh: bool) -> "Site":
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.web.saved import Saved
    from imgbatch.web.site import TURNS, Site
    from imgbatch.web.turns import Turns

    with progress_bar("indexing") as progress:
        photos = source.open(refresh=refresh, progress=progress)
    file = (save or _usual_file(photos)).absolute()
    turns = Turns(photos.index_directory / TURNS)
    saved = Saved(file, turns, trust_predicted=source.trust_predicted)
    site = Site(source, photos, saved)
    if saved.is_begun:
        site.read_again(refresh=False)
    return site


def _usual_file(photos: "Collection") -> Path:
    name = Path(photos.folder).name
    return default_file(photos, "labels", name, photos.index_directory.name[-6:], "csv")


def _open_page(url: str) -> list[str]:
    """Open an address in the user's browser; a note if there is none to be seen."""
    on_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith(("win", "darwin")) or on_screen:
        import webbrowser

        if webbrowser.open(url):
            return []
    return ["no browser could be opened; open the address above in one on this machine"]
