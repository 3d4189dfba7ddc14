"""Listing one folder: behind a URL, a changed stamp stands for a changed file."""

import functools
import http.server
import os
import threading

import pytest

from imgbatch.errors import FolderError
from imgbatch.files import paths
from imgbatch.images.listing import check_folder, list_folders
from imgbatch.images.scan import scan

STAMPS = ["ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated",
          "Last-Modified", "modified", "modify", "last_write_time", "created"]  # fmt: skip


def entry(name, **details):
    return {"name": f"bucket/{name}", "type": "file", **details}


@pytest.fixture
def listed(monkeypatch):
    """A function that lists a URL whose file system gives these entries and answers."""

    def list_url(entries, answers=()):
        monkeypatch.setattr(paths, "entries", lambda _: entries)
        monkeypatch.setattr(paths, "describe", lambda files: list(answers)[: len(files)])
        (folder,) = list_folders("s3://bucket", [""])
        return folder

    return list_url


@pytest.mark.parametrize("key", STAMPS)
def test_a_remote_file_of_equal_size_whose_stamp_changed_counts_as_changed(listed, key):
    first = listed([entry("a.jpg", size=5, **{key: "one"})]).files[0]
    again = listed([entry("a.jpg", size=5, **{key: "one"})]).files[0]
    changed = listed([entry("a.jpg", size=5, **{key: "two"})]).files[0]
    assert first == again
    assert (changed.path, changed.size) == (first.path, first.size)
    assert changed.mtime_ns != first.mtime_ns


def test_an_entity_tag_counts_before_a_time(listed):
    first = listed([entry("a.jpg", size=5, ETag='"x"', LastModified=1)])
    touched = listed([entry("a.jpg", size=5, ETag='"x"', LastModified=2)])
    changed = listed([entry("a.jpg", size=5, ETag='"y"', LastModified=1)])
    assert first == touched
    assert first != changed


def test_a_file_is_asked_for_where_the_listing_has_names_only(listed):
    names = [entry("a.jpg", size=None), entry("b.jpg", size=None), entry("c.jpg", size=None)]
    answers = [{"size": 7, "ETag": '"x"'}, {"size": 7}, {}]
    files = listed(names, answers).files
    # Without both answers the size is that of no readable file, so that each run reads it.
    assert [(file.path, file.size) for file in files] == [("a.jpg", 7), ("b.jpg", 0), ("c.jpg", 0)]


def test_remote_folders_are_listed_hidden_names_and_other_endings_are_not(listed):
    folder = listed([
        {"name": "bucket/sub/", "type": "directory"},
        {"name": "bucket/.git", "type": "directory"},
        entry(".a.jpg", size=1), entry("notes.txt", size=1), entry("b.PNG", size=1),
    ])  # fmt: skip
    assert folder.folders == ("sub",)
    assert [file.path for file in folder.files] == ["b.PNG"]


def test_a_remote_subfolder_that_cannot_be_listed_is_skipped_and_the_folder_itself_an_error(
    monkeypatch,
):
    def refuse(_):
        raise PermissionError(13, "no entry")

    monkeypatch.setattr(paths, "entries", refuse)
    (sub,) = list_folders("s3://bucket", ["sub"])
    assert [(skipped.path, skipped.reason) for skipped in sub.skipped] == [
        ("sub", "folder cannot be read: no entry")
    ]
    with pytest.raises(FolderError, match="s3://bucket: no entry"):
        list_folders("s3://bucket", [""])


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "folder not found"), ("file", "not a folder"), ("null\0", "folder not found")],
)
def test_what_is_not_a_folder_is_an_error_that_says_why(tmp_path, name, message):
    (tmp_path / "file").write_bytes(b"")
    check_folder(str(tmp_path))
    with pytest.raises(FolderError, match=message):
        check_folder(f"{tmp_path}/{name}")


class Tagged(http.server.SimpleHTTPRequestHandler):
    """Serves files with an entity tag of the test's choice."""

    tag = '"one"'

    def log_message(self, *_):
        pass

    def end_headers(self):
        self.send_header("ETag", Tagged.tag)
        super().end_headers()


def test_a_web_servers_new_entity_tag_marks_a_file_of_equal_size_and_time_as_changed(tmp_path):
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    (tmp_path / "a.jpg").write_bytes(b"picture")
    os.utime(tmp_path / "a.jpg", (1_600_000_000, 1_600_000_000))
    handler = functools.partial(Tagged, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            first, again = scan(url), scan(url)
            Tagged.tag = '"two"'
            changed = scan(url)
        finally:
            server.shutdown()
    assert first == again
    assert [(file.path, file.size) for file in changed[0]] == [("a.jpg", 7)]
    assert changed[0][0].mtime_ns != first[0][0].mtime_ns
