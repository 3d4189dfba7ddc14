"""Images that are not in the index: decode one, describe it, place it in a feature space."""

import io
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imgbatch.descriptors import HASH, MINIATURE, Codes, Descriptor, as_integers
from imgbatch.embedding.projection import Descriptors, project_codes
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import SelectionError
from imgbatch.images.view import Decoded
from imgbatch.index.extract import describe_data, describe_file
from imgbatch.types import DecodeOptions, Floats

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture = str | os.PathLike[str] | Image | npt.NDArray[np.uint8]
    """A path, a Pillow picture, or an array (h, w, 3) RGB or (h, w) grey of uint8."""


_DAMAGED = (
    OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError,
    SyntaxError, SystemError, MemoryError, EOFError, AssertionError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises for pictures that are damaged or closed, as it decodes them only now."""


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Reads single image files as the index reads them.

    Attributes
    ----------
    descriptors
        The descriptors to compute, with their fingerprints.
    options
        How files are decoded.
    """

    descriptors: Descriptors
    options: DecodeOptions

    @property
    def by_name(self) -> dict[str, Descriptor]:
        """The descriptors by name."""
        return {descriptor.name: descriptor for _, descriptor in self.descriptors}

    def read(self, path: str, hint: str) -> "ReadImage":
        """Decode a file and compute its codes.

        Raises
        ------
        SelectionError
            The file cannot be read or used; `hint` says what to do.
        """
        return ReadImage(self, *describe_file(path, self.descriptors, self.options, hint))

    def read_picture(self, picture: "Picture", name: str) -> "ReadImage":
        """The same for a picture given in any way; messages call it `name` if it has no path.

        Pictures in memory are described as if they had been saved as PNG.
        """
        if isinstance(picture, str | os.PathLike):
            return self.read(os.fspath(picture), "name an image file")
        data = _as_png(picture, name)
        described = describe_data(data, name, self.descriptors, self.options, "give a picture")
        return ReadImage(self, *described)


@dataclass(frozen=True, slots=True)
class ReadImage:
    """A decoded image with its codes: (dim,) uint8 by descriptor name."""

    reader: ImageReader
    decoded: Decoded
    codes: Mapping[str, Codes]

    def point(self, space: FeatureSpace) -> Floats:
        """The image in a fitted space: (p,) float32."""
        rows = {name: codes[None] for name, codes in self.codes.items()}
        point: Floats = project_codes(space, self.reader.by_name, rows)[0]
        return point

    @property
    def phash(self) -> np.uint64:
        """The perceptual hash, by which copies of the image are recognised."""
        bits: np.uint64 = as_integers(self.codes[HASH][None])[0]
        return bits

    @property
    def miniature(self) -> Codes:
        """The picture in little: (1024,) uint8."""
        return self.codes[MINIATURE]


def _as_png(picture: Any, name: str) -> bytes:
    """A picture in memory as the bytes of a PNG file."""
    from PIL import Image

    if isinstance(picture, np.ndarray):
        shaped = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in {3, 4})
        if picture.dtype != np.uint8 or not shaped or not picture.size:
            raise SelectionError(
                f"{name} is an array {picture.shape} of {picture.dtype}",
                "give (h, w, 3) or (h, w) of uint8, RGB or grey",
            )
        picture = Image.fromarray(picture)
    elif not hasattr(picture, "convert"):
        raise SelectionError(
            f"{name} is a {type(picture).__name__}",
            "give a path, a Pillow picture or an array",
        )
    elif not all(picture.size):
        width, height = picture.size
        raise SelectionError(f"{name} has {width} x {height} pixels", "give a picture with some")
    try:
        return _saved(picture)
    except _DAMAGED as error:
        raise SelectionError(
            f"{name} is a picture that cannot be read: {error or type(error).__name__}",
            "give one that is whole and open",
        ) from None


def _saved(picture: "Image") -> bytes:
    from PIL import ImageOps

    file = io.BytesIO()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}:
        upright = upright.convert("RGB")
    upright.save(file, "PNG", compress_level=0)
    return file.getvalue()
