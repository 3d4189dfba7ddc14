"""Sections that pages share: what a result came from, and what could not be used."""

from collections.abc import Sequence

from imgbatch.config.schema import Config
from imgbatch.config.tables import dotted, walk_tables
from imgbatch.config.write import differences
from imgbatch.outputs.legend import style_of
from imgbatch.outputs.pages.records import Facts
from imgbatch.types import Skipped
from imgbatch.version import __version__

_MOST_SKIPPED = 20
_NO_SETTINGS_OF_A_RESULT = {"sheet", "page", "index", "cluster", "imgbatch"}
"""Tables of the config that decide nothing about which images come up."""


def settings_section(
    folder: str, images: int | None, seed: int | None, config: Config | None
) -> Facts:
    """What repeats a result: folder, seed, weights, and settings that are not the default.

    None leaves out a number on which the result does not depend.
    """
    facts: list[tuple[str, tuple[str, ...]]] = [("folder", (folder,))]
    if images is not None:
        facts.append(("images in it", (f"{images:,}",)))
    if seed is not None:
        facts.append(("seed", (str(seed),)))
    if config is not None:
        facts.append(("weights", (_weights(config),)))
        facts.append(("other settings", tuple(_changed(config)) or ("as shipped",)))
    facts.append(("version", (f"imgbatch {__version__}",)))
    return Facts("Settings", "What gives this result again.", facts=tuple(facts))


def remarks_section(notes: Sequence[str], skipped: Sequence[Skipped]) -> tuple[Facts, ...]:
    """Notes, and the first of the files that were skipped; no section if there is nothing to say.

    Examples
    --------
    >>> remarks_section((), ())
    ()
    """
    facts: list[tuple[str, tuple[str, ...]]] = []
    if notes:
        facts.append(("notes", tuple(notes)))
    if skipped:
        lines = [f"{file.path}: {file.reason}" for file in skipped[:_MOST_SKIPPED]]
        if len(skipped) > _MOST_SKIPPED:
            lines.append(f"and {len(skipped) - _MOST_SKIPPED:,} more")
        facts.append(("skipped files", tuple(lines)))
    return (Facts("Remarks", facts=tuple(facts)),) if facts else ()


def _weights(config: Config) -> str:
    total = sum(config.weights.values())
    heaviest = sorted(config.weights.items(), key=lambda pair: -pair[1])
    return ", ".join(
        f"{style_of(name).word} {weight / total:.0%}" for name, weight in heaviest if weight > 0
    )


def _changed(config: Config) -> list[str]:
    """The settings that differ from the default, but for weights, as ``table.key = value``."""
    return [
        f"{dotted(table, key)} = {value}"
        for table, values in walk_tables(differences(config))
        if table.split(".")[0] not in _NO_SETTINGS_OF_A_RESULT | {"weights"}
        for key, value in values.items()
    ]
