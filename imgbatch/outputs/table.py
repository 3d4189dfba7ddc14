"""A selection as a table on standard output."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from imgbatch.files.names import printable
from imgbatch.outputs.base import Result, StandardOutput
from imgbatch.outputs.legend import bar, draws_blocks, legend
from imgbatch.selection.tags import shared_tags
from imgbatch.types import PickedImage, Selection

_WIDE, _WIDER, _WIDEST = 80, 96, 120  # characters
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
    if shares and console.width >= _WIDE:
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


def build_table(result: Result, console: Console) -> Table:
    """Build the table: below 96 columns swatches and bars are narrow, below 80 left out."""
    selection = result.selection
    wide, wider = console.width >= _WIDE, console.width >= _WIDER
    title = _TITLES[selection.mode].format(sum(image.rank > 0 for image in selection.images))
    table = Table(
        title=f"{title} of {selection.indexed} in {printable(selection.folder)}",
        title_style="bold",
        title_justify="left",
    )
    blocks = draws_blocks(console)
    has_labels = any(image.label for image in selection.images)
    table.add_column("#", justify="right")
    table.add_column("image", overflow="fold", ratio=1 if not wide else None)
    table.add_column("score" if wide else "sc.", justify="right")
    if wide:
        table.add_column("pixels", justify="right")
        table.add_column("colours" if wider else "tints")
        table.add_column("why")
    if has_labels and wide:
        table.add_column("class", overflow="fold")
    has_tags = console.width >= _WIDEST and any(image.all_tags for image in selection.images)
    if has_tags:
        table.add_column("tags", overflow="fold")
    colors = result.pictures.colors() if wide else [()] * len(selection.images)
    for image, tints in zip(selection.images, colors, strict=True):
        short = has_labels and wide  # the class has its own column
        row: list[str | Text] = [
            str(image.rank),
            _path(image, short=short),
            f"{image.score:.3f}",
        ]
        if wide:
            row += [
                f"{image.width}x{image.height}",
                _swatches(tints, 2 if wider else 1),
                bar(image.shares, 16 if wider else 8, blocks=blocks),
            ]
            if has_labels:
                row.append(printable(image.label))
            if has_tags:
                row.append(printable(", ".join(tag.tag for tag in image.all_tags[:_TAGS])))
        table.add_row(*row, style="bold" if image.anchor else "")
    return table


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
