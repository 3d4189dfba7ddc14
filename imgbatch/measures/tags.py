"""Tags of images: which ones each image carries, and how clearly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.measures.quantities import MEASURES
from imgbatch.measures.vocabulary import Condition, Tag
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

SOURCES = ("given", "measured", "learned")
"""Where a tag comes from: metadata, a rule on quantities, or examples."""


@dataclass(frozen=True, eq=False)
class TagTable:
    """The tags of n images.

    Attributes
    ----------
    names
        T different tags, in the vocabulary's order, then given ones.
    scores
        (n, T) float32 in (0, 1], how clearly an image carries a tag; nothing is stored where it
        does not. A given tag has the score 1.
    sources
        For each tag "given", "measured" or "learned". A given tag replaces a measured one of the
        same name.
    """

    names: tuple[str, ...]
    scores: "csr_array"
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.scores.shape[0])

    def counts(self) -> dict[str, int]:
        """How many images carry each tag, in the order of names."""
        counts = np.bincount(self.scores.indices, minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def clearest(self, name: str) -> Rows:
        """The rows of the images that carry a tag, the clearest ones first."""
        scores = self._by_tag
        start, end = scores.indptr[(tag := self.names.index(name)) : tag + 2].tolist()
        order = np.argsort(-scores.data[start:end], kind="stable")
        rows: Rows = scores.indices[start:end][order].astype(np.int64)
        return rows

    @cached_property
    def _by_tag(self) -> "csc_array":
        return self.scores.tocsc()

    def of_image(self, row: int) -> dict[str, float]:
        """The tags of an image with their scores, in the order of names."""
        start, end = self.scores.indptr[row : row + 2].tolist()
        tags = zip(self.scores.indices[start:end], self.scores.data[start:end], strict=True)
        return {self.names[tag]: float(score) for tag, score in tags}


def measured_scores(tags: Sequence[Tag], quantities: Mapping[str, Floats]) -> Floats:
    """How clearly images carry measured tags.

    A condition that holds scores 0.5 at its threshold and 1 at the end of the quantity's range. All
    conditions of an alternative must hold, the least clear one counts; of alternatives the
    clearest. A quantity that was not measured (NaN) fulfils no condition.

    Parameters
    ----------
    tags
        T tags with rules.
    quantities
        (n,) float32 by name, in the units of `MEASURES`.

    Returns
    -------
    (n, T) float32: 0 where an image does not carry the tag, else 0.5..1.

    Examples
    --------
    >>> dark = Tag("dark", ((Condition(("lightness",), None, 30),),))
    >>> measured_scores([dark], {"lightness": np.array([60, 30, 15], np.float32)}).T.tolist()
    [[0.0, 0.5, 0.75]]
    """
    n = len(next(iter(quantities.values())))
    scores = np.zeros((n, len(tags)), np.float32)
    for number, tag in enumerate(tags):
        for alternative in tag.rule:
            parts = [_clearness(condition, quantities) for condition in alternative]
            np.maximum(scores[:, number], np.minimum.reduce(parts), out=scores[:, number])
    return scores


def needs(tag: Tag, quantity: str) -> bool:
    """Whether no alternative of a tag's rule can hold without a quantity.

    >>> needs(Tag("dark", ((Condition(("lightness",), None, 28),),)), "lightness")
    True
    """
    return all(
        any(quantity in condition.quantities for condition in alternative)
        for alternative in tag.rule
    )


def in_words(tag: Tag) -> str:
    """The rule of a tag.

    >>> in_words(Tag("dark", ((Condition(("lightness",), None, 28),),)))
    'lightness <= 28'
    """
    return " or ".join(
        ", ".join(_bounds_in_words(condition) for condition in alternative)
        for alternative in tag.rule
    )


def _bounds_in_words(condition: Condition) -> str:
    what = " + ".join(condition.quantities)
    if condition.least is None:
        return f"{what} <= {condition.most:g}"
    most = "" if condition.most is None else f" <= {condition.most:g}"
    return f"{condition.least:g} <= {what}{most}" if most else f"{what} >= {condition.least:g}"


def _clearness(condition: Condition, quantities: Mapping[str, Floats]) -> Floats:
    """(n,) 0 where a condition does not hold, 0.5 at its bounds, 1 at the end of the range."""
    columns = [quantities[name] for name in condition.quantities]
    values: Floats = np.sum(columns, axis=0, dtype=np.float32)
    kinds = [MEASURES[name] for name in condition.quantities]
    low, high = sum(kind.low for kind in kinds), sum(kind.high for kind in kinds)
    if all(kind.unit == "share" for kind in kinds):
        high = 1.0
    clear = np.ones(len(values), np.float32)
    if (least := condition.least) is not None:
        above = values >= least
        beyond = (
            1 - least / values.clip(1e-9) if np.isinf(high) else _part(values - least, high - least)
        )
        clear = np.where(above, np.minimum(clear, 0.5 + 0.5 * beyond), 0)
    if (most := condition.most) is not None:
        below = values <= most
        clear = np.where(below, np.minimum(clear, 0.5 + 0.5 * _part(most - values, most - low)), 0)
    return clear.astype(np.float32)


def _part(away: Floats, span: float) -> Floats:
    """(n,) how far beyond a bound, as a part of the way to the end of the range; at most 1."""
    return np.minimum(away / span, 1) if span > 0 else np.ones_like(away)
