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

from imgbatch.embedding.learned import LearnedMap
from imgbatch.embedding.principal import FLAT, TINY, Principal, unit_rows
from imgbatch.embedding.whitening import Augmented, noise_covariance, whitening_matrix
from imgbatch.files.unpacked import numbers, unpacked_arrays
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats

Blocks = Mapping[str, Floats]
"""Descriptor name -> (n, d) float32, the same n for all."""

_LEARNED = "learned"
_MOST_RATIO = 100
"""Of images' variance to that of views, for each component; 2 to 7 are usual."""


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
        columns: Floats = unit_rows(unit_rows(rows - self.mean) @ self.axes - self.offset)
        if self.centre is not None and self.whitening is not None:
            centred: Floats = columns - self.centre
            columns = unit_rows(centred @ self.whitening)
        columns *= np.float32(self.scale)
        return columns


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

    Whitening by augmentations works inside each block, so that distances still split exactly. A map
    that was learned from labels comes last and mixes all columns; then no column belongs to a
    single descriptor.

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
    learned: LearnedMap | None = None

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
        """Each block's share of the mean squared distance, before a learned map, by descriptor."""
        return {name: block.share for name, block in self.blocks.items()}

    def transform(self, blocks: Blocks) -> Floats:
        """Blocks of n rows -> (n, p) float32 points."""
        points = np.concatenate(
            [block.transform(blocks[name]) for name, block in self.blocks.items()], axis=1
        )
        return points if self.learned is None else self.learned.transform(points)

    @property
    def unlearned(self) -> "FeatureSpace":
        """The same space without its learned map."""
        return FeatureSpace(self.blocks)

    @property
    def dimensions(self) -> int:
        """Number of columns of a point."""
        if self.learned is not None:
            return self.learned.dimensions
        return sum(block.axes.shape[1] for block in self.blocks.values())

    @property
    def columns(self) -> dict[str, slice]:
        """The columns of each block in a point, by descriptor name; none after a learned map."""
        if self.learned is not None:
            return {}
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
        names = list(self.blocks)
        if self.learned is not None:
            # Its name stands among the blocks, so that versions that know no learned map refuse the
            # file rather than place images elsewhere.
            names.append(_LEARNED)
            arrays |= {f"{_LEARNED}.{key}": array for key, array in self.learned.arrays().items()}
        # Files are opened here: NumPy adds an ending to a path, and leaves a damaged file open.
        with file.open("wb") if isinstance(file, Path) else nullcontext(file) as opened:
            np.savez(opened, names=np.array(names), **arrays)

    @classmethod
    def load(cls, file: Path | BinaryIO) -> "FeatureSpace":
        """Read what `save` wrote.

        Raises
        ------
        OSError, ValueError, KeyError
            The file is missing or damaged.
        """
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
            stored = unpacked_arrays(opened)
        names = list(map(str, stored["names"].tolist()))
        space = cls({name: _load_block(stored, name) for name in names if name != _LEARNED})
        if not space.blocks:
            raise ValueError("it has no blocks")
        return space if _LEARNED not in names else _with_learned(space, stored)


def _with_learned(space: FeatureSpace, stored: Mapping[str, npt.NDArray[Any]]) -> FeatureSpace:
    learned = LearnedMap.of({key: stored[f"{_LEARNED}.{key}"] for key in LearnedMap.ARRAYS})
    if len(learned.matrix) != space.dimensions:
        raise ValueError("its learned map does not fit its blocks")
    return replace(space, learned=learned)


def _load_block(stored: Mapping[str, npt.NDArray[Any]], name: str) -> Block:
    axes = numbers(stored, f"{name}.axes", (None, None))
    rows, columns = axes.shape
    scale, *share = numbers(stored, f"{name}.scale", (None,)).tolist()
    whitens = f"{name}.whitening" in stored
    return Block(
        numbers(stored, f"{name}.mean", (rows,)),
        axes,
        numbers(stored, f"{name}.offset", (columns,)),
        scale,
        share[0] if share else math.nan,  # version 0.1 did not keep it
        numbers(stored, f"{name}.centre", (columns,)) if whitens else None,
        numbers(stored, f"{name}.whitening", (columns, columns)) if whitens else None,
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
    scale = float(np.sqrt(share / spread)) if spread > FLAT else 0.0
    return replace(block, scale=scale, share=share)


def _fit_block(
    rows: Floats, options: BlockOptions, principal: Principal, views: Floats | None, power: float
) -> tuple[Block, float, float]:
    """A block that is not scaled yet, its mean squared distance, its energy.

    `views` are (m, 1 + v, d) features of images and altered views of them; None whitens nothing.
    """
    mean, kept = principal.mean, slice(options.components)
    unit = unit_rows(rows - mean)
    deviations = np.sqrt(np.maximum(principal.variances[kept], TINY))
    axes = (principal.axes[:, kept] / deviations**options.power).astype(np.float32)
    offset = unit.mean(axis=0, dtype=np.float64).astype(np.float32) @ axes
    reduced = unit_rows(unit @ axes - offset)
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
    return block, 2 * _variance(unit_rows(centred @ whitening)), energy


def _variance(rows: Floats) -> float:
    """The variance of (n, k) rows, summed over columns: half the mean squared distance."""
    exact = rows.astype(np.float64)
    return float(((exact - exact.mean(axis=0)) ** 2).sum()) / len(rows)
