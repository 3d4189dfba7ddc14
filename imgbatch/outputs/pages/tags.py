"""The page of a folder's tags: how frequent each is, by which rule, and its clearest images."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.pages.records import (
    Chart,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
    Section,
)
from imgbatch.outputs.pages.settings import remarks_section
from imgbatch.outputs.tags import TagsResult

_LEAD = (
    "What the pictures are like, by rules on measured quantities such as shares of colours. A tag"
    " is no statement about what a picture shows."
)
_SCORE = "The number says how clearly an image carries the tag: 0.5 at the threshold, 1 at most."
_EACH = 10
"""Images of each tag."""


def tags_page(result: TagsResult, config: Config, command: str = "") -> Page:  # noqa: ARG001
    """The page of a folder's tags, or of the images of one tag.

    Parameters
    ----------
    result
        What the images are tagged with.
    config
        The settings of the collection.
    command
        The terminal command that shows the same; "" shows none.
    """
    counts = result.table.counts()
    total = len(result.files)
    folder = Path(result.folder).name or "the root"
    highlights: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    if result.shown:
        title = f"Images of {folder}: {result.shown}"
        highlights = (
            (f"{counts.get(result.shown, 0):,}", "images with the tag"),
            (f"{total:,}", "images"),
        )
        sections = (_grid(result, result.shown, len(result.rows)),)
    else:
        title = f"Tags of {folder}"
        used = [name for name in counts if counts[name]]
        highlights = (
            (f"{len(used)}", "tags in use"),
            (f"{total:,}", "images"),
            (f"{result.table.scores.nnz / total:.1f}", "tags an image"),
        )
        used.sort(key=lambda name: -counts[name])
        groups = tuple(_grid(result, name, _EACH) for name in used)
        sections = (
            FiguresTable(
                "How many",
                columns=("tag", "images", "share"),
                rows=tuple(
                    FigureRow(
                        name,
                        f"{counts[name]:,}",
                        random=f"{counts[name] / total:.1%}",
                        meaning=result.rules.get(name, ""),
                        chart=Chart(counts[name] / total, 0.0, counts[name] / total),
                    )
                    for name in used
                ),
                interval_name="",
            ),
            ImageGroups("The clearest images of each", _SCORE, groups=groups),
        )
    remarks = remarks_section(result.notes, ())
    return Page("tags", title, _LEAD, highlights, (*sections, *remarks), command)


def _grid(result: TagsResult, name: str, most: int) -> ImageGrid:
    rows = result.rows if name == result.shown else result.table.clearest(name)
    rule = result.rules.get(name, "")
    return ImageGrid(
        f"{name}: {len(rows):,} images",
        f"Rule: {rule}." if rule else "",
        images=tuple(_card(result, name, row) for row in rows[:most].tolist()),
        score_name="clearness",
        left_out=max(len(rows) - most, 0),
    )


def _card(result: TagsResult, name: str, row: int) -> PageImage:
    tags = result.tags_of(row)
    others = ", ".join(tag for tag in tags if tag != name)
    return PageImage(
        result.files[row],
        result.names[row],
        score=f"{tags[name]:.2f}",
        facts=(others,) if others else (),
    )
