"""What `explain` shows: two images side by side with what descriptors see in them, and a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from imgbatch.config.schema import Config
from imgbatch.outputs.base import (
    StandardOutput,
    WrittenFile,
    files_document,
    picture_path,
    titled_table,
)
from imgbatch.outputs.drawing import CELL, FAINT, GAP_PX, INK, PAGE, fitted, font
from imgbatch.outputs.json import print_json
from imgbatch.outputs.legend import bar, draws_blocks, in_words, style_of
from imgbatch.outputs.panels import (
    BARS_HEIGHT,
    CAPTION,
    COLUMN,
    PANEL,
    PICTURE,
    color_bars,
    highest_bar,
    panel,
    square_panels,
)
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import save_page
from imgbatch.printable import printable
from imgbatch.selection.explain import Explanation

_TITLE, _ROW = 40, 30  # pixels
_WIDTH = 2 * COLUMN + 3 * GAP_PX


def write_explanation(
    explanation: Explanation, files: Sequence[WrittenFile], *, json: bool
) -> None:
    """Print the share of each descriptor in the distance, or one JSON document."""
    if json:
        print_json(explanation_document(explanation, files))
        return
    console = StandardOutput()
    first, second = explanation.images
    table = titled_table(f"{printable(first.relative)} and {printable(second.relative)}")
    table.caption = f"{distances_in_words(explanation)}; a typical pair of the folder is 1 apart"
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
            full_name(part.name) if wide else part.name,
            f"{part.weight:.3f}",
            f"{part.distance:.3f}",
            f"{part.share:.0%}",
            *([bar({part.name: part.share}, 10, blocks=blocks)] if wide else []),
            in_words(part.ratio),
        )
    console.print(table)
    console.print_fact("hash", f"{explanation.hash_bits_apart} of 64 bits differ")
    console.print_fact("folder", explanation.folder)
    console.print_files(files)


def explanation_document(explanation: Explanation, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The explanation as values for JSON; 1 is the distance of a typical pair.

    ``phash`` is hexadecimal, as ``str(imagehash.phash(image))`` writes it.
    """
    return {
        "folder": explanation.folder,
        "images": [
            {
                name: getattr(image, name)
                for name in ("path", "relative", "width", "height", "phash")
            }
            for image in explanation.images
        ],
        "distance": round(explanation.distance, 6),
        "unlearned_distance": None
        if explanation.unlearned_distance is None
        else round(explanation.unlearned_distance, 6),
        "descriptors": [
            {
                "name": part.name,
                "weight": round(part.weight, 6),
                "squared_distance": round(part.squared_distance, 6),
                "share": part.share,
                "ratio": round(part.ratio, 4),
                "against_typical_pair": in_words(part.ratio),
            }
            for part in explanation.parts
        ],
        "hash_bits_apart": explanation.hash_bits_apart,
        "picture": picture_path(files),
        "files": files_document(files),
    }


def distances_in_words(explanation: Explanation) -> str:
    """The distance; of learned points also the one that splits by descriptor."""
    text = f"distance {explanation.distance:.3f}"
    if explanation.unlearned_distance is None:
        return text
    return f"{text}; {explanation.unlearned_distance:.3f} before learning, split by descriptor"


def full_name(name: str) -> str:
    """The descriptor's name, with the word for it in brackets."""
    word = style_of(name).word
    return name if word == name else f"{name} ({word})"


def write_explanation_picture(
    explanation: Explanation, target: Path, config: Config
) -> WrittenFile:
    """Draw both images and write the picture in the format of the target's ending."""
    save_page(draw_explanation(explanation, config), target)
    return WrittenFile.of("picture", target, 2, 2)


def draw_explanation(explanation: Explanation, config: Config) -> Image.Image:
    """Draw the images, their colours, shapes and hashes, and a bar for each descriptor's share."""
    first, second = explanation.images
    pictures = [load_picture(image.path, config, PICTURE) for image in (first, second)]
    has_colors = len(first.color_shares) > 0
    squares = [
        square_panels(first, pictures[0], second),
        square_panels(second, pictures[1], first),
    ]
    tops = [_TITLE]
    for height in (
        PICTURE + CAPTION,
        (BARS_HEIGHT + CAPTION) if has_colors else -GAP_PX,
        *[PANEL + CAPTION] * -(-len(squares[0]) // 2),
        CAPTION + _ROW * len(explanation.parts) + 2 * GAP_PX,
    ):
        tops.append(tops[-1] + height + GAP_PX)
    page = Image.new("RGB", (_WIDTH, tops[-1]), PAGE)
    title = f"{distances_in_words(explanation)}   (0: the same, 1: a typical pair of the folder)"
    ImageDraw.Draw(page).text((GAP_PX, 10), title, INK, font(18))
    highest = highest_bar(first, second)
    for number, (image, picture) in enumerate(zip((first, second), pictures, strict=True)):
        left = GAP_PX + number * (COLUMN + GAP_PX)
        box = (left, tops[0], COLUMN, PICTURE)
        name = printable(Path(image.relative).name)
        shown = fitted(picture, COLUMN, PICTURE)
        panel(page, box, shown, name, f"{image.width} x {image.height}")
        if has_colors:
            box = (left, tops[1], COLUMN, BARS_HEIGHT)
            detail = "shares of the picture, square-root scale"
            panel(page, box, color_bars(image, highest), "colours", detail)
        for at, square in enumerate(squares[number]):
            box = (left + (at % 2) * (PANEL + GAP_PX), tops[2 + at // 2], PANEL, PANEL)
            panel(page, box, square.content, square.name, square.detail)
    _draw_parts(page, explanation, tops[-2])
    return page


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
        draw.text((2 * GAP_PX, y + 4), full_name(part.name), INK, small)
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
