"""Nested TOML tables: list them, lay one over another, subtract one from another."""

from collections.abc import Iterator, Mapping
from typing import Any


def walk_tables(
    settings: Mapping[str, Any], name: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each table that has values of its own, by its dotted name; "" is the top of the file.

    Examples
    --------
    >>> list(walk_tables({"sheet": {"columns": 5}, "descriptors": {"gist": {"scales": 4}}}))
    [('sheet', {'columns': 5}), ('descriptors.gist', {'scales': 4})]
    """
    values = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    if values:
        yield name, values
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from walk_tables(value, dotted(name, key))


def dotted(table: str, key: str) -> str:
    """The name of a key, or of a table inside another."""
    return f"{table}.{key}" if table else key


def dotted_keys(settings: Mapping[str, Any]) -> list[str]:
    """The dotted name of every value in the tables.

    Examples
    --------
    >>> dotted_keys({"sheet": {"columns": 5, "cell_px": 180}})
    ['sheet.columns', 'sheet.cell_px']
    """
    return [dotted(table, key) for table, values in walk_tables(settings) for key in values]


def overlaid(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of ``base``, with the values of ``top`` in place of theirs.

    Examples
    --------
    >>> overlaid({"sheet": {"columns": 5, "cell_px": 180}}, {"sheet": {"columns": 3}})
    {'sheet': {'columns': 3, 'cell_px': 180}}
    """
    merged = dict(base)
    for key, value in top.items():
        merged[key] = overlaid(base.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def differing(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``settings`` that ``base`` lacks or has otherwise; empty tables are left out.

    Examples
    --------
    >>> base = {"sheet": {"columns": 5, "cell_px": 180}}
    >>> differing({"sheet": {"columns": 3, "cell_px": 180}}, base)
    {'sheet': {'columns': 3}}
    """
    changed: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            if inner := differing(value, base.get(key, {})):
                changed[key] = inner
        elif key not in base or base[key] != value:
            changed[key] = value
    return changed
