"""A folder whose classes take some learning: a patch tells them apart, the rest is any picture."""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.drawing import photo

CLASSES = 8
IMAGES = 10
_PATCH = slice(16, 32), slice(24, 40)


def draw_classes(folder: Path) -> Path:
    """Ten pictures of each of eight classes, whose hue fills a patch of grey photographs."""
    for label in range(CLASSES):
        (folder / f"kind{label}").mkdir(parents=True)
        hue = colorsys.hsv_to_rgb(label / CLASSES, 0.9, 0.8)
        for number in range(IMAGES):
            picture = photo(100 * label + number, 64, 48).convert("L").convert("RGB")
            pixels = np.array(picture)
            pixels[_PATCH] = np.rint(255 * np.array(hue))
            Image.fromarray(pixels).save(folder / f"kind{label}" / f"{number}.png")
    return folder
