"""The feature space: descriptor blocks -> centred, PCA-reduced, whitened, weighted points."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from imgbatch.embedding.whitening import Augmented, noise_covariance, whitening_matrix
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats

Blocks = Mapping[str, Floats]
"""Descriptor name -> (n, d) float32, the same n for all."""

_TINY = 1e-12
_MOST_RATIO = 100
"""Of images' variance to that of views, for each component; 2 to 7 are usual."""
_FLAT = 1e-6
"""Variances below this share of the largest, and lengths below it, count as rounding errors."""


@dataclass(frozen=True, slots=True)
class BlockOptions:
    """How one descriptor's block becomes columns of the points.

    Attributes
    ----------
    weight
        Share of the mean squared distance, relative to the other blocks' weights; 0 leaves the
        block out.
    components
        Number of principal components kept at most.
    power
        Each component is divided by its standard deviation to this power: 0 changes nothing, 1
        whitens. With 0.5 strong directions stay ahead but do not dominate.
    """

    weight: float
    components: int
    power: float


@dataclass(frozen=True, slots=True)
class Block:
    """One fitted block: rows are centred, L2-normalised, projected, L2-normalised and scaled.

    With whitening, projected rows are centred once more, multiplied by a matrix and L2-normalised.

    Attributes
    ----------
    mean
        (d,) mean of the fitted rows.
    axes, offset
        (d, k) and (k,): the projection, which includes the scaling of components.
    scale
        Factor that gives the block its share of the mean squared distance.
    share
        That share; shares of all blocks sum to 1, unless nothing varies in a block.
    centre, whitening
        (k,) and (k, k), or both None.
    """

    mean: Floats
    axes: Floats
    offset: Floats
    scale: float
    share: float
    centre: Floats | None = None
    whitening: Floats | None = None

    def transform(self, rows: Floats) -> Floats:
        """(n, d) -> (n, k) float32; rows have the length `scale`, or 0 if nothing varies."""
        columns: Floats = _unit(_unit(rows - self.mean) @ self.axes - self.offset)
        if self.centre is not None and self.whitening is not None:
            centred: Floats = columns - self.centre
            columns = _unit(centred @ self.whitening)
        columns *= np.float32(self.scale)
        return columns


@dataclass(frozen=True, slots=True)
class Principal:
    """The principal axes of a block's rows, which are the costly part of fitting it.

    Attributes
    ----------
    mean
        (d,) mean of the rows.
    axes, variances
        (d, m) and (m,), of the centred and L2-normalised rows; see `principal_axes`.
    """

    mean: Floats
    axes: Floats
    variances: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: Floats, most: int) -> "Principal":
        """The axes of (n, d) rows, `most` at most."""
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(mean, *principal_axes(_unit(rows - mean), most))


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """A fitted map from descriptor blocks to points.

    A block holds one descriptor's features of n images. Each block is reduced by a PCA of its own
    and scaled; the columns of a point are those of all blocks, side by side. So the squared
    distance of two points is the sum of the blocks' squared distances, and shows how much each
    descriptor contributes. Over the fitted rows the mean squared distance is 1, and each block's
    share of it is its weight.

    Points are (n, p) float32 and always finite; a block without variance gives zeros. Fitting and
    transforming are deterministic; the sign of every axis is fixed by its largest entry.

    Whitening by augmentations works inside each block, so that distances still split exactly.

    Source: per-block PCA with root scaling follows Jegou and Chum, "Negative evidences and
    co-occurences in image retrieval: the benefit of PCA and whitening", ECCV 2012. Departures: the
    power is a setting, since full whitening hurts; blocks are scaled to equal mean squared
    distance; there is no PCA over the joined blocks, which costs 2 to 5 points of precision on
    object photographs (figures in imgbatch/DESIGN.md).

    >>> import numpy as np
    >>> hue = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    >>> space = FeatureSpace.fit({"hue": hue}, {"hue": BlockOptions(1.0, 4, 0.5)})
    >>> space.transform({"hue": hue[:3]}).shape
    (3, 4)
    """

    blocks: dict[str, Block]

    @classmethod
    def fit(
        cls,
        blocks: Blocks,
        options: Mapping[str, BlockOptions],
        augmented: Augmented | None = None,
        principals: Mapping[str, Principal] | None = None,
    ) -> "FeatureSpace":
        """Fit on blocks of the same n >= 1 rows. O(n d^2 + d^3) time for d the widest block.

        BLAS is kept to one thread, since the number of threads changes the last bits: a space is
        the same whichever command fits it.

        Parameters
        ----------
        blocks, options
            Features, and how each block becomes columns, by descriptor name.
        augmented
            Altered views of some images, by which each block is whitened; None whitens nothing.
            A block's energy is its total variance after full whitening: how much images differ,
            in proportion to how much views of one image do. With ``adapt`` a, a block's share is
            in proportion to weight^(1 - a / 2) * energy^a; so with a = 0 shares are the weights.
        principals
            Axes of the same rows that were found before, at least as many as `options` keep, by
            descriptor name; None finds them.
        """
        used = {name: block for name, block in options.items() if block.weight > 0}
        with one_blas_thread():
            fits = {
                name: _fit_block(
                    blocks[name],
                    block,
                    principals[name]
                    if principals
                    else Principal.of(blocks[name], block.components),
                    None if augmented is None else augmented.features[name],
                    0.0 if augmented is None else augmented.power,
                )
                for name, block in used.items()
            }
        weights = {name: block.weight for name, block in used.items()}
        adapt = 0.0 if augmented is None else augmented.adapt
        shares = _shares(weights, {name: energy for name, (_, _, energy) in fits.items()}, adapt)
        return cls(
            {
                name: _scaled(block, spread, shares[name])
                for name, (block, spread, _) in fits.items()
            }
        )

    @property
    def shares(self) -> dict[str, float]:
        """Each block's share of the mean squared distance, by descriptor name."""
        return {name: block.share for name, block in self.blocks.items()}

    def transform(self, blocks: Blocks) -> Floats:
        """Blocks of n rows -> (n, p) float32 points."""
        return np.concatenate(
            [block.transform(blocks[name]) for name, block in self.blocks.items()], axis=1
        )

    @property
    def columns(self) -> dict[str, slice]:
        """The columns of each block in a point, by descriptor name."""
        ends = [0, *accumulate(block.axes.shape[1] for block in self.blocks.values())]
        return {
            name: slice(*edges) for name, edges in zip(self.blocks, pairwise(ends), strict=True)
        }

    def save(self, file: Path | BinaryIO) -> None:
        """Write all arrays in the .npz form (nothing pickled)."""
        arrays: dict[str, Any] = {}
        for name, block in self.blocks.items():
            arrays |= {
                f"{name}.mean": block.mean,
                f"{name}.axes": block.axes,
                f"{name}.offset": block.offset,
                f"{name}.scale": np.array([block.scale, block.share], np.float64),
            }
            if block.whitening is not None:
                arrays |= {f"{name}.centre": block.centre, f"{name}.whitening": block.whitening}
        # Files are opened here: NumPy adds an ending to a path, and leaves a damaged file open.
        with file.open("wb") if isinstance(file, Path) else nullcontext(file) as opened:
            np.savez(opened, names=np.array(list(self.blocks)), **arrays)

    @classmethod
    def load(cls, file: Path | BinaryIO) -> "FeatureSpace":
        """Read what `save` wrote."""
        with (
            file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened,
            np.load(opened, allow_pickle=False) as stored,
        ):
            return cls({name: _load_block(stored, name) for name in stored["names"].tolist()})


def _load_block(stored: Mapping[str, npt.NDArray[Any]], name: str) -> Block:
    scale, *share = stored[f"{name}.scale"].tolist()
    whitens = f"{name}.whitening" in stored
    return Block(
        stored[f"{name}.mean"],
        stored[f"{name}.axes"],
        stored[f"{name}.offset"],
        scale,
        share[0] if share else math.nan,  # version 0.1 did not keep it
        stored[f"{name}.centre"] if whitens else None,
        stored[f"{name}.whitening"] if whitens else None,
    )


def _shares(
    weights: Mapping[str, float], energies: Mapping[str, float], adapt: float
) -> dict[str, float]:
    """Shares that sum to 1; see `FeatureSpace.fit`. Blocks without energy cannot take part."""
    raw = dict(weights)
    if adapt and any(energies.values()):
        raw = {
            name: weight ** (1 - adapt / 2) * energies[name] ** adapt
            for name, weight in weights.items()
        }
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def _scaled(block: Block, spread: float, share: float) -> Block:
    """The block with the scale that gives it its share; `spread` is its mean squared distance."""
    scale = float(np.sqrt(share / spread)) if spread > _FLAT else 0.0
    return replace(block, scale=scale, share=share)


def _fit_block(
    rows: Floats, options: BlockOptions, principal: Principal, views: Floats | None, power: float
) -> tuple[Block, float, float]:
    """A block that is not scaled yet, its mean squared distance, its energy.

    `views` are (m, 1 + v, d) features of images and altered views of them; None whitens nothing.
    """
    mean, kept = principal.mean, slice(options.components)
    unit = _unit(rows - mean)
    deviations = np.sqrt(np.maximum(principal.variances[kept], _TINY))
    axes = (principal.axes[:, kept] / deviations**options.power).astype(np.float32)
    offset = unit.mean(axis=0, dtype=np.float64).astype(np.float32) @ axes
    reduced = _unit(unit @ axes - offset)
    block = Block(mean, axes, offset, scale=1.0, share=0.0)
    variance = _variance(reduced)
    if views is None:
        return block, 2 * variance, variance
    projected = block.transform(views.reshape(-1, views.shape[2]))
    covariance = noise_covariance(projected.reshape(*views.shape[:2], -1))
    if not np.trace(covariance) > 0:  # views are like their images: nothing varies
        return block, 2 * variance, 0.0
    full = whitening_matrix(covariance, 1.0)
    centre = reduced.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = reduced - centre
    # Views that hardly differ must not give all of the distance to one block.
    energy = min(_variance(centred @ full), _MOST_RATIO * len(full))
    if not power:
        return block, 2 * variance, energy
    whitening: Floats = whitening_matrix(covariance, power).astype(np.float32)
    block = replace(block, centre=centre, whitening=whitening)
    return block, 2 * _variance(_unit(centred @ whitening)), energy


def _variance(rows: Floats) -> float:
    """The variance of (n, k) rows, summed over columns: half the mean squared distance."""
    exact = rows.astype(np.float64)
    return float(((exact - exact.mean(axis=0)) ** 2).sum()) / len(rows)


def principal_axes(rows: Floats, most: int) -> tuple[Floats, npt.NDArray[np.float64]]:
    """The leading principal axes of (n, d) rows about their mean.

    Returns
    -------
    axes, variances
        (d, k) float32 orthonormal columns, and (k,) float64 variances along them, falling; k <=
        most. Directions without variance are left out, but at least one axis is always kept.
    """
    from scipy.linalg import eigh

    n, d = rows.shape
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    by_rows = n < d  # the smaller of covariance (d, d) and Gram matrix (n, n)
    square = (centred @ centred.T if by_rows else centred.T @ centred).astype(np.float64) / n
    side = len(square)
    values, vectors = eigh(square, subset_by_index=(max(0, side - most), side - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int((values > max(values[0] * _FLAT, _TINY)).sum()))
    values, vectors = np.maximum(values[:kept], 0.0), vectors[:, :kept]
    if by_rows:
        vectors = centred.T.astype(np.float64) @ vectors
        vectors /= np.maximum(np.linalg.norm(vectors, axis=0), _TINY)
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(kept)])
    return (vectors * np.where(signs == 0, 1, signs)).astype(np.float32), values


def _unit(rows: Floats) -> Floats:
    """Each row divided by its length; rows of (nearly) no length become zero."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    unit: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > _FLAT)
    return unit
