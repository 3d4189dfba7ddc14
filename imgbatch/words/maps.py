"""Linear maps between words and points, learned from the images of a folder that have texts.

Three ways lead from a picture to words; each is weak, and their errors differ, so their scores are
added. Sources: latent semantic analysis (Deerwester et al. 1990), ridge regression from pictures to
it, canonical correlation (Hotelling 1936; for words and pictures Gong et al. 2014, with their
scaling by the correlations), and the spreading of words among neighbours (Makadia et al. 2008).
Departures: spread rows are compared by their cosine, which finds more than the dot product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows
from imgbatch.words.neighbours import (
    Neighbours,
    bandwidth,
    neighbours_of,
    spread_lengths,
)

if TYPE_CHECKING:  # a query needs no sparse matrices, whose import takes as long as the query
    import scipy.sparse as sp

_TOPICS = 256
"""Dimensions of the latent semantic analysis."""
_CORRELATED = 128
"""Dimensions in which words and pictures are compared by canonical correlation."""
_RIDGE = 0.1
"""Added to the diagonal of a covariance, as a share of its mean."""
_RARE = 3
"""Words that stand in fewer texts than this teach nothing; tags and class names always do."""
_SENTENCE = 4
"""Texts of more words than this on average are sentences."""
_SEED = 20_000_017
_TINY = 1e-12

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WordMaps:
    """What was learned: vectors of words, and the ways from points to these.

    Attributes
    ----------
    stems
        (v,) int64 numbers of the learned stems, rising.
    idf
        (v,) float32: how telling each is.
    topics
        (v, l) float32: the latent semantic analysis.
    text_mean, point_mean
        (l,) and (p,) float32: means of the learned texts and images.
    ridge
        (p, l) float32: from points to topics.
    image_axes, text_axes
        (p, k) and (l, k) float32: the space that words and pictures share.
    points
        (m, p) float32 of the learned images.
    data, indices, ends
        Their texts: rows of TF-IDF of length 1, (m, v) in compressed form.
    width
        (1,) float32: see `neighbours.bandwidth`.
    """

    stems: Rows
    idf: Floats
    topics: Floats
    text_mean: Floats
    point_mean: Floats
    ridge: Floats
    image_axes: Floats
    text_axes: Floats
    points: Floats
    data: Floats
    indices: npt.NDArray[np.int32]
    ends: Rows
    width: Floats

    @classmethod
    def fit(cls, counts: "sp.csr_array", points: Floats) -> Self | None:
        """Learn from images with texts.

        Parameters
        ----------
        counts
            (m, s) how often the text of each image holds each stem.
        points
            (m, p) float32.

        Returns
        -------
        maps
            None if the texts do not differ in any word that stands in enough of them.

        Notes
        -----
        O(m p^2 + m v l) time. The same input gives the same maps up to the last digits, which
        depend on the number of threads of BLAS.
        """
        import scipy.sparse as sp
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfTransformer

        m = counts.shape[0]
        held = np.bincount(counts.indices, minlength=counts.shape[1])
        rare = _RARE if counts.sum() > _SENTENCE * m else 1
        stems = np.flatnonzero((held >= rare) & (held < m))
        if not len(stems) or m < 2:
            return None
        weighting = TfidfTransformer(sublinear_tf=True)
        rows = sp.csr_array(weighting.fit_transform(counts[:, stems].astype(np.float32)))
        svd = TruncatedSVD(min(_TOPICS, len(stems), m - 1), random_state=_SEED)
        texts = svd.fit_transform(rows).astype(np.float64)
        text_mean, point_mean = texts.mean(0), points.mean(0, np.float64)
        texts -= text_mean
        centred = points - point_mean
        ridge, image_axes, text_axes = _fit_both(centred, texts)
        return cls(
            stems=stems,
            idf=_small(weighting.idf_),
            topics=_small(svd.components_.T),
            text_mean=_small(text_mean),
            point_mean=_small(point_mean),
            ridge=_small(ridge),
            image_axes=_small(image_axes),
            text_axes=_small(text_axes),
            points=_small(points),
            data=_small(rows.data),
            indices=np.asarray(rows.indices, np.int32),
            ends=np.asarray(rows.indptr[1:], np.int64),
            width=_small([bandwidth(points)]),
        )

    @property
    def rows(self) -> "sp.csr_array":
        """(m, v) the texts of the learned images, as rows of length 1."""
        import scipy.sparse as sp

        starts = np.concatenate([[0], self.ends])
        return sp.csr_array((self.data, self.indices, starts), (len(self.ends), len(self.stems)))

    def said(self, query: Floats) -> Floats:
        """How far the text of each learned image is that of a query (v,): (m,) float32."""
        texts = np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))
        products = self.data * query[self.indices]
        return np.bincount(texts, products, len(self.ends)).astype(np.float32)

    def query(self, stems: Sequence[int]) -> Floats:
        """The TF-IDF of a query, given as numbers of different stems: (w, v), a row for each.

        Stems that were not learned have rows of zeros.
        """
        rows = np.zeros((len(stems), len(self.stems)), np.float32)
        if not len(self.stems):
            return rows
        places = np.searchsorted(self.stems, stems).clip(max=len(self.stems) - 1)
        for row, (stem, place) in enumerate(zip(stems, places.tolist(), strict=True)):
            if self.stems[place] == stem:
                rows[row, place] = self.idf[place]
        return rows / max(float(np.linalg.norm(rows)), _TINY)

    def correlated(self, points: Floats) -> Floats:
        """Points (u, p) in the space that words and pictures share: (u, k) of length 1."""
        placed = (points - self.point_mean) @ self.image_axes
        return _small(placed / np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), _TINY))

    def correlated_texts(self, counts: "sp.csr_array") -> Floats:
        """Texts in the same space, by how often they hold each stem (t, s): (t, k) of length 1.

        A text of which no word was learned is a row of zeros.
        """
        rows = counts[:, self.stems]
        rows.data = (1 + np.log(rows.data)) * self.idf[rows.indices]  # as `fit` weighs them
        lengths = np.sqrt(rows.power(2).sum(axis=1))[:, None]
        topics = rows @ self.topics / np.maximum(lengths, _TINY) - self.text_mean
        placed = np.where(lengths > 0, topics @ self.text_axes, 0)
        return _small(placed / np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), _TINY))

    def place(self, points: Floats) -> "Placed":
        """What does not depend on the query of some images (u, p)."""
        near = neighbours_of(points, self.points, float(self.width[0]))
        centred = points - self.point_mean
        lengths = [
            np.linalg.norm(centred @ self.ridge, axis=1),
            np.linalg.norm(centred @ self.image_axes, axis=1),
            spread_lengths(near, self.rows),
        ]
        return Placed(near.near, near.weights, np.column_stack(lengths).astype(np.float32))

    def scores(self, placed: "Placed", points: Floats, query: Floats) -> Floats:
        """How well images fit a query, and what each word adds.

        Parameters
        ----------
        placed, points
            What `place` said of the images, and their points (u, p).
        query
            (w, v) of `query`, w >= 1.

        Returns
        -------
        parts
            (u, w + 1) float32. The sum of a row is the image's score: the sum of three scores, each
            with mean 0 and deviation 1 over the u images. Column i is what word i adds; the last
            column is what no word stands for. O(u p w) time.
        """
        topics = np.vstack([query @ self.topics, -self.text_mean]).T  # (l, w + 1)
        said = np.column_stack([self.said(word) for word in query])  # (m, w)
        spread = Neighbours(placed.near, placed.weights).means(said) - said.mean(axis=0)
        raw = (
            self._compared(points, self.ridge @ topics),
            self._compared(points, self.image_axes @ (self.text_axes.T @ topics)),
            np.column_stack([spread, np.zeros(len(points), np.float32)]),
        )
        parts = np.zeros((len(points), len(query) + 1), np.float32)
        for way, length in zip(raw, placed.lengths.T, strict=True):
            parts += _standardised(way / np.maximum(length[:, None], np.float32(_TINY)))
        return parts

    def _compared(self, points: Floats, directions: Floats) -> Floats:
        """The products of centred points (u, p) and directions (p, c), without a centred copy."""
        return _small(points @ directions - self.point_mean @ directions)

    def save(self, directory: Path) -> None:
        """Write each array to a file in an existing directory; nothing is pickled."""
        for field in fields(self):
            np.save(directory / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)

    @classmethod
    def files(cls, directory: Path) -> list[Path]:
        """The files that `save` writes."""
        return [directory / f"{field.name}.npy" for field in fields(cls)]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Map what `save` wrote; raises `OSError` or `ValueError` if it is missing or damaged."""
        return cls(*(np.load(file, "r", allow_pickle=False) for file in cls.files(directory)))


@dataclass(frozen=True)
class Placed:
    """What the maps say of u images, whatever is asked.

    Attributes
    ----------
    near, weights
        See `Neighbours`.
    lengths
        (u, 3) float32: of the image in topics, in the shared space, in spread words.
    """

    near: npt.NDArray[np.int32]
    weights: Floats
    lengths: Floats


def _fit_both(points: Doubles, texts: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Ridge regression and canonical correlation of centred points (m, p) and texts (m, l)."""
    m = len(points)
    of_points = _regularised(points.T @ points / m)
    of_texts = _regularised(texts.T @ texts / m)
    between = points.T @ texts / m
    ridge = np.linalg.solve(of_points, between)
    white_points, white_texts = _inverse_root(of_points), _inverse_root(of_texts)
    left, correlations, right = np.linalg.svd(white_points @ between @ white_texts)
    count = min(_CORRELATED, len(correlations))
    scale = correlations[:count]
    image_axes = white_points @ left[:, :count] * scale
    text_axes = white_texts @ right[:count].T * scale
    return np.asarray(ridge), np.asarray(image_axes), np.asarray(text_axes)


def _small(array: npt.ArrayLike) -> Floats:
    return np.asarray(array, np.float32)


def _regularised(covariance: Doubles) -> Doubles:
    size = len(covariance)
    added = max(_RIDGE * float(np.trace(covariance)) / size, _TINY)
    return np.asarray(covariance + added * np.eye(size))


def _inverse_root(matrix: Doubles) -> Doubles:
    """The inverse square root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def _standardised(parts: Floats) -> Floats:
    """Parts (u, c) whose sums have mean 0 and deviation 1; zeros if all sums are equal."""
    centred = parts - parts.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = float(centred.sum(axis=1).std(dtype=np.float64))
    if deviation < _TINY:
        return np.zeros_like(parts, np.float32)
    return np.asarray(centred / deviation, np.float32)
