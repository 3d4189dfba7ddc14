"""Crops of free photographs that ship inside scikit-image (licences: samples/README.md)."""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data

from scenes.canvas import Field, f32

# x, y, width, height in the photograph, then the scale of the sample
Crop = tuple[int, int, int, int, float]

# Parts of the Hubble eXtreme Deep Field (1000 x 872) that do not overlap.
GALAXIES: list[Crop] = [
    (10, 10, 300, 200, 1.0), (320, 10, 240, 240, 1.0), (570, 10, 200, 264, 1.0),
    (780, 10, 210, 210, 1.0), (10, 220, 240, 240, 1.0), (260, 255, 280, 205, 1.0),
    (550, 280, 230, 230, 1.0), (790, 230, 200, 270, 1.0), (10, 470, 300, 190, 1.0),
    (550, 515, 320, 200, 1.0),
]  # fmt: skip

# All of the gravel (512 x 512), cut into parts that do not overlap.
GRAVEL: list[Crop] = [
    *((0, 128 * k, 256, 128, 1.2) for k in range(4)),
    *((256 + 128 * (k % 2), 170 * (k // 2), 128, 170, 1.5) for k in range(6)),
]

# The coffee (600 x 400): all of it, then parts of several sizes.
COFFEE: list[Crop] = [
    (0, 0, 600, 400, 0.5), (175, 12, 240, 200, 1.1), (312, 195, 130, 140, 1.6),
    (70, 150, 190, 240, 1.05), (240, 205, 300, 190, 1.0), (385, 40, 210, 170, 1.3),
    (182, 195, 120, 125, 1.8), (60, 0, 170, 190, 1.25), (0, 225, 260, 175, 1.1),
    (330, 20, 150, 260, 1.1),
]  # fmt: skip


def load(name: str) -> npt.NDArray[np.uint8]:
    """Return a photograph of scikit-image by the name of the function that loads it."""
    return np.asarray(getattr(data, name)(), dtype=np.uint8)


def cut(photo: npt.NDArray[np.uint8], crop: Crop, gain: Field) -> Image.Image:
    """Cut out a part, scale it and multiply its colours by a gain (3,)."""
    x, y, wide, high, scale = crop
    part = f32(photo[y : y + high, x : x + wide]) / 255.0
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = f32(cv2.resize(part, (round(wide * scale), round(high * scale)), interpolation=method))
    return Image.fromarray((np.clip(part * gain, 0, 1) * 255.0 + 0.5).astype(np.uint8))


def galaxy(index: int) -> Image.Image:
    """Return a part of the Hubble eXtreme Deep Field, brightened for small prints."""
    return cut(load("hubble_deep_field"), GALAXIES[index], f32([1.35, 1.35, 1.35]))


def gravel(index: int) -> Image.Image:
    """Return a part of the grey gravel, tinted between sand and slate."""
    grey = load("gravel")
    warm = ((index * 7) % 10 / 9.0 - 0.5) * 0.14
    gain = (0.85 + 0.4 * ((index * 3) % 10) / 9.0) * f32([1 + warm, 1.0, 1 - warm])
    return cut(np.stack([grey] * 3, axis=-1), GRAVEL[index], gain)


def coffee(index: int) -> Image.Image:
    """Return a part of the coffee; each index has a slightly different light."""
    gain = (0.88 + 0.26 * ((index * 7) % 10) / 9.0) * f32([1.0, 1.0, 1.0])
    return cut(load("coffee"), COFFEE[index], gain)
