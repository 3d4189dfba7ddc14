"""The terminal command: its options and subcommands, put together."""

import gc
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from imgbatch.cli import (
    batches,
    browse,
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
    tune,
    upkeep,
    words,
)
from imgbatch.cli.common import show_tracebacks
from imgbatch.cli.helps import Command, told
from imgbatch.cli.streams import prepare_streams
from imgbatch.version import __version__

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_MisusedError: Any = typer.BadParameter.__base__  # what the parser raises: UsageError
_WHOLE = 1000
"""Characters of a summary in the list of commands: more than any has."""


class _InGroups(TyperGroup):
    """Lists the commands in groups, each with its whole summary."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        groups = dict[str, list[tuple[str, str]]]()
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            summary = command.get_short_help_str(limit=_WHOLE)
            groups.setdefault(command.rich_help_panel or "Commands", []).append((name, summary))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="imgbatch",
    cls=_InGroups,
    help="Pick, look through, curate and label images, by classical descriptors on a CPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
label_app = typer.Typer(
    cls=_InGroups,
    help="Learn the classes of images from labels; ask for labels, check them, give them.",
    no_args_is_help=True,
)
cache_app = typer.Typer(
    cls=_InGroups, help="Show or remove the indexes on disk.", no_args_is_help=True
)

_GROUPS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Pick": {
        "similar": pick.similar,
        "different": pick.different,
        "batches": batches.batches,
        "search": words.search,
    },
    "Look": {
        "overview": look.overview,
        "map": look.map_,
        "browse": browse.browse,
        "explain": explain.explain,
    },
    "Curate": {
        "duplicates": duplicates.duplicates,
        "tags": tags.tags,
        "label": label_app,
        "caption": words.caption,
    },
    "In and out": {"prepare": prepare.prepare, "export": export.export},
    "Upkeep": {
        "evaluate": quality.evaluate,
        "tune": tune.tune,
        "index": upkeep.index,
        "config": upkeep.config,
        "cache": cache_app,
    },
}
"""All commands, by the group of the help in which they are listed."""

for group, commands in _GROUPS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=group)
        else:
            app.command(name, cls=Command, rich_help_panel=group)(command)
label_app.command("train", cls=Command)(label.train)
label_app.command("apply", cls=Command)(label.apply)
label_app.command("next", cls=Command)(label_ask.next_images)
label_app.command("check", cls=Command)(label_ask.check)
label_app.command("split", cls=Command)(label.split)
cache_app.command("dir", cls=Command)(upkeep.cache_dir)
cache_app.command("list", cls=Command)(upkeep.cache_list)
cache_app.command("clean", cls=Command)(upkeep.cache_clean)


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
    try:
        code = app(prog_name="imgbatch", standalone_mode=False)
    except _MisusedError as error:
        code = told(error)
    sys.exit(code)
