"""The local page, served to tests over real sockets."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from imgbatch.web.saved import Saved
from imgbatch.web.serving import bind, server_of
from imgbatch.web.site import TURNS, Site
from imgbatch.web.source import FolderSource
from imgbatch.web.turns import Turns


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Served:
    """A running page, and a client that has been let in."""

    def __init__(self, folder, index, saved, config, **source):
        preset = config.with_emphasis("extended") if "emphasis" not in source else config
        self.source = FolderSource(str(folder), preset, str(index), preset="extended", **source)
        photos = self.source.open(refresh=True)
        self.file = Path(saved)
        turns = Turns(photos.index_directory / TURNS)
        saved = Saved(self.file, turns, trust_predicted=self.source.trust_predicted)
        self.site = Site(self.source, photos, saved)
        self._socket = bind(str(folder), 0)
        self.port = self._socket.getsockname()[1]
        self.server, self.url = server_of(self.site, self._socket)
        self._thread = threading.Thread(target=self.server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        self.token = self.url.partition("token=")[2]
        self.host = f"127.0.0.1:{self.port}"
        self.headers = {"Host": self.host, "Cookie": f"imgbatch-{self.port}={self.token}"}

    def ask(self, method, path, body=None, headers=None):
        """One request, with exactly these headers beside those of the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        connection.close()
        return reply

    def get(self, path, **headers):
        return self.ask("GET", path, headers=self.headers | headers)

    def post(self, path, form, **headers):
        """A form as a browser sends it from a page of ours; values may be lists."""
        own = {
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode(form, doseq=True, errors="surrogateescape").encode()
        return self.ask("POST", path, body, self.headers | own | headers)

    def look(self, path, seconds=60, **headers):
        """A page whose work may take a while: asked for until it is there."""
        end = time.monotonic() + seconds
        while True:
            reply = self.get(path, **headers)
            if reply.headers["Refresh"] is None or time.monotonic() > end:
                return reply

    def follow(self, reply):
        """Where a reply leads."""
        assert reply.status == 303, reply.text
        target = urlsplit(reply.headers["Location"])
        return self.get(f"{target.path}?{target.query}" if target.query else target.path)

    def id_of(self, path):
        """The name in addresses of an image given by its path inside the folder."""
        return self.site.id_of(self.site.photos.records.row_of(path))

    def stop(self):
        self.server.should_exit = True
        self._thread.join(10)
        self._socket.close()
