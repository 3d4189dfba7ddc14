"""What `evaluate` and `tune` return."""

from collections.abc import Callable
from dataclasses import dataclass

from imgbatch.config.schema import Config
from imgbatch.index.learned import LearnedPoints
from imgbatch.learning.metric import Mixture

TrialReport = Callable[[int, int, float, float], None]
"""Called with trials done, trials in all, the first trial's precision at 10, the best so far."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure with its 95% interval, and what random choice would give.

    Attributes
    ----------
    value, low, high
        The mean and its interval; shares are between 0 and 1.
    random
        The same figure of random choice.
    definition
        What the figure says, in a few words.
    """

    name: str
    value: float
    low: float
    high: float
    random: float | None
    definition: str


@dataclass(frozen=True, slots=True)
class ClassFigure:
    """How well the images of one class find each other.

    Attributes
    ----------
    queries
        Number of the class's images that were asked with.
    precision_at_10, low, high
        Share of their ten nearest others that are of the class, and its 95% interval.
    random
        The same share of random others.
    """

    label: str
    queries: int
    precision_at_10: float
    low: float
    high: float
    random: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate` measured on one folder.

    Attributes
    ----------
    images, classes
        The size of the folder. ``classes`` is 0 without labels; figures that need labels are then
        left out.
    seed, n, sets
        The arguments, which repeat the evaluation.
    queries
        Number of single queries.
    notes
        Remarks for the user.
    by_class
        Single queries by class, sorted by the class's name; empty without labels.
    """

    folder: str
    images: int
    classes: int
    seed: int
    n: int
    sets: int
    queries: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    by_class: tuple[ClassFigure, ...] = ()


@dataclass(frozen=True, slots=True)
class Gain:
    """One figure under two settings, with a 95% interval of the difference."""

    name: str
    before: float
    after: float
    low: float
    high: float
    definition: str


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Points that were learned from labels, and what that gains.

    Attributes
    ----------
    points
        The space with its learned map; None if nothing helps without harm to unseen classes.
    mixture
        How much of each distance the map has; None likewise.
    gains
        Precision at 10 of unlearned and of learned points, on images and on classes that were not
        learned from.
    images
        How many images were learned from.
    notes
        Remarks on the labels.
    """

    points: LearnedPoints | None
    mixture: Mixture | None
    gains: tuple[Gain, Gain]
    images: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuning:
    """What `tune` found.

    Attributes
    ----------
    config
        The collection's config with the best weights and space settings of all trials.
    gains
        What the search gains on images that it does not see: each half of the images is searched
        on its own, and the best setting is measured on the other half.
    images, classes
        How many images and classes the search used.
    trials, stopped
        How many settings were tried; whether Ctrl-C ended the search early.
    notes
        Remarks for the user.
    """

    config: Config
    gains: tuple[Gain, ...]
    folder: str
    images: int
    classes: int
    seed: int
    trials: int
    stopped: bool
    notes: tuple[str, ...] = ()
