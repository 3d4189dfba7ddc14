"""A folder on a web server, indexed by a real cluster."""

import functools
import http.server
import os
import threading

import pytest

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")
pytest.importorskip("aiohttp")

import imgbatch
from tests.clusters import two_workers, write_preload
from tests.drawing import settle, write_photos

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the cluster's workers end by signal"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    read = []  # noqa: RUF012 - the paths that were asked for, of all requests

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.read.append(self.path)
        super().do_GET()


@pytest.fixture
def served(tmp_path):
    write_photos(tmp_path / "photos", 12, classes=2)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    settle(tmp_path / "photos")
    handler = functools.partial(Quiet, directory=tmp_path / "photos")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tmp_path / "photos", f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_on_a_web_server_gives_the_sets_of_the_same_folder_here(served, tmp_path):
    folder, url = served
    here = imgbatch.load(folder)
    with two_workers(write_preload(tmp_path)) as cluster:
        there = imgbatch.load(url, cluster=cluster.scheduler_address)
        assert [one.path for one in there.records] == [one.path for one in here.records]
        assert [one.path for one in there.skipped] == ["broken.jpg"]
        for picked, expected in (
            (there.similar(5, seed=1), here.similar(5, seed=1)),
            (there.different(5, seed=1), here.different(5, seed=1)),
        ):
            assert [one.relative for one in picked.images] == [
                one.relative for one in expected.images
            ]
            assert all(one.path == f"{url}/{one.relative}" for one in picked.images)
        sizes, hashes = there.contents()
        assert [sizes.tolist(), hashes.tolist()] == [one.tolist() for one in here.contents()]


def test_files_on_a_web_server_are_read_again_only_where_they_changed(served):
    folder, url = served
    imgbatch.load(url, cluster="local")
    Quiet.read.clear()
    imgbatch.load(url, cluster="local")
    assert [path for path in Quiet.read if path.endswith(".jpg")] == []
    changed = folder / imgbatch.load(folder).records[0].path
    changed.write_bytes(changed.read_bytes() + b" ")
    imgbatch.load(url, cluster="local")
    assert {path for path in Quiet.read if path.endswith(".jpg")} == {
        f"/{changed.relative_to(folder).as_posix()}"
    }
