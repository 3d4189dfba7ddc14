"""The contact sheet: the selected pictures on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from imgbatch.config.schema import SheetConfig
from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing
from imgbatch.files.names import printable
from imgbatch.outputs.base import Result
from imgbatch.outputs.drawing import ACCENT, CELL, FAINT, GAP_PX, INK, PAGE, fitted, font, shortened
from imgbatch.types import View

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""The formats of pages, by ending."""

_CAPTION_PX, _TITLE_PX = 22, 34
_MOST_PX = 65_000  # JPEG's limit is 65,535


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture of a sheet with its caption; ``detail`` is at the right end of the caption."""

    picture: View
    caption: str
    detail: str = ""
    framed: bool = False


def check_sheet_path(path: Path) -> None:
    """Check the ending of a sheet's path.

    Raises
    ------
    UsageError
        A sheet cannot be written in the format of this ending.

    Examples
    --------
    >>> check_sheet_path(Path("sheet.png"))
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"the sheet {path} has the ending {path.suffix or 'none'!r}",
            f"use one of {', '.join(FORMATS)}",
        )


def write_sheet(result: Result, target: Path, options: SheetConfig) -> None:
    """Draw the contact sheet of a selection and write it in the format of the target's ending."""
    selection = result.selection
    cells = [
        Cell(
            picture,
            f"{image.rank}  {printable(Path(image.relative).name)}",
            "anchor" if image.anchor else f"{image.score:.3f}",
            image.anchor,
        )
        for image, picture in zip(selection.images, result.pictures, strict=True)
    ]
    title = f"{selection.mode} - {Path(selection.folder).name} - seed {selection.seed}"
    save_page(draw_page(cells, title, options), target)


def save_page(page: Image.Image, target: Path) -> None:
    """Write a page in the format of the target's ending; a file is replaced at once."""
    check_sheet_path(target)
    kind = FORMATS[target.suffix.lower()]
    # PNG's best compression takes ten times as long, for 2 to 8% less.
    options = {"compress_level": 4} if kind == "PNG" else {"quality": 90}
    with replacing(target) as temporary:
        page.save(temporary, kind, **options)


def draw_page(cells: Sequence[Cell], title: str, options: SheetConfig) -> Image.Image:
    """A grid of cells under a title, on an opaque light page that any viewer shows as it is."""
    side = options.cell_px
    step_x, step_y = side + GAP_PX, side + _CAPTION_PX + GAP_PX
    columns = min(options.columns, len(cells))
    rows = -(-len(cells) // columns)
    if rows * step_y + _TITLE_PX > _MOST_PX:
        columns = -(-len(cells) // ((_MOST_PX - _TITLE_PX) // step_y))
        rows = -(-len(cells) // columns)
    size = columns * step_x + GAP_PX, _TITLE_PX + rows * step_y + GAP_PX
    page = Image.new("RGB", size, PAGE)
    large = font(17)
    shown = shortened(printable(title), large, page.width - 2 * GAP_PX)
    ImageDraw.Draw(page).text((GAP_PX, 10), shown, INK, large)
    for number, cell in enumerate(cells):
        left = GAP_PX + number % columns * step_x
        top = _TITLE_PX + number // columns * step_y
        _draw_cell(page, cell, (left, top), side)
    return page


def _draw_cell(page: Image.Image, cell: Cell, corner: tuple[int, int], side: int) -> None:
    left, top = corner
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + side - 1, top + side + _CAPTION_PX - 1), fill=CELL)
    picture = fitted(cell.picture, side, side)
    page.paste(picture, (left + (side - picture.width) // 2, top + (side - picture.height) // 2))
    small = font(13)
    baseline = top + side + 3
    room = side - 10
    if cell.detail:
        width = round(small.getlength(cell.detail))
        ink = ACCENT if cell.framed else FAINT
        draw.text((left + side - 5 - width, baseline), cell.detail, ink, small)
        room -= width + 8
    draw.text((left + 5, baseline), shortened(cell.caption, small, room), INK, small)
    if cell.framed:
        box = (left - 3, top - 3, left + side + 2, top + side + _CAPTION_PX + 2)
        draw.rectangle(box, outline=ACCENT, width=3)
