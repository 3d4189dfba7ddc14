"""Runs the page: a socket on this machine, a token that stays, a server until Ctrl-C."""

import contextlib
import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from imgbatch.errors import ImgbatchError, UsageError
from imgbatch.web.app import application
from imgbatch.web.guard import Door
from imgbatch.web.site import Site

if TYPE_CHECKING:
    import uvicorn

_HOST = "127.0.0.1"
_FIRST_PORT, _PORTS = 8700, 1000
_TOKEN = "browse-token"  # noqa: S105 - the name of the file that holds it
_TOKEN_BYTES = 24


def bind(folder: str, port: int | None) -> socket.socket:
    """A socket on 127.0.0.1.

    Parameters
    ----------
    folder
        Decides the port if none is given, so that addresses stay the same; if that one is taken,
        any free one is.
    port
        As the user wants it; 0 for any free one.

    Raises
    ------
    UsageError
        The port is taken, or may not be used.
    """
    try:
        return _bound(usual_port(folder) if port is None else port)
    except OSError as error:
        if port is None:
            return _bound(0)
        reason = error.strerror or error
        raise UsageError(f"port {port} cannot be used: {reason}", "leave out `port`") from None


def usual_port(folder: str) -> int:
    """The port of a folder's page, if nobody else has it."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(folder))).digest()
    return _FIRST_PORT + int.from_bytes(digest[:4], "big") % _PORTS


def _bound(port: int) -> socket.socket:
    # Named as TCP, asyncio turns Nagle's delay off: 40 ms for each answer.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((_HOST, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def token_of(directory: Path) -> str:
    """The secret of a folder's page, kept so that addresses and cookies outlive the server.

    Only this user may read the file. A file that others can read, or that holds no token, is
    replaced.
    """
    file = directory / _TOKEN
    with contextlib.suppress(OSError, UnicodeDecodeError):
        private = os.name != "posix" or file.stat().st_mode & 0o077 == 0
        token = file.read_text(encoding="ascii").strip()
        if (
            private
            and len(token) >= _TOKEN_BYTES
            and token.replace("-", "").replace("_", "").isalnum()
        ):
            return token
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    draft = directory / f".imgbatch-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as opened:
        opened.write(token)
    draft.replace(file)
    return token


def server_of(site: Site, listening: socket.socket) -> "tuple[uvicorn.Server, str]":
    """What answers requests once its ``run`` is called with the socket, and the address to open.

    Parameters
    ----------
    site
        What is shown.
    listening
        As `bind` gives it.
    """
    import uvicorn

    door = Door(listening.getsockname()[1], token_of(site.photos.index_directory))
    config = uvicorn.Config(
        application(site, door),
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config), door.url


def serve(site: Site, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Answer requests until the process is told to end; `ready` is given the address to open."""
    server, url = server_of(site, listening)
    threading.Thread(target=_warm_up, args=(site,), daemon=True).start()
    ready(url)  # the socket listens already: requests wait for the server
    server.run(sockets=[listening])


def _warm_up(site: Site) -> None:
    """Open what the first click needs, while the browser starts."""
    with contextlib.suppress(ImgbatchError), site.asking() as photos:
        _ = photos.projection, photos.metadata.of_image(0)
        photos.similar(1, seed=0)
