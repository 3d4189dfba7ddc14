"""What training, asking and checking answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imgbatch.learning.classify import Tried
from imgbatch.learning.curve import CurvePoint
from imgbatch.learning.figures import ClassFigures, Figure
from imgbatch.learning.judged import Judged
from imgbatch.learning.model import LabelModel
from imgbatch.types import Rows

Figures = Mapping[str, Figure]
"""By name; see `figures.figures_of`."""


@dataclass(frozen=True, slots=True, eq=False)
class MixedUp:
    """A pair of classes that is often confused.

    Attributes
    ----------
    given, predicted
        The class of the images, and the one that they were given.
    count, share
        How many images, and which share of those of the class.
    paths
        Paths inside the folder of some of them, the surest mistakes first.
    """

    given: str
    predicted: str
    count: int
    share: float
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """What was gained by the labels of one metadata file.

    Attributes
    ----------
    file
        The file, the last one of those that were read.
    labels
        How many images had a label then.
    value
        Balanced accuracy on the same held-out images; NaN with fewer than two classes.
    """

    file: str
    labels: int
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A trained model, and how good it is.

    Attributes
    ----------
    model
        The model.
    folder
        The image folder.
    images, labelled
        Images of the folder, and those with a class.
    protocol
        In words, which images the figures of `test` are of.
    trained_on, tested_on
        How many images.
    train, test
        Figures of images that the model was trained on, and of others.
    baselines
        The same figures of simpler methods on the tested images, by the method's name.
    by_class
        Each class among the tested images.
    judged
        What was said of the tested images.
    tested_rows
        (t,) their rows in the folder.
    mixed_up
        The pairs of classes confused most often.
    curve
        Balanced accuracy by number of labels.
    tried
        The learners, as they were compared on held-out folds of the trained images.
    rounds
        Balanced accuracy after each metadata file, if several were given.
    seed
        Decided everything random.
    seconds
        That training and measuring took.
    notes
        Remarks for the user.
    """

    model: LabelModel
    folder: str
    images: int
    labelled: int
    protocol: str
    trained_on: int
    tested_on: int
    train: Figures
    test: Figures
    baselines: Mapping[str, Figures]
    by_class: tuple[ClassFigures, ...]
    judged: Judged
    tested_rows: Rows
    mixed_up: tuple[MixedUp, ...]
    curve: tuple[CurvePoint, ...]
    tried: tuple[Tried, ...]
    rounds: tuple[Round, ...]
    seed: int
    seconds: float
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class AskedImage:
    """An image to label next, or one whose label is doubted.

    Attributes
    ----------
    row, path
        Which image: its row in the folder, its absolute path.
    relative
        Its path inside the folder.
    label
        Its label; "" for none.
    suggested
        The label that the model gives; "" if there is no model yet.
    probability
        0..1, of the suggested label; 0 if there is no model yet.
    reason
        Why it is listed.
    evidence
        Paths inside the folder of the nearest images of both classes, by class.
    """

    row: int
    path: str
    relative: str
    label: str
    suggested: str
    probability: float
    reason: str
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Images for a person to look at, the most useful first.

    Attributes
    ----------
    folder
        The image folder.
    images
        The images.
    labelled, total
        Images with a label, and in all.
    seed
        Decided everything random.
    seconds
        That it took.
    notes
        Remarks for the user.
    part
        "test" for a random sample to measure on; else "".
    doubted
        Whether the images have labels that are doubted; else they are to be labelled.
    """

    folder: str
    images: tuple[AskedImage, ...]
    labelled: int
    total: int
    seed: int
    seconds: float
    notes: tuple[str, ...] = ()
    part: str = ""
    doubted: bool = False
