"""Counts and wrong values in words; names of files that are short enough."""

import os
import re

LONGEST_NAME_BYTES = 255
"""The longest file name of the usual file systems."""
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"]
)
"""What Windows takes for a device, whatever follows a dot."""
_CUT = re.compile(r"(%[0-9A-F]?)?[. ]*$")
"""What a cut leaves at the end of a name that no name may end in."""
_MOST_SHOWN = 80
"""Characters of a wrong value that an error repeats."""
_MOST_OF_TEXT = 400
"""Characters of a name or reason that an error repeats."""


def number_of(count: int, noun: str) -> str:
    """A count with a noun, its first word, in the singular or the plural.

    >>> number_of(0, "image"), number_of(1, "image"), number_of(2000, "group of copies")
    ('0 images', '1 image', '2,000 groups of copies')
    """
    first, *rest = noun.split(" ")
    return " ".join([f"{count:,}", first if count == 1 else f"{first}s", *rest])


def shortened_repr(value: object) -> str:
    """A wrong value as an error repeats it: its `repr`, cut after 80 characters.

    Examples
    --------
    >>> shortened_repr("a" * 100)[-5:]
    'aa...'
    """
    try:
        text = repr(value)
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def shortened(text: str) -> str:
    """A name or a reason as an error repeats it: cut after 400 characters.

    Examples
    --------
    >>> len(shortened("a" * 1000))
    403
    """
    return text if len(text) <= _MOST_OF_TEXT else f"{text[:_MOST_OF_TEXT]}..."


def folder_name(name: str) -> str:
    """A class or tag as the name of a folder; what no name may hold is ``%`` and its digits.

    It is the same on all systems, and so holds to the rules of Windows, too.

    >>> folder_name("cats"), folder_name("a/b"), folder_name(".."), folder_name("con")
    ('cats', 'a%2Fb', '%2E%2E', '%63on')
    """
    last = len(name) - 1
    named = name.partition(".")[0].rstrip(" ").upper() in _DEVICES
    kept = "".join(
        f"%{ord(char):02X}"
        if char in '%/\\:*?"<>|'
        or char < " "
        or (at == 0 and (named or char == "."))
        or (at == last and char in ". ")
        else char
        for at, char in enumerate(name)
    )
    fitted = fitted_name("", kept or "%", "", free_bytes=0)
    return fitted if fitted == kept else _CUT.sub("", fitted) or "%"


def fitted_name(start: str, name: str, end: str, *, free_bytes: int = 0) -> str:
    """A file name of three parts; the one in the middle is cut to what fits into 255 bytes.

    Parameters
    ----------
    start, end
        Kept whole; together they must leave room.
    name
        Cut at its end, between characters.
    free_bytes
        Bytes that stay free, for what is added to the name later.

    Examples
    --------
    >>> fitted_name("01-", "sea", ".jpg")
    '01-sea.jpg'
    >>> len(fitted_name("01-", "ä" * 250, ".jpg", free_bytes=8).encode())
    247
    """
    room = LONGEST_NAME_BYTES - free_bytes - len(os.fsencode(start + end))
    while len(os.fsencode(name)) > max(room, 0):
        name = name[:-1]
    return f"{start}{name}{end}"
