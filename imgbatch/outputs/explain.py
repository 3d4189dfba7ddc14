"""What `explain` shows: two images side by side with what descriptors see in them, and a table."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from rich.table import Table

from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.drawing import ACCENT, CELL, FAINT, GAP_PX, INK, PAGE, fitted, font, shortened
from imgbatch.outputs.legend import bar, draws_blocks, in_words, style_of
from imgbatch.outputs.sheet import save_page
from imgbatch.selection.explain import DescribedImage, Explanation
from imgbatch.types import Floats, View

_LINE, _BIT = "#d0d0d0", "#343a40"
_GAP, _TITLE, _PANEL, _CAPTION, _ROW = GAP_PX, 40, 300, 24, 30  # pixels
_COLUMN = 2 * _PANEL + _GAP
_WIDTH = 2 * _COLUMN + 3 * _GAP
_PICTURE_HEIGHT, _BARS_HEIGHT = 420, 150
_ENLARGED = 2  # lines are drawn this much larger and then shrunk, which smooths them


def print_explanation(explanation: Explanation, picture: Path | None) -> None:
    """Print the share of each descriptor in the distance, and the distance that they add up to."""
    console = StandardOutput()
    first, second = explanation.images
    table = Table(
        title=f"{printable(first.relative)} and {printable(second.relative)}",
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
    """The descriptor's name, with the word for it in brackets."""
    word = style_of(name).word
    return name if word == name else f"{name} ({word})"


def write_explanation(explanation: Explanation, pictures: tuple[View, View], target: Path) -> None:
    """Draw the page and write it in the format of the target's ending."""
    save_page(draw_explanation(explanation, pictures), target)


def draw_explanation(explanation: Explanation, pictures: tuple[View, View]) -> Image.Image:
    """Draw the images, their colours, shapes and hashes, and a bar for each descriptor's share."""
    first, second = explanation.images
    has_colors = len(first.color_shares) > 0
    differing = first.hash_bits != second.hash_bits
    squares = [
        _squares(image, picture, differing)
        for image, picture in zip((first, second), pictures, strict=True)
    ]
    tops = [_TITLE]
    for height in (
        _PICTURE_HEIGHT + _CAPTION,
        (_BARS_HEIGHT + _CAPTION) if has_colors else -_GAP,
        *[_PANEL + _CAPTION] * -(-len(squares[0]) // 2),
        _CAPTION + _ROW * len(explanation.parts) + 2 * _GAP,
    ):
        tops.append(tops[-1] + height + _GAP)
    page = Image.new("RGB", (_WIDTH, tops[-1]), PAGE)
    title = f"distance {explanation.distance:.3f}   (0: the same, 1: a typical pair of the folder)"
    ImageDraw.Draw(page).text((_GAP, 10), title, INK, font(18))
    highest = (
        max(float(image.color_shares.sum(axis=1).max()) for image in (first, second))
        if has_colors
        else 1
    )
    for number, (image, picture) in enumerate(zip((first, second), pictures, strict=True)):
        left = _GAP + number * (_COLUMN + _GAP)
        box = (left, tops[0], _COLUMN, _PICTURE_HEIGHT)
        name = printable(Path(image.relative).name)
        shown = fitted(picture, _COLUMN, _PICTURE_HEIGHT)
        _panel(page, box, shown, name, f"{image.width} x {image.height}")
        if has_colors:
            box = (left, tops[1], _COLUMN, _BARS_HEIGHT)
            detail = "shares of the picture, square-root scale"
            _panel(page, box, _color_bars(image, highest), "colours", detail)
        for at, (content, name, detail) in enumerate(squares[number]):
            box = (left + (at % 2) * (_PANEL + _GAP), tops[2 + at // 2], _PANEL, _PANEL)
            _panel(page, box, content, name, detail)
    _draw_parts(page, explanation, tops[-2])
    return page


def _squares(
    image: DescribedImage,
    picture: View,
    differing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> list[tuple[Image.Image, str, str]]:
    """Square drawings with name and detail: shape, hash, a map for each Fisher vector."""
    drawn = []
    if len(image.gradients):
        drawn.append((_glyphs(image.gradients, picture), "shape", "directions of edges"))
    bits = f"{int(differing.sum())} of 64 bits differ"
    drawn.append((_hash(image, differing), "hash", bits))
    for name, where in image.differing.items():
        drawn.append((_map(where, picture), style_of(name).word, "bright: what sets it apart"))
    return drawn


def _panel(
    page: Image.Image, box: tuple[int, int, int, int], content: Image.Image, name: str, detail: str
) -> None:
    """A white cell (left, top, width, height) with centred content and a caption below it."""
    left, top, width, height = box
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + width - 1, top + height + _CAPTION - 1), fill=CELL)
    page.paste(content, (left + (width - content.width) // 2, top + (height - content.height) // 2))
    small = font(13)
    length = round(small.getlength(detail))
    draw.text((left + width - 6 - length, top + height + 4), detail, FAINT, small)
    room = width - length - 24
    draw.text((left + 6, top + height + 4), shortened(name, small, room), INK, small)


def _color_bars(image: DescribedImage, highest: float) -> Image.Image:
    """Stacked bars; heights are square roots of shares, so that small shares can be seen."""
    drawn = Image.new("RGB", (_COLUMN, _BARS_HEIGHT), CELL)
    draw = ImageDraw.Draw(drawn)
    step = (_COLUMN - 2 * _GAP) / len(image.color_shares)
    floor, room = _BARS_HEIGHT - 4, _BARS_HEIGHT - 16
    for number, (colors, shares) in enumerate(zip(image.colors, image.color_shares, strict=True)):
        left, right = _GAP + number * step + 1.5, _GAP + (number + 1) * step - 1.5
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
    return drawn


def _glyphs(gradients: Floats, picture: View) -> Image.Image:
    """The gradient histograms as stars of lines along the edges, over the faded picture."""
    side = _PANEL * _ENLARGED
    faded = Image.fromarray(picture).convert("L").resize((side, side), Image.Resampling.LANCZOS)
    image = Image.blend(faded.convert("RGB"), Image.new("RGB", (side, side), CELL), 0.78)
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
        for bin_number in np.argsort(gradients[row, column]):
            strength = float(gradients[row, column, bin_number]) / strongest
            # An edge runs across its gradient; its angle is the middle of the bin.
            angle = 2 * np.pi * (bin_number + 0.5) / orientations + np.pi / 2
            reach = 0.47 * side / max(rows, columns) * strength
            dx, dy = reach * np.cos(angle), reach * np.sin(angle)
            ink = tuple(int(200 - 200 * strength) for _ in range(3))
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=1 + round(4 * strength))
    return image.resize((_PANEL, _PANEL), Image.Resampling.LANCZOS)


def _map(where: Floats, picture: View) -> Image.Image:
    """The picture, dark but where the map is bright."""
    side = (_PANEL, _PANEL)
    light = Image.fromarray(np.rint(255 * (0.12 + 0.88 * where)).astype(np.uint8))
    mask = light.resize(side, Image.Resampling.BICUBIC)
    whole = Image.fromarray(picture).resize(side, Image.Resampling.LANCZOS)
    return Image.composite(whole, Image.new("RGB", side, _BIT), mask)


def _hash(
    image: DescribedImage, differing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Image.Image:
    """Set bits are dark; bits that differ in the other image are framed."""
    drawn = Image.new("RGB", (_PANEL, _PANEL), CELL)
    draw = ImageDraw.Draw(drawn)
    margin, step = 14, (_PANEL - 28) // 8
    for row, column in np.ndindex(8, 8):
        left, top = margin + column * step, margin + row * step
        box = (left + 2, top + 2, left + step - 3, top + step - 3)
        draw.rectangle(box, fill=_BIT if image.hash_bits[row, column] else "#e9ecef")
        if differing[row, column]:
            draw.rectangle(box, outline=ACCENT, width=3)
    return drawn


def _draw_parts(page: Image.Image, explanation: Explanation, top: int) -> None:
    """A bar for each descriptor, with a tick at the value of a typical pair."""
    draw, small, large = ImageDraw.Draw(page), font(14), font(15)
    bottom = page.height - _GAP - 1
    draw.rectangle((_GAP, top, _WIDTH - _GAP - 1, bottom), fill=CELL)
    text = "what each descriptor adds to the squared distance"
    draw.text((2 * _GAP, top + 6), text, INK, large)
    note = "the line: in a typical pair"
    draw.text((_WIDTH - 2 * _GAP - small.getlength(note), top + 7), note, FAINT, small)
    left, right = 190, _WIDTH - 210
    longest = max(max(part.weight, part.squared_distance) for part in explanation.parts)
    for number, part in enumerate(explanation.parts):
        y = top + _CAPTION + _GAP + number * _ROW
        draw.text((2 * _GAP, y + 4), _name(part.name), INK, small)
        end = left + (right - left) * part.squared_distance / longest
        tick = left + (right - left) * part.weight / longest
        draw.rectangle((left, y + 4, right, y + _ROW - 8), fill="#f4f4f4")
        draw.rectangle(
            (left, y + 4, max(left + 1, end), y + _ROW - 8), fill=style_of(part.name).color
        )
        draw.line((tick, y, tick, y + _ROW - 4), fill=INK, width=2)
        share = f"{part.share:.0%}"
        draw.text((right + 52 - small.getlength(share), y + 4), share, INK, small)
        draw.text((right + 66, y + 4), in_words(part.ratio), INK, small)
