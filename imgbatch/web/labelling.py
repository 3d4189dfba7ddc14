"""Labelling on the page: its queues, what was skipped, a model that learns again meanwhile."""

import contextlib
import itertools
import random
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from imgbatch.errors import UsageError
from imgbatch.learning.results import AskedImage
from imgbatch.types import Progress
from imgbatch.web.jobs import PATIENCE_SECONDS, WorkingError
from imgbatch.web.saved import LABEL, SPLIT, Cells

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.learning.rounds import LabelRound
    from imgbatch.web.saved import Saved

NEXT, RANDOM, UNLABELLED, OF_CLASS = "next", "random", "unlabelled", "class:"
"""Names of queues; that of a class goes on with its name."""
_IN_ROUND = 100
"""Images that a round asks for."""
_LEAST_BETWEEN, _MOST_BETWEEN = 10, 200
_WHAT = "The model learns from the labels so far"


class Labelled(Protocol):
    """What labelling needs of a site."""

    saved: "Saved"

    @property
    def labels(self) -> dict[str, int]:
        """How many images have each label."""
        ...

    def give(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Write cells of images."""
        ...

    def lasting_job(
        self,
        key: Hashable,
        what: str,
        work: "Callable[[Collection, Progress], LabelRound]",
        *,
        patience_seconds: float,
    ) -> "LabelRound":
        """The answer of work in the background."""
        ...


class Labelling:
    """What is labelled now.

    A round of learning goes on in the background; the queues of the last one stay meanwhile,
    without what was labelled since.
    """

    def __init__(self, site: Labelled) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._round: LabelRound | None = None
        self._learned = self._wanted = -1
        self._since = 0
        self._skipped: dict[str, int] = {}
        self._refused: set[tuple[str, str]] = set()
        self._drawn: set[str] = set()
        self._classes: dict[str, None] = {}

    @property
    def classes(self) -> list[str]:
        """All classes: sorted, and those that came meanwhile at the end, so that keys stay."""
        self._classes |= dict.fromkeys(sorted(self._site.labels))
        return list(self._classes)

    @property
    def is_learning(self) -> bool:
        """Whether a round goes on."""
        return self._wanted != self._learned

    @property
    def between(self) -> int:
        """Labels after which the model learns again by itself: a tenth of all, within limits."""
        labelled = sum(self._site.labels.values())
        return min(max(labelled // 10, _LEAST_BETWEEN), _MOST_BETWEEN)

    @property
    def skipped(self) -> int:
        """Number of images that were skipped, or refused for a class."""
        return len(self._skipped) + len(self._refused)

    def round(self) -> "LabelRound":
        """The last round that is done; raises `WorkingError` while there is none."""
        with self._lock:
            if self._round is None:
                if self._wanted < 0:
                    self._wanted = self._site.saved.version
                self._finish(PATIENCE_SECONDS)
            elif self.is_learning:
                with contextlib.suppress(WorkingError):
                    self._finish(0)
                    self._learn_if_due()
            assert self._round is not None  # noqa: S101 - else `_finish` has raised
            return self._round

    def learn(self) -> None:
        """Begin another round, unless one goes on, or nothing was given since the last one."""
        with self._lock:
            self._begin()

    def _learn_if_due(self) -> None:
        if self._since >= self.between:
            self._begin()

    def _begin(self) -> None:
        if self._round is not None and not self.is_learning:
            self._since, self._wanted = 0, self._site.saved.version
            with contextlib.suppress(WorkingError):
                self._finish(0)

    def queue(self, name: str, n: int) -> list[AskedImage]:
        """The first n images of a queue that have no label by now, and were not skipped.

        Raises
        ------
        UsageError
            There is no such queue.
        WorkingError
            The first round goes on, or all images of the last one have labels.
        """
        found = list(itertools.islice(self._left(name), n))
        if not found and (self._since or self.is_learning):
            self.learn()
            self._forget_round()
            found = list(itertools.islice(self._left(name), n))
        return found

    def give(self, labels: dict[str, str], *, at_random: bool = False) -> None:
        """Write labels, by path inside the folder.

        With `at_random` images are kept for measuring, if they were drawn: an image that was chosen
        by hand would make the sample a biased one.
        """
        changes: dict[str, Cells] = {path: {LABEL: name} for path, name in labels.items()}
        for path in self._drawn.intersection(labels) if at_random else ():
            changes[path][SPLIT] = "test"
        self._site.give(changes)
        with self._lock:
            self._since += len(labels)
            self._learn_if_due()

    def skip(self, paths: Iterable[str]) -> None:
        """Leave images out of all queues until the server ends."""
        for path in paths:
            self._skipped.pop(path, None)
            self._skipped[path] = self._site.saved.version

    def refuse(self, paths: Iterable[str], name: str) -> None:
        """Leave images out of the queue of a class."""
        self._refused.update((path, name) for path in paths)

    def ask_skipped(self) -> int:
        """Ask for all that was skipped once more; how many images."""
        count = self.skipped
        self._skipped.clear()
        self._refused.clear()
        return count

    def undo(self) -> tuple[str, ...]:
        """Take back the last label or skip; the images that it bore on."""
        last = next(reversed(self._skipped), None)
        if last is not None and self._skipped[last] == self._site.saved.version:
            del self._skipped[last]
            return (last,)
        return self._site.saved.undo()

    def _left(self, name: str) -> Iterator[AskedImage]:
        saved, of_class = self._site.saved, name.removeprefix(OF_CLASS)
        for image in self._images(name):
            path = image.relative
            gone = path in self._skipped or (path, of_class) in self._refused
            if not gone and not saved.of(path, LABEL):
                yield image

    def _images(self, name: str) -> Iterable[AskedImage]:
        done = self.round()
        if name == UNLABELLED:
            return done.unlabelled()
        if name == NEXT:
            return () if done.asked is None else done.asked.images
        if name == RANDOM:
            if done.at_random is None:
                return ()
            # They come in the order of paths: whoever stops halfway should have a sample, too.
            drawn = list(done.at_random.images)
            random.Random(0).shuffle(drawn)  # noqa: S311 - no secret
            return drawn
        of_class = name.removeprefix(OF_CLASS)
        if name.startswith(OF_CLASS) and of_class in done.classes:
            return done.likely(of_class)
        if name.startswith(OF_CLASS) and of_class in self._site.labels:
            return ()  # there is no model yet that knows it
        known = ", ".join((NEXT, RANDOM, UNLABELLED, *(OF_CLASS + one for one in done.classes)))
        raise UsageError(f"queue is {name[:60]!r}", f"give {known}")

    def _finish(self, patience_seconds: float) -> None:
        def work(photos: "Collection", _: Progress) -> "LabelRound":
            from imgbatch.learning.rounds import label_round

            return label_round(photos.labelling, _IN_ROUND)

        wanted = self._wanted
        self._round = self._site.lasting_job(
            ("label round", wanted), _WHAT, work, patience_seconds=patience_seconds
        )
        self._learned = wanted
        if self._round.at_random is not None:
            self._drawn.update(image.relative for image in self._round.at_random.images)

    def _forget_round(self) -> None:
        with self._lock:
            if self.is_learning:
                self._round = None
