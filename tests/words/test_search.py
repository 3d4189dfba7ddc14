"""One list of images with and without texts; what is kept of it."""

import numpy as np
import pytest

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

from imgbatch.words.kept import WORDS, FolderWords
from imgbatch.words.search import closeness_of, search
from tests.words.folders import Opened, folder_words, made_up


@pytest.fixture
def words(tmp_path):
    return folder_words(tmp_path)


def test_texts_come_before_looks_and_relevance_falls(words):
    folder, kind = words
    hits = search(folder, folder.texts.query("blue waves"), 60)
    assert (np.diff(hits.relevance) <= 0).all()
    known = (kind[:120] == 1).sum()
    assert hits.sources[:known] == ("text",) * known
    assert hits.sources[known] == "visual"
    assert (kind[hits.rows[: (kind == 1).sum()]] == 1).all()
    assert set(hits.words[0]) == {"blue", "waves"}
    assert set(hits.words[known]) == {"blue", "waves"}


@pytest.mark.parametrize(("only", "sources"), [("known", {"text"}), ("unknown", {"visual"})])
def test_only_one_kind_of_images_is_searched_if_asked(words, only, sources):
    folder, _ = words
    hits = search(folder, folder.texts.query("snow"), 5, only=only)
    assert set(hits.sources) == sources
    assert len(hits.rows) == 5


def test_rows_that_are_not_allowed_are_never_found(words):
    folder, kind = words
    allowed = np.flatnonzero(np.arange(160) % 2)
    hits = search(folder, folder.texts.query("snow"), 200, rows=allowed)
    assert set(hits.rows.tolist()) <= set(allowed.tolist())
    assert set(np.flatnonzero(kind[:120] == 3)) & set(allowed) <= set(hits.rows.tolist())


def test_closeness_orders_images_whose_texts_are_equal(words):
    folder, kind = words
    points = folder.opened.points
    row = int(np.flatnonzero(kind == 1)[0])
    closeness = closeness_of(np.linalg.norm(points - points[row], axis=1))
    hits = search(folder, folder.texts.query("sea"), 5, only="known", closeness=closeness)
    distances = np.linalg.norm(points[hits.rows] - points[row], axis=1)
    assert hits.rows[0] == row
    assert (np.diff(distances) >= 0).all()


def test_words_that_nobody_knows_find_nothing(words):
    folder, _ = words
    hits = search(folder, folder.texts.query("zebra"), 5)
    assert len(hits.rows) == 0
    assert "no word of the query" in hits.notes[0]


def test_a_word_of_too_few_texts_is_found_by_text_and_said_not_to_be_learned(tmp_path):
    points, documents, _ = made_up()
    said = [*documents.columns[0]]
    said[3] = (*said[3], "a walrus")
    documents = type(documents)((type(documents.columns[0]).of(said), *documents.columns[1:]))
    folder = FolderWords(Opened(points, tmp_path), documents)
    hits = search(folder, folder.texts.query("walrus"), 5)
    assert hits.rows.tolist() == [3]
    assert "'walrus'" in hits.notes[0]


def test_too_few_texts_are_said_and_known_ones_are_searched(tmp_path):
    folder, kind = folder_words(tmp_path, count=30, hidden=20)
    hits = search(folder, folder.texts.query("snow"), 30)
    assert sorted(hits.rows.tolist()) == np.flatnonzero(kind[:10] == 3).tolist()
    assert "only 10 images have texts" in hits.notes[0]


def test_what_was_learned_is_kept_until_a_text_an_image_or_a_point_changes(tmp_path):
    points, documents, _ = made_up()

    def kept(texts=documents, **changed):
        folder = FolderWords(Opened(points, tmp_path, **changed), texts)
        _ = folder.texts, folder.visual
        return len(list((tmp_path / WORDS).iterdir()))

    assert kept() == kept() == 2
    assert kept(space=2.0) == 3
    said = [*documents.columns[0]]
    said[0] = ("another text",)
    changed = type(documents)((type(documents.columns[0]).of(said), *documents.columns[1:]))
    assert kept(changed) == 5
    assert kept(generation="two") == 6  # the oldest gives way


def test_damage_is_noticed_and_mended(tmp_path):
    folder, _ = folder_words(tmp_path)
    before = search(folder, folder.texts.query("snow"), 50)
    for file in (tmp_path / WORDS).rglob("*.npy"):
        data = bytearray(file.read_bytes())
        data[-1] ^= 255
        file.write_bytes(data)
    again, _ = folder_words(tmp_path)
    after = search(again, again.texts.query("snow"), 50)
    assert after.rows.tolist() == before.rows.tolist()
    assert any("is damaged" in note for note in again.notes)
