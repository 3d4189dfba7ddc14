"""Who may ask the local page: requests of its own address, with its token, from its own pages.

A browser lets any web page send requests to this machine. So each request must name the page's own
host, which a page elsewhere cannot feign (DNS rebinding), and carry a cookie that only the printed
address gives. What changes something must come from one of our own pages. A policy lets pages load
and run nothing but the package's own files.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MOST_BODY_BYTES = 64 * 2**20
"""Of a request: a picture that is dropped on a page is the largest."""
_COOKIE_SECONDS = 180 * 24 * 3600
_READING = ("GET", "HEAD")
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_UNCACHED = (b"cache-control", b"no-store")
_ASK = "Open the address that the terminal shows: it holds the key to this page."


@dataclass(frozen=True, slots=True)
class Door:
    """Under which address, and with which token, the page is reached.

    Attributes
    ----------
    port
        On 127.0.0.1.
    token
        A secret of this user, in letters that may stand in a URL.
    """

    port: int
    token: str

    @property
    def url(self) -> str:
        """The address to open first.

        >>> Door(8711, "secret").url
        'http://127.0.0.1:8711/?token=secret'
        """
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def hosts(self) -> frozenset[str]:
        """What a request may name as its host."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost"))

    @property
    def cookie(self) -> str:
        """The cookie's name; browsers do not tell apart ports, so it holds the port."""
        return f"imgbatch-{self.port}"


class TooMuch(Exception):  # noqa: N818 - it ends a request, and is no fault of ours
    """A request's body is longer than `MOST_BODY_BYTES`."""


class Guard:
    """Lets through to an application only what may ask; answers all else itself.

    Parameters
    ----------
    app
        The application.
    door
        Its address and token.
    """

    def __init__(self, app: "ASGIApp", door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        headers = _Headers(scope["headers"])
        if (refusal := self._refusal(scope, headers)) is not None:
            await _answer(send, refusal)
            return
        counted = _Counted(receive)
        begun = False

        async def guarded(message: "Message") -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": _with_ours(message["headers"])}
            await send(message)

        try:
            await self._app(scope, counted, guarded)
        except TooMuch:
            if not begun:
                await _answer(send, _TOO_MUCH)

    def _refusal(self, scope: "Scope", headers: "_Headers") -> "_Refusal | None":
        """What a request gets instead of its answer; None lets it in."""
        host = headers.only("host")
        if host not in self._door.hosts:
            return _Refusal(403, "this host is not the page's own")
        if given := dict(_query(scope)).get("token", ""):
            return self._entered(scope, given)
        if not self._is_token(headers.cookie(self._door.cookie)):
            return _Refusal(403, _ASK)
        if scope["method"] in _READING:
            return None
        return self._refused_change(scope["method"], headers, host)

    def _entered(self, scope: "Scope", given: str) -> "_Refusal":
        """The way in: a right token becomes a cookie, and goes from the address."""
        if scope["method"] not in _READING or not self._is_token(given):
            return _Refusal(403, _ASK)
        value = (
            f"{self._door.cookie}={self._door.token}; Path=/; HttpOnly; SameSite=Strict; "
            f"Max-Age={_COOKIE_SECONDS}"
        )
        headers = ((b"location", _without_token(scope)), (b"set-cookie", value.encode()))
        return _Refusal(303, "", headers)

    @staticmethod
    def _refused_change(method: str, headers: "_Headers", host: str) -> "_Refusal | None":
        if method != "POST":
            allowed = ((b"allow", b"GET, HEAD, POST"),)
            return _Refusal(405, "GET, HEAD and POST are answered", allowed)
        site = headers.only("sec-fetch-site")
        same = site == "same-origin" if site else headers.only("origin") == f"http://{host}"
        if not same:
            return _Refusal(403, "changes are taken from this page alone")
        length = headers.only("content-length")
        if length and (not length.isdecimal() or int(length[:20]) > MOST_BODY_BYTES):
            return _TOO_MUCH
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._door.token.encode())


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An answer of the guard's own."""

    status: int
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


_TOO_MUCH = _Refusal(413, f"at most {MOST_BODY_BYTES:,} bytes can be sent")


class _Headers:
    """The headers of a request; one that is sent twice counts as not sent."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs

    def only(self, name: str) -> str:
        """The value of a header that is sent once; else ""."""
        values = [value for key, value in self._pairs if key == name.encode()]
        return values[0].decode("latin-1") if len(values) == 1 else ""

    def cookie(self, name: str) -> str:
        """The value of a cookie; "" for none.

        Other programs of this machine share the host, and what their cookies hold may be no
        cookie: `http.cookies` gives up there, and would not see ours behind it.
        """
        for pair in self.only("cookie").split(";"):
            given, _, value = pair.partition("=")
            if given.strip() == name:
                return value.strip()
        return ""


class _Counted:
    """What a client sends, up to a number of bytes."""

    def __init__(self, receive: "Receive") -> None:
        self._receive, self._bytes = receive, 0

    async def __call__(self) -> "Message":
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > MOST_BODY_BYTES:
            raise TooMuch
        return message


def _query(scope: "Scope") -> list[tuple[str, str]]:
    return parse_qsl(
        scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="surrogateescape"
    )


def _without_token(scope: "Scope") -> bytes:
    """The address that was asked for, inside this page, without its token."""
    path = "/" + scope["raw_path"].decode("latin-1").split("?")[0].lstrip("/\\")
    rest = urlencode(
        [pair for pair in _query(scope) if pair[0] != "token"], errors="surrogateescape"
    )
    return (f"{path}?{rest}" if rest else path).encode("latin-1")


def _with_ours(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those of every answer; what may be kept says so itself."""
    cached = any(key == b"cache-control" for key, _ in headers)
    return [*headers, *_HEADERS, *(() if cached else (_UNCACHED,))]


async def _answer(send: "Send", refusal: _Refusal) -> None:
    body = f"{refusal.text}\n".encode() if refusal.text else b""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
    ]
    start = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": _with_ours(headers)})
    await send({"type": "http.response.body", "body": body})
