"""What `index`, `config` and `cache` print: facts, settings, lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from imgbatch.config.tables import dotted, walk_tables
from imgbatch.outputs.base import StandardOutput, titled_table
from imgbatch.printable import printable


def write_facts(facts: Mapping[str, Any]) -> None:
    """Print a line for each name and its value.

    Examples
    --------
    >>> write_facts({"folder": "/photos", "indexed": 24})
     folder  /photos
    indexed  24
    """
    console = StandardOutput()
    width = max(map(len, facts))
    for name, value in facts.items():
        console.print_fact(name, str(value), width=width)


def write_settings(settings: Mapping[str, Any], sources: Mapping[str, str]) -> None:
    """Print settings as the tables of a TOML file, each value with the file it came from."""
    console = StandardOutput()
    for table, values in walk_tables(settings):
        console.print(Text(f"\n[{table}]", style="bold"))
        lines = {key: f"{key} = {json.dumps(value)}" for key, value in values.items()}
        width = max(map(len, lines.values()))
        for key, line in lines.items():
            source = sources.get(dotted(table, key), "default")
            text = Text(line.ljust(width))
            text.append(f"   # {printable(source)}", "dim" if source == "default" else "green")
            console.print(text, soft_wrap=True)


def write_shares(shares: Mapping[str, float]) -> None:
    """Print each descriptor's share of the mean squared distance in a folder."""
    console = StandardOutput()
    console.print(Text("\nshares of the mean squared distance in this folder", style="bold"))
    width = max(map(len, shares))
    for name, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        console.print(Text(f"{printable(name).ljust(width)}  {share:.3f}"), soft_wrap=True)


def write_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a plain table; the last column is right-aligned."""
    table = titled_table(printable(title))
    for column in columns:
        table.add_column(
            column, overflow="fold", justify="right" if column == columns[-1] else "left"
        )
    for row in rows:
        table.add_row(*map(printable, row))
    StandardOutput().print(table)
