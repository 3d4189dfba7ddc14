"""What `explain` shows of one image: what descriptors see of it, and what its point keeps."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.drawing import GAP_PX, INK, PAGE, fitted, font
from imgbatch.outputs.panels import (
    BARS_HEIGHT,
    CAPTION,
    COLUMN,
    PANEL,
    color_bars,
    glyphs,
    hash_squares,
    panel,
)
from imgbatch.outputs.sheet import save_page
from imgbatch.selection.describe import Description
from imgbatch.types import View

_TITLE = 40  # pixels
_MOST_COLORS = 3


def print_description(seen: Description, picture: Path | None) -> None:
    """Print size, main colours and hash, and how near the point brings the picture back."""
    image = seen.image
    facts: dict[str, object] = {
        "image": image.relative,
        "pixels": f"{image.width} x {image.height}",
        "hash": image.phash,
        "kept": f"{seen.psnr:.1f} dB: the picture at 32 x 32 pixels against what its point keeps",
        "folder": seen.folder,
    }
    if main := main_colors(seen):
        facts["colours"] = ", ".join(f"{color} {share:.0%}" for color, share in main.items())
    if picture is not None:
        facts["picture"] = picture
    console = StandardOutput()
    for name, value in facts.items():
        console.print_fact(name, str(value))


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


def description_document(seen: Description, picture: Path | None) -> dict[str, Any]:
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
        "picture": None if picture is None else str(picture),
    }


def write_description(seen: Description, picture: View, target: Path) -> None:
    """Draw the page and write it in the format of the target's ending."""
    save_page(draw_description(seen, picture), target)


def draw_description(seen: Description, picture: View) -> Image.Image:
    """Draw the image, the picture that its point keeps, its colours, shape and hash."""
    image = seen.image
    squares = [
        (fitted(picture, PANEL, PANEL), image.relative, f"{image.width} x {image.height}"),
        (_as_wide_as(seen.little, picture), "the same", "at 32 x 32 pixels"),
        (_as_wide_as(seen.kept, picture), "what the point keeps", f"{seen.psnr:.1f} dB"),
    ]
    if len(image.gradients):
        squares.append((glyphs(image.gradients, picture), "shape", "directions of edges"))
    nothing = np.zeros_like(image.hash_bits)
    squares.append((hash_squares(image, nothing), "hash", "low frequencies"))
    has_colors = len(image.color_shares) > 0
    rows = -(-len(squares) // 2)
    height = rows * (PANEL + CAPTION + GAP_PX) + has_colors * (BARS_HEIGHT + CAPTION + GAP_PX)
    page = Image.new("RGB", (COLUMN + 2 * GAP_PX, _TITLE + height), PAGE)
    title = "what the descriptors see, and what the point keeps"
    ImageDraw.Draw(page).text((GAP_PX, 10), title, INK, font(18))
    for at, (content, name, detail) in enumerate(squares):
        left = GAP_PX + at % 2 * (PANEL + GAP_PX)
        top = _TITLE + at // 2 * (PANEL + CAPTION + GAP_PX)
        panel(page, (left, top, PANEL, PANEL), content, printable(name), detail)
    if has_colors:
        box = (GAP_PX, _TITLE + rows * (PANEL + CAPTION + GAP_PX), COLUMN, BARS_HEIGHT)
        bars = color_bars(image, float(image.color_shares.sum(axis=1).max()))
        panel(page, box, bars, "colours", "shares of the picture, square-root scale")
    return page


def _as_wide_as(little: View, picture: View) -> Image.Image:
    """A picture in little, enlarged, with the proportions of the original."""
    size = fitted(picture, PANEL, PANEL).size
    return Image.fromarray(little).resize(size, Image.Resampling.BICUBIC)
