"""Cutting work into chunks, and what reading a chunk gives."""

import hashlib

import pytest

from imgbatch.config import default_config_path, load_config
from imgbatch.index.extract import Chunk, FileTask, chunks, read_chunk

OPTIONS = load_config(default_config_path()).config.images.as_options()


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 200, 5000])
@pytest.mark.parametrize("most", [1, 7, 128, 4096])
def test_chunks_hold_every_file_once_and_shrink_towards_the_end(count, most):
    files = [FileTask(f"{number}.jpg", 100) for number in range(count)]
    sizes, left = [], count
    cut = list(chunks("photos", files, (), OPTIONS, most))
    assert [file for chunk in cut for file in chunk.files] == files
    for chunk in cut:
        sizes.append(len(chunk.files))
        assert sizes[-1] <= min(most, max(16, left / 8))
        left -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)


def test_chunks_of_large_files_are_small():
    files = [FileTask(f"{number}.jpg", 9_000_000) for number in range(5)]
    assert [len(chunk.files) for chunk in chunks("photos", files, (), OPTIONS, 128)] == [1] * 5
    files = [FileTask(f"{number}.jpg", 1_000_000) for number in range(200)]
    sizes = [len(chunk.files) for chunk in chunks("photos", files, (), OPTIONS, 128)]
    assert sizes[0] == 16
    assert sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)


def test_the_content_hash_is_the_beginning_of_the_files_sha256(photos):
    data = (photos / "image003.jpg").read_bytes()
    (read,) = read_chunk(Chunk(str(photos), (FileTask("image003.jpg", 0),), (), OPTIONS))
    assert read.content_hash == hashlib.sha256(data).digest()[:16]
    assert read.size == len(data)
