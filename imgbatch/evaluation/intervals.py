"""95% intervals of means."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""(n,) values, of queries, sets, classes or images, whose mean is a figure."""

_RESAMPLES = 1000
_MOST_RESAMPLED = 20_000


def interval(values: Values, random: np.random.Generator) -> tuple[float, float]:
    """95% interval of the mean of (n,) values: bootstrap percentiles of 1,000 resamples.

    Each resample draws n of the values with replacement; the interval holds the middle 95% of the
    means of the resamples (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
    chapter 13). Above 20,000 values the normal interval, to which it converges, takes its place.

    Examples
    --------
    >>> values = np.repeat([0.0, 1.0], 50)
    >>> low, high = interval(values, np.random.default_rng(0))
    >>> print(f"{low:.2f} to {high:.2f}")
    0.40 to 0.60
    """
    n = len(values)
    if n > _MOST_RESAMPLED:
        half = 1.96 * float(values.std()) / np.sqrt(n)
        return float(values.mean() - half), float(values.mean() + half)
    means = [values[random.integers(0, n, n)].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
