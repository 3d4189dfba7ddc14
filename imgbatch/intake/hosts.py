"""Politeness: what a host gets at once, when it wants to be left alone, its robots.txt."""

import asyncio
import contextlib
import email.utils
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

from protego import Protego

ROBOT = "imgbatch"
"""The name by which robots.txt and headers may speak to this program."""
OPT_OUT = frozenset({"noai", "noimageai", "noindex", "noimageindex", "noml", "none"})
"""Values of X-Robots-Tag that keep a picture out."""
_NOT_A_ROBOT = frozenset({
    "unavailable_after", "max-snippet", "max-image-preview", "max-video-preview",
})  # fmt: skip
_MOST_HOSTS = 10_000
_MOST_DELAY_SECONDS = 60.0
_FAILURES, _GIVEN_UP_SECONDS = 3, 60.0
"""A robots.txt that could not be read so often and for so long is not asked for again."""


class GivenUpError(Exception):
    """A host's robots.txt could not be read for so long that it is not asked for again.

    Its cause is what went wrong last.
    """


class Host:
    """One host and port.

    Parameters
    ----------
    at_once
        Most requests at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._reading = asyncio.Lock()
        self._free_at, self._delay_seconds = 0.0, 0.0
        self._robots: Protego | None = None
        self._failures, self._failing_since = 0, 0.0
        self._last_failure: Exception | None = None
        self.users = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until the host may be asked, and hold one of its slots meanwhile."""
        async with self._slots:
            while (wait_seconds := self._free_at - time.monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(wait_seconds)
            if self._delay_seconds:
                self._free_at = time.monotonic() + self._delay_seconds
            yield

    def pause(self, seconds: float) -> None:
        """Leave the host alone for some time; all that want it wait."""
        self._free_at = max(self._free_at, time.monotonic() + seconds)

    async def allows(self, url: str, read_robots: Callable[[], Awaitable[str]]) -> bool:
        """Whether robots.txt lets us fetch a URL; `read_robots` gives its text, asked once.

        What `read_robots` raises is raised here. Links ask one after the other, so a host that
        keeps silent would hold each of them for as long as a request may take.

        Raises
        ------
        GivenUpError
            Each of several readings has failed, for a minute or more.
        """
        async with self._reading:
            if self._robots is None:
                self._robots = Protego.parse(await self._first_read(read_robots))
                delay_seconds = self._robots.crawl_delay(ROBOT) or 0.0
                self._delay_seconds = min(float(delay_seconds), _MOST_DELAY_SECONDS)
        return bool(self._robots.can_fetch(url, ROBOT))

    async def _first_read(self, read_robots: Callable[[], Awaitable[str]]) -> str:
        begun = time.monotonic()
        if self._failures >= _FAILURES and begun - self._failing_since >= _GIVEN_UP_SECONDS:
            raise GivenUpError from self._last_failure
        try:
            return await read_robots()
        except Exception as error:
            if not self._failures:
                self._failing_since = begun
            self._failures += 1
            self._last_failure = error
            raise


class Hosts:
    """The hosts that were asked lately; those that nobody uses are forgotten beyond 10,000."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._hosts: OrderedDict[str, Host] = OrderedDict()

    @contextlib.contextmanager
    def using(self, origin: str) -> Iterator[Host]:
        """The host of an origin, such as ``https://example.org:443``; kept inside the block."""
        host = self._hosts.get(origin) or Host(self._at_once)
        self._hosts[origin] = host
        self._hosts.move_to_end(origin)
        host.users += 1
        try:
            yield host
        finally:
            host.users -= 1
            self._forget()

    def _forget(self) -> None:
        while len(self._hosts) > _MOST_HOSTS:
            name, oldest = next(iter(self._hosts.items()))
            if oldest.users:
                return
            del self._hosts[name]


def opts_out(robots_tags: Iterable[str], reservations: Iterable[str] = ()) -> str:
    """The header by which a server keeps a picture from being used; "" if there is none.

    Parameters
    ----------
    robots_tags
        Values of ``X-Robots-Tag``. A directive behind another robot's name is not for us.
    reservations
        Values of ``TDM-Reservation``; 1 reserves the rights of text and data mining.

    Examples
    --------
    >>> opts_out(["noai, nofollow"]), opts_out(["otherbot: noindex"]), opts_out(["imgbatch: noai"])
    ('X-Robots-Tag: noai', '', 'X-Robots-Tag: noai')
    """
    for value in robots_tags:
        robot = ""
        for part in value.lower().split(","):
            name, colon, rest = part.partition(":")
            directive = part.strip()
            if colon and name.strip() not in _NOT_A_ROBOT:
                robot, directive = name.strip(), rest.strip()
            if directive in OPT_OUT and robot in {"", "*", ROBOT}:
                return f"X-Robots-Tag: {directive}"
    return "TDM-Reservation: 1" if any(value.strip() == "1" for value in reservations) else ""


def retry_after(value: str | None) -> float | None:
    """Seconds from now that Retry-After asks for, as a number or a date; None for anything else.

    >>> retry_after("7"), retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), retry_after("soon")
    (7.0, 0.0, None)
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, then - time.time())
