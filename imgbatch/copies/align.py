"""Lay one picture over another one, and tell how far their details agree.

Both are squares of grey values. A motion (2, 3) is an affine map from places in the target to
places in the source; coordinates run from -0.5 to 0.5 across a square of any size.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats

_ROBUST_STEPS = 2
_LEAST_NOISE = 2.0  # grey values
_MOST_GAIN = 5.0
_MOST_STEP = 0.12  # of a square's side
_DETAIL_SHARE, _DETAIL_PX = 0.1, 3.0  # widths of the Gaussian mean; the smaller counts
_FLAT_SHARE = 0.1  # of the picture's variance; blocks with less have no details to compare
_LEAST_VARIANCE = 1.0  # of grey values, below which a picture has no details
_BLOCK_AGREES = 0.7  # correlation of a block's details
_COVERED = 0.7  # of a block's pixels
_RIM_SHARE = 1 / 32  # of a side: pixels there may mix a picture with its frame


def aligned(sources: Floats, targets: Floats, motions: Floats, steps: int) -> Floats:
    """Improve motions so that each source, moved, resembles its target.

    Parameters
    ----------
    sources
        (p, r, r) float32 grey values. Where a small part of the source is the whole target, r is
        larger than s, so that this part shows as many details.
    targets
        (p, s, s) float32.
    motions
        (p, 2, 3) float32 to start from.
    steps
        Of the search.

    Returns
    -------
    (p, 2, 3) float32.

    Notes
    -----
    Gauss-Newton on the compositional motion (Baker and Matthews, "Lucas-Kanade 20 years on", IJCV
    2004), where each picture may differ in brightness and contrast, and pixels that fit badly, such
    as those of a watermark, count little (Geman-McClure weights). O(p s^2) a step.

    Examples
    --------
    >>> y, x = np.mgrid[:16, :16].astype(np.float32)
    >>> picture = np.exp(-((x - 7) ** 2 + (y - 9) ** 2) / 20)[None] * 255
    >>> start = np.array([[[1, 0, 1 / 16], [0, 1, 0]]], np.float32)  # a pixel too far right
    >>> bool(abs(aligned(picture, picture, start, 5)[0, 0, 2]) < 0.01)
    True
    """
    count, side, _ = targets.shape
    x, y, _ = _places(side)
    values = targets.reshape(count, side * side)
    for _ in range(steps):
        moved, inside = _moved(sources, motions, side)
        residual, gain, centred, weights = _residual(moved, values, inside)
        slope_x, slope_y = _slopes(moved.reshape(count, side, side))
        slope_x *= gain[:, None]
        slope_y *= gain[:, None]
        jacobian = np.stack(
            [slope_x * x, slope_x * y, slope_x, slope_y * x, slope_y * y, slope_y], axis=1
        )
        motions = _composed(motions, _step(jacobian, residual, centred, weights))
    return motions


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the details of moved sources and their targets agree.

    Attributes
    ----------
    whole
        (p,) -1..1: correlation of all details.
    typical
        (p,) -1..1: the median of the correlations block by block, which a mark on a part of the
        picture does not change.
    share
        (p,) 0..1: how many of the blocks agree.
    rich
        (p,) 0..0.5: how many details the blocks have, on average.
    """

    whole: Floats
    typical: Floats
    share: Floats
    rich: Floats

    def of(self, chosen: npt.NDArray[np.generic]) -> "Agreement":
        """The figures of some of the pairs."""
        return Agreement(*(getattr(self, name)[chosen] for name in self.__slots__))


def agreement(sources: Floats, targets: Floats, motions: Floats) -> Agreement:
    """Compare the details of pictures, where the moved source covers the target.

    Details are what differs from a Gaussian mean around each pixel, so that light and shade do not
    count. A block of an eighth of the side counts as much as it has corners (Harris and Stephens,
    1988, here the smaller eigenvalue's share): straight edges can be laid over one another in any
    two pictures. The rim does not count. Where there is nothing to compare, nothing agrees.
    O(p s^2).
    """
    count, side, _ = targets.shape
    moved, inside = _moved(sources, motions, side)
    mask = inside.reshape(count, side, side).astype(np.float32)
    mask *= _inner(side)
    a, b = _details(moved.reshape(count, side, side)) * mask, _details(targets) * mask
    whole = _Correlated.of(mask, a, b, np.ones((1, side), np.float32))
    blocks = _Correlated.of(mask, a, b, _block_sums(side))
    contrast = whole.varied_a / np.maximum(whole.varied_b, 1e-3)
    varied = np.maximum(blocks.varied_a, blocks.varied_b * contrast)
    covered = blocks.pixels >= _COVERED * _block_sums(side)[0].sum() ** 2
    counted = covered & (varied > _FLAT_SHARE * whole.varied_a)
    counted &= np.minimum(whole.varied_a, whole.varied_b) > _LEAST_VARIANCE
    weights = np.where(counted, np.maximum(_corners(a), _corners(b)), 0)
    weights, correlations = _rows(weights), _rows(blocks.correlation)
    total = np.maximum(weights.sum(axis=1), np.float32(1e-6))
    return Agreement(
        np.where(weights.any(axis=1), whole.correlation[:, 0, 0], 0),
        _weighted_medians(correlations, weights),
        (weights * (correlations > _BLOCK_AGREES)).sum(axis=1) / total,
        weights.sum(axis=1) / np.maximum(covered.sum(axis=(1, 2)), 1),
    )


def agreement_as_they_lie(a: Floats, b: Floats) -> Floats:
    """(p,) -1..1: correlation of all details of pictures (p, s, s) that are not moved."""
    everywhere = np.ones((1, a.shape[1]), np.float32)
    found = _Correlated.of(np.ones_like(a), _details(a), _details(b), everywhere)
    return np.asarray(found.correlation[:, 0, 0])


# ----- moving -------------------------------------------------------------------------------------


def _moved(pictures: Floats, motions: Floats, side: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Pictures (p, r, r) at moved places (p, side^2), interpolated, and which lie inside."""
    count, size, _ = pictures.shape
    places = (motions.reshape(2 * count, 3) @ _places(side) + np.float32(0.5)) * np.float32(size)
    places = (places - np.float32(0.5)).reshape(count, 2, side * side)
    inside = ((places >= -0.5) & (places <= size - 0.5)).all(axis=1)
    np.clip(places, 0, size - 1.001, out=places)
    whole = places.astype(np.int32)
    x, y = np.moveaxis(places - whole, 1, 0)
    at = whole[:, 1] * size + whole[:, 0]
    at += (np.arange(count, dtype=np.int32) * size * size)[:, None]
    flat = pictures.reshape(-1)
    above, below = flat.take(at), flat.take(at + size)
    above += x * (flat.take(at + 1) - above)
    below += x * (flat.take(at + size + 1) - below)
    above += y * (below - above)
    return above, inside


@cache
def _places(side: int) -> Floats:
    """(3, s * s) float32: x and y of each pixel, and ones."""
    along = ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)
    x, y = np.meshgrid(along, along)
    return np.stack([x.ravel(), y.ravel(), np.ones(side * side, np.float32)])


def _slopes(pictures: Floats) -> tuple[Floats, Floats]:
    """Slopes along x and y (p, s * s), by the side of the square; 0 at the rim."""
    count, side, _ = pictures.shape
    along_x, along_y = np.zeros_like(pictures), np.zeros_like(pictures)
    np.subtract(pictures[:, :, 2:], pictures[:, :, :-2], out=along_x[:, :, 1:-1])
    np.subtract(pictures[:, 2:], pictures[:, :-2], out=along_y[:, 1:-1])
    along_x *= side / 2
    along_y *= side / 2
    return along_x.reshape(count, side * side), along_y.reshape(count, side * side)


def _residual(
    moved: Floats, values: Floats, inside: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, Floats]:
    """What brightness and contrast leave unexplained: residual, gain, centred sources, weights."""
    weights = inside.astype(np.float32)
    for step in range(_ROBUST_STEPS):
        total = weights.sum(axis=1) + np.float32(1e-6)
        centred = moved - (_dots(weights, moved) / total)[:, None]
        of_values = values - (_dots(weights, values) / total)[:, None]
        weighted = weights * centred
        gain = _dots(weighted, of_values) / (_dots(weighted, centred) + np.float32(1e-3))
        gain = np.clip(gain, -_MOST_GAIN, _MOST_GAIN)
        residual = of_values - gain[:, None] * centred
        if step + 1 < _ROBUST_STEPS:
            size = np.abs(residual)
            counted = inside.sum(axis=1) + np.float32(1e-6)
            noise = _dots(size, inside.astype(np.float32)) / counted + np.float32(_LEAST_NOISE)
            weights = inside / (1 + (size / (2 * noise[:, None])) ** 2) ** 2
            weights = weights.astype(np.float32)
    return residual, gain, centred, weights


def _step(jacobian: Floats, residual: Floats, centred: Floats, weights: Floats) -> Floats:
    """(p, 6) the change of motion that lowers the weighted residual most.

    What a change of brightness or contrast would explain is taken out.
    """
    weighted = jacobian * weights[:, None]
    hessian = weighted @ jacobian.transpose(0, 2, 1)
    brightness = weighted.sum(axis=2)
    contrast = np.matmul(weighted, centred[:, :, None])[:, :, 0]
    total = weights.sum(axis=1) + np.float32(1e-6)
    spread = _dots(weights * centred, centred) + np.float32(1e-3)
    hessian -= brightness[:, :, None] * brightness[:, None] / total[:, None, None]
    hessian -= contrast[:, :, None] * contrast[:, None] / spread[:, None, None]
    damping = np.trace(hessian, axis1=1, axis2=2) * np.float32(2e-4) + np.float32(1e-2)
    hessian += damping[:, None, None] * np.eye(6, dtype=np.float32)
    towards = np.matmul(weighted, residual[:, :, None])
    step = np.linalg.solve(hessian, towards)[:, :, 0]
    return np.asarray(step / np.maximum(1, np.abs(step).max(axis=1, keepdims=True) / _MOST_STEP))


def _composed(motions: Floats, step: Floats) -> Floats:
    """Motions after a small motion of the target."""
    small = step.reshape(-1, 2, 3)
    linear = motions[:, :, :2]
    moved = linear @ small
    moved += motions
    return moved.astype(np.float32)


def _dots(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("pn,pn->p", a, b))


# ----- comparing ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Correlated:
    """Correlations of two pictures' pixels, area by area, (p, k, k) each.

    `pixels` is the number counted, `varied_a` and `varied_b` are variances.
    """

    pixels: Floats
    varied_a: Floats
    varied_b: Floats
    correlation: Floats

    @classmethod
    def of(cls, mask: Floats, a: Floats, b: Floats, sums: Floats) -> "_Correlated":
        pixels, sum_a, sum_b, square_a, square_b, product = (
            sums @ x @ sums.T for x in (mask, a, b, a * a, b * b, a * b)
        )
        n = np.maximum(pixels, np.float32(1))
        varied_a = np.maximum(square_a - sum_a * sum_a / n, 0) / n
        varied_b = np.maximum(square_b - sum_b * sum_b / n, 0) / n
        together = (product - sum_a * sum_b / n) / n
        correlation = together / np.sqrt(np.maximum(varied_a * varied_b, 1e-6))
        single = np.float32
        return cls(*(x.astype(single) for x in (pixels, varied_a, varied_b, correlation)))


def _details(pictures: Floats) -> Floats:
    smooth = _gaussian(pictures.shape[1])
    return np.asarray(pictures - smooth @ pictures @ smooth.T, np.float32)


@cache
def _gaussian(side: int) -> Floats:
    """(s, s) weights of a Gaussian mean along one direction."""
    apart = np.arange(side)[:, None] - np.arange(side)
    width = min(_DETAIL_SHARE * side, _DETAIL_PX)
    weights = np.exp(-(apart**2) / (2 * width**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


@cache
def _inner(side: int) -> Floats:
    """(s, s) ones, and zeros at the rim."""
    rim = int(_RIM_SHARE * side)
    return np.pad(np.ones((side - 2 * rim, side - 2 * rim), np.float32), rim)


@cache
def _block_sums(side: int) -> Floats:
    """(15, s) ones for the pixels of each block: an eighth of the side, every sixteenth."""
    size, step = max(side // 8, 4), max(side // 16, 2)
    firsts = range(0, side - size + 1, step)
    sums = np.zeros((len(firsts), side), np.float32)
    for block, first in enumerate(firsts):
        sums[block, first : first + size] = 1
    return sums


def _rows(blocks: Floats) -> Floats:
    return np.asarray(blocks.reshape(len(blocks), blocks.shape[1] * blocks.shape[2]))


def _corners(details: Floats) -> Floats:
    """(p, k, k) 0..0.5: how far the slopes of each block point in several directions."""
    count, side, _ = details.shape
    slope_x, slope_y = (slope.reshape(count, side, side) for slope in _slopes(details))
    sums = _block_sums(side)
    xx, yy, xy = (
        sums @ product @ sums.T
        for product in (slope_x * slope_x, slope_y * slope_y, slope_x * slope_y)
    )
    total = xx + yy
    smaller = total / 2 - np.hypot((xx - yy) / 2, xy)
    return np.asarray(np.maximum(smaller, 0) / np.maximum(total, 1e-6))


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """(p,) the weighted median of each row; 0 where nothing has weight."""
    order = np.argsort(values, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    middle = (reached >= reached[:, -1:] / 2).argmax(axis=1)
    medians = np.take_along_axis(values, np.take_along_axis(order, middle[:, None], 1), 1)[:, 0]
    return np.where(reached[:, -1] > 0, medians, 0).astype(np.float32)
