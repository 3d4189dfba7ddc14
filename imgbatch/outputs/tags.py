"""What `tags` shows: a table of tags, a JSON document, rows that are metadata, a sheet."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from imgbatch.annotations.matching import MACHINE
from imgbatch.config.schema import Config
from imgbatch.measures.machine import MachineTags
from imgbatch.measures.tags import TagTable
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, name_in_folder, write_cells
from imgbatch.printable import printable
from imgbatch.selection.learned import LearnedTag
from imgbatch.types import Rows

_WIDE = 100  # characters
_EXAMPLES = 2
_EACH = 5
"""Images of each tag on a sheet of all tags, unless the config has columns."""
_LISTED = 20


@dataclass(frozen=True, eq=False)
class TagsResult:
    """The tags of a folder, ready to be shown.

    Attributes
    ----------
    folder
        Absolute path, or URL.
    files, names
        Absolute path and path inside the folder of each image, by row.
    table
        Which tags they carry.
    rules
        The rule of each measured tag, in words.
    shown
        The one tag whose images are asked for; "" for all tags.
    learned
        Tags that were learned from examples, those that no image gets unasked too.
    """

    folder: str
    files: Sequence[str]
    names: Sequence[str]
    table: TagTable
    rules: Mapping[str, str]
    shown: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    learned: Sequence[LearnedTag] = ()

    @cached_property
    def ranking(self) -> LearnedTag | None:
        """The shown tag, if it was learned: its images are ranked, to be confirmed."""
        return next((tag for tag in self.learned if tag.name == self.shown), None)

    @cached_property
    def rows(self) -> Rows:
        """Rows of the images with the shown tag, the clearest ones first; or ranked for it."""
        if (ranking := self.ranking) is not None:
            return ranking.ranked
        return self.table.clearest(self.shown)

    def tags_of(self, row: int) -> dict[str, float]:
        """The tags of an image with scores; of a learned tag that is shown, its score, too."""
        tags = self.table.of_image(row)
        if (ranking := self.ranking) is not None:
            tags[ranking.name] = float(ranking.clearness(np.array([row]))[0])
        return tags


def write_tags(result: TagsResult, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print tags with their counts, or the images of one tag; or one JSON document."""
    if json:
        print_json(tags_document(result, files))
        return
    console = StandardOutput()
    console.print(_images_table(result) if result.shown else _tags_table(result, console.width))
    total, lengths = len(result.files), result.table.scores.indptr
    untagged = total - int((lengths[1:] > lengths[:-1]).sum())
    console.print_fact("tags", f"{result.table.scores.nnz / total:.1f} an image")
    if untagged:
        console.print_fact("without", f"{untagged:,} of {total:,} images have no tag")
    if result.shown and len(result.rows) > _LISTED:
        left = f"{len(result.rows) - _LISTED:,} images; -o FILE.png or FILE.html shows them"
        console.print_fact("more", left)
    for tag in result.learned:
        console.print_fact("learned", _learned_in_words(tag))
    console.print_files(files)


def _learned_in_words(tag: LearnedTag) -> str:
    """How a learned tag is given, and how sure it is."""
    begin = f"{tag.name}, from {tag.examples:,} examples: "
    trust = tag.trust
    if not trust.given:
        return f"{begin}given to none unasked; --rank {shlex.quote(tag.name)} ranks the images"
    return (
        f"{begin}given to {len(tag.given):,} images; of held-out ones {trust.right:,} of "
        f"{trust.given:,} were right (95%: {trust.low:.0%} to {trust.high:.0%})"
    )


def _learned_document(tag: LearnedTag) -> dict[str, Any]:
    trust = tag.trust
    return {
        "tag": tag.name,
        "examples": tag.examples,
        "given": len(tag.given),
        "held_out": {"right": trust.right, "of": trust.given, "interval": [trust.low, trust.high]},
    }


def tags_document(result: TagsResult, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The tags as values for JSON; the keys are a contract, see DESIGN.md.

    Tags stand in the order of the vocabulary; with one tag shown, its images are the clearest
    first.
    """
    source = {tag.name: "learned" for tag in result.learned} | dict(
        zip(result.table.names, result.table.sources, strict=True)
    )
    rows = result.rows.tolist() if result.shown else range(len(result.files))
    return {
        "folder": result.folder,
        "images": [
            {
                "path": result.files[row],
                "relative": result.names[row],
                "tags": [
                    {"tag": tag, "score": round(score, 4), "source": source[tag]}
                    for tag, score in result.tags_of(row).items()
                ],
            }
            for row in rows
        ],
        "counts": result.table.counts(),
        "rules": dict(result.rules),
        "learned": [_learned_document(tag) for tag in result.learned],
        "indexed": len(result.files),
        "files": files_document(files),
        "seconds": round(result.seconds, 3),
        "notes": list(result.notes),
    }


def _tags_table(result: TagsResult, width: int) -> Table:
    """Tags from the most to the least frequent, with shares, rules and the clearest images."""
    total = len(result.files)
    table = titled_table(f"tags of {total:,} images in {printable(result.folder)}")
    table.add_column("tag", overflow="fold")
    table.add_column("images", justify="right")
    table.add_column("share", justify="right")
    table.add_column("rule", overflow="fold")
    if width >= _WIDE:
        table.add_column("clearest", overflow="ellipsis", no_wrap=True)
    source = dict(zip(result.table.names, result.table.sources, strict=True))
    counts = result.table.counts()
    for name in sorted(counts, key=lambda name: -counts[name]):
        rule = result.rules.get(name, source[name])
        row = [printable(name), f"{counts[name]:,}", f"{counts[name] / total:.1%}", rule]
        if width >= _WIDE:
            first = result.table.clearest(name)[:_EXAMPLES].tolist()
            row.append(", ".join(printable(result.names[number]) for number in first))
        table.add_row(*row)
    return table


def _images_table(result: TagsResult) -> Table:
    """The clearest images of one tag, with their other tags."""
    what = "ranked, to be confirmed" if result.ranking else "tagged"
    count = f"{len(result.rows):,} of {len(result.files):,} images"
    table = titled_table(f"{count} {what}: {printable(result.shown)}")
    table.add_column("image", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("other tags", overflow="fold")
    for row in result.rows[:_LISTED].tolist():
        tags = result.tags_of(row)
        score = tags.pop(result.shown)
        table.add_row(printable(result.names[row]), f"{score:.2f}", printable(", ".join(tags)))
    return table


def write_tag_rows(result: TagsResult, target: Path) -> WrittenFile:
    """Write measured and learned tags as metadata: ``file_name,tags,source``.

    The source is ``imgbatch``, so that nothing takes them for what people said. Given tags stand in
    the user's own files. Images without a tag have no row.
    """
    own, ranking = MachineTags(result.table), result.ranking
    rows = result.rows.tolist() if result.shown else range(len(result.files))
    written = 0
    with writing_rows(target) as write:
        write(["file_name", "tags", "source"])
        for row in rows:
            tags = dict.fromkeys((*own[row], *([] if ranking is None else [ranking.name])))
            if tags:
                write([result.names[row], ";".join(tags), MACHINE])
                written += 1
    return WrittenFile.of("rows", target, written, written)


def write_tag_sheet(result: TagsResult, target: Path, config: Config) -> WrittenFile | None:
    """Draw the images of the shown tag, or a row of the clearest of each; None for no images."""
    each = config.sheet.columns or _EACH
    chosen = chosen_images(result, each)
    # Each tag has a row of its own.
    options = config.sheet if result.shown else config.sheet.model_copy(update={"columns": each})

    def cell(tagged: tuple[str, int]) -> Cell:
        name, row = tagged
        picture = load_picture(result.files[row], config, config.sheet.cell_px)
        file = name_in_folder(result.names[row])
        caption = file if result.shown else f"{name}  {file}"
        return Cell(picture, printable(caption), f"{result.tags_of(row)[name]:.2f}")

    what = result.shown or "the clearest images of each tag"
    title = f"tags - {Path(result.folder).name} - {what}"
    return write_cells(chosen, cell, title, target, options)


def chosen_images(result: TagsResult, each: int) -> list[tuple[str, int]]:
    """Tag and row of the images to show: all of the shown tag, or some of each tag."""
    if result.shown:
        return [(result.shown, row) for row in result.rows.tolist()]
    counts = result.table.counts()
    names = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    return [(name, row) for name in names for row in result.table.clearest(name)[:each].tolist()]
