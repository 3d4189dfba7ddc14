"""The feature space: descriptor blocks -> normalised, weighted, PCA-reduced points."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats

Blocks = Mapping[str, Floats]
"""Descriptor name -> (n, d) float32, the same n for all."""

_TINY = 1e-12
_FLAT = 1e-6
"""A component whose variance is below this share of the block's largest is numerical dust."""


@dataclass(frozen=True, slots=True)
class SpaceOptions:
    """How blocks become points.

    Attributes
    ----------
    weights
        Descriptor name -> share of the mean squared distance (need not sum to 1); 0 leaves it out.
    block_components
        Descriptor name -> most principal components kept of its block.
    power
        Each component is divided by its standard deviation to this power: 0 leaves it alone, 1
        whitens. 0.5 keeps strong directions ahead without letting them drown the others.
    components
        Most dimensions of the space.
    """

    weights: Mapping[str, float]
    block_components: Mapping[str, int]
    power: float
    components: int


@dataclass(frozen=True, slots=True)
class Block:
    """One fitted block: rows are centred, L2-normalised, projected, L2-normalised and scaled.

    mean (d,), axes (d, k) with the component scaling already in, centre (k,), scale: factor that
    gives the block its share of the mean squared distance.
    """

    mean: Floats
    axes: Floats
    centre: Floats
    scale: float

    def transform(self, rows: Floats) -> Floats:
        """(n, d) -> (n, k) float32."""
        reduced = _unit(_unit(rows - self.mean) @ self.axes)
        result: Floats = (reduced - self.centre) * np.float32(self.scale)
        return result


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """A fitted map from descriptor blocks to points of at most `components` dimensions.

    Before the last projection, the mean squared distance between two rows of the fitted set is 1,
    and each block's share of it is its weight. Points are (n, p) float32 and always finite: a
    block without variance gives zeros. Fitting and transforming are deterministic; the sign of
    every axis is fixed by its largest entry.

    Source: block scaling and per-block PCA with root scaling as measured in imgbatch/DESIGN.md;
    power-normalised PCA after Jegou and Chum, "Negative evidences and co-occurences in image
    retrieval: the benefit of PCA and whitening", ECCV 2012. Departure: the power 0.5 instead of
    full whitening, which costs 20 points of precision here.
    """

    blocks: dict[str, Block]
    axes: Floats

    @classmethod
    def fit(cls, blocks: Blocks, options: SpaceOptions) -> "FeatureSpace":
        """Fit on blocks of the same n >= 1 rows. O(n d^2) time for d the widest block."""
        used = {name: weight for name, weight in options.weights.items() if weight > 0}
        total = sum(used.values())
        fitted, parts = {}, []
        for name, weight in used.items():
            block = _fit_block(
                blocks[name], weight / total, options.block_components[name], options.power
            )
            fitted[name] = block
            parts.append(block.transform(blocks[name]))
        joined = np.concatenate(parts, axis=1)
        axes, _ = principal_axes(joined, options.components)
        return cls(fitted, axes)

    def transform(self, blocks: Blocks) -> Floats:
        """Blocks of n rows -> (n, p) float32 points."""
        joined = np.concatenate(
            [self.blocks[name].transform(blocks[name]) for name in self.blocks], axis=1
        )
        points: Floats = np.ascontiguousarray(joined @ self.axes, dtype=np.float32)
        return points

    def save(self, path: Path) -> None:
        """Write all arrays to an .npz file (nothing pickled)."""
        arrays: dict[str, npt.NDArray[np.float32]] = {"axes": self.axes}
        for name, block in self.blocks.items():
            arrays |= {
                f"{name}.mean": block.mean,
                f"{name}.axes": block.axes,
                f"{name}.centre": block.centre,
                f"{name}.scale": np.array([block.scale], np.float32),
            }
        with path.open("wb") as file:
            np.savez(file, names=np.array(list(self.blocks)), **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "FeatureSpace":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            blocks = {
                name: Block(
                    stored[f"{name}.mean"],
                    stored[f"{name}.axes"],
                    stored[f"{name}.centre"],
                    float(stored[f"{name}.scale"][0]),
                )
                for name in stored["names"].tolist()
            }
            return cls(blocks, stored["axes"])


def _fit_block(rows: Floats, weight: float, components: int, power: float) -> Block:
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = _unit(rows - mean)
    axes, variances = principal_axes(centred, components)
    deviations = np.sqrt(np.maximum(variances, _TINY))
    axes = (axes / deviations**power).astype(np.float32)
    reduced = _unit(centred @ axes)
    centre = reduced.mean(axis=0, dtype=np.float64).astype(np.float32)
    # The mean squared distance between two rows is twice the summed variance.
    spread = 2 * float(((reduced - centre).astype(np.float64) ** 2).sum()) / len(rows)
    scale = float(np.sqrt(weight / spread)) if spread > _FLAT else 0.0
    return Block(mean, axes, centre, scale)


def principal_axes(rows: Floats, most: int) -> tuple[Floats, npt.NDArray[np.float64]]:
    """The leading principal axes of (n, d) rows about their mean.

    Returns
    -------
    axes, variances
        (d, k) float32 orthonormal columns and (k,) float64, falling; k <= most. Directions without
        variance are left out, but at least one axis is always kept.
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
