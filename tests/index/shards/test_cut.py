"""Shards: every file in exactly one, and hardly any other shard when one changes."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.images.listing import FoundFile
from imgbatch.index.shards.cut import cut

NAMES = st.lists(st.text("abc/.é\udcff", min_size=1, max_size=12), unique=True, max_size=120)


def listing(names):
    ordered = sorted(names, key=os.fsencode)
    return [FoundFile(name, 10 + at, 1000 + at) for at, name in enumerate(ordered)]


def many(count):
    return [FoundFile(f"sub{n // 100:03}/{n:06}.jpg", n, n) for n in range(count)]


@given(NAMES, st.integers(1, 30))
def test_shards_in_turn_are_the_listing_and_none_is_too_large(names, images):
    files = listing(names)
    shards = [*cut(files, images, "")]
    assert [file for shard in shards for file in shard.files] == files
    assert all(1 <= len(shard.files) <= 2 * images for shard in shards)
    assert all(len(shard.files) >= images // 2 for shard in shards[:-1])
    assert len({shard.id for shard in shards}) == len(shards)


def test_shards_are_on_average_as_large_as_asked_for():
    sizes = [len(shard.files) for shard in cut(many(40_000), 100, "")]
    assert 80 < sum(sizes) / len(sizes) < 120


@pytest.mark.parametrize("change", ["added", "removed", "grown", "touched"])
def test_a_changed_file_changes_its_shard_and_seldom_the_next(change):
    files = many(4000)
    before = {shard.id for shard in cut(files, 50, "")}
    more = []
    for at in range(7, 4000, 97):
        changed = [*files]
        if change == "added":
            changed.insert(at, replace(files[at], path=files[at - 1].path + "a.jpg"))
        elif change == "removed":
            del changed[at]
        elif change == "grown":
            changed[at] = replace(files[at], size=1)
        else:
            changed[at] = replace(files[at], mtime_ns=1)
        after = {shard.id for shard in cut(changed, 50, "")}
        more.append(len(after - before))
    assert min(more) >= 1
    assert sorted(more)[len(more) // 2] == 1
    assert sum(more) / len(more) < 2.5


def test_the_id_tells_files_and_settings_apart():
    files = listing(["a.jpg", "b.jpg"])
    ids = {next(iter(cut(files, 9, settings))).id for settings in ("one", "two")}
    assert len(ids) == 2
