"""Seeds: drawn where none is given, checked where one is."""

import secrets
from numbers import Integral

from imgbatch.errors import SelectionError

_SEED_LIMIT = 2**31
"""Drawn seeds are below this number, so that they are short enough to type."""


def draw_seed() -> int:
    """A random seed, 0 <= seed < 2**31.

    >>> 0 <= draw_seed() < 2**31
    True
    """
    return secrets.randbelow(_SEED_LIMIT)


def is_whole(number: object, least: int = 0) -> bool:
    """Whether it is a whole number, of Python or NumPy, and at least so large.

    >>> is_whole(3), is_whole(-1), is_whole(1.5), is_whole("7")
    (True, False, False, False)
    """
    return isinstance(number, Integral) and int(number) >= least


def checked_seed(seed: int | None) -> int:
    """The seed as given, or a drawn seed for None.

    Raises
    ------
    SelectionError
        The seed is negative, or no whole number.

    Examples
    --------
    >>> checked_seed(7)
    7
    """
    if seed is None:
        return draw_seed()
    if not is_whole(seed):
        raise SelectionError(f"the seed is {seed!r:.40}", "give a whole number from 0 on")
    return seed
