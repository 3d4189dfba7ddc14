"""How descriptors are named and coloured, and how their shares become a small bar."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Style:
    """A descriptor's word for users, its colour, and its letter where there are no colours."""

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
}
_WORDS = (
    (0.5, "much nearer"),
    (0.85, "nearer"),
    (1.15, "about as far"),
    (1.5, "farther"),
)


def style_of(name: str) -> Style:
    """How a descriptor is shown; one without an entry goes by its name."""
    return _STYLES.get(name) or Style(name, "#495057", name[0])


def in_words(ratio: float) -> str:
    """How far two images are apart against a typical pair, from the ratio of squared distances."""
    for bound, words in _WORDS:
        if ratio <= bound:
            return words
    return "much farther"


def draws_blocks(console: Console) -> bool:
    """Whether coloured blocks can be told apart here; else bars are made of letters."""
    return bool(console.color_system) and not console.no_color and not console.options.ascii_only


def bar(shares: Mapping[str, float], cells: int, *, blocks: bool) -> Text:
    """Shares (summing to 1) as a bar `cells` wide, in blocks or in letters.

    Ends are rounded, not lengths, so that the bar is always exactly as wide as it should be.
    """
    text, done, end = Text(), 0.0, 0
    for name, share in shares.items():
        done += share
        start, end = end, min(cells, round(done * cells))
        style = style_of(name)
        text.append(("\u2588" if blocks else style.letter) * (end - start), style.color)
    return text


def legend(names: Iterable[str], *, blocks: bool) -> Text:
    """What the colours or letters of bars stand for."""
    text = Text()
    for name in names:
        style = style_of(name)
        text.append("  " if text else "")
        text.append("\u2588" if blocks else style.letter, style.color)
        text.append(f" {style.word}")
    return text
