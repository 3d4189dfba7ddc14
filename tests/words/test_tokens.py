"""Words and stems in many scripts, and which language texts are in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")
pytest.importorskip("bm25s")

from imgbatch.errors import UsageError
from imgbatch.words.tokens import (
    Stemmer,
    checked_language,
    function_words,
    language_of,
    languages,
    needed,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two DOGS, running_fast!", ["two", "dogs", "running", "fast"]),
        ("Две собаки бегут.", ["две", "собаки", "бегут"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("红花 x红", ["红", "花", "x", "红"]),
        ("caf\u0065\u0301", ["caf\u00e9"]),
        ("Straße", ["strasse"]),
        ("", []),
        ("!? _", []),
    ],
)
def test_words_are_found_in_every_script(text, words):
    assert words_of(text) == words


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_plain_text_are_those_of_a_naive_pattern(text):
    assert words_of(text) == re.findall("[a-z0-9]+", text.lower())


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["A dog is in the snow", "Two men on a bench"], "english"),
        (["Der Hund ist im Schnee", "Zwei Männer auf einer Bank"], "german"),
        (["Собака бежит по снегу"], "russian"),
        (["σκύλος"], "greek"),
        (["airplane", "anchor"], "english"),
        (["sea", "sea coast"], "english"),
        (["Pies biegnie po zielonej trawie w parku"], "none"),
        (["犬"], "none"),
        ([], "none"),
    ],
)
def test_the_language_is_told_by_function_words_else_by_the_script(texts, language):
    assert language_of(texts) == language


def test_function_words_are_words_as_texts_have_them():
    for language in languages():
        for word in function_words(language):
            assert words_of(word) == [word]
    assert "und" in function_words("german")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("english", "dogs", "dog"), ("russian", "собаками", "собаку"), ("german", "Häuser", "Haus")],
)
def test_forms_of_a_word_have_one_stem(language, one, other):
    assert Stemmer(language).stems(one) == Stemmer(language).stems(other)
    assert Stemmer("none").stems(one) != Stemmer("none").stems(other)


def test_an_unknown_language_is_an_error_that_names_the_known_ones():
    assert checked_language("russian") == "russian"
    assert checked_language(None) is None
    with pytest.raises(UsageError, match=r"'klingon'.*russian"):
        checked_language("klingon")


def test_a_missing_library_is_an_error_that_says_what_to_install():
    with pytest.raises(UsageError, match=r"no_such_library.*imgbatch\[text\]"):
        needed("no_such_library.inside")
