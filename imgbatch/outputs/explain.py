"""What `explain` shows: two images side by side with what descriptors see in them, and a table."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput, titled_table
from imgbatch.outputs.drawing import CELL, FAINT, GAP_PX, INK, PAGE, fitted, font
from imgbatch.outputs.legend import bar, draws_blocks, in_words, style_of
from imgbatch.outputs.panels import (
    BARS_HEIGHT,
    BIT,
    CAPTION,
    COLUMN,
    PANEL,
    color_bars,
    glyphs,
    hash_squares,
    panel,
)
from imgbatch.outputs.sheet import save_page
from imgbatch.selection.explain import DescribedImage, Explanation
from imgbatch.types import Floats, View

_TITLE, _ROW = 40, 30  # pixels
_WIDTH = 2 * COLUMN + 3 * GAP_PX
_PICTURE_HEIGHT = 420


def print_explanation(explanation: Explanation, picture: Path | None) -> None:
    """Print the share of each descriptor in the distance, and the distance that they add up to."""
    console = StandardOutput()
    first, second = explanation.images
    table = titled_table(f"{printable(first.relative)} and {printable(second.relative)}")
    table.caption = f"{_distances(explanation)}; a typical pair of the folder is 1 apart"
    table.caption_justify = "left"
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


def _distances(explanation: Explanation) -> str:
    """The distance; of learned points also the one that splits by descriptor."""
    text = f"distance {explanation.distance:.3f}"
    if explanation.unlearned_distance is None:
        return text
    return f"{text}; {explanation.unlearned_distance:.3f} before learning, split by descriptor"


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
        _PICTURE_HEIGHT + CAPTION,
        (BARS_HEIGHT + CAPTION) if has_colors else -GAP_PX,
        *[PANEL + CAPTION] * -(-len(squares[0]) // 2),
        CAPTION + _ROW * len(explanation.parts) + 2 * GAP_PX,
    ):
        tops.append(tops[-1] + height + GAP_PX)
    page = Image.new("RGB", (_WIDTH, tops[-1]), PAGE)
    title = f"{_distances(explanation)}   (0: the same, 1: a typical pair of the folder)"
    ImageDraw.Draw(page).text((GAP_PX, 10), title, INK, font(18))
    highest = (
        max(float(image.color_shares.sum(axis=1).max()) for image in (first, second))
        if has_colors
        else 1
    )
    for number, (image, picture) in enumerate(zip((first, second), pictures, strict=True)):
        left = GAP_PX + number * (COLUMN + GAP_PX)
        box = (left, tops[0], COLUMN, _PICTURE_HEIGHT)
        name = printable(Path(image.relative).name)
        shown = fitted(picture, COLUMN, _PICTURE_HEIGHT)
        panel(page, box, shown, name, f"{image.width} x {image.height}")
        if has_colors:
            box = (left, tops[1], COLUMN, BARS_HEIGHT)
            detail = "shares of the picture, square-root scale"
            panel(page, box, color_bars(image, highest), "colours", detail)
        for at, (content, name, detail) in enumerate(squares[number]):
            box = (left + (at % 2) * (PANEL + GAP_PX), tops[2 + at // 2], PANEL, PANEL)
            panel(page, box, content, name, detail)
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
        drawn.append((glyphs(image.gradients, picture), "shape", "directions of edges"))
    bits = f"{int(differing.sum())} of 64 bits differ"
    drawn.append((hash_squares(image, differing), "hash", bits))
    for name, where in image.differing.items():
        drawn.append((_map(where, picture), style_of(name).word, "bright: what sets it apart"))
    return drawn


def _map(where: Floats, picture: View) -> Image.Image:
    """The picture, dark but where the map is bright."""
    side = (PANEL, PANEL)
    light = Image.fromarray(np.rint(255 * (0.12 + 0.88 * where)).astype(np.uint8))
    mask = light.resize(side, Image.Resampling.BICUBIC)
    whole = Image.fromarray(picture).resize(side, Image.Resampling.LANCZOS)
    return Image.composite(whole, Image.new("RGB", side, BIT), mask)


def _draw_parts(page: Image.Image, explanation: Explanation, top: int) -> None:
    """A bar for each descriptor, with a tick at the value of a typical pair."""
    draw, small, large = ImageDraw.Draw(page), font(14), font(15)
    bottom = page.height - GAP_PX - 1
    draw.rectangle((GAP_PX, top, _WIDTH - GAP_PX - 1, bottom), fill=CELL)
    text = "what each descriptor adds to the squared distance"
    if explanation.unlearned_distance is not None:
        text += " before learning"
    draw.text((2 * GAP_PX, top + 6), text, INK, large)
    note = "the line: in a typical pair"
    draw.text((_WIDTH - 2 * GAP_PX - small.getlength(note), top + 7), note, FAINT, small)
    left, right = 190, _WIDTH - 210
    longest = max(max(part.weight, part.squared_distance) for part in explanation.parts)
    for number, part in enumerate(explanation.parts):
        y = top + CAPTION + GAP_PX + number * _ROW
        draw.text((2 * GAP_PX, y + 4), _name(part.name), INK, small)
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
