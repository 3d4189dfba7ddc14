"""Captions by consensus, from a made-up folder."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

from imgbatch.words.captions import CaptionBank, caption_vectors, sequences
from imgbatch.words.tokens import Stemmer
from tests.words.folders import KINDS, folder_words, made_up

WORDS = st.lists(st.sampled_from(["red", "sea", "dog", "a"]), max_size=6)


def naive_likeness(captions, owners):
    """The mean cosine, over one to four words, of sequences weighted by count and rarity."""
    counts = [sequences(words) for words in captions]
    images = len(set(owners))
    held = {
        sequence: len(
            {owner for owner, other in zip(owners, counts, strict=True) if sequence in other}
        )
        for of_caption in counts
        for sequence in of_caption
    }
    likeness = np.zeros((len(captions), len(captions)))
    for size in range(1, 5):
        rows = [
            {s: c * np.log(images / held[s]) for s, c in of_caption.items() if len(s) == size}
            for of_caption in counts
        ]
        for i, one in enumerate(rows):
            for j, other in enumerate(rows):
                product = sum(value * other.get(s, 0) for s, value in one.items())
                lengths = [np.sqrt(sum(v**2 for v in row.values())) for row in (one, other)]
                if product:
                    likeness[i, j] += product / lengths[0] / lengths[1] / 4
    return likeness


@settings(max_examples=25)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_likeness_is_that_of_the_naive_version(captions):
    owners = np.arange(len(captions)) // 2
    vectors = caption_vectors(captions, owners)
    found = np.asarray((vectors @ vectors.T).todense())
    np.testing.assert_allclose(found, naive_likeness(captions, owners), atol=1e-5)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder, kind = folder_words(tmp_path_factory.mktemp("captions"))
    return folder.bank(), folder, kind


def test_the_caption_is_that_of_the_images_that_look_alike(bank):
    captions, folder, kind = bank
    near = captions.neighbours(folder.opened.points[120:])
    for row, positions in enumerate(near, start=120):
        (best,) = captions.suggest(positions, 1)
        assert best.text == KINDS[kind[row]]
        assert (kind[list(best.sources)] == kind[row]).all()


def test_an_image_is_no_neighbour_of_its_own(bank):
    captions, folder, _ = bank
    rows = [0, 7, 30]
    near = captions.neighbours(folder.opened.points[rows], rows)
    for row, positions in zip(rows, near, strict=True):
        assert row not in captions.rows[positions]
        assert len(positions) == 10  # at least; a twentieth of 120 would be fewer


def test_suggestions_differ_and_agreement_falls(bank):
    captions, _, _ = bank
    suggested = captions.suggest(np.arange(len(captions.rows)), 9)
    assert sorted(suggestion.text for suggestion in suggested) == sorted(KINDS)
    assert all(a.agreement >= b.agreement for a, b in pairwise(suggested))
    assert all(0 <= suggestion.agreement <= 1 for suggestion in suggested)


def test_captions_of_one_image_do_not_vote_for_each_other():
    points, _, _ = made_up(count=4, hidden=0)
    captions = [("a b c d e", "a b c d e", "a b c d e"), ("x y z",), ("x y z",), ("p q",)]
    bank = CaptionBank(np.arange(4), captions, None, points, Stemmer("none"))
    assert bank.suggest(np.arange(4), 1)[0].text == "x y z"


def test_tags_and_classes_are_no_captions(tmp_path):
    folder, _ = folder_words(tmp_path)
    texts, tags, labels = folder.documents.columns
    folder.documents = type(folder.documents)((tags, texts, labels))
    assert folder.visual is not None
    assert folder.bank() is None
