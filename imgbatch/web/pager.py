"""Long lists in pages: which part is shown, and the addresses of the others."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from imgbatch.web.asked import Asked

MOST_SHOWN = 500
"""Images on a page."""


@dataclass(frozen=True, slots=True)
class Pager:
    """A page of a list.

    Attributes
    ----------
    path, query
        The address of the list, without its page.
    count
        Number of items in the list.
    size
        Items on a page.
    number
        The page, from 1.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    count: int
    size: int
    number: int

    @classmethod
    def of(cls, asked: Asked, query: tuple[tuple[str, str], ...], count: int, size: int) -> Self:
        """The page that a request asks for; raises `UsageError` beyond the last one."""
        number = asked.number("page", 1, least=1, most=_pages(count, size))
        return cls(asked.request.url.path, query, count, size, number)

    @property
    def last(self) -> int:
        """The last page."""
        return _pages(self.count, self.size)

    @property
    def shown(self) -> slice:
        """The items of this page."""
        return slice((self.number - 1) * self.size, min(self.number * self.size, self.count))

    @property
    def heading(self) -> str:
        """Which items these are.

        >>> Pager("/images", (), 1234, 60, 21).heading
        '1,201 to 1,234'
        """
        return f"{self.shown.start + 1:,} to {self.shown.stop:,}"

    def at(self, number: int) -> str:
        """The address of a page.

        >>> Pager("/images", (("tag", "red & blue"),), 100, 60, 1).at(2)
        '/images?tag=red+%26+blue&page=2'
        """
        pairs = [*self.query, *([("page", str(number))] if number > 1 else [])]
        return f"{self.path}?{urlencode(pairs, errors='replace')}" if pairs else self.path


def _pages(count: int, size: int) -> int:
    return max(1, -(-count // size))
