"""A server for links that misbehaves below HTTP: it waits, resets and lies about lengths.

It listens on 127.0.0.1 alone, in threads of this process. What it does at a path is a `Way`, drawn
from `WAYS`; each has the reasons for which `prepare` may drop such a link, or none if the link must
be kept.
"""

import contextlib
import gzip
import io
import random
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

_LONG = 64 << 20
_PIECE = 1 << 16
_BOMB = gzip.compress(bytes(_LONG), 6)
HANG_SECONDS = 8.0
"""How long a silent server is silent: longer than `prepare` waits."""


@dataclass
class Talk:
    """One request: what was asked for, and the connection to answer on.

    Attributes
    ----------
    picture
        The bytes that a good answer holds.
    again
        How often this path was asked for before.
    random
        Depends on the path alone.
    """

    connection: socket.socket
    server: "BadServer"
    path: str
    picture: bytes
    again: int
    random: random.Random

    def say(self, *pieces: bytes) -> None:
        """Send some bytes."""
        for piece in pieces:
            self.connection.sendall(piece)

    def answer(self, body: bytes, status: str = "200 OK", *headers: str, length: str = "") -> None:
        """A whole answer of HTTP; the last one of its connection."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {length or len(body)}",
                 "Content-Type: image/jpeg", "Connection: close", *headers]  # fmt: skip
        self.say("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", body)

    def head(self, *headers: str, status: str = "200 OK") -> None:
        """The beginning of an answer, without a length."""
        lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
        self.say("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def reset(self) -> None:
        """Close the connection as a crashed machine does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def forever(self, piece: bytes) -> None:
        """Send a piece until the other side has had enough."""
        while not self.server.stopped.is_set():
            self.say(piece)

    def hang(self) -> None:
        """Say nothing for longer than anybody waits."""
        self.server.stopped.wait(HANG_SECONDS)


Answer = Callable[[Talk], None]


@dataclass(frozen=True, slots=True)
class Way:
    """How a server behaves.

    Attributes
    ----------
    answer
        What it does.
    reasons
        Why the link may be dropped; empty if it must be kept.
    slow
        Whether it costs seconds.
    """

    name: str
    answer: Answer
    reasons: frozenset[str]
    slow: bool = False


WAYS: list[Way] = []


def _way(*reasons: str, slow: bool = False) -> Callable[[Answer], Answer]:
    def note(answer: Answer) -> Answer:
        name = answer.__name__.strip("_").replace("_", " ")
        WAYS.append(Way(name, answer, frozenset(reasons), slow))
        return answer

    return note


class BadServer:
    """Answers the paths that were given to it; begin with ``with BadServer()``.

    Attributes
    ----------
    asked
        Requests, by path.
    stopped
        Set at the end.
    """

    def __init__(self, robots: Answer | None = None) -> None:
        self._robots = robots
        self._paths: dict[str, tuple[Answer, bytes]] = {}
        self.asked: Counter[str] = Counter()
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def put(self, path: str, answer: Answer, picture: bytes) -> str:
        """Let a path behave so; returns its link."""
        self._paths[path] = answer, picture
        return f"http://127.0.0.1:{self.port}{path}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(2 * HANG_SECONDS)
            asked = b""
            while b"\r\n\r\n" not in asked:
                more = connection.recv(_PIECE)
                if not more:
                    return
                asked += more
            path = asked.split(b" ", 2)[1].decode("latin-1").partition("?")[0]
            answer, picture = self._paths.get(path, (_gone, b""))
            if path == "/robots.txt":
                answer = self._robots or _gone
            with self._lock:
                again = self.asked[path]
                self.asked[path] += 1
            talk = Talk(connection, self, path, picture, again, random.Random(path))
            answer(talk)
            with contextlib.suppress(OSError):  # unless it was reset
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(0.5)
                while connection.recv(_PIECE):
                    pass


def _gone(talk: Talk) -> None:
    talk.answer(b"", "404 Not Found")


def picture(number: int) -> bytes:
    """A small JPEG that no other number has."""
    noise = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(noise).save(data, "JPEG", quality=90)
    return data.getvalue()


# ----- ways that must be understood ---------------------------------------------------------------


@_way()
def _good(talk: Talk) -> None:
    talk.answer(talk.picture)


@_way()
def _a_name_that_leads_out(talk: Talk) -> None:
    talk.answer(
        talk.picture, "200 OK", 'Content-Disposition: attachment; filename="../../../etc/passwd"'
    )


@_way()
def _chunks(talk: Talk) -> None:
    talk.head("Transfer-Encoding: chunked")
    rest = talk.picture
    while rest:
        size = talk.random.randint(1, 700)
        talk.say(b"%x;odd=%d\r\n" % (len(rest[:size]), size), rest[:size], b"\r\n")
        rest = rest[size:]
    talk.say(b"0\r\n\r\n")


@_way()
def _no_length(talk: Talk) -> None:
    talk.head()
    talk.say(talk.picture)


@_way()
def _gzip_nobody_asked_for(talk: Talk) -> None:
    talk.answer(gzip.compress(talk.picture), "200 OK", "Content-Encoding: gzip")


@_way()
def _drips_to_the_end(talk: Talk) -> None:
    talk.head(f"Content-Length: {len(talk.picture)}")
    for start in range(0, len(talk.picture), 400):
        talk.say(talk.picture[start : start + 400])
        time.sleep(0.01)


@_way()
def _says_continue_first(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    talk.answer(talk.picture)


@_way()
def _html_by_its_type(talk: Talk) -> None:
    talk.head(f"Content-Length: {len(talk.picture)}", "Content-Type: text/html; charset=x\xff")
    talk.say(talk.picture)


@_way()
def _redirects_to_itself_with_a_fragment(talk: Talk) -> None:
    if talk.again % 2 == 0:
        talk.answer(b"", "302 Found", f"Location: {talk.path}?again#fragment")
    else:
        talk.answer(talk.picture)


@_way()
def _busy_once(talk: Talk) -> None:
    if talk.again:
        talk.answer(talk.picture)
        return
    odd = ("0", "-5", "soon", "0.1", "", "Wed, 21 Oct 2015 07:28:00 GMT", "1e3", "\xb2", "NaN",
           "Mon, 01 Jan 99999999999999999999 00:00:00 GMT")  # fmt: skip
    status = talk.random.choice(("429 Busy", "503 Busy"))
    talk.answer(b"", status, f"Retry-After: {talk.random.choice(odd)}")


@_way()
def _resets_once(talk: Talk) -> None:
    if talk.again:
        talk.answer(talk.picture)
    else:
        talk.reset()


# ----- connections that break ---------------------------------------------------------------------


@_way("connection", "incomplete")
def _resets_at_once(talk: Talk) -> None:
    talk.reset()


@_way("connection", "incomplete", "refused")
def _closes_somewhere(talk: Talk) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(talk.picture) + talk.picture
    talk.say(whole[: talk.random.randrange(len(whole) - 1)])


@_way("connection", "incomplete")
def _resets_in_the_body(talk: Talk) -> None:
    talk.head(f"Content-Length: {len(talk.picture)}")
    talk.say(talk.picture[:100])
    time.sleep(0.05)
    talk.reset()


@_way("timeout", slow=True)
def _is_silent(talk: Talk) -> None:
    talk.hang()


@_way("timeout", slow=True)
def _is_silent_behind_the_head(talk: Talk) -> None:
    talk.head("Content-Length: 1000")
    talk.hang()


@_way("timeout", slow=True)
def _drips_for_ever(talk: Talk) -> None:
    talk.head("Content-Length: 100000")
    while not talk.server.stopped.wait(0.1):
        talk.say(b"x")


# ----- what is no HTTP ----------------------------------------------------------------------------


@_way("refused", "connection", "incomplete", "unreadable", "too-large")
def _random_bytes(talk: Talk) -> None:
    talk.say(talk.random.randbytes(talk.random.randint(1, 5000)))


@_way("refused", "connection", "server-error")
def _an_odd_status_line(talk: Talk) -> None:
    odd = ("HTTP/9.9 200 OK", "HTTP/1.1 abc OK", "HTTP/1.1 99999 OK", "HTTP/1.1 -200 OK", "200 OK",
           "SSH-2.0-OpenSSH_9.6", "HTTP/1.1", "220 mail.invalid ESMTP", "HTTP/1.1 000 x",
           "HTTP/1.1 999 no")  # fmt: skip
    talk.say(talk.random.choice(odd).encode() + b"\r\nContent-Length: 0\r\n\r\n")


@_way("refused", "connection", "incomplete", "unreadable", "too-large", "timeout")
def _an_odd_length(talk: Talk) -> None:
    odd = ("-1", "abc", "1e3", "99999999999999999999999", "0x10", "5, 6", "\xb2", "+", "10")
    talk.answer(talk.picture, length=talk.random.choice(odd))


@_way("refused", "connection", "incomplete", "unreadable")
def _two_lengths(talk: Talk) -> None:
    talk.answer(talk.picture, "200 OK", "Content-Length: 7")


@_way("refused", "connection", "incomplete", "unreadable")
def _garbage_of_chunks(talk: Talk) -> None:
    talk.head("Transfer-Encoding: chunked")
    odd = (b"-1\r\n", b"zz\r\n", b"ffffffffffffffffff\r\nx", b"\r\n\r\n", b"5\r\nab\r\n0\r\n\r\n",
           b"10\r\nabc", b"1\r\nab\r\n", b"0\r\n")  # fmt: skip
    talk.say(talk.random.choice(odd))


@_way("refused", "connection", "incomplete", "too-large", "timeout")
def _a_chunk_line_without_end(talk: Talk) -> None:
    talk.head("Transfer-Encoding: chunked")
    talk.say(b"5;")
    talk.forever(b"x" * _PIECE)


@_way("refused", "connection", "timeout")
def _a_header_without_end(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\nX: ")
    talk.forever(b"x" * _PIECE)


@_way("refused", "connection", "timeout")
def _headers_without_end(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\n")
    talk.forever(b"X-%d: 1\r\n" % talk.random.randrange(10) * 5000)


@_way("refused", "connection", "timeout")
def _continues_without_end(talk: Talk) -> None:
    talk.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


# ----- bodies -------------------------------------------------------------------------------------


@_way("too-large")
def _a_body_without_end(talk: Talk) -> None:
    talk.head()
    talk.forever(bytes(_PIECE))


@_way("too-large")
def _chunks_without_end(talk: Talk) -> None:
    talk.head("Transfer-Encoding: chunked")
    talk.forever(b"10000\r\n" + bytes(_PIECE) + b"\r\n")


@_way("too-large", "incomplete", "unreadable")
def _a_bomb(talk: Talk) -> None:
    talk.answer(_BOMB, "200 OK", "Content-Encoding: gzip")


@_way("too-large", "incomplete", "unreadable")
def _a_bomb_in_a_bomb(talk: Talk) -> None:
    talk.answer(gzip.compress(_BOMB), "200 OK", "Content-Encoding: gzip, gzip")


@_way("refused", "connection", "incomplete", "unreadable")
def _an_odd_packing(talk: Talk) -> None:
    kind = talk.random.choice(("gzip", "deflate", "br", "zstd"))
    odd = talk.random.choice((b"no packing", gzip.compress(talk.picture)[:1500], b"\x1f\x8b"))
    talk.answer(odd, "200 OK", f"Content-Encoding: {kind}")


@_way("unreadable")
def _a_page(talk: Talk) -> None:
    talk.answer(b"<html>sold out</html>")


@_way("unreadable")
def _nothing(talk: Talk) -> None:
    talk.answer(b"")


@_way("unreadable")
def _half_a_picture(talk: Talk) -> None:
    talk.answer(talk.picture[: len(talk.picture) // 2])


@_way("unreadable")
def _a_picture_of_ten_thousand_million_pixels(talk: Talk) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    talk.answer(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ))  # fmt: skip


# ----- answers that lead away ---------------------------------------------------------------------


@_way("redirects")
def _a_circle(talk: Talk) -> None:
    talk.answer(b"", "301 Moved", f"Location: {talk.path}?{talk.random.randrange(9)}")


@_way("redirects", "no-link", "unknown-host", "connection", "refused")
def _leads_to_what_is_no_link(talk: Talk) -> None:
    odd = ("file:///etc/passwd", "ftp://127.0.0.1/a", "data:image/png;base64,AAAA", "gopher://x",
           "javascript:1", "http://", "http://[", "http://[::1", "//", "http://xn--a.invalid/",
           "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://\xff\xfe/", "http:///x",
           "http://user:se/cret@x/", "\x01", "http://a..b/", "http://" + "a" * 300 + ".invalid/",
           "http://127.0.0.1:1/")  # fmt: skip
    talk.answer(b"", "302 Found", f"Location: {talk.random.choice(odd)}")


@_way("refused", "redirects")
def _a_status_that_is_no_picture(talk: Talk) -> None:
    odd = ("404 no", "403 no", "410 gone", "401 who", "206 Partial", "201 Created", "300 Many",
           "418 I am a teapot", "451 no", "305 Use Proxy")  # fmt: skip
    talk.answer(talk.picture, talk.random.choice(odd))


@_way("server-error", "busy")
def _always_an_error(talk: Talk) -> None:
    talk.answer(b"", talk.random.choice(("500 no", "502 no", "503 no", "504 no", "599 no")))


@_way("busy")
def _busy_for_long(talk: Talk) -> None:
    odd = (
        "3600",
        "999999999999",
        "9" * 400,
        "Wed, 21 Oct 9999 07:28:00 GMT",
        "\xb2",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "-1",
        "99999999999999999999999",
    )
    talk.answer(b"", "429 no", f"Retry-After: {talk.random.choice(odd)}")


@_way("opt-out")
def _opts_out(talk: Talk) -> None:
    talk.answer(talk.picture, "200 OK", "X-Robots-Tag: otherbot: all, imgbatch: noai")


# ----- robots.txt ---------------------------------------------------------------------------------


def _rules(body: bytes) -> Answer:
    return lambda talk: talk.answer(body)


ROBOTS: dict[str, tuple[Answer, frozenset[str]]] = {
    "is random bytes": (lambda talk: talk.answer(talk.random.randbytes(3000)), frozenset()),
    "never ends": (lambda talk: (talk.head(), talk.forever(b"Allow: /\n" * 1000))[0], frozenset()),
    "is two megabytes of rules": (
        _rules(b"User-agent: *\nDisallow: /*x*y$\n" * 65_000),
        frozenset(),
    ),
    "redirects in a circle": (_a_circle, frozenset()),
    "has odd numbers": (
        _rules(
            b"User-agent: *\nCrawl-delay: nan\nCrawl-delay: -1\nRequest-rate: 1/0\nDisallow: %zz\n"
        ),
        frozenset(),
    ),
    "forbids all": (_rules(b"User-agent: imgbatch\nDisallow: /\n"), frozenset({"robots"})),
    "hangs": (_is_silent, frozenset({"timeout"})),
    "resets": (_resets_at_once, frozenset({"connection", "incomplete"})),
    "is an error": (_always_an_error, frozenset({"server-error", "busy"})),
    "is no HTTP": (_an_odd_status_line, frozenset({"refused", "connection", "server-error"})),
    "leads to a file": (
        lambda talk: talk.answer(b"", "302 Found", "Location: file:///etc/passwd"),
        frozenset({"no-link"}),
    ),
}
"""What the robots.txt of a server does, and why its links may be dropped; nothing keeps them."""
