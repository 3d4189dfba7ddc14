"""What a request asks for: its values, checked, and where to go next."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import numpy as np
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import RedirectResponse

from imgbatch.errors import UsageError
from imgbatch.index.records import Records
from imgbatch.types import Rows
from imgbatch.web.ids import row_of
from imgbatch.web.readings import OutdatedError

if TYPE_CHECKING:
    from imgbatch.web.site import Site

MOST_IMAGES = 1000
"""On one page."""
_MOST_DIGITS = 18
_MOST_TEXT = 2000


class MissingError(Exception):
    """There is no such page or image; it becomes status 404."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: the values of its address, or of the form that it sends.

    Attributes
    ----------
    request
        As Starlette gives it.
    values
        By name; a name may have several.
    picture
        The bytes of an image that was sent along; b"" for none.
    """

    request: Request
    values: ImmutableMultiDict[str, str]
    picture: bytes = b""

    def text(self, name: str, default: str = "") -> str:
        """A value without spaces around it, of at most 2,000 characters."""
        return self.values.get(name, default).strip()[:_MOST_TEXT]

    def texts(self, name: str) -> list[str]:
        """All values of a name that say something."""
        return [value.strip() for value in self.values.getlist(name) if value.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of some words, the first if none is given; raises `UsageError` for another."""
        given = self.text(name) or allowed[0]
        if given not in allowed:
            known = ", ".join(word or "nothing" for word in allowed)
            raise UsageError(f"{name} is {given[:40]!r}", f"give {known}")
        return given

    def number(self, name: str, default: int, *, least: int = 0, most: int = 2**53) -> int:
        """A whole number; raises `UsageError` for any other text."""
        text = self.text(name)
        if not text:
            return default
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
            raise UsageError(f"{name} is {text[:40]!r}", "give a whole number")
        if not least <= int(text) <= most:
            raise UsageError(f"{name} is {text}", f"give {least:,} to {most:,}")
        return int(text)

    def image(self, site: "Site", name: str) -> int | None:
        """The row of the image that a value names; None if there is no such value.

        Raises
        ------
        MissingError
            There is no such image, or no longer.
        """
        given = self.text(name)
        if not given:
            return None
        return image_of(site, given)

    def path(self, site: "Site", name: str) -> str | None:
        """The path inside the folder of the image that a value names; otherwise as `image`."""
        given = self.text(name)
        return path_named(site, given) if given else None

    def rows(self, site: "Site", name: str, most: int = 0) -> Rows:
        """Rows of images that a script knows: numbers with commas between, and the site's stamp.

        All images of the folder may be named, or `most`.

        Raises
        ------
        OutdatedError
            The images were read again since.
        UsageError
            There are too many, or it is no such list.
        """
        if self.text("stamp") != site.stamp:
            raise OutdatedError
        text = self.values.get(name, "")
        try:
            rows = np.array([int(one) for one in text.split(",") if one], np.int64)
        except (ValueError, OverflowError):
            raise UsageError(f"{name} holds {text[:40]!r}", "give numbers") from None
        images = len(site.photos)
        most = most or images
        if len(rows) > most:
            raise UsageError(f"{len(rows):,} images were named", f"name {most:,} at most")
        if len(rows) and not (rows.min() >= 0 and rows.max() < images):
            raise UsageError(f"{name} names images that are not there", "load the page anew")
        return rows

    @property
    def wants_json(self) -> bool:
        """Whether a script asks, which goes on with the page that it has."""
        return self.request.headers.get("accept", "") == "application/json"

    def back(self, did: str = "") -> RedirectResponse:
        """Go back to the page that a form names, where `did` is told in a sentence."""
        wanted = urlsplit(self.values.get("back", "/"))
        path = wanted.path
        inside = path.startswith("/") and not path.startswith("//") and "\\" not in path
        if wanted.scheme or wanted.netloc or not inside:
            return see_other("/", did=did)
        query = [pair for pair in wanted.query.split("&") if pair and not pair.startswith("did=")]
        if did:
            query.append(urlencode({"did": did}, errors="replace"))
        return RedirectResponse(f"{path}?{'&'.join(query)}" if query else path, 303)


def image_of(site: "Site", name: str) -> int:
    """The row of an image by its name in addresses; raises `MissingError` if there is none."""
    return _row_in(site.photos.records, name)


def path_named(site: "Site", name: str) -> str:
    """The path inside the folder of such an image; raises the same."""
    records = site.photos.records
    return records[_row_in(records, name)].path


def _row_in(records: Records, name: str) -> int:
    row = row_of(records, name)
    if row is None:
        raise MissingError("This image is not, or no longer, in the index of the folder.")
    return row


def see_other(path: str, **query: object) -> RedirectResponse:
    """Go to a page of this site; values that are None, "" or False are left out.

    >>> see_other("/similar", n=10, like="").headers["location"]
    '/similar?n=10'
    """
    kept = {name: value for name, value in query.items() if value not in (None, "", False)}
    text = urlencode(kept, errors="surrogateescape", doseq=True)
    return RedirectResponse(f"{path}?{text}" if text else path, 303)
