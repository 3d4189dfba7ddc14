"""What a screen is: pages under some addresses, with an entry in the page's menu."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from imgbatch.web.asked import Asked
from imgbatch.web.rendering import Renderer
from imgbatch.web.site import Site


@dataclass(frozen=True, slots=True)
class Here:
    """What a screen works with.

    Attributes
    ----------
    site
        The folder and what belongs to it.
    render
        Makes answers of pages.
    """

    site: Site
    render: Renderer


Handler = Callable[[Here, Asked], Response]
"""Answers a request, in a thread of its own. It may raise `ImgbatchError`, which is shown,
`MissingError`, or `WorkingError`, which shows how far the work is."""
READ, WRITE = ("GET", "HEAD"), ("POST",)


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen of the page.

    Attributes
    ----------
    group
        Of the menu, as in the help of the terminal command; "" keeps it out of the menu.
    name
        In the menu.
    path
        Its first address.
    routes
        By address: the methods that it takes, and what answers.
    """

    group: str
    name: str
    path: str
    routes: Mapping[str, tuple[tuple[str, ...], Handler]]
