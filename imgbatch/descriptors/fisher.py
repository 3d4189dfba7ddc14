"""Fisher vectors: how a picture's local descriptors differ from a fixed dictionary of such."""

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.types import Floats, View

Doubles = npt.NDArray[np.float64]
ARRAYS = ("mean", "axes", "spread", "weights", "means", "deviations")
"""Names of a dictionary's arrays, also on disk."""
_FOLDER = Path(__file__).with_name("dictionaries")
_STEPS = 600
"""Steps of a code for a value of 1. Values are seldom beyond 127 steps, which are 0.21."""
_ONE_THREAD = 1 << 18
"""OpenBLAS gives products of at most this many multiplications to one thread."""
_TINY = 1e-12
_MAP = 16
"""Squares along each side of what `FisherVector.differing` shows."""


@dataclass(frozen=True)
class Dictionary:
    """What local descriptors of d values are usually like: principal axes and a Gaussian mixture.

    The mixture describes local descriptors of k + 2 values: k principal components, and the place
    in the picture times `spread`. All arrays are float64 with values that float16 holds.

    Attributes
    ----------
    mean, axes
        (d,) mean and (k, d) principal axes of local descriptors.
    spread
        (1,) factor of a place, which is in -0.5..0.5 along each side.
    weights
        (m,) shares of the components of the mixture.
    means, deviations
        (m, k + 2) mean and standard deviation of each component along each value.
    """

    mean: Doubles
    axes: Doubles
    spread: Doubles
    weights: Doubles
    means: Doubles
    deviations: Doubles

    @cached_property
    def digest(self) -> str:
        """16 hex digits that change with any value of any array."""
        sums = hashlib.sha256()
        for name in ARRAYS:
            array = getattr(self, name).astype("<f8")
            sums.update(f"{name} {array.shape} ".encode())
            sums.update(array.tobytes())
        return sums.hexdigest()[:16]


@lru_cache(maxsize=8)
def load_dictionary(name: str) -> Dictionary:
    """The dictionary of a descriptor, as ``tools/make_dictionary.py`` has made it.

    >>> dictionary = load_dictionary("fisher_color")
    >>> dictionary.axes.shape, dictionary.means.shape
    ((24, 96), (32, 26))
    """
    with np.load(_FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return Dictionary(**{array: stored[array].astype(np.float64) for array in ARRAYS})


class FisherVector(Descriptor):
    """Base of descriptors that sum up many local descriptors as one Fisher vector.

    A local descriptor tells what a small part of the picture looks like. A mixture of Gaussians,
    the dictionary, tells what local descriptors of many pictures are like. The Fisher vector is the
    direction in which the dictionary's means and deviations would have to change to describe this
    picture's local descriptors better. In short, for each component it says how the picture's
    local descriptors near it differ from it on average, and how much more or less they vary.

    Local descriptors are projected on principal axes; their place in the picture is appended, so
    that the vector also tells where things are. The signed square root of each value is taken, so
    that what fills the picture does not outweigh everything else, and the vector is scaled to
    length 1. A code holds round(600 * value) + 128 of each value, cut to 1..255; first all values
    of means, then of deviations, component by component.

    Source: Perronnin, Sanchez and Mensink, "Improving the Fisher kernel for large-scale image
    classification", ECCV 2010; places as in Sanchez, Perronnin and de Campos, "Modeling the spatial
    layout of images beyond spatial pyramids", Pattern Recognition Letters 2012. Departures: a small
    mixture (32 components) that is fixed and shipped, learned from the project's own sample
    pictures, so that codes of different folders mean the same; no gradient by the mixture's
    weights; codes are bytes.

    Equal pixels give equal bytes, whatever the number of threads: see `matmul`.
    """

    @abstractmethod
    def local_descriptors(self, view: View) -> Floats:
        """(h, w, 3) uint8 -> (d, n) float32: column i is the local descriptor at place i."""

    @property
    @abstractmethod
    def places(self) -> Floats:
        """(2, n) float32: x and y of the middle of each local descriptor, in -0.5..0.5."""

    @property
    @abstractmethod
    def pieces(self) -> int:
        """Number of equal pieces that the n local descriptors are worked on in."""

    @property
    def dim(self) -> int:
        """A mean and a deviation of each value of each component."""
        return 2 * load_dictionary(self.name).means.size

    def describe(self, view: View) -> Codes:
        """Compute local descriptors, compare them with the dictionary, round."""
        codes: Codes = self.describe_many([view])[0]
        return codes

    def describe_many(self, views: Sequence[View]) -> Codes:
        """The same for n pictures, (n, dim); the last, short steps are done for all at once."""
        model = _model(self)
        vectors = model.vectors(np.stack([model.sums(self.local_descriptors(v)) for v in views]))
        codes: Codes = (np.rint(_STEPS * vectors).clip(-127, 127) + 128).astype(np.uint8)
        return codes

    def differing(self, view: View, codes: Codes, other: Codes) -> Floats:
        """Where a picture holds what sets its codes apart from those of another, for people to see.

        A place counts as much as the components that its local descriptors belong to differ between
        the two codes.

        Parameters
        ----------
        view
            The picture.
        codes, other
            (dim,) bytes: the picture's own codes, and those of the other picture.

        Returns
        -------
        Floats
            (16, 16) float32 in 0..1, rows from top to bottom; all 0 if the codes are equal.
        """
        components = load_dictionary(self.name).means.shape
        away = self.features(codes[None]) - self.features(other[None])
        apart = np.square(away).reshape(2, *components).sum(axis=(0, 2))
        heat = apart @ _model(self).shares(self.local_descriptors(view))
        column, row = np.minimum(((self.places + 0.5) * _MAP).astype(int), _MAP - 1)
        sums, counts = (
            np.bincount(row * _MAP + column, weights, _MAP**2) for weights in (heat, None)
        )
        seen = counts > 0
        shown = np.divide(sums, counts, out=np.full(_MAP**2, np.nan), where=seen)
        shown -= shown[seen].min()
        shown /= max(float(shown[seen].max()), _TINY)
        return _filled(shown.reshape(_MAP, _MAP)).astype(np.float32)

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim): the values, in -0.214..0.212."""
        return np.multiply(codes.astype(np.float32) - 128, 1 / _STEPS, dtype=np.float32)

    def parameters(self) -> dict[str, Any]:
        """The fields, and what the dictionary's values are."""
        return asdict(self) | {"dictionary": load_dictionary(self.name).digest}


@lru_cache(maxsize=8)
def _model(descriptor: FisherVector) -> "_Model":
    return _Model(load_dictionary(descriptor.name), descriptor.places, descriptor.pieces)


class _Model:
    """A dictionary made ready: everything that does not depend on the picture is computed once.

    A local descriptor becomes a column of values: 1, the k components and 2 coordinates, and the
    squares of these k + 2. The log density of each component of the mixture is a sum of these
    values with fixed factors, and so are the gradients.
    """

    def __init__(self, dictionary: Dictionary, places: Floats, pieces: int) -> None:
        self._axes = dictionary.axes.astype(np.float32)
        self._centre = (dictionary.axes * dictionary.mean).sum(axis=1).astype(np.float32)[:, None]
        self._places = _in_pieces((places * dictionary.spread).astype(np.float32), pieces)
        weights, means = dictionary.weights[:, None], dictionary.means
        precisions = 1 / dictionary.deviations**2
        constants = np.log(weights) - np.log(dictionary.deviations).sum(axis=1, keepdims=True)
        constants -= (means**2 * precisions / 2).sum(axis=1, keepdims=True)
        factors = np.concatenate([constants, means * precisions, precisions / -2], axis=1)
        self._factors = factors.astype(np.float32)
        self._means = means
        self._mean_scale = 1 / (dictionary.deviations * np.sqrt(weights))
        self._variance_scale = precisions / np.sqrt(2 * weights)
        self._mass_scale = 1 / np.sqrt(2 * weights)

    def shares(self, local: Floats) -> Floats:
        """(d, n) local descriptors -> (m, n): the share of each component in each of them."""
        pieces: Floats = self._shares(self._values(local)).transpose(1, 0, 2)
        return pieces.reshape(len(pieces), -1)

    def sums(self, local: Floats) -> Doubles:
        """(d, n) local descriptors -> (m, 1 + 2 (k + 2)): the mean of their values.

        In each of the m rows they are weighted by their share of that component of the mixture.
        """
        values = self._values(local)
        by_piece = matmul(self._shares(values), values.transpose(0, 2, 1))
        sums: Doubles = by_piece.sum(axis=0, dtype=np.float64)
        sums /= local.shape[1]
        return sums

    def _shares(self, values: Floats) -> Floats:
        """(pieces, values, n / pieces) -> (pieces, m, n / pieces); the m shares sum to 1."""
        shares = matmul(self._factors, values)
        shares -= shares.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def _values(self, local: Floats) -> Floats:
        """(pieces, 1 + 2 (k + 2), n / pieces)."""
        pieces, _, columns = self._places.shape
        kept = len(self._axes)
        values = np.empty((pieces, 1 + 2 * (kept + 2), columns), np.float32)
        ones, first, second = np.split(values, (1, kept + 3), axis=1)
        ones[:] = 1
        components = matmul(self._axes, _in_pieces(local, pieces))
        np.subtract(components, self._centre, out=first[:, :kept])
        first[:, kept:] = self._places
        np.multiply(first, first, out=second)
        return values

    def vectors(self, sums: Doubles) -> Doubles:
        """Sums of p pictures (p, m, 1 + 2 (k + 2)) -> (p, dim), rows of length 1."""
        mass, first, second = np.split(sums, (1, 1 + self._means.shape[1]), axis=2)
        away = first - mass * self._means
        by_mean = away * self._mean_scale
        second -= (first + away) * self._means  # the squares about the component's mean
        by_deviation = second * self._variance_scale - mass * self._mass_scale
        vectors = np.stack([by_mean, by_deviation], axis=1).reshape(len(sums), -1)
        vectors = np.copysign(np.sqrt(np.abs(vectors)), vectors)
        lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
        unit: Doubles = vectors / np.maximum(lengths, _TINY)
        return unit


def _filled(grid: Doubles) -> Doubles:
    """The grid with squares at the border, where no place lies, as their nearest neighbours."""
    rows, columns = (np.flatnonzero(~np.isnan(grid).all(axis=axis)) for axis in (1, 0))
    nearest = [
        np.abs(np.arange(len(grid))[:, None] - known).argmin(axis=1) for known in (rows, columns)
    ]
    filled: Doubles = np.nan_to_num(grid[np.ix_(rows[nearest[0]], columns[nearest[1]])])
    return filled


def _in_pieces(columns: Floats, pieces: int) -> Floats:
    """(d, n) -> (pieces, d, n / pieces), without copying."""
    return columns.reshape(len(columns), pieces, -1).transpose(1, 0, 2)


def matmul(left: Floats, right: Floats) -> Floats:
    """Matrix products (..., m, k) x (..., k, n) -> (..., m, n), each in parts for one thread.

    A BLAS library that shares out a product among threads changes its last bits with their number,
    and so the bytes of a code at the borders of rounding. It shares out large products only.

    >>> ones = np.ones((300, 300), np.float32)
    >>> bool((matmul(ones, ones) == 300).all())
    True
    """
    inner = left.shape[-1]
    step = max(1, _ONE_THREAD // (left.shape[-2] * right.shape[-1]))
    parts = -(-inner // step)
    edges = [inner * part // parts for part in range(parts + 1)]
    product: Floats = left[..., : edges[1]] @ right[..., : edges[1], :]
    for start, stop in pairwise(edges[1:]):
        product += left[..., start:stop] @ right[..., start:stop, :]
    return product


def patches(maps: Floats, cells: int, apart: int, count: int, step: int) -> Floats:
    """(m, h, w) -> (cells, cells, m, count, count), without copying: what each patch consists of.

    Patches are `step` rows or columns from each other; each has cells x cells cells, which are
    `apart` rows or columns from each other.

    >>> maps = np.arange(49, dtype=np.float32).reshape(1, 7, 7)
    >>> patches(maps, cells=2, apart=3, count=2, step=2)[:, :, 0, 1, 0].tolist()
    [[14.0, 17.0], [35.0, 38.0]]
    """
    if (cells - 1) * apart + (count - 1) * step >= min(maps.shape[1:]):
        raise ValueError(f"{count} patches of {cells} cells do not fit into maps of {maps.shape}")
    layer, row, column = maps.strides
    strides = (apart * row, apart * column, layer, step * row, step * column)
    shape = (cells, cells, len(maps), count, count)
    view: Floats = as_strided(maps, shape, strides, writeable=False)
    return view


def sums_of_four(values: Floats, axis: int, out: Floats | None = None) -> Floats:
    """Sums over an axis of length 4; NumPy's own `sum` is slow over short axes.

    >>> sums_of_four(np.arange(8, dtype=np.float32).reshape(2, 4), axis=1).tolist()
    [6.0, 22.0]
    """
    first, second, third, fourth = np.moveaxis(values, axis, 0)
    sums: Floats = np.add(first, second, out=out)
    sums += third
    sums += fourth
    return sums
