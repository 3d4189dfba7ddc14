"""One link: checked, asked for politely, streamed into a file, tried again where that may help."""

import asyncio
import contextlib
import errno
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp
import stamina
from yarl import URL

from imgbatch.errors import OutputError
from imgbatch.intake.addresses import Allowed, GlobalResolver, PrivateAddressError, literal_address
from imgbatch.intake.hosts import ROBOT, GivenUpError, Host, Hosts, opts_out, retry_after
from imgbatch.intake.records import Reason
from imgbatch.intake.rows import shown
from imgbatch.intake.state import Pending
from imgbatch.version import __version__

USER_AGENT = f"{ROBOT}/{__version__} (makes sets of training images; obeys robots.txt)"
_PIECE_BYTES = 1 << 16
_MOST_ROBOTS_BYTES = 500_000
"""What RFC 9309 asks a crawler to read, at least."""
_AGAIN = {408: Reason.TIMEOUT, 429: Reason.BUSY, 503: Reason.BUSY}
_REDIRECTS = {301, 302, 303, 307, 308}
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How links are fetched; see [prepare] in config.toml."""

    connections: int = 64
    per_host: int = 2
    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    total_seconds: float = 120.0
    redirects: int = 5
    attempts: int = 4
    wait_seconds: float = 1.0
    most_wait_seconds: float = 60.0
    max_download_megabytes: float = 50.0
    ignore_opt_out: bool = False


class Fetched(NamedTuple):
    """A link whose bytes lie in a file."""

    id: int
    draft: str


class Failed(NamedTuple):
    """A link that gave no file, and why."""

    id: int
    reason: Reason
    detail: str


class FetchError(Exception):
    """A link cannot be fetched.

    Attributes
    ----------
    reason, detail
        Why; the detail holds no secret of the link.
    again
        Whether another attempt may help.
    wait_seconds
        How long the server asks us to wait; None if it does not say.
    """

    def __init__(
        self, reason: Reason, detail: str, *, again: bool = False, wait_seconds: float | None = None
    ) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail
        self.again, self.wait_seconds = again, wait_seconds

    def of(self, what: str) -> "FetchError":
        """The same failure, of another file that had to be read first."""
        detail = f"{what}: {self.detail}"
        return FetchError(self.reason, detail, again=self.again, wait_seconds=self.wait_seconds)


class Fetcher:
    """Fetches links within one running event loop.

    Parameters
    ----------
    options
        Limits and times.
    allowed
        Which addresses may be connected to.
    drafts
        The folder for files that are being made.
    """

    def __init__(self, options: FetchOptions, allowed: Allowed, drafts: str) -> None:
        self._options, self._allowed, self._drafts = options, allowed, drafts
        self._hosts = Hosts(options.per_host)
        self._slots = asyncio.Semaphore(options.connections)
        timeout = aiohttp.ClientTimeout(
            total=options.total_seconds,
            sock_connect=options.connect_seconds,
            sock_read=options.read_seconds,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.connections, resolver=GlobalResolver(allowed), ttl_dns_cache=300
            ),
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def fetch(self, link: Pending) -> Fetched | Failed:
        """Fetch a link, with further attempts where they may help.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        try:
            try:
                return Fetched(link.id, await self._follow(link.source))
            except FetchError as error:  # most links need no more, and waiting has its price
                return Fetched(link.id, await self._again(link.source, error))
        except FetchError as error:
            return Failed(link.id, error.reason, error.detail)

    async def _again(self, link: str, first: FetchError) -> str:
        """Further attempts after a first one that failed; raises what the last one raised."""
        failed, options = [first], self._options
        async for attempt in stamina.retry_context(
            on=self._wait_before_another,
            attempts=options.attempts,
            timeout=None,
            wait_initial=options.wait_seconds,
            wait_max=options.most_wait_seconds,
            wait_jitter=options.wait_seconds,
        ):
            with attempt:
                if failed:
                    raise failed.pop()
                return await self._follow(link)
        raise first

    def _wait_before_another(self, error: Exception) -> bool | float:
        """Whether to try again: after the usual time, or after that which the server asked for."""
        if not isinstance(error, FetchError) or not error.again:
            return False
        wait_seconds = error.wait_seconds
        if wait_seconds is None:
            return True
        return wait_seconds if wait_seconds <= self._options.most_wait_seconds else False

    async def _follow(self, link: str) -> str:
        """Go through redirects, each checked like the link itself; returns the file."""
        url = _parsed(link)
        for _ in range(self._options.redirects + 1):
            self._check(url)
            with self._hosts.using(str(url.origin())) as host:
                if not self._options.ignore_opt_out and not await self._may_fetch(url, host):
                    raise FetchError(Reason.ROBOTS, f"robots.txt of {url.host} forbids it")
                async with self._asked(url, host) as response:
                    if response.status not in _REDIRECTS:
                        self._check_answer(response, host)
                        return await self._saved(response)
                    url = _joined(url, response.headers.get("Location", ""))
        raise FetchError(Reason.REDIRECTS, f"more than {self._options.redirects} redirects")

    def _check(self, url: URL) -> None:
        try:
            host = url.host
        except ValueError:  # a name that begins with xn-- and is none, found when it is asked for
            raise FetchError(Reason.NO_LINK, "no valid host name") from None
        if url.scheme not in {"http", "https"} or not host:
            raise FetchError(Reason.NO_LINK, f"leads to {shown(str(url))}, no http:// or https://")
        if (address := literal_address(host)) and not self._allowed(address):
            raise FetchError(Reason.PRIVATE_ADDRESS, f"leads to {address}")

    async def _may_fetch(self, url: URL, host: Host) -> bool:
        async def read_robots() -> str:
            try:
                return await self._robots_of(url, host)
            except FetchError as error:
                raise error.of("robots.txt") from None

        try:
            return await host.allows(str(url), read_robots)
        except GivenUpError as error:
            last = error.__cause__
            if not isinstance(last, FetchError):
                raise
            raise FetchError(last.reason, f"{last.detail}; it is not asked for again") from None

    async def _robots_of(self, url: URL, host: Host) -> str:
        """The text of robots.txt; "" if there is none. A server's error is one of the link."""
        url = url.origin() / "robots.txt"
        for _ in range(self._options.redirects + 1):
            self._check(url)
            async with self._asked(url, host) as response:
                if response.status in _REDIRECTS:
                    url = _joined(url, response.headers.get("Location", ""))
                    continue
                if response.status in _AGAIN or response.status >= 500:
                    raise _refusal(response, host, self._options)
                if response.status != 200:
                    return ""
                data = b""
                while more := await response.content.read(_MOST_ROBOTS_BYTES - len(data)):
                    data += more
                return data.decode("utf-8", "replace")
        return ""

    @contextlib.asynccontextmanager
    async def _asked(self, url: URL, host: Host) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request; what goes wrong while it is asked or read is a `FetchError`."""
        try:
            async with (
                host.turn(),
                self._slots,
                self._session.get(url, allow_redirects=False) as response,
            ):
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _named(error) from None

    def _check_answer(self, response: aiohttp.ClientResponse, host: Host) -> None:
        if response.status != 200:
            raise _refusal(response, host, self._options)
        values = response.headers.getall
        said = opts_out(values("X-Robots-Tag", ()), values("TDM-Reservation", ()))
        if said and not self._options.ignore_opt_out:
            raise FetchError(Reason.OPT_OUT, said)
        if (response.content_length or 0) > self._most_bytes:
            raise self._too_large()

    async def _saved(self, response: aiohttp.ClientResponse) -> str:
        """Stream the body into a new file; what the body becomes when unpacked is counted."""
        draft, size = os.path.join(self._drafts, f"{uuid.uuid4().hex}.part"), 0
        with _failing_as_output(draft):
            file = open(draft, "xb")  # noqa: SIM115, ASYNC230 - short writes
        try:
            with file:
                async for piece in response.content.iter_chunked(_PIECE_BYTES):
                    size += len(piece)
                    if size > self._most_bytes:
                        raise self._too_large()
                    with _failing_as_output(draft):
                        file.write(piece)
                with _failing_as_output(draft):
                    file.flush()
        except BaseException:
            os.unlink(draft)
            raise
        return draft

    @property
    def _most_bytes(self) -> float:
        return self._options.max_download_megabytes * 1e6

    def _too_large(self) -> FetchError:
        return FetchError(Reason.TOO_LARGE, f"over {self._options.max_download_megabytes:g} MB")


def _parsed(link: str) -> URL:
    try:
        return URL(link)
    except ValueError as error:  # which may repeat a password
        said = "" if "@" in link else f": {error}"
        raise FetchError(Reason.NO_LINK, f"no valid link{said}") from None


def _joined(url: URL, location: str) -> URL:
    if not location:
        raise FetchError(Reason.REDIRECTS, "redirects to nowhere")
    try:
        return url.join(URL(location)).with_fragment(None)
    except ValueError:
        raise FetchError(Reason.REDIRECTS, "redirects to what is no link") from None


def _refusal(response: aiohttp.ClientResponse, host: Host, options: FetchOptions) -> FetchError:
    """The error for an answer other than 200; a host that asks for time gets it from all links."""
    status = response.status
    detail = f"HTTP {status}"
    if status not in _AGAIN and status < 500:
        return FetchError(Reason.REFUSED, detail)
    reason = _AGAIN.get(status, Reason.SERVER_ERROR)
    wait_seconds = retry_after(response.headers.get("Retry-After"))
    if wait_seconds is not None and wait_seconds <= options.most_wait_seconds:
        host.pause(wait_seconds)
    elif wait_seconds is not None:
        detail = f"{detail}, asks to wait {wait_seconds:,.0f} seconds"
    return FetchError(reason, detail, again=True, wait_seconds=wait_seconds)


_FAILURES: tuple[tuple[type[Exception], Reason, str, bool], ...] = (
    (TimeoutError, Reason.TIMEOUT, "no answer in time", True),
    (aiohttp.ClientSSLError, Reason.CONNECTION, "no trusted encryption", False),
    (aiohttp.ClientPayloadError, Reason.INCOMPLETE, "the answer broke off", True),
    (aiohttp.InvalidURL, Reason.NO_LINK, "no valid link", False),
    (aiohttp.ClientResponseError, Reason.REFUSED, "the answer is no HTTP", False),
    (ValueError, Reason.NO_LINK, "no valid host name", False),
    (Exception, Reason.CONNECTION, "no connection, or a lost one", True),
)
"""What libraries raise, with our reason, the words for it, and whether another attempt may help."""


def _named(error: Exception) -> FetchError:
    """What a library raised, as one of our classes of failure."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        cause = error.os_error
        if isinstance(cause, PrivateAddressError):
            return FetchError(Reason.PRIVATE_ADDRESS, "the host has no public address")
        known = cause.__cause__ or cause
        again = getattr(known, "errno", None) not in _NO_SUCH_NAME
        return FetchError(Reason.UNKNOWN_HOST, "the host's name is not known", again=again)
    return next(
        FetchError(reason, detail, again=again)
        for kind, reason, detail, again in _FAILURES
        if isinstance(error, kind)
    )


@contextlib.contextmanager
def _failing_as_output(file: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        raise OutputError(
            f"cannot write {file}: {reason}; what was made is kept",
            "make room, and run the same command again",
        ) from None
