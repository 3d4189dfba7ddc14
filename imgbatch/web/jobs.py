"""Work that takes longer than a click: done in the background, its answers kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from imgbatch.types import Progress

Answer = TypeVar("Answer")
_KEPT = 24
"""Answers that are remembered, those asked for last."""
PATIENCE_SECONDS = 0.4


@dataclass(slots=True)
class _Job:
    work: Callable[[Progress], Any]
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    error: BaseException | None = None
    steps: tuple[int, int] = (0, 0)
    started: float = field(default_factory=time.monotonic)


class WorkingError(Exception):
    """An answer is not there yet: what is being done, and how far it is.

    Attributes
    ----------
    what
        Such as "The map is laid out".
    done, total
        Steps; a total of 0 says that nobody knows.
    seconds
        Since it was asked for.
    """

    def __init__(self, what: str, steps: tuple[int, int], seconds: float) -> None:
        super().__init__(what)
        self.what, (self.done, self.total), self.seconds = what, steps, seconds


class Jobs:
    """Answers that are computed once, one after the other, in a thread of their own."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def get(
        self,
        key: Hashable,
        what: str,
        work: Callable[[Progress], Answer],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Answer:
        """The answer of some work, which is begun if it was not.

        Parameters
        ----------
        key
            Equal for equal answers.
        what
            Is done meanwhile, as a sentence for readers.
        work
            Is given what it calls with (steps done, steps in all).
        patience_seconds
            To wait for it.

        Raises
        ------
        WorkingError
            It is not done within a moment; ask again.
        Exception
            What the work raised. It is tried anew when it is asked for once more.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(work)
                threading.Thread(target=self._run, args=(job,), daemon=True).start()
                self._forget()
            self._jobs.move_to_end(key)
        if not job.done.wait(patience_seconds):
            raise WorkingError(what, job.steps, time.monotonic() - job.started)
        if job.error is not None:
            with self._lock:
                if self._jobs.get(key) is job:
                    del self._jobs[key]
            raise job.error
        answer: Answer = job.answer
        return answer

    def has(self, key: Hashable) -> bool:
        """Whether the work of this key was begun and is not forgotten."""
        with self._lock:
            return key in self._jobs

    def _forget(self) -> None:
        for key in [key for key, job in self._jobs.items() if job.done.is_set()][:-_KEPT]:
            del self._jobs[key]

    def _run(self, job: _Job) -> None:
        def report(done: int, total: int) -> None:
            job.steps = (done, total)

        try:
            with self._turn:
                job.answer = job.work(report)
        except BaseException as error:  # noqa: BLE001 - whoever asks gets it
            job.error = error
        finally:
            job.done.set()
