"""The index on disk: what it keeps and what it forgets."""

import contextlib
import os
import re
import sqlite3

import numpy as np
import pytest

from imgbatch.index.sqlite.connect import FILE_NAME, is_damage
from imgbatch.index.sqlite.store import Catalogue
from imgbatch.types import ReadFile
from tests.index.sqlite.catalogues import LIMITS, read, rows


def test_a_new_index_is_empty(catalogue):
    assert dict(catalogue.files()) == {}
    assert list(catalogue.records()) == []
    assert catalogue.skipped() == []
    assert catalogue.notes == []
    assert rows(catalogue) == []


def test_what_is_recorded_is_read_back_in_order_of_path(catalogue):
    catalogue.record([read("b.jpg", codes={"f": b"22"}), read("a/z.jpg", note="odd",
                      codes={"f": b"11"})], LIMITS)  # fmt: skip
    assert [(r.path, r.width, r.height, r.note, r.label) for r in catalogue.records()] == [
        ("a/z.jpg", 4, 3, "odd", "a"), ("b.jpg", 4, 3, "", ""),
    ]  # fmt: skip
    assert rows(catalogue) == [b"11", b"22"]
    known = dict(catalogue.files())["b.jpg"]
    assert (known.size, known.mtime_ns, known.error) == (5, 5, None)


def test_codes_come_in_batches_of_at_most_the_size_asked_for(catalogue):
    catalogue.record([read(f"{n:02}", codes={"f": bytes([n, n])}) for n in range(10)], LIMITS)
    blocks = list(catalogue.codes("f", 2, batch=4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert np.array_equal(np.concatenate(blocks), np.arange(10)[:, None].repeat(2, 1))


def test_unusable_files_are_listed_with_their_reasons(catalogue):
    catalogue.record([
        read("bad.jpg", error="damaged", codes=None),
        ReadFile("closed.jpg", 3, -1, None, error="cannot be read"),
        read("good.jpg"),
    ], LIMITS)  # fmt: skip
    assert [(s.path, s.reason) for s in catalogue.skipped()] == [
        ("bad.jpg", "damaged"), ("closed.jpg", "cannot be read"),
    ]  # fmt: skip
    assert [r.path for r in catalogue.records()] == ["good.jpg"]


def test_names_may_hold_any_bytes(catalogue):
    names = ["\udcff\udc80.jpg", "a\nb.jpg", "ü.jpg", "'; DROP TABLE images; --.jpg"]
    catalogue.record([read(name, content=os.fsencode(name)) for name in names], LIMITS)
    assert {record.path for record in catalogue.records()} == set(names)
    assert set(dict(catalogue.files())) == set(names)


def test_two_files_of_one_content_share_its_vectors(catalogue):
    catalogue.record([read("a", b"same"), read("b", b"same", codes=None, known=True)], LIMITS)
    assert rows(catalogue) == [b"ab", b"ab"]


def test_a_renamed_file_keeps_its_vectors(catalogue):
    catalogue.record([read("a", b"c")], LIMITS)
    catalogue.forget(["a"])
    assert list(catalogue.records()) == []
    catalogue.record([read("b", b"c", codes=None, known=True, width=0, height=0)], LIMITS)
    assert [(r.path, r.width) for r in catalogue.records()] == [("b", 4)]
    assert rows(catalogue) == [b"ab"]


def test_the_generation_changes_with_every_real_change_and_only_then(catalogue):
    seen = [catalogue.generation()]

    def changed() -> bool:
        seen.append(catalogue.generation())
        return seen[-1] != seen[-2]

    catalogue.record([read("a", b"1"), read("b", b"2")], LIMITS)
    assert changed()
    catalogue.record([read("a", b"1", codes=None, known=True, mtime_ns=9)], LIMITS)
    assert not changed()
    assert dict(catalogue.files())["a"].mtime_ns == 9
    catalogue.record([read("a", b"2", codes=None, known=True)], LIMITS)
    assert changed()
    catalogue.forget(["a"])
    assert changed()


def test_what_is_lacking_is_told_for_each_content(catalogue):
    first, second = b"1".ljust(16), b"2".ljust(16)
    catalogue.record([read("a", b"1"), read("b", b"2", codes={"f": b"ab", "g": b"cd"}),
                      read("c", b"3", error="damaged", codes=None)], LIMITS)  # fmt: skip
    assert catalogue.lacking(["f"], LIMITS) == {}
    assert catalogue.lacking(["f", "g"], LIMITS) == {first: {"g"}}
    assert catalogue.lacking(["h"], LIMITS) == {first: {"h"}, second: {"h"}}
    assert catalogue.lacking(["f"], "other limits").keys() == {first, second, b"3".ljust(16)}
    catalogue.record([read("d", b"4", codes={})], LIMITS)
    assert catalogue.lacking(["f"], LIMITS) == {b"4".ljust(16): {"f"}}


def test_contents_nobody_uses_are_dropped_by_a_purge(catalogue, directory):
    closed = ReadFile("closed.jpg", 3, -1, None, error="cannot be read")  # has no content
    catalogue.record([closed, *(read(f"{n:04}") for n in range(1500))], LIMITS)
    catalogue.forget([f"{n:04}" for n in range(1, 1500)])
    catalogue.purge()
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as db, db:
        assert db.execute("SELECT count(*) FROM contents").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    db.close()
    assert rows(catalogue) == [b"ab"]


def test_a_file_whose_known_content_was_purged_meanwhile_is_not_recorded(catalogue):
    catalogue.record([read("a", b"lost"), read("b", b"kept")], LIMITS)
    catalogue.forget(["a"])
    catalogue.purge()  # as another process may, after this one saw that the content is known
    late = read("c", b"lost", codes=None, known=True)
    catalogue.record([late, read("d", b"kept", codes=None, known=True)], LIMITS)
    assert [path for path, _ in catalogue.files()] == ["b", "d"], "c counts as new next time"


def test_a_failing_record_changes_nothing(catalogue):
    catalogue.record([read("a")], LIMITS)
    with pytest.raises(Exception, match="type 'object' is not supported"):
        catalogue.record([read("b"), read("c", note=object())], LIMITS)
    assert [r.path for r in catalogue.records()] == ["a"]
    catalogue.record([read("b")], LIMITS)
    assert len(catalogue.records()) == 2


def test_a_damaged_hash_is_noticed_in_the_row_and_in_sqlites_own_index_of_hashes(directory):
    def sample():
        with Catalogue.open(directory, "/photos") as catalogue:
            return catalogue.sample(4)

    with Catalogue.open(directory, "/photos") as catalogue:
        names = [f"{number}-of-a-kind.jpg" for number in range(5)]
        catalogue.record([read(name) for name in names], LIMITS)
        catalogue.settle()
        right = catalogue.sample(4)
    file, content = directory / FILE_NAME, b"1-of-a-kind.jpg "
    whole = file.read_bytes()
    places = [found.start() for found in re.finditer(re.escape(content), whole)]
    assert len(places) >= 2
    for place in places:
        data = bytearray(whole)
        data[place + 13] ^= 1
        file.write_bytes(data)
        try:
            found = sample()
        except sqlite3.DatabaseError as damage:
            found = damage
        assert found == right or is_damage(found)
    file.write_bytes(whole)
    assert sample() == right
