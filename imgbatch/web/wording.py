"""Messages of the library, which names parameters, as the page names its fields."""

import re

_PARAMETER = re.compile(r"`(\w+)(?:=(\w+))?`")


def in_words(message: str, hint: str) -> str:
    """A message and what to do, as sentences without marks of code.

    >>> in_words("`like` is no file", "give another")
    'like is no file; give another.'
    """
    text = f"{message}; {hint}" if hint else message
    plain = _PARAMETER.sub(r"\1", text)
    return plain if plain.endswith(".") else f"{plain}."
