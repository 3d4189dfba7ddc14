"""A selection as a table on standard output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from imgbatch.files.names import printable
from imgbatch.outputs.base import Result, StandardOutput, reason_in_words, titled_table
from imgbatch.outputs.legend import bar, draws_blocks, legend
from imgbatch.selection.tags import shared_tags
from imgbatch.types import PickedImage, Selection

_WIDE, _WIDER, _WIDEST = 80, 96, 120  # characters
_TINTED = ("tints", "colours")
"""The heading of the column of swatches: of narrow ones, of wide ones."""
_TAGS = 3
_NUMBERS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""From 3 on."""
_TITLES = {"similar": "{} similar images", "different": "{} different images"}


def write_table(result: Result) -> None:
    """Print the table, and below it the legend, the seed and the files written."""
    console = StandardOutput()
    selection = result.selection
    console.print(build_table(result, console))
    shares = next((image.shares for image in selection.images if image.shares), {})
    if selection.by:
        console.print_fact("why", reason_in_words(selection))
    elif shares and console.width >= _WIDE:
        text = Text().append("     why  ", "dim")
        text.append_text(legend(shares, blocks=draws_blocks(console)))
        console.print(text, soft_wrap=True)
    lines = _shared(selection)
    lines += [("seed", f"{selection.seed}  (repeats this set: --seed {selection.seed})")]
    lines += [
        (file.kind, str(file.path) if file.kind == "sheet" else file.in_words())
        for file in result.files
    ]
    if selection.skipped:
        where = f"  (list: {result.skipped_list})" if result.skipped_list else ""
        lines.append(("skipped", f"{len(selection.skipped)} of the folder's files{where}"))
    for name, value in lines:
        console.print_fact(name, value, link=_uri(value) if name == "sheet" else None)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table: its heading, and what an image with these tints has there."""

    heading: str
    cell: Callable[[PickedImage, Sequence[str]], str | Text]
    right: bool = False
    fills: bool = False


def build_table(result: Result, console: Console) -> Table:
    """Build the table: below 96 columns swatches and bars are narrow, below 80 left out."""
    selection = result.selection
    title = _TITLES[selection.mode].format(sum(image.rank > 0 for image in selection.images))
    table = titled_table(f"{title} of {selection.indexed} in {printable(selection.folder)}")
    columns = _columns(selection, console)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            overflow="fold",
            ratio=1 if column.fills else None,
        )
    tinted = any(column.heading in _TINTED for column in columns)
    colors = result.pictures.colors() if tinted else [()] * len(selection.images)
    for image, tints in zip(selection.images, colors, strict=True):
        cells = (column.cell(image, tints) for column in columns)
        table.add_row(*cells, style="bold" if image.anchor else "")
    return table


def _columns(selection: Selection, console: Console) -> list[_Column]:
    """The columns that a terminal of this width has room for."""
    wide, wider = console.width >= _WIDE, console.width >= _WIDER
    labelled = wide and any(image.label for image in selection.images)  # in a column of its own
    columns = [
        _Column("#", lambda image, _: str(image.rank), right=True),
        _Column("image", lambda image, _: _path(image, short=labelled), fills=not wide),
        _Column("score" if wide else "sc.", lambda image, _: f"{image.score:.3f}", right=True),
    ]
    if wide:
        columns.append(_Column("pixels", lambda image, _: f"{image.width}x{image.height}", True))
    if wider or (wide and not selection.by):  # pairs of tags need room
        swatch = 2 if wider else 1
        columns.append(_Column(_TINTED[wider], lambda _, tints: _swatches(tints, swatch)))
    if selection.by:
        columns.append(_Column("strongest tags", lambda image, _: printable(", ".join(image.pair))))
    elif wide:
        width, blocks = 16 if wider else 8, draws_blocks(console)
        columns.append(_Column("why", lambda image, _: bar(image.shares, width, blocks=blocks)))
    if labelled:
        columns.append(_Column("class", lambda image, _: printable(image.label)))
    tagged = any(image.all_tags for image in selection.images)
    if tagged and not selection.by and console.width >= _WIDEST:
        columns.append(_Column("tags", lambda image, _: _first_tags(image)))
    return columns


def _first_tags(image: PickedImage) -> str:
    return printable(", ".join(tag.tag for tag in image.all_tags[:_TAGS]))


def _shared(selection: Selection) -> list[tuple[str, str]]:
    """A line that names the tags of all images, if there are any."""
    count = sum(image.rank > 0 for image in selection.images)
    if not (tags := shared_tags(selection)):
        return []
    number = _NUMBERS[count - 3] if 3 <= count < 3 + len(_NUMBERS) else f"{count:,}"
    who = "both" if count == 2 else f"all {number}"
    return [("tags", f"{who}: {', '.join(tags)}")]


def _path(image: PickedImage, *, short: bool) -> Text:
    """The path as a link to the file, without its class if `short`."""
    name = image.relative
    if short and image.label:
        name = name.removeprefix(f"{image.label}/")
    text = Text(printable(name), Style(link=_uri(image.path)))
    if image.anchor:
        text.append("  anchor", "green")
    if image.note:
        text.append(f"  {image.note}", "yellow")
    return text


def _swatches(colors: Sequence[str], width: int) -> Text:
    text = Text()
    for color in colors:
        text.append("\u2588" * width, color)
    return text


def _uri(path: str) -> str:
    return Path(path).absolute().as_uri()
