"""What the commands that pick nothing print: the index, the settings, the cache."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput


def write_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    console = StandardOutput()
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        text = Text(f"{name:>{width}}  ", style="dim")
        text.append(printable(str(value)), "not dim")
        console.print(text, soft_wrap=True)


def write_settings(settings: Mapping[str, Any], sources: Mapping[str, str]) -> None:
    """Print settings as TOML, each with the file it came from."""
    console = StandardOutput()
    for table, values in _tables(settings):
        console.print(Text(f"\n[{table}]", style="bold"))
        width = max(len(f"{key} = {json.dumps(value)}") for key, value in values.items())
        for key, value in values.items():
            line = Text(f"{key} = {json.dumps(value)}".ljust(width))
            source = sources.get(f"{table}.{key}", "default")
            line.append(f"   # {printable(source)}", "dim" if source == "default" else "green")
            console.print(line, soft_wrap=True)


def _tables(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Each TOML table that has values of its own, by its dotted name."""
    own = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    found = [(prefix, own)] if own else []
    for key, value in settings.items():
        if isinstance(value, dict):
            found += _tables(value, f"{prefix}.{key}" if prefix else key)
    return found


def write_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a plain table; the last column is right-aligned."""
    table = Table(title=Text(printable(title)), title_style="bold", title_justify="left")
    for column in columns:
        table.add_column(
            column, overflow="fold", justify="right" if column == columns[-1] else "left"
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    StandardOutput().print(table)
