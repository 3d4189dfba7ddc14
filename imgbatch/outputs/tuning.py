"""What `tune` shows and writes: progress, the gains, the config file."""

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imgbatch.config import default_config_path, load_config
from imgbatch.config.schema import Config
from imgbatch.files.atomic import replacing
from imgbatch.files.names import printable
from imgbatch.types import Gain


@contextlib.contextmanager
def tune_progress() -> Iterator[Callable[[int, int, float, float], None]]:
    """Show trials and the best so far on standard error: a bar, or a line for each improvement."""
    if not sys.stderr.isatty():
        last = [-1.0]

        def print_better(done: int, total: int, first: float, best: float) -> None:
            if best > last[0]:
                last[0] = best
                line = (
                    f"trial {done} of {total}: precision at 10 {best:.1%} (began with {first:.1%})"
                )
                print(line, file=sys.stderr, flush=True)  # noqa: T201 - outputs print

        yield print_better
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("tuning (Ctrl-C keeps the best)", total=None)

        def show(done: int, total: int, first: float, best: float) -> None:
            text = f"precision at 10: {first:.1%}, best so far {best:.1%} (Ctrl-C keeps it)"
            bar.update(task, completed=done, total=total, description=text)

        yield show


def write_gains(gains: Sequence[Gain]) -> None:
    """Print what the search gains on images it did not see."""
    table = Table(title="On images that the search did not see", title_justify="left")
    table.add_column("figure", overflow="fold")
    for heading in ("before", "tuned", "gain, 95%"):
        table.add_column(heading, justify="right")
    for gain in gains:
        table.add_row(
            gain.name.replace("_", " "),
            f"{gain.before:.1%}",
            Text(f"{gain.after:.1%}", "bold"),
            f"{gain.low * 100:+.1f} to {gain.high * 100:+.1f}",
        )
    Console(highlight=False).print(table)


def differences(config: Config) -> dict[str, Any]:
    """What differs from the shipped default, as the tables of a config file."""
    default = load_config(default_config_path()).config.model_dump(mode="json")
    return _differing(config.model_dump(mode="json"), default)


def _differing(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            if inner := _differing(value, base.get(key, {})):
                found[key] = inner
        elif key not in base or base[key] != value:
            found[key] = value
    return found


def write_config(settings: Mapping[str, Any], comments: Sequence[str], target: Path) -> None:
    """Write settings as a config file under a heading of comments, replaced at once.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    heading = "".join(f"# {printable(line)}".rstrip() + "\n" for line in comments)
    text = heading + "\n" + "\n".join(_tables(settings))
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _tables(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    own = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    if own:
        lines = [f"{_key(key)} = {json.dumps(value)}\n" for key, value in own.items()]
        yield f"[{prefix}]\n" + "".join(lines)
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _tables(value, f"{prefix}.{_key(key)}" if prefix else _key(key))


def _key(name: str) -> str:
    """A TOML key: bare if it may be, else quoted; JSON's strings are TOML's, too."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
