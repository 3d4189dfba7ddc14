"""What a server does that misbehaves, for `badserver`.

Each `Way` has the reasons for which `prepare` may drop such a link, or none if the link must be
kept.
"""

import gzip
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from campaign.badserver import PIECE_BYTES, Answer, Talk

_BOMB = gzip.compress(bytes(64 << 20), 6)


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
    talk.forever(b"x" * PIECE_BYTES)


@_way("refused", "connection", "timeout")
def _a_header_without_end(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\nX: ")
    talk.forever(b"x" * PIECE_BYTES)


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
    talk.forever(bytes(PIECE_BYTES))


@_way("too-large")
def _chunks_without_end(talk: Talk) -> None:
    talk.head("Transfer-Encoding: chunked")
    talk.forever(b"10000\r\n" + bytes(PIECE_BYTES) + b"\r\n")


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
    odd = ("3600", "999999999999", "9" * 400, "Wed, 21 Oct 9999 07:28:00 GMT", "\xb2", "-1",
           "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "99999999999999999999999")  # fmt: skip
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
