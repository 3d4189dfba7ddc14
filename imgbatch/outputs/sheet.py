"""The contact sheet: the selected pictures on one page."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw

from imgbatch.config.schema import Config, SheetConfig
from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing
from imgbatch.outputs.base import Result, WrittenFile, reason_in_words
from imgbatch.outputs.drawing import ACCENT, CELL, FAINT, GAP_PX, INK, PAGE, fitted, font, shortened
from imgbatch.outputs.pictures import Pictures
from imgbatch.printable import printable
from imgbatch.types import PickedImage, Selection, View

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""The formats of pages, by ending."""

_LINE_PX, _TITLE_PX = 22, 34
_NARROW_PX = 160
"""Below this side, a cell has two lines of text: its name has the first one to itself."""
_FRAME = "#c8c8c8"
_MOST_SIDE_PX = {"JPEG": 65_000, "PNG": 65_000, "WEBP": 16_383}
"""The longest side of a page by format; JPEG's own limit is 65,535, and viewers stop there, too."""
_MOST_PIXELS = 100_000_000
"""About how many pixels a page has at most, at 4 bytes each while it is drawn."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture of a sheet with its caption; ``detail`` is at the right end of the text."""

    picture: View
    caption: str
    detail: str = ""
    framed: bool = False


def name_in_folder(path: str) -> str:
    """A file's name after that of its folder, which tells more than the name alone.

    Examples
    --------
    >>> name_in_folder("house/Kitchen/image_0113.jpg"), name_in_folder("sea.jpg")
    ('Kitchen/image_0113.jpg', 'sea.jpg')
    """
    return "/".join(path.rsplit("/", 2)[-2:])


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


@dataclass(frozen=True, slots=True)
class Grid:
    """The places of cells on a page under a title, row by row.

    Attributes
    ----------
    columns
        Cells in a row.
    shown
        How many cells there are; `fitting` leaves out what does not fit on a page.
    side_px
        The side of the square into which a picture is fitted.
    """

    columns: int
    shown: int
    side_px: int

    @classmethod
    def fitting(cls, count: int, options: SheetConfig, target: Path) -> "Grid":
        """The grid for `count` cells, of which as many are shown as fit on a page.

        A page has as many columns as the options say, or is as near to a square as can be; it has
        more if it would be too long. The ending of `target` decides the format, and so the longest
        side.

        Examples
        --------
        >>> from imgbatch.config import load_config
        >>> sheet = load_config().config.sheet
        >>> Grid.fitting(12, sheet, Path("sheet.png"))
        Grid(columns=4, shown=12, side_px=240)
        >>> Grid.fitting(5000, sheet, Path("sheet.png"))
        Grid(columns=40, shown=1440, side_px=240)
        """
        side = options.cell_px
        most_high = most_rows(1, side, target)
        most_wide = (_most_side_px(target) - GAP_PX) // (side + GAP_PX)
        shown = min(count, most_cells(side))
        wanted = options.columns or _squarest(shown, side)
        columns = max(min(wanted, shown), -(-shown // most_high))
        columns = min(columns, most_wide)
        shown = min(shown, columns * most_high)
        # A page on which not all fit ends with a whole row.
        return cls(columns, shown if shown == count else shown // columns * columns, side)

    @property
    def step_x_px(self) -> int:
        """From one column to the next."""
        return self.side_px + GAP_PX

    @property
    def step_y_px(self) -> int:
        """From one row to the next."""
        return self.side_px + self.text_px + GAP_PX

    @property
    def text_px(self) -> int:
        """Height of the text under a picture."""
        return _LINE_PX * (2 if self.side_px < _NARROW_PX else 1)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the page."""
        rows = -(-self.shown // self.columns)
        width = self.columns * self.step_x_px + GAP_PX
        return width, _TITLE_PX + rows * self.step_y_px + GAP_PX

    def corner_px(self, number: int) -> tuple[int, int]:
        """Left and top of a cell, counted from 0."""
        row, column = divmod(number, self.columns)
        return GAP_PX + column * self.step_x_px, _TITLE_PX + row * self.step_y_px


def _squarest(count: int, side_px: int) -> int:
    """The number of columns with which a page of so many cells is nearest to a square.

    >>> [_squarest(count, 240) for count in (1, 2, 9, 10, 100)]
    [1, 2, 3, 4, 11]
    """

    def unlikeness(columns: int) -> float:
        width, height = Grid(columns, count, side_px).size_px
        return max(width, height) / min(width, height)

    near = math.isqrt(max(count, 1))
    return min(range(near, near + 3), key=unlikeness)


def most_cells(side_px: int) -> int:
    """How many cells a page of about 100 megapixels has room for.

    Examples
    --------
    >>> most_cells(240)
    1448
    """
    one = Grid(1, 1, side_px)
    return _MOST_PIXELS // (one.step_x_px * one.step_y_px)


def most_rows(columns: int, side_px: int, target: Path, sections: int = 1) -> int:
    """How many rows of cells fit on a page, in each of its sections if it has several.

    Examples
    --------
    >>> [most_rows(5, 240, Path(name)) for name in ("sheet.png", "sheet.webp")]
    [237, 59]
    """
    height = _most_side_px(target) // sections - _TITLE_PX - GAP_PX
    high = height // Grid(1, 1, side_px).step_y_px
    return min(high, most_cells(side_px) // sections // columns)


def _most_side_px(target: Path) -> int:
    return _MOST_SIDE_PX[FORMATS[target.suffix.lower()]]


def write_sheet(result: Result, target: Path, options: SheetConfig) -> WrittenFile:
    """Draw the contact sheet of a selection and write it in the format of the target's ending.

    It shows the first images, if not all fit on a page.

    Raises
    ------
    UsageError
        The ending is no format's.
    OutputError
        The target cannot be written.
    """
    check_sheet_path(target)
    images = len(result.selection.images)
    grid = Grid.fitting(images, options, target)
    save_page(draw_selection(result, grid), target)
    return WrittenFile.of("sheet", target, grid.shown, images)


def write_selection_sheet(selection: Selection, target: Path, config: Config) -> WrittenFile:
    """Draw the contact sheet of a selection whose pictures nothing else needs."""
    pictures = Pictures([image.path for image in selection.images], config)
    return write_sheet(Result(selection, pictures), target, config.sheet)


def draw_selection(result: Result, grid: Grid) -> Image.Image:
    """The page that `write_sheet` writes: as many images as the grid has cells for."""
    selection = result.selection
    title = f"{selection.mode} - {Path(selection.folder).name} - seed {selection.seed}"
    if selection.by:
        title += f" - {reason_in_words(selection)}"
    if grid.shown < len(selection.images):
        title += f" - {first_of(grid.shown, len(selection.images))}"
    cells = (
        Cell(
            picture,
            f"{image.rank}  {printable(_caption(image, tags=result.tag_captions))}",
            "anchor" if image.anchor else f"{image.score:.3f}",
            image.anchor,
        )
        for image, picture in zip(selection.images[: grid.shown], result.pictures, strict=False)
    )
    return draw_page(cells, title, grid)


def first_of(shown: int, images: int) -> str:
    """Which images a page shows if not all fit on it.

    >>> first_of(1442, 5000)
    'the first 1,442 of 5,000 images'
    """
    return f"the first {shown:,} of {images:,} images"


def _caption(image: PickedImage, *, tags: bool) -> str:
    """Tags, if asked for; the two that put it into the set; else file, folder and class."""
    names = [tag.tag for tag in image.all_tags] if tags else image.pair
    if names:
        return ", ".join(names)
    name = name_in_folder(image.relative)
    known = image.label and image.label not in image.relative.split("/")[:-1]
    return f"{image.label}: {name}" if known else name


def write_cells(
    items: Sequence[_Item],
    cell: Callable[[_Item], Cell],
    title: str,
    target: Path,
    options: SheetConfig,
) -> WrittenFile | None:
    """Draw a cell for each item, the first ones if not all fit on a page, and write the page.

    Returns None, and writes nothing, if there are no items.

    Raises
    ------
    UsageError
        The ending of the target is no format's.
    OutputError
        The target cannot be written.
    """
    if not items:
        return None
    grid = Grid.fitting(len(items), options, target)
    save_page(draw_page(map(cell, items[: grid.shown]), title, grid), target)
    return WrittenFile.of("sheet", target, grid.shown, len(items))


def save_page(page: Image.Image, target: Path) -> None:
    """Write a page in the format of the target's ending; a file is replaced at once."""
    check_sheet_path(target)
    kind = FORMATS[target.suffix.lower()]
    # PNG's best compression takes ten times as long, for 2 to 8% less.
    # JPEG keeps colours in full, since small coloured text would blur.
    options = {
        "PNG": {"compress_level": 4},
        "JPEG": {"quality": 88, "subsampling": 0},
        "WEBP": {"quality": 90},
    }[kind]
    with replacing(target) as temporary:
        page.save(temporary, kind, **options)


def draw_page(cells: Iterable[Cell], title: str, grid: Grid) -> Image.Image:
    """A grid of cells under a title, on an opaque light page that any viewer shows as it is.

    Cells are drawn as they come, so that only one picture need be in memory.
    """
    page = Image.new("RGB", grid.size_px, PAGE)
    large = font(17)
    shown = shortened(printable(title), large, page.width - 2 * GAP_PX)
    ImageDraw.Draw(page).text((GAP_PX, 10), shown, INK, large)
    for number, cell in enumerate(cells):
        _draw_cell(page, cell, grid.corner_px(number), grid)
    return page


def _draw_cell(page: Image.Image, cell: Cell, corner: tuple[int, int], grid: Grid) -> None:
    left, top = corner
    side, height = grid.side_px, grid.side_px + grid.text_px
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + side - 1, top + height - 1), fill=CELL)
    picture = fitted(cell.picture, side, side)
    x, y = left + (side - picture.width) // 2, top + (side - picture.height) // 2
    # A white picture ends where its thin frame is.
    draw.rectangle((x - 1, y - 1, x + picture.width, y + picture.height), outline=_FRAME)
    page.paste(picture, (x, y))
    narrow = side < _NARROW_PX
    small = font(11 if narrow else 13)
    # In a narrow cell the file's name has the first line, its folder the second one.
    folder, _, name = cell.caption.rpartition("/") if narrow else ("", "", "")
    first, last = top + side + 3, top + height - _LINE_PX + 3
    room = side - 10
    if cell.detail:
        width = round(small.getlength(cell.detail))
        ink = ACCENT if cell.framed else FAINT
        draw.text((left + side - 5 - width, last), cell.detail, ink, small)
        room -= width + 8
    if narrow:
        draw.text((left + 5, first), shortened(name, small, side - 10), INK, small)
        draw.text((left + 5, last), shortened(folder, small, room), FAINT, small)
    else:
        draw.text((left + 5, first), shortened(cell.caption, small, room), INK, small)
    if cell.framed:
        box = (left - 3, top - 3, left + side + 2, top + height + 2)
        draw.rectangle(box, outline=ACCENT, width=3)
