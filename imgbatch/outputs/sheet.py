"""The contact sheet: the chosen pictures on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from imgbatch.config.schema import SheetConfig
from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing
from imgbatch.files.names import printable
from imgbatch.outputs.base import Result
from imgbatch.types import View

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}

_PAGE, _CELL, _INK, _FAINT, _MARK = "#ececec", "#ffffff", "#1c1c1c", "#6a6a6a", "#d9480f"
_GAP_PX, _CAPTION_PX, _TITLE_PX = 12, 22, 34
_MOST_PX = 65_000  # JPEG's limit is 65,535


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a sheet with its caption; marked ones get a coloured frame."""

    picture: View
    caption: str
    detail: str = ""
    marked: bool = False


def check_sheet_path(path: Path) -> None:
    """Raise unless the ending is one a sheet can have."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"the sheet {path} has the ending {path.suffix or 'none'!r}",
            f"use one of {', '.join(FORMATS)}",
        )


def write_sheet(result: Result, target: Path, options: SheetConfig) -> None:
    """Draw a selection's sheet and write it, by ending, to a file that is replaced at once."""
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
    title = f"{selection.mode} - {printable(Path(selection.folder).name)} - seed {selection.seed}"
    save_page(draw_page(cells, title, options), target)


def save_page(page: Image.Image, target: Path) -> None:
    """Write a drawn page in the format of the target's ending."""
    check_sheet_path(target)
    form = FORMATS[target.suffix.lower()]
    # PNG's best compression takes ten times as long, for 2 to 8% less.
    how = {"compress_level": 4} if form == "PNG" else {"quality": 90}
    with replacing(target) as temporary:
        page.save(temporary, form, **how)


def draw_page(cells: Sequence[Cell], title: str, options: SheetConfig) -> Image.Image:
    """A grid of cells under a title, on an opaque light page that any viewer shows as it is."""
    side = options.cell_px
    step_x, step_y = side + _GAP_PX, side + _CAPTION_PX + _GAP_PX
    columns = min(options.columns, len(cells))
    rows = -(-len(cells) // columns)
    if rows * step_y + _TITLE_PX > _MOST_PX:
        columns = -(-len(cells) // ((_MOST_PX - _TITLE_PX) // step_y))
        rows = -(-len(cells) // columns)
    page = Image.new(
        "RGB", (columns * step_x + _GAP_PX, _TITLE_PX + rows * step_y + _GAP_PX), _PAGE
    )
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=17)
    draw.text((_GAP_PX, 10), shortened(title, font, page.width - 2 * _GAP_PX), _INK, font)
    for place, cell in enumerate(cells):
        left = _GAP_PX + place % columns * step_x
        top = _TITLE_PX + place // columns * step_y
        _draw_cell(page, cell, (left, top), side)
    return page


def _draw_cell(page: Image.Image, cell: Cell, corner: tuple[int, int], side: int) -> None:
    left, top = corner
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + side - 1, top + side + _CAPTION_PX - 1), fill=_CELL)
    picture = Image.fromarray(cell.picture)
    scale = min(side / picture.width, side / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    page.paste(picture, (left + (side - picture.width) // 2, top + (side - picture.height) // 2))
    font = ImageFont.load_default(size=13)
    baseline = top + side + 3
    room = side - 10
    if cell.detail:
        width = round(font.getlength(cell.detail))
        ink = _MARK if cell.marked else _FAINT
        draw.text((left + side - 5 - width, baseline), cell.detail, ink, font)
        room -= width + 8
    draw.text((left + 5, baseline), shortened(cell.caption, font, room), _INK, font)
    if cell.marked:
        box = (left - 3, top - 3, left + side + 2, top + side + _CAPTION_PX + 2)
        draw.rectangle(box, outline=_MARK, width=3)


def shortened(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room_px: float) -> str:
    """Shorten in the middle, where file names say least."""
    if font.getlength(text) <= room_px:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head = (kept + 1) // 2
        shorter = f"{text[:head]}...{text[len(text) - kept + head :]}"
        if font.getlength(shorter) <= room_px:
            return shorter
    return ""
