"""Single queries by class: which classes are found well, and which are not."""

from collections.abc import Sequence

import numpy as np

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.evaluation.intervals import Values, interval
from imgbatch.evaluation.results import ClassFigure
from imgbatch.types import Rows


def figures_by_class(
    precision: Values, queries: Rows, labels: Rows, names: Sequence[str], seed: int
) -> tuple[ClassFigure, ...]:
    """The mean precision of the queries of each class, with its interval, beside random choice.

    Parameters
    ----------
    precision
        (q,) precision at 10 of each query.
    queries
        (q,) rows of the queries.
    labels
        (n,) numbers of the classes, or `UNLABELLED`.
    names
        The name of each number; classes that no query belongs to are left out.
    seed
        Draws the resamples of the intervals.

    Examples
    --------
    >>> precision, labels = np.array([1.0, 0.5, 0.0]), np.array([0, 0, 1])
    >>> [(one.label, one.precision_at_10, one.random)
    ...  for one in figures_by_class(precision, np.arange(3), labels, ["cats", "dogs"], seed=0)]
    [('cats', 0.75, 0.5), ('dogs', 0.0, 0.0)]
    """
    random = np.random.default_rng(seed)
    sizes = np.bincount(labels[labels != UNLABELLED], minlength=len(names))
    figures = []
    for number in np.unique(labels[queries]):
        values = precision[labels[queries] == number]
        low, high = interval(values, random)
        by_chance = (int(sizes[number]) - 1) / max(len(labels) - 1, 1)
        figures.append(
            ClassFigure(
                names[number], len(values), float(values.mean()), low, high, random=by_chance
            )
        )
    return tuple(figures)
