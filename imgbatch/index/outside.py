"""Images that are not in the index: decode one, describe it, place it in a feature space."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imgbatch.descriptors import HASH, MINIATURE, Codes, as_integers
from imgbatch.embedding.projection import Descriptors, project_codes
from imgbatch.embedding.space import FeatureSpace
from imgbatch.images.view import Decoded
from imgbatch.index.extract import describe_data, describe_file
from imgbatch.types import DecodeOptions, Floats


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

    def read(self, path: str, hint: str) -> "ReadImage":
        """Decode a file and compute its codes.

        Raises
        ------
        SelectionError
            The file cannot be read or used; `hint` says what to do.
        """
        return ReadImage(self, *describe_file(path, self.descriptors, self.options, hint))

    def read_data(self, data: bytes, name: str, hint: str) -> "ReadImage":
        """The same for the bytes of a file, which the error calls `name`."""
        described = describe_data(data, name, self.descriptors, self.options, hint)
        return ReadImage(self, *described)


@dataclass(frozen=True, slots=True)
class ReadImage:
    """A decoded image with its codes: (dim,) uint8 by descriptor name."""

    reader: ImageReader
    decoded: Decoded
    codes: Mapping[str, Codes]

    def point(self, space: FeatureSpace) -> Floats:
        """The image in a fitted space: (p,) float32."""
        by_name = {descriptor.name: descriptor for _, descriptor in self.reader.descriptors}
        rows = {name: codes[None] for name, codes in self.codes.items()}
        point: Floats = project_codes(space, by_name, rows)[0]
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
