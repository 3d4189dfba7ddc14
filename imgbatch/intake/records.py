"""What is asked of `prepare`, why rows are dropped, and what it answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from imgbatch.errors import UsageError
from imgbatch.files.names import shortened_repr

IMAGES, METADATA, DROPPED = "images", "metadata.csv", "dropped.csv"
"""What is written into the new folder."""
_MOST_PX = 20_000
_MOST_PER_HOST = 1000
_ID = "{id}"


class Reason(StrEnum):
    """Why a row is dropped; the words stand in ``dropped.csv`` and in the JSON."""

    MALFORMED = "malformed"
    EMPTY = "empty"
    OUTSIDE = "outside"
    NO_LINK = "no-link"
    DOUBLED = "doubled"
    CONFLICT = "conflict"
    SAME_PICTURE = "same-picture"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BAD_NAME = "bad-name"
    PRIVATE_ADDRESS = "private-address"
    ROBOTS = "robots"
    OPT_OUT = "opt-out"
    UNKNOWN_HOST = "unknown-host"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    INCOMPLETE = "incomplete"
    BUSY = "busy"
    SERVER_ERROR = "server-error"
    REFUSED = "refused"
    REDIRECTS = "redirects"
    TOO_LARGE = "too-large"


RETRIED = tuple(
    map(
        str,
        (
            Reason.UNKNOWN_HOST, Reason.CONNECTION, Reason.TIMEOUT, Reason.INCOMPLETE, Reason.BUSY,
            Reason.SERVER_ERROR, Reason.REFUSED, Reason.REDIRECTS, Reason.TOO_LARGE, Reason.ROBOTS,
            Reason.OPT_OUT, Reason.PRIVATE_ADDRESS, Reason.UNREADABLE,
        ),
    )
)  # fmt: skip
"""Classes of failure of a link that ``--retry-failed`` takes."""


class Fit(StrEnum):
    """How a picture comes to the size asked for.

    ``cover`` fills it and cuts what goes beyond, from both sides alike; ``contain`` shows all of
    the picture on the background colour; ``stretch`` changes its proportions.
    """

    COVER = "cover"
    CONTAIN = "contain"
    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class Prepare:
    """What to make of a table.

    Attributes
    ----------
    table
        A .parquet, .csv, .tsv or .jsonl file, or a .txt file with a link (or path) on each line.
    to
        The folder to make, or to go on with.
    images
        The folder that holds the pictures; None if they are downloaded.
    id_column
        The column that names the pictures; None takes ``file_name``, ``path`` or ``image``.
    pattern
        The path of a picture inside `images`, with ``{id}`` for the column's value.
    url_column
        The column of links; None if the pictures are local, or for a .txt file.
    require
        Columns that may not be empty.
    size
        Width and height of the pictures, in pixels; None copies them as they are.
    fit
        How pictures come to that size.
    """

    table: str
    to: Path
    images: str | None = None
    id_column: str | None = None
    pattern: str = _ID
    url_column: str | None = None
    require: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    fit: Fit = Fit.COVER

    def __post_init__(self) -> None:
        if self.images is None and (self.id_column is not None or self.pattern != _ID):
            raise UsageError("--id and --pattern need --images", "give the folder of the pictures")
        if self.images is not None and self.url_column is not None:
            raise UsageError("--images and --url were both given", "give one of them")
        if _ID not in self.pattern:
            raise UsageError(
                f"--pattern {shortened_repr(self.pattern)} does not hold {_ID}",
                f'give a pattern such as "{_ID}.jpg"',
            )

    @property
    def from_links(self) -> bool:
        """Whether the pictures are downloaded."""
        return self.images is None

    def path_of(self, image_id: str) -> str:
        """The path of a picture inside `images`."""
        return self.pattern.replace(_ID, image_id)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How links are fetched.

    Attributes
    ----------
    retry_failed
        Classes of failure (see `RETRIED`) to try again; ``all`` for all.
    allow_private
        Whether links may lead into private networks.
    ignore_opt_out
        Whether robots.txt and the headers by which servers opt out are ignored.
    per_host
        Most requests to a host at the same time; None takes ``prepare.per_host``.
    """

    retry_failed: tuple[str, ...] = ()
    allow_private: bool = False
    ignore_opt_out: bool = False
    per_host: int | None = None

    @property
    def retried(self) -> frozenset[str]:
        """Classes of failure to try again: those that were named, or that an option now allows."""
        if "all" in self.retry_failed:
            return frozenset(RETRIED)
        allowed = {Reason.PRIVATE_ADDRESS: self.allow_private}
        allowed |= dict.fromkeys((Reason.ROBOTS, Reason.OPT_OUT), self.ignore_opt_out)
        named = map(str, (reason for reason, lifted in allowed.items() if lifted))
        return frozenset((*self.retry_failed, *named))

    def __post_init__(self) -> None:
        for name in self.retry_failed:
            if name not in {"all", *RETRIED}:
                raise UsageError(
                    f"--retry-failed is {shortened_repr(name)}",
                    f"give all, or one of {', '.join(RETRIED)}",
                )
        if self.per_host is not None and not 1 <= self.per_host <= _MOST_PER_HOST:
            raise UsageError(
                f"--per-host is {self.per_host}", f"give a number from 1 to {_MOST_PER_HOST}"
            )


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` has made.

    Attributes
    ----------
    to
        The folder.
    rows, kept
        Rows of the table, and those of them in ``metadata.csv``.
    dropped
        Rows in ``dropped.csv``, by reason.
    images
        Pictures in the folder.
    made
        Those of them that this run has made.
    notes
        Remarks for the user.
    """

    to: Path
    rows: int
    kept: int
    dropped: Mapping[str, int]
    images: int
    made: int
    notes: tuple[str, ...] = ()


def size_of(text: str) -> tuple[int, int]:
    """A size such as 384x384 as width and height.

    Raises
    ------
    UsageError
        It is no size, or one beyond 20,000 pixels.

    Examples
    --------
    >>> size_of("384x256")
    (384, 256)
    """
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text.strip().lower())
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (0 < width <= _MOST_PX and 0 < height <= _MOST_PX):
        raise UsageError(
            f"--size is {shortened_repr(text)}",
            f"give width and height of 1 to {_MOST_PX} pixels, such as 384x384",
        )
    return width, height


def fit_of(text: str) -> Fit:
    """The way to fit that has this name; raises `UsageError` if there is none."""
    try:
        return Fit(text)
    except ValueError:
        raise UsageError(
            f"--fit is {shortened_repr(text)}", f"give one of {', '.join(Fit)}"
        ) from None
