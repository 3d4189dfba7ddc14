"""One image alone: what the descriptors see of it, and what its point keeps of the picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.descriptors import Descriptor
from imgbatch.index.decoder import in_little
from imgbatch.index.outside import ReadImage
from imgbatch.selection.explain import DescribedImage, describe_image
from imgbatch.shown import Shown
from imgbatch.types import View


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Description(Shown):
    """What is known of one image.

    Attributes
    ----------
    folder
        The folder whose images define the feature space.
    image
        What the descriptors saw.
    kept
        (32, 32, 3) uint8: the picture that a linear map makes of its point.
    little
        (32, 32, 3) uint8: the picture itself, as large.
    config
        Says how `sheet` reads the picture; None means the settings in force.
    """

    folder: str
    image: DescribedImage
    kept: View
    little: View
    config: Config | None = None

    def __repr__(self) -> str:
        return f"<imgbatch.Description of {self.image.relative!r}, {self.psnr:.1f} dB kept>"

    @property
    def paths(self) -> tuple[str, ...]:
        """The absolute path, or URL, of the image."""
        return (self.image.path,)

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio of `kept` against `little`; infinite if they are equal."""
        return psnr(self.kept, self.little)


def psnr(a: View, b: View) -> float:
    """Peak signal-to-noise ratio of two pictures in dB; infinite if they are equal.

    >>> round(psnr(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)), 2)
    13.98
    """
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def describe(
    folder: str,
    paths: tuple[str, str],
    image: ReadImage,
    descriptors: Mapping[str, Descriptor],
    kept: View,
) -> Description:
    """Put together what is shown of an image.

    Parameters
    ----------
    folder
        Whose space it is.
    paths
        The absolute path, and the path to show.
    image, descriptors
        The decoded image with its codes, and the descriptors by name.
    kept
        What its point keeps.
    """
    decoded = image.decoded
    size = decoded.width, decoded.height
    seen = describe_image(paths, size, decoded.view, descriptors, image.codes, image.codes)
    return Description(folder, seen, kept, in_little(decoded.view))
