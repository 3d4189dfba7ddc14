"""The terminal command: its options and subcommands, put together."""

import gc
from typing import Annotated

import typer

from imgbatch.cli import (
    batches,
    duplicates,
    explain,
    export,
    label,
    label_ask,
    look,
    pick,
    prepare,
    quality,
    tags,
    upkeep,
    words,
)
from imgbatch.cli.common import show_tracebacks
from imgbatch.cli.streams import prepare_streams
from imgbatch.version import __version__

_OBJECTS_BETWEEN_COLLECTIONS = 100_000

app = typer.Typer(
    name="imgbatch",
    help="Pick similar or different images from a folder, with classical descriptors on a CPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
label_app = typer.Typer(
    help="Learn the classes of images from labels; ask for labels, check them, give them.",
    no_args_is_help=True,
)
cache_app = typer.Typer(help="Show or remove the indexes on disk.", no_args_is_help=True)

app.command("similar")(pick.similar)
app.command("different")(pick.different)
app.command("batches")(batches.batches)
app.command("search")(words.search)
app.command("overview")(look.overview)
app.command("map")(look.map_)
app.command("duplicates")(duplicates.duplicates)
app.command("tags")(tags.tags)
app.add_typer(label_app, name="label")
label_app.command("train")(label.train)
label_app.command("apply")(label.apply)
label_app.command("next")(label_ask.next_images)
label_app.command("check")(label_ask.check)
label_app.command("split")(label.split)
app.command("caption")(words.caption)
app.command("explain")(explain.explain)
app.command("index")(upkeep.index)
app.command("prepare")(prepare.prepare)
app.command("export")(export.export)
app.command("evaluate")(quality.evaluate)
app.command("tune")(quality.tune)
app.command("config")(upkeep.config)
app.add_typer(cache_app, name="cache")
cache_app.command("dir")(upkeep.cache_dir)
cache_app.command("list")(upkeep.cache_list)
cache_app.command("clean")(upkeep.cache_clean)


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
    if debug:
        show_tracebacks()


def main() -> None:
    """Entry point of the ``imgbatch`` command."""
    # Imports make many objects and hardly any garbage: looking for it is 5% of the start-up.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    prepare_streams()
    app(prog_name="imgbatch")
