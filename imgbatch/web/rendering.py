"""From a record of a page to HTML, through the components that one-file pages are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from imgbatch import __version__
from imgbatch.learning.results import AskedImage
from imgbatch.outputs.asked import suggestion_in_words
from imgbatch.outputs.pages.records import (
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
    Section,
    SideBySide,
)
from imgbatch.outputs.pages.thumbnails import Thumbnail
from imgbatch.web.site import Site
from imgbatch.web.thumbnails import shown_size, version_of

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
KEYS = (
    ("Enter", "more images like this one"),
    ("z", "enlarge an image; then arrows show its neighbours"),
    ("x", "put an image into the basket, or take it out"),
    ("u", "undo the last change of the basket"),
    ("n", "another set"),
    ("[ ]", "the page, the image or the batches before and after"),
)
"""What keys do on every screen, beside those of one-file pages."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An image of a page that can be acted on: its name in addresses, and what is known of it."""

    id: str
    in_basket: bool


class Renderer:
    """The templates of one site."""

    def __init__(self, site: Site, screens: tuple[Any, ...]) -> None:
        self._site = site
        self._templates = self._environment(screens)

    def answer(
        self, request: Request, template: str, page: Page, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page as HTML.

        Parameters
        ----------
        request
            Whose answer it is.
        template
            Its file in ``templates/``; "screen.html" shows the page's sections and nothing else.
        page
            What it shows.
        status
            Of HTTP.
        context
            What else the template asks for, such as the values of its form.
        """
        site = self._site
        shown: dict[str, Any] = {
            "page": page,
            "here": _address(request),
            "path": request.url.path,
            "in_basket": len(site.basket),
            "folder": site.photos.folder,
            "images": len(site.photos),
            "keys": KEYS,
            "message": request.query_params.get("did", "")[:300],
        }
        html = self._templates.get_template(template).render({**shown, **context})
        return HTMLResponse(html, status)

    def _environment(self, screens: tuple[Any, ...]) -> "Environment":
        from jinja2 import ChoiceLoader, FileSystemLoader

        from imgbatch.outputs.pages.write import environment

        made = environment(self._site.source.config)
        own = FileSystemLoader(_HERE / "templates")
        made.loader = ChoiceLoader([own, *([made.loader] if made.loader else [])])
        made.filters["urlencode"] = _in_address
        made.globals |= {
            "thumbnail": self._thumbnail,
            "linked": self._linked,
            "ids_on": self._ids_on,
            "large_picture": self._large,
            "told": _told,
            "screens": screens,
            "version": __version__,
            "asset": asset,
        }
        return made

    def _thumbnail(self, file: str) -> Thumbnail:
        """The address of an image's small picture, with the size that it will have."""
        row = self._site.row_of_file(file)
        if row is None:
            return Thumbnail(reason="it is no image of this folder")
        version = version_of(file)
        if not version:
            return Thumbnail(reason="the file is gone")
        record = self._site.photos.records[row]
        width, height = shown_size(record.width, record.height)
        return Thumbnail(f"/thumbnails/{self._site.id_of(row)}?v={version}", width, height)

    def _ids_on(self, page: Page) -> list[str]:
        """The names in addresses of all images of a page, each once."""
        rows = dict.fromkeys(self._site.row_of_file(image.file) for image in images_of(page))
        return [self._site.id_of(row) for row in rows if row is not None]

    def _large(self, file: str) -> str:
        """The address of an image to look at closely; "" if its file is gone."""
        row, version = self._site.row_of_file(file), version_of(file)
        return (
            "" if row is None or not version else f"/pictures/{self._site.id_of(row)}?v={version}"
        )

    def _linked(self, file: str) -> Linked | None:
        row = self._site.row_of_file(file)
        if row is None:
            return None
        return Linked(
            self._site.id_of(row), self._site.photos.records[row].path in self._site.basket
        )


def _in_address(value: Mapping[str, str] | str) -> str:
    """A text, or values by name, for an address; bytes that are no text stay what they are."""
    if isinstance(value, str):
        return quote(value, errors="surrogateescape")
    return urlencode(value, errors="surrogateescape")


def _told(image: AskedImage) -> str:
    """What the model says of an image to label, and why it is asked for."""
    words = (image.label and f"labelled {image.label}", suggestion_in_words(image), image.reason)
    return ", ".join(word for word in words if word)


def images_of(page: Page) -> Iterator[PageImage]:
    """The images in grids of a page, in order; groups and columns are looked into."""
    sections = list[Section](page.sections)
    while sections:
        section = sections.pop(0)
        if isinstance(section, ImageGrid):
            yield from section.images
        elif isinstance(section, ImageGroups):
            sections[:0] = section.groups
        elif isinstance(section, SideBySide):
            sections[:0] = section.columns


@lru_cache
def asset(name: str) -> str:
    """The address of a style sheet or script, which changes when its bytes do."""
    import hashlib

    digest = hashlib.sha256(asset_file(name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def asset_file(name: str) -> Path:
    """The file of a style sheet or script: one of the page's own, or one that reports share."""
    own = _HERE / "static" / name
    return own if own.exists() else _HERE.parent / "outputs" / "pages" / "static" / name


def _address(request: Request) -> str:
    """The address of this page inside the site, to come back to."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
