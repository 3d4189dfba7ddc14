"""The quantities that are measured of a picture: the registry, and how each is kept in a byte."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imgbatch.types import Floats, View

COLOR_NAMES = (
    "black",
    "grey",
    "white",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
)
"""The eleven basic colour terms of Berlin and Kay (1969)."""
MEASURED = "measures"
"""Name of an image's block of bytes, beside those of the descriptors."""
_STEPS = 255


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity.

    Attributes
    ----------
    unit
        "share" (of pixels), "L*", "chroma" (both of CIELAB), "ratio" or "px".
    low, high
        Its range.
    meaning
        What it says of a picture, in words.
    source
        Where it comes from: "view", measured while the folder is read; "header", the size of the
        picture; "large view", measured on request, since files are read again for it.
    power
        A byte holds 255 ((value - low) / (high - low)) ** (1 / power): small shares are finer.
    """

    unit: str
    low: float
    high: float
    meaning: str
    source: Literal["view", "header", "large view"] = "view"
    power: float = 1.0


def _share(meaning: str) -> Measure:
    return Measure("share", 0, 1, meaning, power=2)


MEASURES: dict[str, Measure] = {
    **{name: _share(f"pixels whose nearest colour name is {name}") for name in COLOR_NAMES},
    "lightness": Measure("L*", 0, 100, "mean lightness"),
    "contrast": Measure("L*", 0, 100, "from the 5th to the 95th percentile of lightness"),
    "chroma": Measure("chroma", 0, 127.5, "mean chroma"),
    "most_chroma": Measure("chroma", 0, 127.5, "99th percentile of chroma"),
    "edges": _share("pixels with a strong gradient"),
    "even": _share("pixels as light as their neighbours, to one grey level"),
    "soft": _share("pixels with a weak gradient, as shading and texture have"),
    "border": _share("pixels along the border within dE 10 of its median colour"),
    "aspect": Measure("ratio", 0, np.inf, "width / height", "header"),
    "shorter_px": Measure("px", 1, np.inf, "shorter side", "header"),
    "longer_px": Measure("px", 1, np.inf, "longer side", "header"),
    "sharpness": Measure(
        "ratio", 1, np.inf, "detail of the 512 px view over that of its blurred copy", "large view"
    ),
}
"""All quantities by name. Those of the view come first, in the order of their bytes."""

STORED = tuple(name for name, measure in MEASURES.items() if measure.source == "view")
"""The quantities of which an index holds a byte each."""
_LOW = np.array([MEASURES[name].low for name in STORED], np.float32)
_RANGE = np.array([MEASURES[name].high for name in STORED], np.float32) - _LOW
_POWER = np.array([MEASURES[name].power for name in STORED], np.float32)


def as_bytes(values: Floats) -> View:
    """Values (n, len(STORED)) in units of the registry -> bytes of the same shape.

    >>> as_bytes(np.array([[0.25] * len(STORED)], np.float32))[0, :2].tolist()
    [128, 128]
    """
    levels = np.clip((values - _LOW) / _RANGE, 0, 1) ** (1 / _POWER)
    return np.rint(_STEPS * levels).astype(np.uint8)


def as_values(stored: View) -> Floats:
    """Bytes (n, len(STORED)) -> values in units of the registry, float32.

    >>> round(float(as_values(np.full((1, len(STORED)), 128, np.uint8))[0, 0]), 2)
    0.25
    """
    levels = stored.astype(np.float32) / np.float32(_STEPS)
    return np.asarray(_LOW + _RANGE * levels**_POWER, np.float32)
