"""What `overview` returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity is spread: least, 5th percentile, median, 95th percentile, most."""

    least: float
    low: float
    median: float
    high: float
    most: float


@dataclass(frozen=True, slots=True)
class Count:
    """How many images there are of something, and their share of those that were looked at."""

    name: str
    images: int
    share: float


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image of the folder.

    Attributes
    ----------
    path
        Absolute path, or URL.
    relative
        Path inside the folder.
    detail
        What is said of it here, such as "21 x 20 pixels".
    """

    path: str
    relative: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of the images.

    Attributes
    ----------
    counts
        Images of each class, the largest first.
    unlabelled
        Images without a class.
    balance
        0..1: the entropy of the classes' shares over its maximum; 1 if all are of one size.
    """

    counts: tuple[Count, ...]
    unlabelled: int
    balance: float


@dataclass(frozen=True, slots=True)
class Group:
    """Images that lie together in the feature space.

    Attributes
    ----------
    images, share
        How many of the images that were looked at.
    typical
        Those nearest to the group's centre, without copies.
    odd
        Those farthest from it.
    classes, tags
        What is more frequent here than in the folder, the most telling first; shares are those of
        the group.
    """

    images: int
    share: float
    typical: tuple[NamedImage, ...]
    odd: tuple[NamedImage, ...]
    classes: tuple[Count, ...] = ()
    tags: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a folder.

    Attributes
    ----------
    groups
        The largest first.
    silhouette
        -1..1: how much nearer an image is to its own group than to the next one, on average.
    tried
        Numbers of groups that were tried, each with its silhouette.
    """

    groups: tuple[Group, ...]
    silhouette: float
    tried: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """How few images stand for all of those that were looked at.

    Attributes
    ----------
    distance
        An image stands for those at most this far away; 1 is the distance of a typical pair.
    images, share
        So many of them, no two of which stand for each other, stand for all.
    alike
        Share of images that have another one at most this far away.
    """

    distance: float
    images: int
    share: float
    alike: float


@dataclass(frozen=True, slots=True)
class Repetition:
    """How repetitive a folder is.

    Attributes
    ----------
    level
        What counts as a copy: "edited", or "exact" where a folder is too large to be compared.
    copies
        Images that could go: all but one of each group of near-duplicates.
    groups
        Number of these groups.
    kinds
        The copies by kind.
    nearest
        Median distance of an image to the nearest other one; 1 is the distance of a typical pair.
    covers
        From strict to loose.
    """

    level: str
    copies: int
    groups: int
    kinds: tuple[Count, ...]
    nearest: float
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Images to look at for one reason.

    Attributes
    ----------
    name, rule
        What is wrong, and how it was found.
    count
        How many images.
    looked_at
        Of how many.
    images
        All of them, the worst first.
    """

    name: str
    rule: str
    count: int
    looked_at: int
    images: tuple[NamedImage, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is in a folder.

    Attributes
    ----------
    folder
        Absolute path, or URL.
    images, skipped
        Files that could be read as images, and that could not.
    size
        Bytes of all images.
    looked_at
        Groups, covers and neighbours are those of so many images: all, or a random sample.
    seed
        Of the sample, the groups and the covers.
    formats
        By the ending of the names.
    spreads
        Of "width", "height" (pixels), "megapixels", "bytes" and "aspect" (width / height).
    shapes
        "landscape", "portrait", "square" (sides within a tenth) and "panorama" (2:1 and longer).
    classes
        None if no classes are known.
    tags
        Images with each tag, the most frequent first.
    grouping, repetition
        See there.
    problems
        Those found, in the order of the rules.
    not_looked_for
        Names of problems that were not looked for, with reasons.
    seconds
        Wall time.
    notes
        Remarks for the user, one line each.

    Examples
    --------
    >>> import imgbatch
    >>> seen = imgbatch.load("photos").overview()
    >>> seen.images, [count.name for count in seen.classes.counts]
    (24, ['class0', 'class1', 'class2'])
    """

    folder: str
    images: int
    skipped: int
    size: int
    looked_at: int
    seed: int
    formats: tuple[Count, ...]
    spreads: dict[str, Spread]
    shapes: tuple[Count, ...]
    classes: Classes | None
    tags: tuple[Count, ...]
    grouping: Grouping
    repetition: Repetition
    problems: tuple[Problem, ...]
    not_looked_for: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
