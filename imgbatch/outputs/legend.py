"""Words and colours of descriptors, and small bars of their shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Style:
    """A descriptor's word for users, its colour, and its letter for terminals without colours."""

    word: str
    color: str
    letter: str


_STYLES = {
    "hsv": Style("colour", "#e8590c", "c"),
    "hog": Style("shape", "#1c7ed6", "s"),
    "phash": Style("hash", "#868e96", "h"),
    "lbp": Style("texture", "#2f9e44", "t"),
    "phog": Style("edges", "#22b8cf", "e"),
    "moments": Style("moments", "#f08c00", "m"),
    "gist": Style("scene", "#9c36b5", "g"),
    "thumbnail": Style("layout", "#e64980", "l"),
    "miniature": Style("light", "#5c940d", "i"),
    "fisher_gradient": Style("patterns", "#3b5bdb", "p"),
    "fisher_sift": Style("forms", "#0b7285", "f"),
    "fisher_color": Style("patches", "#c92a2a", "a"),
}
_WORDS = (
    (0.5, "much nearer"),
    (0.85, "nearer"),
    (1.15, "about as far"),
    (1.5, "farther"),
)


def style_of(name: str) -> Style:
    """The style of a descriptor; a descriptor without an entry is called by its name."""
    return _STYLES.get(name) or Style(name, "#495057", name[0])


def in_words(ratio: float) -> str:
    """Say how far two images are apart, compared with a typical pair.

    Parameters
    ----------
    ratio
        The squared distance of the two, divided by that of a typical pair.

    Examples
    --------
    >>> in_words(0.4), in_words(1.0), in_words(3.0)
    ('much nearer', 'about as far', 'much farther')
    """
    for bound, words in _WORDS:
        if ratio <= bound:
            return words
    return "much farther"


def draws_blocks(console: Console) -> bool:
    """Whether the console shows coloured blocks; else bars are made of letters."""
    return bool(console.color_system) and not console.no_color and not console.options.ascii_only


def bar(shares: Mapping[str, float], cells: int, *, blocks: bool) -> Text:
    """Draw shares that sum to 1 as a bar `cells` wide, of blocks or of letters.

    The ends of the pieces are rounded, not their lengths, so that the bar is exactly `cells` wide.

    Examples
    --------
    >>> bar({"hsv": 0.25, "hog": 0.75}, 8, blocks=False).plain
    'ccssssss'
    """
    text, total, end = Text(), 0.0, 0
    for name, share in shares.items():
        total += share
        start, end = end, min(cells, round(total * cells))
        style = style_of(name)
        text.append(("\u2588" if blocks else style.letter) * (end - start), style.color)
    return text


def percentages(shares: Mapping[str, float], most: int = 3) -> str:
    """The largest shares in percent, by letter, where there are no colours to draw a bar with.

    Examples
    --------
    >>> percentages({"hsv": 0.25, "hog": 0.75})
    's 75  c 25'
    """
    largest = sorted(shares, key=lambda name: -shares[name])[:most]
    return "  ".join(f"{style_of(name).letter} {shares[name] * 100:.0f}" for name in largest)


def legend(names: Iterable[str], *, blocks: bool) -> Text:
    """Say which descriptor each colour or letter of the bars stands for.

    Examples
    --------
    >>> legend(["hsv", "hog"], blocks=False).plain
    'c colour  s shape'
    """
    text = Text()
    for name in names:
        style = style_of(name)
        text.append("  " if text else "")
        text.append("\u2588" if blocks else style.letter, style.color)
        text.append(f" {style.word}")
    return text
