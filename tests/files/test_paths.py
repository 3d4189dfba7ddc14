"""Folders and files by name: no part of a name is taken for anything else."""

import contextlib
import ntpath
import os
import uuid

import pytest

pytest.importorskip("fsspec")

import fsspec

from imgbatch.errors import UsageError
from imgbatch.files import paths
from imgbatch.files.cache import cache_root, index_directory, store_root
from imgbatch.index.shards.store import Store


@pytest.fixture
def bucket():
    """A folder in memory, by its URL."""
    name = f"bucket-{uuid.uuid4().hex}"
    yield f"memory://{name}"
    with contextlib.suppress(FileNotFoundError):
        fsspec.filesystem("memory").rm(f"/{name}", recursive=True)


@pytest.mark.parametrize("name", ["a::b.jpg", "sub/a::nosuch://b.jpg", "x::y/z::", "::a"])
def test_two_colons_in_a_name_are_part_of_it(bucket, name):
    system = fsspec.filesystem("memory")
    inside = bucket.removeprefix("memory:/")
    system.pipe_file(f"{inside}/a", b"another")
    system.pipe_file(f"{inside}/{name}", b"this")
    assert paths.read(f"{bucket}/{name}") == b"this"


def test_two_colons_in_a_local_stores_path_are_part_of_it(tmp_path):
    (tmp_path / "a").mkdir()
    store = Store(str(tmp_path / "a::b"))
    store.write("s", b"data")
    assert store.sizes() == {"s": 4}
    assert (tmp_path / "a::b" / "shards" / "s.parquet").read_bytes() == b"data"
    assert [*(tmp_path / "a").iterdir()] == []


def test_a_chain_of_urls_is_refused_as_folder_and_as_index():
    for given in ("zip://photos::s3://bucket/a.zip", "s3://bucket/a::b"):
        with pytest.raises(UsageError, match="chain of URLs"):
            paths.absolute(given)
        with pytest.raises(UsageError, match="chain of URLs"):
            store_root("/photos", given)
    assert paths.absolute("/photos/a::b") == "/photos/a::b"


@pytest.mark.parametrize("url", [
    "sftp://me:s3cret@host/photos", "sftp://me:@host", "https://:s3cret@[::1]:80/x", "s3://a:s3cret@b",
])  # fmt: skip
def test_a_password_in_a_url_is_refused_and_not_repeated(url):
    for given in (
        lambda: paths.absolute(url),
        lambda: paths.refuse_url(None, url),
        lambda: paths.file_system(f"{url}/a.jpg"),
        lambda: store_root("/photos", url),
        lambda: index_directory("/photos", url),
        lambda: index_directory(url),
        lambda: cache_root(url),
    ):
        with pytest.raises(UsageError, match="holds a password") as caught:
            given()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sftp://me@host:22/photos", "s3://bucket/a:b@c", "http://h:80/x"])
def test_users_ports_and_names_are_no_password(url):
    assert paths.absolute(url) == url


def test_the_hint_for_a_url_names_the_commands_that_take_a_cluster(cli):
    answer = cli("tune", "s3://bucket/photos")
    assert answer.code == 2
    for name in ("index", "similar", "different", "batches", "evaluate", "export"):
        assert name in answer.err
        assert "--cluster" in cli(name, "--help").out
    for name in ("explain", "tune"):
        assert "--cluster" not in cli(name, "--help").out


def test_there_is_no_way_to_another_drive_and_the_path_stays(monkeypatch):
    for name in ("relpath", "abspath"):
        monkeypatch.setattr(os.path, name, getattr(ntpath, name))
    assert paths.inside(r"D:\more\1.jpg", r"C:\photos").startswith("D:")
