"""A picture back from its point: a linear map from points to 32 x 32 pixels, learned on a folder.

Pictures are written as cosines (DCT) of lightness and two opponent colours. Ridge regression
predicts each of these numbers from the point. The strength of the ridge is chosen for each band of
frequencies: what a point says little about, such as fine detail, shrinks to the mean. So roughness
is penalised as much as the folder's own images suggest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imgbatch.files.unpacked import numbers
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats, View

SIDE_PX = 32
_STRENGTHS = 10.0 ** np.arange(-3, 3.01, 0.25)
"""Of the ridge, in units of the points' total variance times their number."""
_OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
"""Lightness, red against blue, green against magenta: orthonormal."""
_FLAT = 1e-6
_BAND = 4
"""Frequencies (u + v) that share a strength."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoder:
    """Makes a picture of a point.

    Attributes
    ----------
    mean
        (p,) float32: the mean point.
    weights
        (p, 3072) float32: what each coordinate adds to the 32 x 32 x 3 pixels.
    average
        (3072,) float32: the mean picture.
    psnr
        How near pictures come that were not learned from, in dB: an estimate by generalised
        cross-validation.

    Examples
    --------
    >>> points = np.eye(4, dtype=np.float32).repeat(6, axis=0)
    >>> greys = np.array([0, 80, 160, 240], np.uint8).repeat(6)
    >>> pictures = np.broadcast_to(greys[:, None, None, None], (24, 32, 32, 3))
    >>> decoder = Decoder.fit(points, pictures, [slice(0, 4)])
    >>> picture = decoder.picture(points[0])
    >>> picture.shape, bool(picture.max() < 10)
    ((32, 32, 3), True)
    """

    mean: Floats
    weights: Floats
    average: Floats
    psnr: float

    ARRAYS: ClassVar = ("mean", "weights", "average", "psnr")

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that `of` needs, by name."""
        return {name: np.asarray(getattr(self, name)) for name in self.ARRAYS}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Decoder":
        """The decoder of these arrays; `KeyError` or `ValueError` if they do not make one."""
        mean, pixels = arrays["mean"], 3 * SIDE_PX**2
        shapes = (mean.shape[:1], (len(mean), pixels), (pixels,), ())
        *stored, psnr = (
            numbers(arrays, name, shape) for name, shape in zip(cls.ARRAYS, shapes, strict=True)
        )
        mean, weights, average = (array.astype(np.float32) for array in stored)
        return cls(mean, weights, average, float(psnr))

    @classmethod
    def fit(cls, points: Floats, pictures: View, blocks: Sequence[slice]) -> "Decoder":
        """Learn from n images.

        Parameters
        ----------
        points
            (n, p) float32.
        pictures
            (n, 32, 32, 3) uint8.
        blocks
            The columns of each descriptor. They are scaled to equal variance here: a weight says
            how much a descriptor counts in a distance, not how much it tells of a picture.

        Notes
        -----
        Ridge regression: Hoerl and Kennard 1970; its strength by generalised cross-validation:
        Golub, Heath, Wahba 1979, here one strength for each colour and band of frequencies.
        Deterministic. O(n p^2 + n p 3072).
        """
        from scipy.fft import dctn

        count = len(points)
        opponent = pictures.astype(np.float32) @ _OPPONENT.T.astype(np.float32)
        cosines = dctn(opponent, axes=(1, 2), norm="ortho").reshape(count, -1)
        average, mean = cosines.mean(axis=0), points.mean(axis=0, dtype=np.float64)
        with one_blas_thread():  # more would change the last bits
            scales = _scales(points - mean, blocks)
            left, lengths, right = np.linalg.svd((points - mean) * scales, full_matrices=False)
            seen = left.T @ (cosines - average)
            whole = ((cosines - average) ** 2).sum(axis=0, dtype=np.float64)
            kept, residual = _shrunk(lengths, seen, whole, count)
            solved = scales[:, None] * (right.T @ (kept * seen))
        return cls(
            mean.astype(np.float32),
            _pixels(solved).astype(np.float32),
            _pixels(average[None])[0].astype(np.float32),
            float(10 * np.log10(255**2 / max(residual / (count * cosines.shape[1]), 1e-9))),
        )

    def picture(self, point: Floats) -> View:
        """The picture that a point (p,) keeps: (32, 32, 3) uint8."""
        values = (point - self.mean) @ self.weights + self.average
        return np.rint(values).clip(0, 255).astype(np.uint8).reshape(SIDE_PX, SIDE_PX, 3)


def _scales(centred: Floats, blocks: Sequence[slice]) -> Floats:
    """(p,) factors that give every block the same variance; 0 for a block without any."""
    scales = np.zeros(centred.shape[1])
    for columns in blocks:
        deviation = np.sqrt((centred[:, columns].astype(np.float64) ** 2).sum() / len(centred))
        scales[columns] = 1 / deviation if deviation > _FLAT else 0
    return scales.astype(np.float32)


def _shrunk(
    lengths: Floats, seen: Floats, whole: npt.NDArray[np.float64], count: int
) -> tuple[Floats, float]:
    """What each principal axis of the points counts for, and the squared error to expect.

    Parameters
    ----------
    lengths
        (k,) singular values of the centred points.
    seen
        (k, m): the cosines along the left singular vectors.
    whole
        (m,) sums of squares of the cosines.
    count
        Number of images.

    Returns
    -------
    kept, error
        (k, m) factors, the inverse singular values among them; the sum of squared errors of all
        images if each was left out.
    """
    squares = lengths.astype(np.float64) ** 2
    squared = seen.astype(np.float64) ** 2
    frequency = np.add.outer(np.arange(SIDE_PX), np.arange(SIDE_PX)) // _BAND
    band = (frequency[:, :, None] * 3 + np.arange(3)).reshape(-1)
    best = np.full(band.max() + 1, np.inf)
    strength = np.zeros(len(best))
    for ridge in _STRENGTHS * max(float(squares.sum()), _FLAT):
        factor = squares / (squares + ridge)
        error = whole - (2 * factor - factor**2) @ squared
        free = 1 - (factor.sum() + 1) / count  # the mean is learned, too
        of_bands = np.bincount(band, error) / max(free, 1e-6) ** 2
        better = of_bands < best
        best[better], strength[better] = of_bands[better], ridge
    flat = lengths < _FLAT * max(float(lengths.max()), _FLAT)
    kept = lengths[:, None] / np.maximum(squares[:, None] + strength[band], 1e-12)
    kept[flat] = 0
    return kept.astype(np.float32), float(best.sum())


def _pixels(cosines: Floats) -> Floats:
    """(n, 3072) cosines of opponent colours -> (n, 3072) values of red, green, blue."""
    from scipy.fft import idctn

    shaped = cosines.reshape(-1, SIDE_PX, SIDE_PX, 3)
    pixels: Floats = idctn(shaped, axes=(1, 2), norm="ortho") @ _OPPONENT
    return pixels.reshape(len(cosines), -1)
