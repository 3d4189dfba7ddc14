"""Part `page`: whatever is sent to the local page, it answers, lets in nobody else, harms nothing.

A case is one hostile request over a socket of its own: foreign hosts, missing or wrong cookies and
tokens, forms from elsewhere, ids, numbers and paths that make no sense, bytes that are no HTTP. A
request that was not let in must get 400, 403, 405 or 413, or no answer, and must change nothing;
one that was must get an answer that is no failure of the server. Every hundredth case kills the
server while it writes the basket or a label, and starts it again: it must have what was there
before or after.
"""

import contextlib
import csv
import json
import random
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.folders import contents, copy_pictures
from campaign.processes import Command

_EACH_KILLED = 100
_START_SECONDS = 60.0
_IN = {200, 303, 304, 400, 404, 405, 409, 413, 416, 422}
"""Statuses of what was let in."""
_OUT = {0, 400, 403, 404, 405, 413, 431, 501, 505}
"""Statuses of what was not; 0 is no answer at all."""
_TEXTS = (
    b"", b"0", b"-1", b"1e99", b"9" * 30, b"\xff\xfe", b"\0", b"%00", b"../../etc/passwd",
    b"<script>", b"' OR 1=1 --", b"{{7*7}}", b"0-000000000000", b"a" * 5000, "\u0663".encode(),
    b"\r\nX: y", b"//evil",
    b"http://evil.example/", b"NaN", b"true", b"[]", b"../", b";", b"0,1,2", b"\xed\xb3\xa9",
)  # fmt: skip
_NAMES = (
    "n", "seed", "like", "by", "page", "size", "sort", "label", "tag", "words", "q", "a", "b", "id",
    "group", "level", "color", "epoch", "batch", "add", "remove", "undo", "clear", "back", "stamp",
    "images", "before", "queue", "did", "token", "folder", "name", "class", "only", "reverse",
)  # fmt: skip
_FORMS = (
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
)  # fmt: skip
_UPLOAD = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'


@dataclass(frozen=True, slots=True)
class _Request:
    """Bytes to send, what they are in words, whether they come with the key, and are all of it."""

    data: bytes
    text: str
    let_in: bool
    whole: bool = True


class _Page:
    """A server of a folder of its own, started when it is needed."""

    def __init__(self, campaign: Campaign, number: int) -> None:
        self.campaign, self.home = campaign, campaign.folder(f"page-{number}")
        copy_pictures(self.home / "photos", min(campaign.pictures, 24))
        self.before = contents(self.home / "photos")
        self.start()
        self.ids = [f"{row}-{'0' * 12}" for row in range(3)]

    def start(self) -> None:
        arguments = ["browse", "photos", "--no-open", "--save", "saved.csv"]
        self.command = Command(self.campaign, arguments, self.home)
        out = self.command._files[0]  # noqa: SLF001 - its first line is the address
        end = time.monotonic() + _START_SECONDS
        while not out.read_bytes().endswith(b"\n"):
            if self.command.poll() or time.monotonic() > end:
                raise BrokenError(f"browse does not start: {self.command.end().in_short}")
            time.sleep(0.02)
        url = out.read_text().strip()
        self.port = int(url.split(":")[2].split("/")[0])
        self.token = url.partition("token=")[2]
        self.host = f"127.0.0.1:{self.port}"
        self.cookie = f"imgbatch-{self.port}={self.token}"

    def stop(self) -> str:
        """End the server as Ctrl-C does; what it had to complain of."""
        self.command.send(signal.SIGINT, group=False)
        ended = self.command.end()
        return "" if "Traceback" not in ended.err else ended.lines[-1]

    def kill(self) -> None:
        self.command.send(signal.SIGKILL, group=True)
        self.command.end()

    def ask(self, data: bytes, *, whole: bool = True) -> tuple[int, bytes]:
        """Send bytes and read to the end; the status, 0 if there was no answer.

        If they are no whole request, the end of them is told, which ends the connection.
        """
        answer = b""
        with contextlib.suppress(ConnectionError), self._connected() as connection:
            connection.sendall(data)
            if not whole:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                answer += part
        words = answer[:64].split(b" ")
        return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), answer

    def _connected(self) -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=self.campaign.limits.hang_seconds
        )

    def basket(self) -> bytes:
        files = list((self.home / "index").rglob("basket.json"))
        return files[0].read_bytes() if files else b"[]"

    def saved(self) -> list[list[str]]:
        """The rows of the labels' file, the heading first."""
        file = self.home / "saved.csv"
        if not file.exists():
            return []
        with file.open(newline="", encoding="utf-8") as opened:
            return list(csv.reader(opened))

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """A request as the page's own forms send it, but for what `headers` replace."""
        own = {
            "Host": self.host, "Cookie": self.cookie, "Connection": "close",
            "Sec-Fetch-Site": "same-origin", "Content-Length": str(len(body)),
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        lines = {**own, **{name.replace("_", "-"): value for name, value in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


@contextlib.contextmanager
def _page(campaign: Campaign, number: int) -> Iterator[_Page]:
    page = _Page(campaign, number)
    try:
        yield page
    finally:
        page.kill()


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    yield from each_case(campaign, cases, lambda number: _page(campaign, number), _attempt)


def _attempt(page: _Page, case: int) -> Outcome:
    chance = page.campaign.random("page", case)
    if case % _EACH_KILLED == _EACH_KILLED - 1:
        found = [*_looked_after(page), *_killed(page, chance)]
    else:
        found = _asked(page, _hostile(page, chance))
    failures = tuple(Failure(kind, f"case {case}: {text}") for kind, text in found)
    if page.command.poll():
        page.kill()
        page.start()
    return Outcome(case, failures, page.command.memory_mb)


def _asked(page: _Page, request: _Request) -> list[tuple[str, str]]:
    before = page.basket()
    try:
        status, answer = page.ask(request.data, whole=request.whole)
    except TimeoutError:
        return [("no answer in time", request.text)]
    if page.command.poll():
        return [("the server is gone", request.text)]
    allowed = _IN | _OUT if request.let_in else _OUT
    found = []
    if status not in allowed:
        found.append((f"status {status}", request.text))
    if b"Traceback" in answer or b"inside imgbatch" in answer:
        found.append(("the inside of the program is shown", request.text))
    if b"<script>" in answer and b"attachment" not in answer:  # a one-file page has its own
        found.append(("a text becomes code", request.text))
    if not request.let_in and page.basket() != before:
        found.append(("a request that was not let in changed the basket", request.text))
    return found


def _killed(page: _Page, chance: random.Random) -> list[tuple[str, str]]:
    """Kill the server at some moment of a change of the basket or of a label; start it again."""
    status, html = page.ask(page.request("GET", "/similar?n=8&seed=1"))
    ids = sorted({part.split(b'"')[0].decode() for part in html.split(b'name="add" value="')[1:]})
    if status != 200 or not ids:
        return [("the page shows no images", f"status {status}")]
    labels = chance.random() < 0.5
    if labels:
        path, body = "/label/give", f"image={chance.choice(ids)}&label=kind{chance.randrange(99)}"
    else:
        page.ask(page.request("POST", "/basket/change", b"clear=1"))
        path, body = "/basket/change", "&".join(f"add={one}" for one in ids)
    basket, rows = page.basket(), page.saved()
    connection = socket.create_connection(("127.0.0.1", page.port), timeout=20)
    connection.sendall(page.request("POST", path, body.encode()))
    time.sleep(chance.random() * 0.03)
    page.kill()
    connection.close()
    found = _half_a_label(rows, page.saved()) if labels else _half_a_basket(basket, page, len(ids))
    page.start()
    status, _ = page.ask(page.request("GET", "/basket"))
    return found if status == 200 else [*found, ("after a kill no page is shown", f"{status}")]


def _half_a_basket(former: bytes, page: _Page, images: int) -> list[tuple[str, str]]:
    now = page.basket()
    try:
        size = len(json.loads(now.partition(b"\n")[0]))
    except ValueError:
        return [("a kill leaves half a basket", repr(now[:80]))]
    if now != former and size != images:
        return [("a kill leaves a part of a change", f"{size} of {images} images")]
    return []


def _half_a_label(former: list[list[str]], now: list[list[str]]) -> list[tuple[str, str]]:
    """Rows stay, but for that of the image; the first label brings those that subfolders give."""
    if any(len(row) != len(now[0]) for row in now):
        return [("a kill leaves half a row", repr(now[-1]))]
    gone = [row for row in former if row not in now]
    if len(gone) > 1 or len(now) < len(former):
        return [("a kill loses labels", f"{len(former)} rows before, {len(now)} after")]
    return []


def _looked_after(page: _Page) -> list[tuple[str, str]]:
    """The folder is as it was, and the server told of no bug."""
    found = []
    if contents(page.home / "photos") != page.before:
        found.append(("the image folder was changed", "by some request before this case"))
    if told := page.stop():
        found.append(("a bug was told in the terminal", told))
    page.start()
    return found


# ----- hostile requests ---------------------------------------------------------------------------


def _hostile(page: _Page, chance: random.Random) -> _Request:
    return chance.choice((_stranger, _stranger, _nonsense, _nonsense, _nonsense, _no_http))(
        page, chance
    )


def _path(page: _Page, chance: random.Random) -> str:
    """An address of the page, or something like one, with values that make no sense."""
    from imgbatch.web.screens import SCREENS

    known = [path for screen in SCREENS for path in screen.routes]
    text = chance.choice(_TEXTS)
    named = quote_from_bytes(text, safe="")
    others = [
        f"/thumbnails/{named}", f"/pictures/{chance.choice(page.ids)}", f"/static/{named}",
        f"/{quote_from_bytes(text)}", "/../" * 3 + "etc/passwd", "/static/../guard.py",
    ]  # fmt: skip
    path = chance.choice(known if chance.random() < 0.8 else others)
    values = [
        f"{chance.choice(_NAMES)}={quote_from_bytes(chance.choice(_TEXTS), safe='')}"
        for _ in range(chance.randrange(4))
    ]
    return f"{path}?{'&'.join(values)}" if values else path


def _stranger(page: _Page, chance: random.Random) -> _Request:
    """A request of somebody who lacks the key, or comes from another site."""
    lacks = chance.choice(
        (
            {"Host": chance.choice(("evil.example", f"evil.example:{page.port}", "localhost", ""))},
            {"Cookie": chance.choice(("", "x=y", f"imgbatch-{page.port}=wrong", "=;=;\x7f"))},
            {"Sec_Fetch_Site": chance.choice(("cross-site", "same-site", "none", "SAME-ORIGIN"))},
            {"Sec_Fetch_Site": "", "Origin": chance.choice(("", "null", "http://evil.example"))},
        )
    )
    from_elsewhere = "Sec_Fetch_Site" in lacks
    method = "POST" if from_elsewhere else chance.choice(("GET", "POST", "PUT", "HEAD"))
    path = _path(page, chance).replace("token=", "t=")
    body = b"clear=1&undo=1&back=%2F" if method == "POST" else b""
    data = page.request(method, path, body, **lacks)
    return _Request(data, f"{method} {path} with {lacks}", let_in=False)


def _nonsense(page: _Page, chance: random.Random) -> _Request:
    """A request that is let in, with values that make no sense."""
    path = _path(page, chance).replace("token=", "t=")
    if chance.random() < 0.6:
        return _Request(page.request("GET", path), f"GET {path}", let_in=True)
    values = [
        f"{chance.choice(_NAMES)}={quote_from_bytes(chance.choice(_TEXTS), safe='')}"
        for _ in range(chance.randrange(6))
    ]
    body = "&".join(values).encode()
    kind = chance.choice((*_FORMS, "application/json", "text/plain", "\u00e9"))
    if "boundary" in kind:
        picture = chance.choice((b"\xff\xd8\xff", b"no picture", b""))
        body = _UPLOAD + picture + chance.choice((b"\r\n--x--\r\n", b""))
    data = page.request("POST", path, body, Content_Type=kind)
    return _Request(data, f"POST {path} {kind} {body[:200]!r}", let_in=True)


def _no_http(page: _Page, chance: random.Random) -> _Request:
    """A request with the key whose bytes were changed, cut or repeated, so that it may be none."""
    data = bytearray(page.request("POST", _path(page, chance), b"undo=1", Cookie=""))
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(data))
        if chance.random() < 0.3:
            data[at:at] = chance.choice(_TEXTS)
        else:
            data[at] = chance.randrange(256)
    cut = chance.randrange(len(data)) if chance.random() < 0.3 else len(data)
    return _Request(bytes(data[:cut]), f"bytes {bytes(data[:200])!r}", let_in=False, whole=False)


PART = Part("page", "the page answers whatever is sent, and lets in nobody else", 10_000, _run)
