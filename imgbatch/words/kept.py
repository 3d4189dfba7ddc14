"""What was learned of a folder's words, kept beside its index.

Known texts are indexed anew when a text or the list of images changes; what maps words to points
also when a point does. The maps hold no feature space: their key names the space of the folder,
which whoever opens the folder has.
"""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np

from imgbatch.annotations.metadata import Metadata
from imgbatch.files.atomic import publishing, remove
from imgbatch.files.seals import BrokenSealError, check_seal, seal
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.portable import space_bytes
from imgbatch.types import Floats, Rows
from imgbatch.words.captions import CaptionBank
from imgbatch.words.documents import Documents
from imgbatch.words.maps import WordMaps
from imgbatch.words.text_index import TextIndex
from imgbatch.words.tokens import Stemmer, checked_language
from imgbatch.words.vectors import SharedSpace
from imgbatch.words.visual import VisualSearch, counted, learnable

WORDS = "words"
"""The folder of what is kept, beside the index."""
_VERSION = 2
"""Raised whenever the same texts and points give other words."""
_KEPT = 6
_SEED = 20_000_047
_SEAL = "seal.json"


class _Keepable(Protocol):
    """What is saved as files of a directory."""

    @classmethod
    def load(cls, directory: Path) -> Self: ...

    @classmethod
    def files(cls, directory: Path) -> list[Path]: ...

    def save(self, directory: Path) -> None: ...


_Kind = TypeVar("_Kind", bound=_Keepable)


@dataclass
class FolderWords:
    """The words of a folder's images: known texts, and what was learned from them.

    Attributes
    ----------
    opened
        The index of all images of the folder.
    documents
        What is known of them.
    language
        Of the texts; None chooses it by the texts.
    """

    opened: OpenedIndex
    documents: Documents
    language: str | None = None

    def __post_init__(self) -> None:
        self.notes: list[str] = []

    @classmethod
    def of(cls, opened: OpenedIndex, metadata: Metadata, language: str | None = None) -> Self:
        """The words of a folder, of which the opened index may hold a part.

        Raises
        ------
        UsageError
            The language has no stemmer.
        """
        whole = opened.whole if isinstance(opened, FilteredIndex) else opened
        return cls(whole, Documents.of(metadata), checked_language(language))

    @cached_property
    def texts(self) -> TextIndex:
        """The known texts, indexed on first use."""
        return self._kept(
            self._texts_key, TextIndex, lambda: TextIndex.build(self.documents, self.language)
        )

    @cached_property
    def visual(self) -> VisualSearch | None:
        """What was learned; None if there are too few texts, or if all are alike."""
        here = self.opened.projection()

        def fit() -> VisualSearch:
            # Equal hashes tell most copies, and cost nothing.
            fitted = VisualSearch.fit(self.texts, self.documents, here.points, here.hashes)
            if fitted is None:
                raise _NothingLearnedError
            return fitted

        try:
            return self._kept(self.state, VisualSearch, fit)
        except _NothingLearnedError:
            return None

    @cached_property
    def state(self) -> str:
        """24 hexadecimal digits that change with any text, any image, and the space."""
        space = hashlib.sha256(space_bytes(self.opened.projection().space)).hexdigest()
        return _digest("visual", self._texts_key, space)

    def points(self, rows: Rows) -> Floats:
        """The points of some images."""
        return np.asarray(self.opened.projection().points[rows])

    @cached_property
    def shared(self) -> SharedSpace | None:
        """The space that texts and pictures share; None if too little is known, or all is alike.

        What a split keeps for measuring is not learned from, so that whoever measures on it finds
        what images find that nobody has seen.
        """
        rows = self._to_learn
        if len(rows) == len(self.texts.rows):
            maps = self.visual.maps if self.visual else None
        elif (learned := learnable(rows, np.random.default_rng(_SEED))) is None:
            maps = None
        else:
            counts = counted(self.texts, self.documents, learned)
            maps = WordMaps.fit(counts, self.points(learned))
        return None if maps is None else SharedSpace(self.texts, maps)

    @property
    def to_learn(self) -> int:
        """Number of images with texts that no split keeps for measuring."""
        return len(self._to_learn)

    @property
    def _to_learn(self) -> Rows:
        return self.texts.rows[~self.documents.to_measure[self.texts.rows]]

    def bank(self) -> CaptionBank | None:
        """The captions that people wrote, ready to be compared; None if too little was learned.

        Tags and class names are no captions. Of more than 20,000 images a random sample is taken.
        """
        captions = self.documents.texts
        rows = learnable(np.flatnonzero(captions.lengths), np.random.default_rng(_SEED))
        if self.visual is None or rows is None:
            return None
        maps = self.visual.maps
        placed = maps.correlated(self.points(rows))
        of_rows = [captions[row] for row in rows.tolist()]
        return CaptionBank(rows, of_rows, maps, placed, Stemmer(self.texts.language))

    @property
    def _texts_key(self) -> str:
        chosen = self.language or "chosen"
        return _digest("texts", self.opened.generation, self.documents.state, chosen)

    def _kept(self, key: str, kind: type[_Kind], make: Callable[[], _Kind]) -> _Kind:
        """What was kept under a key, else what `make` makes, which is then kept."""
        directory = self.opened.directory / WORDS / key
        try:
            check_seal(directory / _SEAL, kind.files(directory))
            return kind.load(directory)
        except BrokenSealError as error:
            self.notes.append(f"{error}; the words were learned anew")
        except (OSError, ValueError, KeyError, TypeError):  # missing, or of another version
            pass
        made = make()
        remove(directory)
        # What cannot be kept costs time the next time, and changes no answer.
        with contextlib.suppress(OSError), publishing(directory, _KEPT) as temporary:
            made.save(temporary)
            seal(temporary / _SEAL, kind.files(temporary))
        return made


class _NothingLearnedError(Exception):
    """There are too few texts, or all are alike."""


def _digest(*parts: str) -> str:
    identity = "\n".join((str(_VERSION), *parts))
    return hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
