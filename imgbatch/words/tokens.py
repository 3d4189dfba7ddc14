"""Texts as words: cut in any script, and reduced to stems."""

import importlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from types import ModuleType

from imgbatch.errors import UsageError

UNSTEMMED = "none"
"""The language of texts whose words are left as they are."""
_NO_SPACES = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that put no space between words; each character counts as a word."""
_START, _REST = (
    rf"[[\p{{L}}\p{{N}}]--[{_NO_SPACES}]]",
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_NO_SPACES}]]",
)
_WORD = rf"(?V1)[{_NO_SPACES}]\p{{M}}*|{_START}{_REST}*"
_OF_SCRIPT = {
    "CYRILLIC": "russian",
    "GREEK": "greek",
    "ARMENIAN": "armenian",
    "ARABIC": "arabic",
    "DEVANAGARI": "hindi",
    "TAMIL": "tamil",
    "HEBREW": "yiddish",
    "LATIN": "english",
}
"""What texts of a script are taken for if no list of function words tells."""
_FUNCTION_WORDS = (
    "danish dutch en french german italian norwegian portuguese russian spanish swedish turkish"
)
"""The languages of which bm25s lists function words, as it names them."""
_LONG_TEXT = 4
"""Texts of more words than this on average are sentences, in which function words are expected."""
_FUNCTION_WORD_SHARE, _FEWEST_FUNCTION_WORDS = 0.1, 3
"""The least share of all words by which a language is known, and how many different ones at least:
the English tag "sea" is on the Spanish list."""
_LOOKED_AT = 2000
"""Texts by which the language is chosen."""


def needed(module: str) -> ModuleType:
    """A library of the extra `text`.

    Raises
    ------
    UsageError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"search and captions need {error.name}, which is not installed",
            'run: pip install "imgbatch[text]"',
        ) from None


def check_libraries() -> None:
    """Raise `UsageError` if a library is missing that search by words needs."""
    for module in ("bm25s", "regex", "snowballstemmer"):
        needed(module)


@cache
def _word_finder() -> Callable[[str], list[str]]:
    find: Callable[[str], list[str]] = needed("regex").compile(_WORD).findall
    return find


def words_of(text: str) -> list[str]:
    """The words of a text in any script, in lower case; punctuation and underscores part words.

    Chinese, Japanese, Thai and other scripts without spaces give a word for each character.
    Equal words that Unicode writes in several ways (NFKC) are equal.

    Examples
    --------
    >>> words_of("Faces_easy: Две собаки, 2 café")
    ['faces', 'easy', 'две', 'собаки', '2', 'café']
    >>> words_of("红花 USB")
    ['红', '花', 'usb']
    """
    return _word_finder()(unicodedata.normalize("NFKC", text).casefold())


def languages() -> tuple[str, ...]:
    """The languages whose words can be reduced to stems: those of the Snowball family.

    >>> "russian" in languages()
    True
    """
    names: Iterable[str] = needed("snowballstemmer").algorithms()
    return tuple(sorted(names))


def checked_language(name: str | None) -> str | None:
    """The name of a language as given; raises `UsageError` for one that has no stemmer."""
    if name is None or name == UNSTEMMED or name in languages():
        return name
    raise UsageError(
        f"the language {name!r} is not known", f"give one of {', '.join((UNSTEMMED, *languages()))}"
    )


class Stemmer:
    """Reduces words to stems, by which "dogs" finds "dog".

    Source: Snowball (Porter 2001). Each word is reduced once; later its stem is looked up.

    Parameters
    ----------
    language
        One of `languages`, or ``none``.

    Examples
    --------
    >>> Stemmer("english").stems("Two dogs running")
    ['two', 'dog', 'run']
    >>> Stemmer("russian").stems("собаки") == Stemmer("russian").stems("собаку")
    True
    """

    def __init__(self, language: str) -> None:
        self._known: dict[str, str] = {}
        self._reduce = (
            str if language == UNSTEMMED else needed("snowballstemmer").stemmer(language).stemWord
        )

    def stem(self, word: str) -> str:
        """The stem of a word in lower case."""
        if word not in self._known:
            self._known[word] = self._reduce(word)
        return self._known[word]

    def stems(self, text: str) -> list[str]:
        """The stems of a text's words."""
        return [self.stem(word) for word in words_of(text)]


def function_words(language: str) -> frozenset[str]:
    """Words such as "the" that say nothing of a picture; empty where no list is known.

    >>> "the" in function_words("english"), function_words("finnish")
    (True, frozenset())
    """
    name = "en" if language == "english" else language
    if name not in _FUNCTION_WORDS.split():
        return frozenset()
    lists = needed("bm25s.stopwords")
    listed = getattr(lists, f"STOPWORDS_{'EN_PLUS' if name == 'en' else name.upper()}")
    return frozenset(part for word in listed for part in words_of(word))


def language_of(texts: Iterable[str]) -> str:
    """The language of some texts: that whose function words are the most frequent.

    Where no list knows the texts, as those of tags, the script decides: Latin letters count as
    English. Longer texts in Latin letters of which hardly any word is on a list stay unstemmed.

    Examples
    --------
    >>> language_of(["Der Hund ist auf der Wiese", "Ein Kind und ein Ball"])
    'german'
    >>> language_of(["красный флаг"]), language_of(["airplane", "anchor"])
    ('russian', 'english')
    """
    looked_at = [words_of(text) for text in islice(texts, _LOOKED_AT)]
    words = Counter(word for text in looked_at for word in text)
    total = max(words.total(), 1)
    held = {
        language: function_words(language) & words.keys()
        for language in ("english", *_FUNCTION_WORDS.replace(" en ", " ").split())
    }
    shares = {name: sum(words[word] for word in listed) / total for name, listed in held.items()}
    best = max(shares, key=lambda language: shares[language])
    if shares[best] >= _FUNCTION_WORD_SHARE and len(held[best]) >= _FEWEST_FUNCTION_WORDS:
        return best
    language = _OF_SCRIPT.get(_script(words), UNSTEMMED)
    sentences = total > _LONG_TEXT * len(looked_at)
    return UNSTEMMED if sentences and language == "english" else language


def _script(words: Counter[str]) -> str:
    """The script of most letters, as Unicode names it; "" for none."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        if letter.isalpha():
            scripts[unicodedata.name(letter, "").partition(" ")[0]] += count
    return max(scripts, key=lambda script: scripts[script], default="")
