"""What may be wrong with images: one rule for each problem, in one registry.

A rule names images to look at, not images to delete: a night scene is dark, and a pencil is long.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.overview.evidence import Evidence

NEIGHBOURS = 10
"""How many nearest others are asked for their class."""
_AGREEING, _OWN = 7, 1
"""So many of them or more must share another class, and at most so many the image's own: two images
in the wrong class are near each other."""
_TINY_PX = 32
_ODD_SIZE = 10.0
_ODD_ASPECT = 3.0
_DARK_LIGHTNESS = 15.0
_LOW_CONTRAST = 15.0
_PAGE_BORDER, _PAGE_WHITE, _PAGE_EDGES = 0.9, 0.5, 0.05
"""Shares: of the border in one colour, of white, and of edges, where something is on a page."""
_BLURRED = 1.5

Hits = Iterator[tuple[int, str]]
"""Rows, the worst first, each with what is to be said of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One problem.

    Attributes
    ----------
    words
        The rule, as a reader should see it.
    find
        The images that have the problem.
    missing
        Why the problem cannot be looked for; "" if it can.
    sampled
        Whether it is looked for among the images whose neighbours are known, not among all.
    """

    words: str
    find: Callable[[Evidence], Hits]
    missing: Callable[[Evidence], str] = lambda _: ""
    sampled: bool = False


def _worst(values: npt.NDArray[np.floating], limit: float, words: str) -> Hits:
    """Rows whose value is below a limit, the lowest first; NaN is below nothing."""
    rows = np.flatnonzero(values < limit)
    for row in rows[np.argsort(values[rows], kind="stable")].tolist():
        yield row, words.format(values[row])


def _cut_off(known: Evidence) -> Hits:
    yield from sorted(known.notes.items())


def _tiny(known: Evidence) -> Hits:
    sides = known.sizes.min(axis=1).astype(np.float32)
    for row, _ in _worst(sides, _TINY_PX, ""):
        yield row, _pixels(known, row)


def _odd_size(known: Evidence) -> Hits:
    pixels = known.sizes.astype(np.float64).prod(axis=1)
    times = pixels / np.median(pixels)
    far = np.maximum(times, 1 / times)
    for row, _ in _worst(-far, -_ODD_SIZE, ""):
        yield row, f"{_pixels(known, row)}, {times[row]:.2g} times the median"


def _odd_aspect(known: Evidence) -> Hits:
    sides = np.sort(known.sizes, axis=1).astype(np.float64)
    for row, _ in _worst(-(sides[:, 1] / sides[:, 0]), np.nextafter(-_ODD_ASPECT, 0), ""):
        width, height = known.sizes[row].tolist()
        ratio = f"{width / height:.1f}:1" if width > height else f"1:{height / width:.1f}"
        yield row, f"{ratio}, {_pixels(known, row)}"


def _pixels(known: Evidence, row: int) -> str:
    width, height = known.sizes[row].tolist()
    return f"{width} x {height} pixels"


def _dark(known: Evidence) -> Hits:
    """Dark pictures, but not bright things on a black page, unless nothing is to be seen."""
    measured = known.quantities
    page = (measured["border"] >= _PAGE_BORDER) & (measured["contrast"] >= _LOW_CONTRAST)
    lightness = np.where(page, np.nan, measured["lightness"])
    return _worst(lightness, _DARK_LIGHTNESS, "mean lightness {:.1f}")


def _low_contrast(known: Evidence) -> Hits:
    """Pictures of hardly any contrast, but not small things on a white page."""
    measured = known.quantities
    page = (measured["white"] >= _PAGE_WHITE) & (measured["edges"] >= _PAGE_EDGES)
    contrast = np.where(page, np.nan, measured["contrast"])
    return _worst(contrast, _LOW_CONTRAST, "contrast {:.1f}")


def _blurred(known: Evidence) -> Hits:
    return _worst(known.quantities["sharpness"], _BLURRED, "sharpness {:.2f}")


def _across(names: Sequence[str], known: Evidence) -> Hits:
    """Copies that do not all have one name; those without a name do not count."""
    for group in known.copies:
        named = [row for row in group.tolist() if names[row]]
        for row in named:
            other = next((other for other in named if names[other] != names[row]), None)
            if other is not None:
                yield row, f"{names[row]}; shows what {known.path(other)} shows ({names[other]})"


def _classes(known: Evidence) -> Hits:
    return _across(known.labels, known)


def _splits(known: Evidence) -> Hits:
    return _across(known.splits, known)


def _alone_in_class(known: Evidence) -> Hits:
    """Images whose nearest others have another class, those of most agreement first."""
    hits = list[tuple[int, int, str]]()
    for row, others in zip(known.near.rows.tolist(), known.near.near, strict=True):
        own, votes = known.labels[row], Counter(known.labels[other] for other in others.tolist())
        if not own or votes[own] > _OWN:
            continue
        del votes[""], votes[own]
        name, count = min(votes.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
        if count >= min(_AGREEING, len(others)):
            hits.append((-count, row, f"{own}; {count} of the {len(others)} nearest are {name}"))
    for _, row, words in sorted(hits):
        yield row, words


def _needs_two(names: Sequence[str], kind: str) -> str:
    return "" if len(set(names) - {""}) > 1 else f"fewer than two {kind} are known"


RULES: dict[str, Rule] = {
    "cut off": Rule("the file ends too early; what is there of the picture is described", _cut_off),
    "tiny": Rule(f"shorter side below {_TINY_PX} pixels", _tiny),
    "odd size": Rule(
        f"{_ODD_SIZE:.0f} times more or fewer pixels than the folder's median", _odd_size
    ),
    "odd aspect": Rule(f"longer side at least {_ODD_ASPECT:.0f} times the shorter", _odd_aspect),
    "dark": Rule(
        f"mean lightness below {_DARK_LIGHTNESS:.0f} of 100; no things on a black page", _dark
    ),
    "low contrast": Rule(
        f"5th to 95th percentile of lightness below {_LOW_CONTRAST:.0f} apart, of 100; no things on"
        " a white page",
        _low_contrast,
    ),
    "blurred": Rule(
        f"detail at 512 pixels less than {_BLURRED} times that of a blurred copy",
        _blurred,
        lambda known: "give --blur" if np.isnan(known.quantities["sharpness"]).all() else "",
    ),
    "copies across classes": Rule(
        "near-duplicates that do not all have one class",
        _classes,
        lambda known: _needs_two(known.labels, "classes"),
    ),
    "copies across splits": Rule(
        "near-duplicates that do not all have one split",
        _splits,
        lambda known: _needs_two(known.splits, "splits"),
    ),
    "neighbours of another class": Rule(
        f"of the {NEIGHBOURS} nearest images at most {_OWN} has its class, {_AGREEING} or more have"
        " one other",
        _alone_in_class,
        lambda known: _needs_two(known.labels, "classes"),
        sampled=True,
    ),
}
"""All problems of readable images, by name. A new one needs a function and a line here."""
