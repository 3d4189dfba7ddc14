"""A selection as a table on standard output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from imgbatch.outputs.base import Result, StandardOutput, reason_in_words, titled_table
from imgbatch.outputs.legend import bar, draws_blocks, legend, percentages
from imgbatch.printable import printable
from imgbatch.selection.tags import shared_tags
from imgbatch.types import PickedImage, Selection

_WIDE, _WIDER, _WIDEST = 80, 96, 120  # characters
_TINTED = ("tints", "colours")
"""The heading of the column of swatches: of narrow ones, of wide ones."""
_TAGS = 3
_ALWAYS = 9
"""How much a column says that is never left out."""
_NUMBERS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""From 3 on."""
_TITLES = {"similar": "{} similar images", "different": "{} different images"}

_MakeCell = Callable[[PickedImage], str | Text]


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
        lines.append(("skipped", f"{len(selection.skipped):,} of the folder's files{where}"))
    for name, value in lines:
        console.print_fact(name, value, link=_uri(value) if name == "sheet" else None)


@dataclass(slots=True, eq=False)
class _Column:
    """A column of the table.

    Attributes
    ----------
    heading, cells
        What stands above it, and what each image has in it.
    keep
        How much it says: the columns that say least are left out where there is no room.
    right
        Whether it is aligned at the right.
    fills
        Whether it takes all the room that is left.
    """

    heading: str
    cells: list[str | Text]
    keep: int
    right: bool = False
    fills: bool = False

    @property
    def width(self) -> int:
        """Characters of its longest cell."""
        return max(cell_len(str(cell)) for cell in (self.heading, *self.cells))


def build_table(result: Result, console: Console) -> Table:
    """Build the table; columns that a terminal has no room for are left out.

    A path takes two lines at most where that is possible: the columns that say least go first.
    """
    selection = result.selection
    title = _TITLES[selection.mode].format(sum(image.rank > 0 for image in selection.images))
    table = titled_table(f"{title} of {selection.indexed:,} in {printable(selection.folder)}")
    columns = _columns(result, console)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            overflow="fold",
            ratio=1 if column.fills else None,
        )
    for number, image in enumerate(selection.images):
        cells = (column.cells[number] for column in columns)
        table.add_row(*cells, style="bold" if image.anchor else "")
    return table


def _columns(result: Result, console: Console) -> list[_Column]:
    """The columns that a terminal of this width has room for."""
    selection, width, blocks = result.selection, console.width, draws_blocks(console)
    images, wide, wider = selection.images, console.width >= _WIDE, console.width >= _WIDER
    labelled = wide and any(not _names_class(image) for image in images)

    def column(heading: str, cell: _MakeCell, keep: int = 0, *, right: bool = False) -> _Column:
        return _Column(heading, [cell(image) for image in images], keep, right)

    columns = [
        column("#", lambda image: str(image.rank), _ALWAYS, right=True),
        column("image", _path, _ALWAYS),
        column("score" if wide else "sc.", lambda image: f"{image.score:.3f}", _ALWAYS, right=True),
    ]
    columns[1].fills = not wide
    if wide:
        columns.append(column("pixels", _pixels, 2, right=True))
    if blocks and (wider or (wide and not selection.by)):  # pairs of tags need room
        swatch, tints = 2 if wider else 1, iter(result.pictures.colors())
        columns.append(column(_TINTED[wider], lambda _: _swatches(next(tints), swatch), 1))
    if selection.by:
        columns.append(column("strongest tags", lambda image: printable(", ".join(image.pair)), 5))
    elif wide and any(image.shares for image in images):  # learned points have none
        columns.append(column("why", partial(_why, wider=wider, blocks=blocks), 3))
    if labelled:
        columns.append(column("class", lambda image: printable(image.label), 4))
    if any(image.all_tags for image in images) and not selection.by and width >= _WIDEST:
        columns.append(column("tags", _first_tags, 1))
    return _fitting(columns, width)


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """Leave out columns, those that say least first, until each path fits into two lines."""
    by_worth = sorted((column for column in columns if column.keep < _ALWAYS), key=_worth)
    longest = -(-columns[1].width // 2)
    for least in by_worth:
        if sum(column.width + 3 for column in columns) + 1 - columns[1].width + longest <= width:
            break
        columns.remove(least)
    return columns


def _worth(column: _Column) -> int:
    return column.keep


def _pixels(image: PickedImage) -> str:
    return f"{image.width}x{image.height}"


def _why(image: PickedImage, *, wider: bool, blocks: bool) -> str | Text:
    """Which descriptors make it near or far: a bar, or numbers where there are no colours."""
    if blocks:
        return bar(image.shares, 16 if wider else 8, blocks=True)
    return percentages(image.shares, 3 if wider else 2)


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


def _names_class(image: PickedImage) -> bool:
    """Whether the path says the class: the image has none, or the class is its folder."""
    return not image.label or image.relative.startswith(f"{image.label}/")


def _path(image: PickedImage) -> Text:
    """The path as a link to the file."""
    text = Text(printable(image.relative), Style(link=_uri(image.path)))
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
