"""Texts and pictures as vectors of one space."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

from imgbatch.annotations.columns import Column
from imgbatch.words.kept import FolderWords
from imgbatch.words.visual import counted
from tests.words.folders import KINDS, Opened, folder_words, made_up


@pytest.fixture
def words(tmp_path):
    return folder_words(tmp_path)


def test_a_text_lies_nearest_to_pictures_of_its_kind_also_to_such_without_texts(words):
    folder, kind = words
    texts, images = folder.shared.of_texts(KINDS), folder.shared.of_points(folder.opened.points)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    assert (np.argmax(images @ texts.T, axis=1) == kind).mean() > 0.95


def test_vectors_of_texts_are_those_of_the_steps_one_by_one(words):
    folder, _ = words
    shared = folder.shared
    maps, rows = shared.maps, folder.texts.rows
    counts = counted(folder.texts, folder.documents, rows)[:, maps.stems]
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    topics = weighted @ maps.topics - maps.text_mean
    placed = topics @ maps.text_axes
    expected = placed / np.linalg.norm(placed, axis=1, keepdims=True)
    texts = [folder.documents.texts[row][0] for row in rows.tolist()]
    assert np.allclose(shared.of_texts(texts), expected, atol=1e-5)


def test_repeated_words_and_unknown_ones_are_weighed_as_when_they_were_learned(words):
    shared = words[0].shared
    twice, once, unknown, nothing = shared.of_texts(["blue blue car", "blue car", "zebra", ""])
    assert not np.allclose(twice, once, atol=1e-3)
    assert not unknown.any()
    assert not nothing.any()
    assert np.allclose(shared.of_texts(["zebra blue car"])[0], once)


def test_what_a_split_keeps_for_measuring_teaches_nothing(tmp_path):
    points, documents, _ = made_up()
    splits = Column.of([("test",) if row % 3 == 0 else ("train",) for row in range(len(points))])
    documents = replace(documents, splits=splits)
    other = points.copy()
    other[::3] = other[::3][::-1]
    axes = [
        FolderWords(Opened(of, tmp_path / name), documents).shared.maps.image_axes
        for name, of in (("one", points), ("two", other))
    ]
    assert np.array_equal(*axes)
    folder = FolderWords(Opened(points, tmp_path / "three"), documents)
    assert folder.to_learn == 80
    all_learned = FolderWords(Opened(points, tmp_path / "four"), replace(documents, splits=None))
    assert not np.array_equal(all_learned.shared.maps.image_axes, axes[0])


def test_too_few_texts_to_learn_from_give_no_space(tmp_path):
    points, documents, _ = made_up(count=60, hidden=0)
    splits = Column.of([("test",) if row > 10 else () for row in range(60)])
    folder = FolderWords(Opened(points, tmp_path), replace(documents, splits=splits))
    assert folder.shared is None
    assert folder_words(tmp_path, count=30, hidden=20)[0].shared is None
