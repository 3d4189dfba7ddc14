"""Altered views of a picture: cropped, mirrored, in other light, as other photographs would be.

Fitting a feature space needs to know which changes of a descriptor mean nothing; see
`imgbatch.embedding.whitening`.
"""

import cv2
import numpy as np

from imgbatch.images.view import shrink, shrink_factor
from imgbatch.types import Floats, View

VERSION = 1
"""Raised whenever the same picture and generator give other views."""
LARGER = 2
"""Pictures to be cropped are decoded with views this many times larger."""
_AREA = (0.6, 1.0)
_LOG_ASPECT = 0.15
_LIGHT = (0.75, 1.3)
_SATURATION = (0.7, 1.4)
_CHANNEL = 0.07
_GREY = np.full((3, 3), 1 / 3, np.float32)


def altered(picture: View, view_px: int, random: np.random.Generator) -> View:
    """A random crop of 60 to 100% of the area, mirrored half of the time, in other colours.

    Sides of the crop change by up to 15% against each other; brightness and contrast by 0.75 to
    1.3, saturation by 0.7 to 1.4, each of red, green and blue by 7% at most.

    Parameters
    ----------
    picture
        (h, w, 3) uint8 RGB; best with a longer side of twice `view_px` or more.
    view_px
        As for `imgbatch.images.decode.decode`: the crop is halved as long as its longer side stays
        at least this.
    random
        Decides everything: a generator in the same state gives the same view.

    Examples
    --------
    >>> altered(np.zeros((300, 400, 3), np.uint8), 128, np.random.default_rng(0)).shape[2]
    3
    """
    crop = _cropped(picture, random)
    small = shrink(crop, shrink_factor(max(crop.shape[:2]), view_px))
    if random.random() < 0.5:
        small = cv2.flip(small, 1)
    view: View = cv2.transform(small, _light(small, random))  # rounded and cut to 0..255
    return view


def _cropped(picture: View, random: np.random.Generator) -> View:
    height, width = picture.shape[:2]
    area, aspect = random.uniform(*_AREA), np.exp(random.uniform(-_LOG_ASPECT, _LOG_ASPECT))
    rows = int(np.clip(round(height * np.sqrt(area / aspect)), 1, height))
    columns = int(np.clip(round(width * np.sqrt(area * aspect)), 1, width))
    top = int(random.integers(height - rows + 1))
    left = int(random.integers(width - columns + 1))
    return picture[top : top + rows, left : left + columns]


def _light(picture: View, random: np.random.Generator) -> Floats:
    """(3, 4): what red, green and blue become, as factors of each and a constant."""
    brightness, contrast = random.uniform(*_LIGHT, 2)
    saturation = random.uniform(*_SATURATION)
    channels = 1 + random.uniform(-_CHANNEL, _CHANNEL, 3)
    mixed = saturation * np.eye(3) + (1 - saturation) * _GREY
    colors = brightness * contrast * channels[:, None] * mixed
    mean = sum(cv2.mean(picture)[:3]) / 3
    constant = brightness * (1 - contrast) * mean * channels
    light: Floats = np.concatenate([colors, constant[:, None]], axis=1).astype(np.float32)
    return light
