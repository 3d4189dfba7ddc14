"""The confusion matrix: which classes are taken for which."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from imgbatch.config.schema import Config
from imgbatch.learning.figures import confusion_matrix
from imgbatch.learning.results import Training
from imgbatch.outputs.base import WrittenFile
from imgbatch.outputs.drawing import CELL, FAINT, GAP_PX, INK, PAGE, font, shortened
from imgbatch.outputs.sheet import save_page
from imgbatch.printable import printable
from imgbatch.types import Rows

_MOST_CLASSES = 40
_NAME_PX, _CELL_PX, _TITLE_PX, _LEAST_WIDTH_PX = 160, 26, 60, 600
_RIGHT, _WRONG = (31, 111, 180), (217, 72, 15)


@dataclass(frozen=True, slots=True, eq=False)
class ShownMatrix:
    """The rows and columns that are shown.

    Attributes
    ----------
    names
        Classes: all of them, or those with the most mistakes.
    counts
        (k, k) int64: images by their class (rows) and the class given (columns).
    left_out
        Classes that are not shown.
    """

    names: tuple[str, ...]
    counts: Rows
    left_out: int

    @classmethod
    def of(cls, trained: Training, most: int = _MOST_CLASSES) -> "ShownMatrix":
        """The matrix of the tested images, of at most so many classes."""
        names = trained.model.classes
        counts = confusion_matrix(trained.judged, len(names))
        if len(names) <= most:
            return cls(names, counts, 0)
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
        chosen = np.sort(np.argsort(-wrong, kind="stable")[:most])
        shown = tuple(names[number] for number in chosen.tolist())
        return cls(shown, counts[np.ix_(chosen, chosen)], len(names) - most)

    @property
    def shares(self) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        """(k, k) the counts as shares of their row; 0 for a class without images."""
        sums = np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        return np.asarray(self.counts / sums)


def draw_confusion(trained: Training) -> Image.Image:
    """The matrix as a picture: the darker a cell, the larger its share of the row."""
    shown = ShownMatrix.of(trained)
    side = len(shown.names) * _CELL_PX
    small, large = font(12), font(17)
    longest = max(small.getlength(printable(name)) for name in shown.names)
    room = min(_NAME_PX, round(longest) + 12)
    width, height = room + side + 2 * GAP_PX, _TITLE_PX + room + side + GAP_PX
    page = Image.new("RGB", (max(width, _LEAST_WIDTH_PX), height), PAGE)
    draw = ImageDraw.Draw(page)
    title = f"{trained.tested_on:,} images by class (rows) and the class that they were given"
    draw.text((GAP_PX, 10), shortened(title, large, page.width - 2 * GAP_PX), INK, large)
    if shown.left_out:
        total = len(shown.names) + shown.left_out
        note = f"the {len(shown.names)} classes with the most mistakes of {total:,}"
        draw.text((GAP_PX, 34), shortened(note, small, page.width - 2 * GAP_PX), FAINT, small)
    top, left = _TITLE_PX + room, GAP_PX + room
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=CELL)
    for number, name in enumerate(shown.names):
        text = shortened(printable(name), small, room - 8)
        offset = number * _CELL_PX
        width = round(small.getlength(text))
        draw.text((left - 6 - width, top + offset + 5), text, INK, small)
        page.paste(_upright(text, room), (left + offset + 4, top - room))
    for row, column in zip(*np.nonzero(shown.counts), strict=True):
        share = float(shown.shares[row, column])
        corner = left + int(column) * _CELL_PX, top + int(row) * _CELL_PX
        _draw_cell(draw, corner, share, int(shown.counts[row, column]), right=row == column)
    return page


def _draw_cell(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], share: float, count: int, *, right: bool
) -> None:
    x, y = corner
    strength = 0.15 + 0.85 * share
    color = tuple(round(255 + (full - 255) * strength) for full in (_RIGHT if right else _WRONG))
    draw.rectangle((x, y, x + _CELL_PX - 2, y + _CELL_PX - 2), fill=color)
    text = f"{count}" if count < 1000 else "..."
    small = font(11)
    width = small.getlength(text)
    ink = "#ffffff" if strength > 0.6 else INK
    draw.text((x + (_CELL_PX - 2 - width) / 2, y + 6), text, ink, small)


def _upright(text: str, room: int) -> Image.Image:
    """A name that is read from below."""
    label = Image.new("RGB", (room - 4, 18), PAGE)
    ImageDraw.Draw(label).text((2, 1), text, INK, font(12))
    return label.rotate(90, expand=True)


def write_confusion(trained: Training, target: Path, _config: Config) -> WrittenFile:
    """Draw the matrix into a file, in the format of its ending; needs no settings.

    Raises
    ------
    OutputError
        The target cannot be written.
    """
    save_page(draw_confusion(trained), target)
    return WrittenFile.of("matrix", target, 0, 0)
