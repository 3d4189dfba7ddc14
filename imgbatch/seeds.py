"""Seeds: drawn where none is given, checked where one is."""

import secrets

from imgbatch.errors import SelectionError

_SEED_LIMIT = 2**31
"""Drawn seeds are below this number, so that they are short enough to type."""


def draw_seed() -> int:
    """A random seed, 0 <= seed < 2**31.

    >>> 0 <= draw_seed() < 2**31
    True
    """
    return secrets.randbelow(_SEED_LIMIT)


def checked_seed(seed: int | None) -> int:
    """The seed as given, or a drawn seed for None.

    Raises
    ------
    SelectionError
        The seed is negative.

    Examples
    --------
    >>> checked_seed(7)
    7
    """
    if seed is None:
        return draw_seed()
    if seed < 0:
        raise SelectionError(f"the seed is {seed}", "give a whole number from 0 on")
    return seed
