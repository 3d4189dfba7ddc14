"""Panels that `explain` draws of one image: colours, directions of edges, hash, Fisher vectors."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from imgbatch.outputs.drawing import ACCENT, CELL, FAINT, GAP_PX, INK, fitted, font, shortened
from imgbatch.outputs.legend import style_of
from imgbatch.selection.explain import DescribedImage
from imgbatch.types import Floats, View

LINE, BIT = "#d0d0d0", "#343a40"
PICTURE, PANEL, CAPTION, BARS_HEIGHT = 420, 300, 24, 150  # pixels
COLUMN = 2 * PANEL + GAP_PX
_ENLARGED = 2  # lines are drawn this much larger and then shrunk, which smooths them


@dataclass(frozen=True, slots=True)
class Panel:
    """A square drawing of what a descriptor saw, with a word for it and a remark."""

    content: Image.Image
    name: str
    detail: str


def square_panels(
    image: DescribedImage, picture: View, other: DescribedImage | None = None
) -> list[Panel]:
    """Panels of an image: shape, hash, and beside another image a map for each Fisher vector.

    Parameters
    ----------
    image
        What the descriptors saw.
    picture
        Its decoded picture.
    other
        The image it is compared with: bits of the hash that differ are framed.
    """
    panels = []
    if len(image.gradients):
        panels.append(Panel(glyphs(image.gradients, picture), "shape", "directions of edges"))
    if other is None:
        nothing = np.zeros_like(image.hash_bits)
        return [*panels, Panel(hash_squares(image, nothing), "hash", "low frequencies")]
    differing = image.hash_bits != other.hash_bits
    bits = f"{int(differing.sum())} of 64 bits differ"
    panels.append(Panel(hash_squares(image, differing), "hash", bits))
    for name, where in image.differing.items():
        panels.append(
            Panel(light_map(where, picture), style_of(name).word, "bright: what sets it apart")
        )
    return panels


def light_map(where: Floats, picture: View) -> Image.Image:
    """The picture, dark but where the map, 0 to 1, is bright."""
    side = (PANEL, PANEL)
    light = Image.fromarray(np.rint(255 * (0.12 + 0.88 * where)).astype(np.uint8))
    mask = light.resize(side, Image.Resampling.BICUBIC)
    whole = Image.fromarray(picture).resize(side, Image.Resampling.LANCZOS)
    return Image.composite(whole, Image.new("RGB", side, BIT), mask)


def highest_bar(*images: DescribedImage) -> float:
    """The largest share of a bar of the images' colours; 0 without colours."""
    return max(float(image.color_shares.sum(axis=1).max(initial=0)) for image in images)


def as_wide_as(little: View, picture: View) -> Image.Image:
    """A picture in little, enlarged, with the proportions of the original."""
    size = fitted(picture, PANEL, PANEL).size
    return Image.fromarray(little).resize(size, Image.Resampling.BICUBIC)


def panel(
    page: Image.Image, box: tuple[int, int, int, int], content: Image.Image, name: str, detail: str
) -> None:
    """A white cell (left, top, width, height) with centred content and a caption below it."""
    left, top, width, height = box
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + width - 1, top + height + CAPTION - 1), fill=CELL)
    page.paste(content, (left + (width - content.width) // 2, top + (height - content.height) // 2))
    small = font(13)
    length = round(small.getlength(detail))
    draw.text((left + width - 6 - length, top + height + 4), detail, FAINT, small)
    room = width - length - 24
    draw.text((left + 6, top + height + 4), shortened(name, small, room), INK, small)


def color_bars(
    image: DescribedImage, highest: float, size: tuple[int, int] = (COLUMN, BARS_HEIGHT)
) -> Image.Image:
    """Stacked bars; heights are square roots of shares, so that small shares can be seen."""
    width, depth = size
    drawn = Image.new("RGB", size, CELL)
    draw = ImageDraw.Draw(drawn)
    step = (width - 2 * GAP_PX) / len(image.color_shares)
    floor, room = depth - 4, depth - 16
    for number, (colors, shares) in enumerate(zip(image.colors, image.color_shares, strict=True)):
        left, right = GAP_PX + number * step + 1.5, GAP_PX + (number + 1) * step - 1.5
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
    draw.line((GAP_PX, floor, width - GAP_PX, floor), fill=LINE)
    return drawn


def glyphs(gradients: Floats, picture: View) -> Image.Image:
    """The gradient histograms as stars of lines along the edges, over the faded picture."""
    side = PANEL * _ENLARGED
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
            outline=LINE,
        )
        for bin_number in np.argsort(gradients[row, column]):
            strength = float(gradients[row, column, bin_number]) / strongest
            # An edge runs across its gradient; its angle is the middle of the bin.
            angle = 2 * np.pi * (bin_number + 0.5) / orientations + np.pi / 2
            reach = 0.47 * side / max(rows, columns) * strength
            dx, dy = reach * np.cos(angle), reach * np.sin(angle)
            ink = tuple(int(200 - 200 * strength) for _ in range(3))
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=1 + round(4 * strength))
    return image.resize((PANEL, PANEL), Image.Resampling.LANCZOS)


def hash_squares(
    image: DescribedImage, differing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Image.Image:
    """Set bits are dark; bits that differ in the other image are framed."""
    drawn = Image.new("RGB", (PANEL, PANEL), CELL)
    draw = ImageDraw.Draw(drawn)
    margin, step = 14, (PANEL - 28) // 8
    for row, column in np.ndindex(8, 8):
        left, top = margin + column * step, margin + row * step
        box = (left + 2, top + 2, left + step - 3, top + step - 3)
        draw.rectangle(box, fill=BIT if image.hash_bits[row, column] else "#e9ecef")
        if differing[row, column]:
            draw.rectangle(box, outline=ACCENT, width=3)
    return drawn
