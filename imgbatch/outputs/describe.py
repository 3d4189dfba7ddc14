"""What `explain` shows of one image: what descriptors see of it, and what its point keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from imgbatch.config.schema import Config
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, picture_path
from imgbatch.outputs.drawing import GAP_PX, INK, PAGE, fitted, font
from imgbatch.outputs.json import print_json
from imgbatch.outputs.panels import (
    BARS_HEIGHT,
    CAPTION,
    COLUMN,
    PANEL,
    PICTURE,
    Panel,
    as_wide_as,
    color_bars,
    highest_bar,
    panel,
    square_panels,
)
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import save_page
from imgbatch.printable import printable
from imgbatch.selection.describe import Description

_TITLE = 40  # pixels
_MOST_COLORS = 3


def write_description(seen: Description, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print size, main colours, hash and what the point keeps; or one JSON document."""
    if json:
        print_json(description_document(seen, files))
        return
    image = seen.image
    kept = f"{kept_in_words(seen)}: the picture at 32 x 32 pixels against what its point keeps"
    facts: dict[str, object] = {
        "image": image.relative,
        "pixels": f"{image.width} x {image.height}",
        "hash": image.phash,
        "kept": kept,
        "folder": seen.folder,
    }
    if main := main_colors(seen):
        facts["colours"] = ", ".join(f"{color} {share:.0%}" for color, share in main.items())
    console = StandardOutput()
    for name, value in facts.items():
        console.print_fact(name, str(value))
    console.print_files(files)


def kept_in_words(seen: Description) -> str:
    """How much of the picture its point keeps."""
    return f"{seen.psnr:.1f} dB" if np.isfinite(seen.psnr) else "all of it"


def main_colors(seen: Description) -> dict[str, float]:
    """The largest shares of the colour histogram: the middle of each bin as ``#rrggbb``."""
    shares = seen.image.color_shares.reshape(-1)
    colors = seen.image.colors.reshape(-1, 3)
    largest = np.argsort(-shares, kind="stable")[:_MOST_COLORS]
    return {
        "#{:02x}{:02x}{:02x}".format(*colors[place]): round(float(shares[place]), 4)
        for place in largest.tolist()
        if shares[place] > 0
    }


def description_document(seen: Description, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The description as values for JSON; the keys are a contract, see DESIGN.md."""
    image = seen.image
    return {
        "mode": "describe",
        "folder": seen.folder,
        "image": {
            "path": image.path,
            "relative": image.relative,
            "width": image.width,
            "height": image.height,
            "phash": image.phash,
            "colors": main_colors(seen),
        },
        "kept": {"psnr": round(seen.psnr, 3) if np.isfinite(seen.psnr) else None},
        "picture": picture_path(files),
        "files": files_document(files),
    }


def write_description_picture(seen: Description, target: Path, config: Config) -> WrittenFile:
    """Draw the image and write the picture in the format of the target's ending."""
    save_page(draw_description(seen, config), target)
    return WrittenFile.of("picture", target, 1, 1)


def draw_description(seen: Description, config: Config) -> Image.Image:
    """Draw the image, the picture that its point keeps, its colours, shape and hash."""
    image = seen.image
    picture = load_picture(image.path, config, PICTURE)
    size = f"{image.width} x {image.height}"
    squares = [
        Panel(fitted(picture, PANEL, PANEL), image.relative, size),
        Panel(as_wide_as(seen.little, picture), "the same", "at 32 x 32 pixels"),
        Panel(as_wide_as(seen.kept, picture), "what the point keeps", kept_in_words(seen)),
        *square_panels(image, picture),
    ]
    has_colors = len(image.color_shares) > 0
    rows = -(-len(squares) // 2)
    height = rows * (PANEL + CAPTION + GAP_PX) + has_colors * (BARS_HEIGHT + CAPTION + GAP_PX)
    page = Image.new("RGB", (COLUMN + 2 * GAP_PX, _TITLE + height), PAGE)
    title = "what the descriptors see, and what the point keeps"
    ImageDraw.Draw(page).text((GAP_PX, 10), title, INK, font(18))
    for at, square in enumerate(squares):
        left = GAP_PX + at % 2 * (PANEL + GAP_PX)
        top = _TITLE + at // 2 * (PANEL + CAPTION + GAP_PX)
        box = (left, top, PANEL, PANEL)
        panel(page, box, square.content, printable(square.name), square.detail)
    if has_colors:
        box = (GAP_PX, _TITLE + rows * (PANEL + CAPTION + GAP_PX), COLUMN, BARS_HEIGHT)
        bars = color_bars(image, highest_bar(image))
        panel(page, box, bars, "colours", "shares of the picture, square-root scale")
    return page
