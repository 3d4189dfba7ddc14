"""Messages of the library, which names parameters, as the page names its fields."""

import re
from collections.abc import Sequence

from imgbatch.files.names import number_of

_PARAMETER = re.compile(r"`(\w+)(?:=(\w+))?`")


def in_words(message: str, hint: str) -> str:
    """A message and what to do, as sentences without marks of code.

    >>> in_words("`like` is no file", "give another")
    'like is no file; give another.'
    """
    text = f"{message}; {hint}" if hint else message
    plain = _PARAMETER.sub(r"\1", text)
    return plain if plain.endswith(".") else f"{plain}."


def undone(paths: Sequence[str]) -> str:
    """What is said after labels or answers were taken back, on every screen.

    >>> undone(["a.jpg"]), undone([])
    ('Undone: a.jpg.', 'There is nothing to undo.')
    """
    if not paths:
        return "There is nothing to undo."
    return f"Undone: {paths[0] if len(paths) == 1 else number_of(len(paths), 'image')}."
