"""Two images side by side with what the descriptors saw of them: a picture and a table."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.table import Table

from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.legend import bar, draws_blocks, in_words, style_of
from imgbatch.outputs.sheet import save_page, shortened
from imgbatch.selection.explain import DescribedImage, Explanation
from imgbatch.types import Floats, View

_PAGE, _CELL, _INK, _FAINT, _LINE = "#ececec", "#ffffff", "#1c1c1c", "#6a6a6a", "#d0d0d0"
_MARK, _BIT = "#d9480f", "#343a40"
_GAP, _TITLE, _PANEL, _CAPTION, _ROW = 12, 40, 300, 24, 30  # pixels
_COLUMN = 2 * _PANEL + _GAP
_WIDTH = 2 * _COLUMN + 3 * _GAP
_PICTURE_HEIGHT, _BARS_HEIGHT = 420, 150
_LOUPE = 2  # lines are drawn this much larger and shrunk, which smooths them


def print_explanation(explanation: Explanation, picture: Path | None) -> None:
    """Print the table: a row for each descriptor, and what they add up to."""
    console = StandardOutput()
    one, other = explanation.images
    table = Table(
        title=f"{printable(one.relative)} and {printable(other.relative)}",
        caption=f"distance {explanation.distance:.3f}; a typical pair of the folder is 1 apart",
        title_style="bold",
        title_justify="left",
        caption_justify="left",
    )
    wide, blocks = console.width >= 80, draws_blocks(console)
    table.add_column("descriptor" if wide else "by", overflow="fold")
    for name in ("weight", "distance", "share"):
        table.add_column(name if wide else name.replace("distance", "dist."), justify="right")
    if wide:
        table.add_column("")
    table.add_column("against a typical pair" if wide else "vs typical", overflow="fold")
    for part in explanation.parts:
        table.add_row(
            _name(part.name) if wide else part.name,
            f"{part.weight:.3f}",
            f"{np.sqrt(part.squared_distance):.3f}",
            f"{part.share:.0%}",
            *([bar({part.name: part.share}, 10, blocks=blocks)] if wide else []),
            in_words(part.ratio),
        )
    console.print(table)
    bits = f"{explanation.hash_bits_apart} of 64 bits differ"
    for name, value in (("hash", bits), ("folder", explanation.folder), ("picture", picture)):
        if value is not None:
            console.print_fact(name, str(value))


def _name(name: str) -> str:
    word = style_of(name).word
    return name if word == name else f"{name} ({word})"


def write_explanation(explanation: Explanation, pictures: tuple[View, View], target: Path) -> None:
    """Draw the page and write it, by ending, to a file that is replaced at once."""
    save_page(draw_explanation(explanation, pictures), target)


def draw_explanation(explanation: Explanation, pictures: tuple[View, View]) -> Image.Image:
    """An opaque light page: the images, their colours, shapes and hashes, and the parts as bars."""
    one, other = explanation.images
    has_colors, has_shape = len(one.color_shares) > 0, len(one.gradients) > 0
    tops = [_TITLE]
    for height in (
        _PICTURE_HEIGHT + _CAPTION,
        (_BARS_HEIGHT + _CAPTION) if has_colors else -_GAP,
        _PANEL + _CAPTION,
        _CAPTION + _ROW * len(explanation.parts) + 2 * _GAP,
    ):
        tops.append(tops[-1] + height + _GAP)
    page = Image.new("RGB", (_WIDTH, tops[-1]), _PAGE)
    title = f"distance {explanation.distance:.3f}   (0: the same, 1: a typical pair of the folder)"
    ImageDraw.Draw(page).text((_GAP, 10), title, _INK, _font(18))
    highest = (
        max(float(look.color_shares.sum(axis=1).max()) for look in (one, other))
        if has_colors
        else 1
    )
    apart = one.hash_bits != other.hash_bits
    for place, (look, picture) in enumerate(zip((one, other), pictures, strict=True)):
        left = _GAP + place * (_COLUMN + _GAP)
        box = (left, tops[0], _COLUMN, _PICTURE_HEIGHT)
        name = printable(Path(look.relative).name)
        _panel(
            page,
            box,
            _fitted(picture, _COLUMN, _PICTURE_HEIGHT),
            name,
            f"{look.width} x {look.height}",
        )
        if has_colors:
            box = (left, tops[1], _COLUMN, _BARS_HEIGHT)
            _panel(
                page,
                box,
                _color_bars(look, highest),
                "colours",
                "shares of the picture, square-root scale",
            )
        if has_shape:
            glyphs = _glyphs(look.gradients, picture)
            _panel(page, (left, tops[2], _PANEL, _PANEL), glyphs, "shape", "directions of edges")
        hash_left = left + (_PANEL + _GAP if has_shape else 0)
        bits = f"{int(apart.sum())} of 64 bits differ"
        _panel(page, (hash_left, tops[2], _PANEL, _PANEL), _hash(look, apart), "hash", bits)
    _draw_parts(page, explanation, tops[3])
    return page


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _panel(
    page: Image.Image, box: tuple[int, int, int, int], content: Image.Image, name: str, detail: str
) -> None:
    """A white cell (left, top, width, height) with centred content and a caption below it."""
    left, top, width, height = box
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + width - 1, top + height + _CAPTION - 1), fill=_CELL)
    page.paste(content, (left + (width - content.width) // 2, top + (height - content.height) // 2))
    font = _font(13)
    length = round(font.getlength(detail))
    draw.text((left + width - 6 - length, top + height + 4), detail, _FAINT, font)
    room = width - length - 24
    draw.text((left + 6, top + height + 4), shortened(name, font, room), _INK, font)


def _fitted(picture: View, width: int, height: int) -> Image.Image:
    image = Image.fromarray(picture)
    scale = min(width / image.width, height / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _color_bars(look: DescribedImage, highest: float) -> Image.Image:
    """Stacked bars; heights go by the square root, so that small shares can be seen."""
    image = Image.new("RGB", (_COLUMN, _BARS_HEIGHT), _CELL)
    draw = ImageDraw.Draw(image)
    bars = len(look.color_shares)
    step = (_COLUMN - 2 * _GAP) / bars
    floor, room = _BARS_HEIGHT - 4, _BARS_HEIGHT - 16
    for place, (colors, shares) in enumerate(zip(look.colors, look.color_shares, strict=True)):
        left, right = _GAP + place * step + 1.5, _GAP + (place + 1) * step - 1.5
        total = float(shares.sum())
        height = room * np.sqrt(total / highest) if highest else 0
        bottom = float(floor)
        for color, share in zip(colors, shares, strict=True):
            if share > 0:
                top = bottom - height * float(share) / total
                draw.rectangle((left, top, right, bottom), fill=tuple(int(c) for c in color))
                bottom = top
        if height >= 1:
            draw.rectangle((left, bottom, right, floor), outline="#9a9a9a")
    draw.line((_GAP, floor, _COLUMN - _GAP, floor), fill=_LINE)
    return image


def _glyphs(gradients: Floats, picture: View) -> Image.Image:
    """The gradient histograms as stars of lines along the edges, over the faded picture."""
    side = _PANEL * _LOUPE
    back = Image.fromarray(picture).convert("L").resize((side, side), Image.Resampling.LANCZOS)
    image = Image.blend(back.convert("RGB"), Image.new("RGB", (side, side), _CELL), 0.78)
    draw = ImageDraw.Draw(image)
    rows, columns, orientations = gradients.shape
    strongest = max(float(gradients.max()), 1e-6)
    for row, column in np.ndindex(rows, columns):
        x, y = (column + 0.5) * side / columns, (row + 0.5) * side / rows
        draw.rectangle(
            (
                column * side / columns,
                row * side / rows,
                (column + 1) * side / columns,
                (row + 1) * side / rows,
            ),
            outline=_LINE,
        )
        for place in np.argsort(gradients[row, column]):
            strength = float(gradients[row, column, place]) / strongest
            # An edge runs across its gradient; the middle of a bin stands for it.
            angle = 2 * np.pi * (place + 0.5) / orientations + np.pi / 2
            reach = 0.47 * side / max(rows, columns) * strength
            dx, dy = reach * np.cos(angle), reach * np.sin(angle)
            ink = tuple(int(200 - 200 * strength) for _ in range(3))
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=1 + round(4 * strength))
    return image.resize((_PANEL, _PANEL), Image.Resampling.LANCZOS)


def _hash(
    look: DescribedImage, apart: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Image.Image:
    """Set bits are dark; bits that differ in the other image are framed."""
    image = Image.new("RGB", (_PANEL, _PANEL), _CELL)
    draw = ImageDraw.Draw(image)
    margin, step = 14, (_PANEL - 28) // 8
    for row, column in np.ndindex(8, 8):
        left, top = margin + column * step, margin + row * step
        box = (left + 2, top + 2, left + step - 3, top + step - 3)
        draw.rectangle(box, fill=_BIT if look.hash_bits[row, column] else "#e9ecef")
        if apart[row, column]:
            draw.rectangle(box, outline=_MARK, width=3)
    return image


def _draw_parts(page: Image.Image, explanation: Explanation, top: int) -> None:
    """A bar for each descriptor, against the tick of a typical pair."""
    draw, font, bold = ImageDraw.Draw(page), _font(14), _font(15)
    bottom = page.height - _GAP - 1
    draw.rectangle((_GAP, top, _WIDTH - _GAP - 1, bottom), fill=_CELL)
    text = "what each descriptor adds to the squared distance"
    draw.text((2 * _GAP, top + 6), text, _INK, bold)
    note = "the line: in a typical pair"
    draw.text((_WIDTH - 2 * _GAP - font.getlength(note), top + 7), note, _FAINT, font)
    left, right = 190, _WIDTH - 210
    longest = max(max(part.weight, part.squared_distance) for part in explanation.parts)
    for place, part in enumerate(explanation.parts):
        y = top + _CAPTION + _GAP + place * _ROW
        draw.text((2 * _GAP, y + 4), _name(part.name), _INK, font)
        end = left + (right - left) * part.squared_distance / longest
        tick = left + (right - left) * part.weight / longest
        draw.rectangle((left, y + 4, right, y + _ROW - 8), fill="#f4f4f4")
        draw.rectangle(
            (left, y + 4, max(left + 1, end), y + _ROW - 8), fill=style_of(part.name).color
        )
        draw.line((tick, y, tick, y + _ROW - 4), fill=_INK, width=2)
        share = f"{part.share:.0%}"
        draw.text((right + 52 - font.getlength(share), y + 4), share, _INK, font)
        draw.text((right + 66, y + 4), in_words(part.ratio), _INK, font)
