"""A real HTTP server on this machine that misbehaves as servers of the internet do."""

import contextlib
import gzip
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from tests.drawing import jpeg, photo, png_claiming

HUGE = 1 << 30
BOMB = gzip.compress(bytes(1 << 26), 1)
"""Some hundred kilobytes that become 67 million bytes."""


def picture(number=0):
    return jpeg(photo(number))


class QuietServer(ThreadingHTTPServer):
    """Clients that go away in the middle are what it is for."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


class Misbehaving:
    """The server, with what was asked of it.

    Paths are `/kind/anything`; the kind names a method of `Answers`.
    """

    def __init__(self, port=0):
        self.asked = Counter()
        self.times = {}
        self.agents = set()
        self.robots = None
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._wanted_port = port
        self.start()

    def start(self):
        server = self
        kind = type("Handler", (Answers,), {"owner": server})
        self._http = QuietServer(("127.0.0.1", self._wanted_port), kind)
        self._wanted_port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self):
        return self._wanted_port

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}/{path}"

    @contextlib.contextmanager
    def busy(self):
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1


class Answers(BaseHTTPRequestHandler):
    owner: Misbehaving
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.owner
        path = self.path.partition("?")[0]
        owner.asked[path] += 1
        owner.times.setdefault(path, []).append(time.monotonic())
        owner.agents.add(self.headers["User-Agent"])
        kind = path.strip("/").split("/")[0].replace(".", "_")
        with owner.busy(), contextlib.suppress(ConnectionError):
            getattr(self, f"on_{kind}", self.on_gone)(path)

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def number(self, path):
        digits = "".join(c for c in path.rpartition("/")[2] if c.isdigit())
        return int(digits or 0)

    def on_robots_txt(self, _path):
        if callable(self.owner.robots):
            self.owner.robots(self)
        elif self.owner.robots is None:
            self.send(b"", 404)
        else:
            self.send(self.owner.robots.encode())

    def on_good(self, path):
        self.send(picture(self.number(path)), Content_Type="image/jpeg")

    def on_same(self, _path):
        self.send(picture(7))

    def on_gone(self, _path):
        self.send(b"no such thing", 404)

    def on_forbidden(self, _path):
        self.send(b"", 403)

    def on_html(self, _path):
        self.send(b"<html>sold out</html>", Content_Type="image/jpeg")

    def on_typed(self, path):
        self.send(picture(self.number(path)), Content_Type="text/html")

    def on_empty(self, _path):
        self.send(b"")

    def on_slow(self, _path):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        time.sleep(3)

    def on_trickle(self, _path):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def on_endless(self, _path):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 65536)

    def on_claims(self, _path):
        self.send(b"x", Content_Length=str(HUGE))

    def on_truncated(self, path):
        data = picture(self.number(path))
        self.send(data[: len(data) // 2], Content_Length=str(len(data)))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def on_cut(self, path):
        """No length is given, so that only the picture tells that half of it is missing."""
        data = jpeg(photo(self.number(path), 400, 300))
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True

    def on_to(self, path):
        """/to/KIND/REST redirects to /KIND/REST."""
        self.send(b"", 302, Location=path.removeprefix("/to"))

    def on_circle(self, path):
        self.send(b"", 302, Location=path)

    def on_hops(self, path):
        left = self.number(path)
        self.send(b"", 301, Location=f"/hops/{left - 1}" if left else "/good/1.jpg")

    def on_away(self, path):
        """/away/HOST/... redirects to that host, at this port."""
        host = unquote(path.split("/")[2])
        self.send(b"", 302, Location=f"http://{host}:{self.owner.port}/good/1.jpg")

    def on_file(self, _path):
        self.send(b"", 302, Location="file:///etc/passwd")

    def on_nowhere(self, _path):
        self.send(b"", 302)

    def on_busy(self, path):
        """429 with Retry-After once, then well."""
        if self.owner.asked[path] == 1:
            self.send(b"", 429, Retry_After="1")
        else:
            self.on_good(path)

    def on_later(self, _path):
        self.send(b"", 429, Retry_After="3600")

    def on_ill(self, path):
        """500 twice, then well."""
        if self.owner.asked[path] <= 2:
            self.send(b"", 500)
        else:
            self.on_good(path)

    def on_dead(self, _path):
        self.send(b"", 502)

    def on_bomb(self, _path):
        self.send(BOMB, Content_Encoding="gzip")

    def on_packed(self, path):
        self.send(gzip.compress(picture(self.number(path))), Content_Encoding="gzip")

    def on_pixels(self, _path):
        self.send(png_claiming(100_000, 100_000))

    def on_noai(self, path):
        self.send(picture(self.number(path)), X_Robots_Tag="noai, noimageai")

    def on_other(self, path):
        self.send(picture(self.number(path)), X_Robots_Tag="otherbot: noindex")

    def on_garbage(self, _path):
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
        self.close_connection = True

    def on_secret(self, path):
        is_known = "key=hidden" in self.path and self.headers["Authorization"]
        self.send(picture(self.number(path)), 200 if is_known else 403)

    def on_waits(self, path):
        time.sleep(0.05)
        self.on_good(path)
