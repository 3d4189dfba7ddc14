"""A server for links that misbehaves below HTTP: it waits, resets and lies about lengths.

It listens on 127.0.0.1 alone, in threads of this process. What it may do at a path stands in
`badways`.
"""

import contextlib
import io
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

PIECE_BYTES = 1 << 16
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
                more = connection.recv(PIECE_BYTES)
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
                while connection.recv(PIECE_BYTES):
                    pass


def _gone(talk: Talk) -> None:
    talk.answer(b"", "404 Not Found")


def picture(number: int) -> bytes:
    """A small JPEG that no other number has."""
    noise = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(noise).save(data, "JPEG", quality=90)
    return data.getvalue()
