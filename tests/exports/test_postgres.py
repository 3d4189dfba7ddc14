"""Exports to a real PostgreSQL with pgvector, and searches there."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import imgbatch
from imgbatch.errors import DatabaseError, SelectionError, UsageError
from imgbatch.exports import run as exporting
from imgbatch.exports.base import BATCH_ROWS, as_name, image_id
from imgbatch.exports.connection import Address, ensure_extension
from imgbatch.exports.postgres import EXPORTER, index_name
from imgbatch.exports.remote import RemoteImages
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.selection.similar import Anchor, SimilarOptions, similar
from tests.commands import environment
from tests.drawing import jpeg, photo
from tests.exports.asking import ask
from tests.exports.tables import first_rows, make_table

psycopg = pytest.importorskip("psycopg", reason="needs psycopg")

pytestmark = pytest.mark.slow
NUMBERS = count()
TEN = "SELECT count(*) FROM image_embeddings"


def contents(url):
    """Everything in it, but for times and the numbers of rows."""
    images = ask(url, "SELECT * FROM images ORDER BY id")
    points = ask(url, "SELECT image_id, fingerprint, embedding::text FROM image_embeddings ORDER BY 1, 2")  # fmt: skip
    spaces = ask(url, "SELECT fingerprint, folder, images, complete FROM image_spaces ORDER BY 1")
    tags = ask(url, "SELECT image_id, tag FROM image_tags ORDER BY 1, 2")
    texts = ask(url, "SELECT image_id, position, text FROM image_texts ORDER BY 1, 2")
    machine = ask(url, "SELECT image_id, tag FROM image_machine_tags ORDER BY 1, 2")
    return images, points, spaces, tags, texts, machine


def indexes(url):
    rows = ask(url, "SELECT indexname FROM pg_indexes WHERE right(indexname, 5) = '_hnsw'")
    return {name for (name,) in rows}


def write(url, table, progress=None):
    return EXPORTER.write(url, table, progress)


# ----- what is written ----------------------------------------------------------------------------


def test_images_and_points_are_joined_by_id(url):
    labels = ["kind\udcfe", "\\x41", "", "' OR 1=1", "a\nb"]
    paths = ["\udcff/1.jpg", "a\\b", "a'b\"c\t\r.jpg", "é.jpg", "\\x41.jpg"]
    table = make_table(5, paths=paths, labels=labels)
    assert write(url, table).changed == 5
    rows = ask(
        url,
        "SELECT i.id, folder, path, label, width, height, size, hash, phash::text, note,"
        " embedding::real[], fingerprint FROM images i JOIN image_embeddings ON image_id = i.id",
    )
    found = {as_name(row[2]): row for row in rows}
    assert set(found) == set(paths)
    for at, path in enumerate(paths):
        key, folder, _, label, *numbers, size, digest, phash, note, point, mark = found[path]
        record = table.records[at]
        assert key == image_id(table.folder, path)
        assert as_name(folder) == table.folder
        assert as_name(label) == labels[at]
        assert numbers == [record.width, record.height]
        assert (size, digest, note) == (table.sizes[at], table.hashes[at].tobytes(), record.note)
        assert int(phash, 2) == table.phashes[at]
        assert np.array_equal(np.array(point, np.float32), table.points[at])
        assert mark == table.space.fingerprint
    assert indexes(url) == {index_name(table.space.fingerprint)}


def test_what_is_there_is_not_sent_again(url):
    table = make_table(60)
    write(url, table)
    before = contents(url)
    again = write(url, table)
    assert (again.changed, again.sent, again.removed) == (0, 0, 0)
    labels = [one.label for one in table.records]
    labelled = replace(table, labels=["other", *labels[1:]])
    again = write(url, labelled)
    assert (again.changed, again.sent) == (1, 0)
    hashes, points = table.hashes.copy(), table.points.copy()
    hashes[7], points[7] = 0, 1
    again = write(url, replace(table, hashes=hashes, points=points))
    assert (again.changed, again.sent) == (2, 1)
    (found,) = ask(url, "SELECT embedding::real[] FROM images JOIN image_embeddings ON id = image_id WHERE hash = %s", bytes(16))  # fmt: skip
    assert found[0] == [1.0] * 8
    write(url, table)  # the label and the hash are taken back; the point of that hash, too
    assert contents(url) == before


def known(url, table):
    """Tags, in any order, and texts of each image, as the tables hold them."""
    joined = "SELECT path, {} FROM images JOIN image_{} ON image_id = id ORDER BY 1, 2"
    tags, texts = {}, {}
    for path, tag in ask(url, joined.format("tag", "tags")):
        tags.setdefault(path, set()).add(tag)
    for path, _, text in ask(url, joined.format("position, text", "texts")):
        texts.setdefault(path, []).append(text)
    paths = [record.path for record in table.records]
    return [tags.get(path, set()) for path in paths], [tuple(texts.get(path, ())) for path in paths]


def test_tags_and_texts_are_joined_by_id_and_follow_what_is_known(url):
    table = make_table(12)
    write(url, table)
    assert known(url, table) == ([set(tags) for tags in table.tags], table.texts)
    other = replace(
        table,
        tags=[("new", *table.tags[0]), (), *table.tags[2:]],
        texts=[*table.texts[:3], table.texts[3][::-1], *table.texts[4:]],
    )
    again = write(url, other)
    assert (again.changed, again.sent) == (3, 0)
    assert known(url, other) == ([set(tags) for tags in other.tags], other.texts)
    assert write(url, other).changed == 0
    write(url, replace(table, tags=None, texts=None))
    assert known(url, table) == ([set()] * 12, [()] * 12)


def test_a_search_shows_tags_and_texts_beside_the_images(url):
    table = make_table(12)
    write(url, table)
    rows = {record.path: row for row, record in enumerate(table.records)}
    for image in RemoteImages(url).similar(12, like=table.records[0].path).images:
        row = rows[image.relative]
        assert (set(image.tags), image.texts) == (set(table.tags[row]), table.texts[row])


def test_measured_tags_stand_in_a_table_of_their_own(url):
    table = make_table(12)
    write(url, table)
    rows = ask(url, "SELECT path, tag FROM image_machine_tags JOIN images ON id = image_id")
    expected = {
        (record.path, tag)
        for record, tags in zip(table.records, table.machine_tags, strict=True)
        for tag in tags
    }
    assert set(rows) == expected
    write(url, replace(table, machine_tags=None))
    assert ask(url, "SELECT * FROM image_machine_tags") == []


def test_tags_and_texts_of_files_that_are_gone_go_with_them(url):
    table = make_table(12)
    write(url, table)
    first = first_rows(table, 5)
    write(url, first)
    assert known(url, first) == ([set(tags) for tags in first.tags], first.texts)
    ((count,),) = ask(url, "SELECT count(*) FROM image_texts")
    assert count == sum(map(len, first.texts))


def test_an_export_from_before_there_were_tags_is_searched_and_completed(url):
    table = make_table(12)
    write(url, table)
    before = contents(url)
    ask(url, "DROP TABLE image_tags, image_texts, image_machine_tags")
    assert len(RemoteImages(url).similar(3, like=table.records[0].path).images) == 3
    EXPORTER.check(url)
    write(url, table)
    assert contents(url) == before


def test_rows_of_files_that_are_gone_are_removed_but_not_those_of_other_folders(url):
    write(url, make_table(30, folder="/other"))
    table = make_table(30)
    write(url, table)
    written = write(url, first_rows(table, 10))
    assert written.removed == 20
    rows = ask(url, "SELECT folder, count(*) FROM images JOIN image_embeddings ON image_id = id GROUP BY 1 ORDER BY 1")  # fmt: skip
    assert [number for _, number in rows] == [30, 10]
    assert len(indexes(url)) == 2


def test_a_new_space_takes_the_old_ones_place_even_with_other_dimensions(url):
    write(url, make_table(30))
    table = make_table(30, dims=5, seed=2)
    written = write(url, table)
    assert written.sent == 30
    ((dimensions, number),) = ask(url, "SELECT vector_dims(embedding), count(*) FROM image_embeddings GROUP BY 1")  # fmt: skip
    assert (dimensions, number) == (5, 30)
    assert [mark for mark, *_ in contents(url)[2]] == [table.space.fingerprint]
    assert indexes(url) == {index_name(table.space.fingerprint)}


CHILD = """
import sys, time
from imgbatch.exports.postgres import EXPORTER
from tests.exports.tables import make_table
hang = sys.argv[3] == "hang"
def progress(done, total):
    print(done, flush=True)
    if hang:
        time.sleep(600)
print(EXPORTER.write(sys.argv[1], make_table(int(sys.argv[2]), dims=4), progress).sent)
"""


def start(url, n, how):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(n), how],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_export_goes_on_where_it_was(url):
    n = BATCH_ROWS + 500
    hashes = make_table(n, dims=4).hashes[:20]  # the files are the same
    old = replace(make_table(20, dims=3, seed=5), hashes=hashes)
    write(url, old)
    process = start(url, n, "hang")
    assert process.stdout.readline() == f"{BATCH_ROWS}\n"
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert ask(url, TEN) == [(BATCH_ROWS + 20,)]
    # Until the new space is complete, the old one is searched.
    assert RemoteImages(url).space.fingerprint == old.space.fingerprint
    table = make_table(n, dims=4)
    written = write(url, table)
    assert written.sent == n - BATCH_ROWS
    assert RemoteImages(url).space.fingerprint == table.space.fingerprint
    assert ask(url, TEN) == [(n,)]
    assert indexes(url) == {index_name(table.space.fingerprint)}


def test_a_point_of_a_file_that_changed_is_sent_again_whatever_was_exported_meanwhile(url):
    table = make_table(20)
    write(url, table)
    hashes, points = table.hashes.copy(), table.points.copy()
    hashes[7], points[7] = 0, 1
    changed = replace(table, hashes=hashes, points=points)

    def killed(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        write(url, replace(make_table(20, dims=3, seed=5), hashes=hashes), killed)
    assert write(url, changed).sent == 1
    rows = ask(url, "SELECT embedding::real[] FROM images JOIN image_embeddings ON id = image_id WHERE hash = %s", bytes(16))  # fmt: skip
    assert rows == [([1.0] * 8,)]


def test_a_damaged_space_is_mended_by_the_next_export(url):
    table = make_table(20)
    write(url, table)
    (whole,) = ask(url, "SELECT arrays, settings FROM image_spaces")
    ask(url, "UPDATE image_spaces SET arrays = 'none', settings = '[]'")
    write(url, table)
    assert ask(url, "SELECT arrays, settings FROM image_spaces") == [whole]


def test_a_table_that_lacks_a_column_is_told_with_a_way_out(url):
    table = make_table(20)
    write(url, table)
    ask(url, "ALTER TABLE images DROP COLUMN label")
    with pytest.raises(DatabaseError, match=r"label.*another database"):
        write(url, table)


def test_several_at_once_do_not_hurt_each_other(url):
    n = BATCH_ROWS + 10
    processes = [start(url, n, "run") for _ in range(2)]
    other = make_table(100, folder="/other", seed=3)
    write(url, other)
    sent = 0
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        sent += int(out.split()[-1])
    assert sent == n  # the second one found all there
    table = make_table(n, dims=4)
    assert write(url, table).sent == 0
    assert len(contents(url)[0]) == n + 100
    assert len(indexes(url)) == 2


def test_a_waiting_export_says_that_it_waited(url):
    table = make_table(10)
    notes = []
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    inside = threading.Event()

    def slowly(done, total):
        inside.set()
        deadline = time.monotonic() + 30
        while not ask(url, waiting) and time.monotonic() < deadline:
            time.sleep(0.01)

    first = threading.Thread(target=lambda: notes.append(write(url, table, slowly).notes))
    first.start()
    assert inside.wait(30)
    assert write(url, table).notes == ("waited for another export of this folder",)
    first.join()
    assert notes == [()]


# ----- what goes wrong ----------------------------------------------------------------------------


def test_more_dimensions_than_hnsw_takes_are_refused(url):
    table = make_table(2)
    with pytest.raises(UsageError, match="2,001 dimensions"):
        write(url, replace(table, points=np.zeros((2, 2001), np.float32)))


@pytest.fixture
def nobody(server, url):
    """The same database, for a user without rights."""
    name = f"nobody{next(NUMBERS)}"
    ask(url, f"CREATE ROLE {name} LOGIN")
    return url.replace("postgres:@", f"{name}:secret@")


def test_a_user_without_rights_gets_one_clear_line(url, nobody, cli, indexed):
    for create, words in (("", "no extension vector"), ("CREATE EXTENSION vector", "refuses")):
        if create:
            ask(url, create)
        answer = cli("export", indexed.folder, "--to", nobody, "--index", indexed.index)
        answer.assert_one_clear_line(1, words, "postgresql://nobody")
        assert "secret" not in answer.err


def test_a_user_who_may_only_read_can_search(url, nobody):
    table = make_table(40)
    write(url, table)
    user = Address.parse(nobody).shown.split("//")[1].split("@")[0]
    with pytest.raises(DatabaseError, match="refuses"):
        RemoteImages(nobody)
    ask(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    assert len(RemoteImages(nobody).similar(5, like=table.records[3].path).images) == 5


def test_an_extension_the_server_lacks_is_named(url):
    address = Address.parse(url)
    with (
        pytest.raises(DatabaseError, match="does not have the extension no_such"),
        address.connect() as db,
    ):
        ensure_extension(db, address, "no_such", create=True)


def test_tables_of_other_programs_are_left_alone(url):
    ask(url, "CREATE TABLE images (id int)")
    with pytest.raises(DatabaseError, match="a table images that is not"):
        EXPORTER.check(url)
    ask(url, "CREATE SCHEMA mine")
    own = f"{url}&options=-csearch_path%3Dmine,public"
    assert EXPORTER.check(own)
    write(own, make_table(20))
    assert ask(own, TEN) == [(20,)]
    assert ask(url, "SELECT * FROM public.images") == []


@pytest.mark.parametrize("target", [
    "postgresql://me:sec@ret@host/db",
    "postgresql://me:sec/ret@host/db",
    "postgresql://me:secret@host:port/db",
    "postgresql://me:secret@host/db?nonsense=1",
    "postgresql://me:secret%@host/db",
    "postgresql://me:secret\udcff@host/db",
])  # fmt: skip
def test_a_url_that_is_none_is_refused_and_not_repeated(target):
    with pytest.raises(UsageError, match="no valid PostgreSQL URL") as caught:
        Address.parse(target)
    assert "sec" not in str(caught.value)
    assert "ret" not in str(caught.value)


@pytest.mark.parametrize("place", ["127.0.0.1:1", "localhost:1", "no-such-host.invalid"])
def test_a_server_that_is_not_there_is_named_before_anything_is_read(cli, photos, tmp_path, place):
    index = tmp_path / "index"
    target = f"postgresql://me:secret@{place}/db"
    answer = cli("export", photos, "--to", target, "--index", index)
    answer.assert_one_clear_line(1, f"cannot connect to postgresql://me@{place}/db")
    assert "secret" not in answer.err
    assert not index.exists()


def test_a_data_base_that_is_not_there_is_named(server):
    with pytest.raises(DatabaseError, match='"nowhere" does not exist'):
        EXPORTER.check(server.get_uri(database="nowhere"))


def test_a_data_base_without_an_export_says_so(url):
    with pytest.raises(DatabaseError, match="nothing was exported there"):
        RemoteImages(url)
    ask(url, "CREATE EXTENSION vector")
    with pytest.raises(DatabaseError, match="holds no export"):
        RemoteImages(url)
    EXPORTER.check(url)
    with pytest.raises(DatabaseError, match="holds no complete export"):
        RemoteImages(url)


# ----- searches -----------------------------------------------------------------------------------


def test_the_nearest_are_those_an_exact_search_finds(url):
    table = make_table(3000, dims=24)
    write(url, table)
    remote = RemoteImages(url)
    random = np.random.default_rng(1)
    found = []
    with remote._address.connect() as db:
        imgbatch.exports.remote.use_vectors(db, remote._address)
        for row in random.choice(3000, 40, replace=False):
            away = np.linalg.norm(table.points - table.points[row], axis=1)
            exact = {table.records[one].path for one in np.argsort(away, kind="stable")[:301]}
            with db.transaction():
                near, how = remote._nearest(db, table.points[row], 301)
            assert "HNSW" in how
            assert len(near) == 301
            found.append(len({one.record.path for one in near} & exact) / 301)
            nearest = {table.records[one].path for one in np.argsort(away, kind="stable")[:10]}
            assert nearest <= {one.record.path for one in near}
    assert np.mean(found) > 0.995


def test_a_search_goes_through_the_index(url):
    table = make_table(500)
    write(url, table)
    with closing(psycopg.connect(url)) as db:
        db.execute("SET enable_seqscan = off")
        plan = db.execute(
            "EXPLAIN SELECT image_id FROM image_embeddings WHERE fingerprint = %s"
            " ORDER BY embedding::vector(8) <-> '[1,2,3,4,5,6,7,8]' LIMIT 301",
            (table.space.fingerprint,),
        ).fetchall()
    assert index_name(table.space.fingerprint) in str(plan)


def test_many_or_without_an_index_are_sought_exactly(url):
    table = make_table(700)
    write(url, table)
    remote = RemoteImages(url)
    away = np.linalg.norm(table.points - table.points[5], axis=1)
    exact = [table.records[one].path for one in np.argsort(away, kind="stable")]
    picked = remote.similar(700, like=table.records[5].path, keep_duplicates=True)
    assert "exact" in picked.notes[0]
    assert [one.relative for one in picked.images] == exact
    ask(url, f"DROP INDEX {index_name(table.space.fingerprint)}")
    assert "exact" in remote.similar(3, like=table.records[5].path).notes[0]


@pytest.mark.parametrize("copies", [400, 1500, 2000])
def test_among_many_copies_distinct_images_are_sought_further_away(url, copies):
    table = make_table(2000)
    away = np.linalg.norm(table.points - table.points[5], axis=1)
    nearest = np.argsort(away, kind="stable")
    table.phashes[nearest[:copies]] = 3
    write(url, table)
    options = SimilarOptions(hashes=table.phashes)
    search = NeighbourSearch(table.points)
    rows, _ = similar(search, Anchor(table.points[5], 5), 6, options)
    picked = RemoteImages(url).similar(6, like=table.records[5].path)
    assert [one.relative for one in picked.images] == [table.records[row].path for row in rows]


def test_the_folder_must_be_named_where_there_are_several(url):
    write(url, make_table(20, folder="/one"))
    assert RemoteImages(url).folder == "/one"
    write(url, make_table(20, folder="/two\udcff", seed=1))
    with pytest.raises(UsageError, match="holds 2 folders"):
        RemoteImages(url)
    assert RemoteImages(url, "/two\udcff").folder == "/two\udcff"
    with pytest.raises(UsageError, match="no complete export of /three"):
        RemoteImages(url, "/three")


def test_a_search_that_cannot_be_met_is_one_clear_error(url):
    table = make_table(20)
    write(url, table)
    remote = RemoteImages(url)
    for n in (0, 21):
        with pytest.raises(SelectionError, match="holds 20 images"):
            remote.similar(n, like=table.records[0].path)


# ----- the commands -------------------------------------------------------------------------------


@pytest.fixture
def exported(url, cli, indexed):
    """The folder of photos, exported by the command; and what that printed."""
    secret = url.replace("postgres:@", "postgres:secret@")
    answer = cli("export", indexed.folder, "--to", secret, "--index", indexed.index, "--json")
    assert "secret" not in answer.out + answer.err
    return secret, answer.json


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def test_an_anchor_that_is_neither_exported_nor_a_file_is_one_clear_error(cli, exported):
    answer = cli("similar", "--from", exported[0], "--like", "nothing.jpg")
    answer.assert_one_clear_line(2, "nothing.jpg", "cannot be read")


def test_a_search_there_gives_the_answer_of_a_search_here(cli, exported, indexed, tmp_path):
    url, document = exported
    assert (document["indexed"], document["sent"], document["removed"]) == (24, 24, 0)
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(jpeg(photo(70, noise=20)))
    options = ("--like", outside, "-n", "6", "--seed", "3", "--json", "--no-sheet")
    there = cli("similar", "--from", url, *options)
    here = cli("similar", indexed.folder, "--index", indexed.index, *options)
    of_here = ("seconds", "notes", "images", "shared_tags")  # an export holds no scores of tags
    assert without(there.json, *of_here) == without(here.json, *of_here)
    images = [[without(image, "all_tags") for image in one.json["images"]] for one in (there, here)]
    assert images[0] == images[1]
    assert "HNSW" in there.json["notes"][0]
    assert "secret" not in there.out + there.err


@pytest.mark.parametrize("keep", [True, False])
def test_any_anchor_gives_the_same_set_there_and_here(url, indexed, tmp_path, keep):
    here = imgbatch.load(indexed.folder, index=indexed.index)
    exporting.export(here, url)
    remote = RemoteImages(url, indexed.folder)
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(Path(here.paths[2]).read_bytes())  # a copy of one that is exported
    for like in (outside, indexed.names[4], indexed.folder / indexed.names[4]):
        for n in (1, 5, 24):
            sets = [
                one.similar(n, like=like, seed=1, keep_duplicates=keep) for one in (remote, here)
            ]
            untagged = [[replace(image, all_tags=()) for image in one.images] for one in sets]
            assert untagged[0] == untagged[1]
    ask(url, "DELETE FROM image_embeddings")
    with pytest.raises(DatabaseError, match="replaced meanwhile"):
        remote.similar(3, like=outside)


def test_files_that_are_not_here_are_named_and_shown_empty(cli, url, tmp_path):
    table = make_table(40)
    write(url, table)
    sheet = tmp_path / "sheet.png"
    answer = cli("similar", "--from", url, "--like", table.records[3].path, "-n", "3", "-o", sheet, "--json")  # fmt: skip
    assert answer.code == 0
    assert "3 of 3 files cannot be opened from here" in answer.err
    assert table.records[3].path in answer.err
    assert answer.json["images"][0]["colors"] == ["#c8c8c8"]
    assert sheet.is_file()
    assert json.loads(answer.out)["folder"] == table.folder


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "--like"),
        (("--like", "a.jpg", "--emphasis", "shape"), "--emphasis"),
        (("--like", "a.jpg", "--workers", "2"), "--workers"),
        (("--like", "a.jpg", "--index", "x"), "--index"),
        (("--like", "a.jpg", "--no-refresh"), "--no-refresh"),
    ],
)
def test_options_that_make_no_sense_together_are_usage_errors(cli, options, word):
    cli("similar", "--from", "postgresql://h/d", *options).assert_one_clear_line(2, word)


def test_a_request_without_folder_and_data_base_is_a_usage_error(cli):
    cli("similar").assert_one_clear_line(2, "no folder was given")


def test_nothing_is_written_into_the_folder_of_an_export(cli, url, indexed):
    exporting.export(imgbatch.load(indexed.folder, index=indexed.index), url)
    target = indexed.folder / "sheet.png"
    answer = cli("similar", "--from", url, "--like", indexed.names[0], "-o", target)
    answer.assert_one_clear_line(2, "never written to")
    assert not target.exists()


def test_an_export_in_python_follows_the_folder(url, photos):
    exporting.export(imgbatch.load(photos), url)
    (photos / "new.jpg").write_bytes(jpeg(photo(50)))
    os.remove(photos / "image000.jpg")
    report = exporting.export(imgbatch.load(photos), url)
    assert (report.written.changed, report.written.removed) == (1, 1)
    assert report.written.sent == 12  # the space is fitted anew, so that every point moves
    rows = ask(url, "SELECT path FROM images ORDER BY path")
    assert [path for (path,) in rows] == sorted(os.listdir(photos))
