"""What all screens share: the opened folder, the basket, saved labels, small pictures, commands."""

import contextlib
import secrets
import shlex
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from imgbatch.annotations.matching import MACHINE
from imgbatch.collection import Collection
from imgbatch.files.cache import BASKET
from imgbatch.files.paths import join
from imgbatch.types import Known, Progress
from imgbatch.web.basket import Basket
from imgbatch.web.ids import id_of, row_of
from imgbatch.web.jobs import PATIENCE_SECONDS, Jobs
from imgbatch.web.labelling import Labelling
from imgbatch.web.readings import OutdatedError, Readings
from imgbatch.web.saved import LABEL, SOURCE, SPLIT, TAGS, Cells, Saved, joined_tags
from imgbatch.web.source import FolderSource
from imgbatch.web.thumbnails import Thumbnails
from imgbatch.web.turns import Turns

Answer = TypeVar("Answer")
_THUMBNAILS, TURNS = "thumbnails.sqlite", "turns.sqlite"
"""Files beside the index."""
_REMEMBERED = 8
"""Quick answers; each may hold a number for every image."""


_KINDS = {LABEL: "labels", TAGS: "tags", SPLIT: "splits"}
"""Columns of the saved table, and what metadata call what stands there."""
_LEARNING = ("search", "caption", "map", "label")
"""Commands that take the preset `extended` without being told."""


@dataclass
class Site:
    """The page of one folder.

    Attributes
    ----------
    source
        How the folder is opened.
    opened
        The folder as it was read first.
    saved
        Labels and tags that were given on the page.
    checked_at
        The version of the saved labels that were last doubted; None before.
    """

    source: FolderSource
    opened: InitVar[Collection]
    saved: Saved
    checked_at: int | None = None
    jobs: Jobs = field(default_factory=Jobs)
    readings: Readings = field(init=False)
    _start: str = field(default_factory=partial(secrets.token_hex, 4))
    _answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _saved_read: int = 0
    _counted: tuple[Collection, dict[str, int]] | None = None
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self, opened: Collection) -> None:
        self.readings = Readings(opened)

    @property
    def photos(self) -> Collection:
        """The folder as the request sees it; `asking` gives it to one request at a time."""
        return self.readings.seen.photos

    @cached_property
    def thumbnails(self) -> Thumbnails:
        """The small pictures of the folder's files."""
        return Thumbnails(self.photos.index_directory / _THUMBNAILS, self.source.config)

    @cached_property
    def basket(self) -> Basket:
        """The images that the user has set aside."""
        directory = self.photos.index_directory
        return Basket(directory / BASKET, Turns(directory / TURNS))

    @property
    def stamp(self) -> str:
        """Stands for the images and their rows; scripts that know rows give it back."""
        return f"{self._start}.{self.readings.seen.images}"

    @cached_property
    def labelling(self) -> Labelling:
        """What is labelled now."""
        return Labelling(self)

    @contextlib.contextmanager
    def asking(self) -> Iterator[Collection]:
        """The folder, for one request at a time: what it keeps for itself is not made twice.

        Labels and tags that were given since the last request are read first.

        Raises
        ------
        OutdatedError
            The folder was read again since the request began, and has other images.
        """
        with self._turn:
            self._catch_up()
            yield self.photos

    def remembered(self, key: Hashable, work: Callable[[Collection], Answer]) -> Answer:
        """The answer of work that is not much longer than a click; the last few are remembered.

        They are forgotten when the folder is read again. What `work` raises is not remembered.
        """
        with self.asking() as photos:
            if key not in self._answers:
                self._answers[key] = work(photos)
            self._answers.move_to_end(key)
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
            answer: Answer = self._answers[key]
            return answer

    def job(
        self, key: Hashable, what: str, work: Callable[[Collection, Progress], Answer]
    ) -> Answer:
        """The answer of work that takes longer than a click; see `Jobs.get`.

        It has the folder opened for itself, so that clicks go on meanwhile. Answers are forgotten
        when the folder is read again, or labels or tags are given.

        Raises
        ------
        OutdatedError
            As of `asking`; or a command has read the folder again, and the page now does, too.
        """
        with self._turn:
            self._catch_up()
        reading = self.readings.seen

        def alone(progress: Progress) -> Answer:
            photos = self._opened(refresh=False)
            if photos.records != reading.photos.records:
                self.read_again(refresh=False)
                raise OutdatedError
            return work(photos, progress)

        return self.jobs.get((reading.number, key), what, alone)

    def lasting_job(
        self,
        key: Hashable,
        what: str,
        work: Callable[[Collection, Progress], Answer],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Answer:
        """The same; the answer stays, whatever is given or read meanwhile."""

        def alone(progress: Progress) -> Answer:
            return work(self._opened(refresh=False), progress)

        return self.jobs.get(key, what, alone, patience_seconds=patience_seconds)

    def give(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Write labels, tags or parts of images, by path inside the folder; see `Saved.give`.

        A metadata file replaces, column by column, what is known from elsewhere, such as labels
        by subfolders. So what is known of a column is written before its first cell is given: the
        file alone then says the same as the page.
        """
        named = {name for cells in changes.values() for name in cells}
        for column in sorted(named & _KINDS.keys()):
            if not self.saved.has(column):
                known = dict(self._known(column))
                if known:
                    self.saved.give(known, undoable=False)
        # What a person says of an image that a model had labelled is no prediction.
        self.saved.give(
            {
                path: {**cells, SOURCE: ""} if self.saved.of(path, SOURCE) else cells
                for path, cells in changes.items()
            }
        )

    @property
    def labels(self) -> dict[str, int]:
        """How many images have each label by now."""
        if self.saved.has(LABEL):
            return self.saved.labels
        if self._counted is None or self._counted[0] is not self.photos:
            counts = Counter(self.photos.labels)
            del counts[""]
            self._counted = self.photos, dict(counts)
        return self._counted[1]

    def label_of(self, path: str) -> str:
        """The class of an image by now; "" for none."""
        if self.saved.has(LABEL):
            return self.saved.of(path, LABEL)
        return self._read_of(path).label

    def tags_of(self, path: str) -> tuple[str, ...]:
        """The tags that people gave an image by now."""
        if self.saved.has(TAGS):
            cell = self.saved.of(path, TAGS)
            return tuple(filter(None, map(str.strip, cell.split(";"))))
        return self._read_of(path).tags

    def _read_of(self, path: str) -> Known:
        photos = self.photos
        row = photos.records.row_of(path)
        return Known("", (), ()) if row is None else photos.metadata.of_image(row)

    def _known(self, column: str) -> Iterator[tuple[str, Cells]]:
        """By path: what a column holds, and its source where nobody but a model has said it."""
        metadata, kind = self.photos.metadata, _KINDS[column]
        known = by_people = metadata.column(kind)
        if self.source.trust_predicted:
            by_people = metadata.without_predicted().column(kind)
        paths = self.photos.records.all_paths()
        for path, now, said in zip(paths, known, by_people, strict=True):
            if cell := joined_tags(now):
                former = self.saved.of(path, SOURCE)
                predicted = not said and (former == MACHINE or not self.saved.knows(path))
                source = MACHINE if predicted else ""
                yield path, {column: cell} | ({SOURCE: source} if source != former else {})

    def _catch_up(self) -> None:
        if self._saved_read != self.saved.version:
            self.read_again(refresh=False)
        self.readings.catch_up()

    @property
    def reads(self) -> int:
        """How often the folder was read again."""
        return self.readings.seen.number

    @property
    def is_reading(self) -> bool:
        """Whether `reading` was begun and its end not told yet."""
        return self.jobs.has(("reading", self.reads))

    def reading(self) -> None:
        """Read the folder again in the background; raises as `Jobs.get` until that is done."""

        def work(progress: Progress) -> None:
            self.read_again(refresh=True, progress=progress)

        self.jobs.get(("reading", self.reads), "The folder is read again", work)
        self.readings.begin_anew()

    def read_again(self, *, refresh: bool, progress: Progress | None = None) -> None:
        """Open the folder anew: with what was saved, and with files that changed if `refresh`.

        Raises
        ------
        ImgbatchError
            It cannot be read; the page goes on with what it had.
        """
        version = self.saved.version
        photos = self._opened(refresh=refresh, progress=progress)
        with self._turn:
            self.readings.exchange(photos)
            self._saved_read = version
            self._answers.clear()

    def _opened(self, *, refresh: bool, progress: Progress | None = None) -> Collection:
        saved = self.saved.file if self.saved.is_begun else None
        return self.source.open(saved, refresh=refresh, progress=progress)

    def id_of(self, row: int) -> str:
        """The name of an image in addresses."""
        return id_of(self.photos.records, row)

    def row_of(self, name: str) -> int | None:
        """The row of an image that an address names; None if there is none."""
        return row_of(self.photos.records, name)

    def path_of(self, row: int) -> str:
        """The absolute path of an image."""
        return self.file_of(self.photos.records[row].path)

    def file_of(self, path: str) -> str:
        """The absolute path of a path inside the folder."""
        return join(self.photos.folder, path)

    def row_of_file(self, file: str) -> int | None:
        """The row of a file given by its absolute path; None if it is no image of the folder."""
        folder = self.photos.folder.rstrip("/") + "/"
        return self.photos.records.row_of(file[len(folder) :]) if file.startswith(folder) else None

    def explain_command(self, *files: str) -> str:
        """The terminal command `explain` of some files, which takes no metadata."""
        line = ["imgbatch", "explain", *files, "--folder", self.source.folder]
        for name, value in zip(self.source.words[::2], self.source.words[1::2], strict=False):
            line += [name, value] if name != "--vocabulary" else []
        line += ["--emphasis", self.source.preset] if self.source.preset else []
        return shlex.join(line)

    def command(self, *words: object, **options: object) -> str:
        """The terminal command that gives what a page shows.

        `words` are the command and what follows the folder; of `options`, None, "" and False are
        left out, and a list stands for an option that is repeated.
        """
        name = str(words[0]).split()
        line = ["imgbatch", *name, self.source.folder, *map(str, words[1:])]
        for option, value in options.items():
            flag = f"-{option}" if len(option) == 1 else "--" + option.rstrip("_").replace("_", "-")
            for each in value if isinstance(value, list | tuple) else [value]:
                if each is True:
                    line.append(flag)
                elif each is not None and each is not False and each != "":
                    line += [flag, str(each)]
        if self.source.preset and name[0] not in _LEARNING:
            line += ["--emphasis", self.source.preset]
        files = list[str | Path](self.source.metadata)
        if self.saved.is_begun:  # found files that say nothing of the images would be refused
            files = [*(files or self.photos.metadata.files), self.saved.file]
        for file in files:
            line += ["--metadata", str(file)]
        return shlex.join([*line, *self.source.words])
