"""Which reading of the folder a request sees: one and the same from its beginning to its end."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from imgbatch.collection import Collection


class OutdatedError(Exception):
    """Rows stand for images that were read again since; it becomes status 409."""

    def __init__(self) -> None:
        super().__init__("The images were read again meanwhile. Load this page anew.")


@dataclass(frozen=True, slots=True)
class Reading:
    """The folder as it was read once.

    Attributes
    ----------
    photos
        The folder.
    number
        How often it was read before.
    images
        How often it was read before with other images or in another order.
    """

    photos: Collection
    number: int = 0
    images: int = 0


class Readings:
    """The newest reading of a folder, and for each thread the one that its request sees.

    A row is another image once the folder is read again. Whoever answers a request therefore keeps
    to one reading, and begins anew where that cannot be.
    """

    def __init__(self, photos: Collection) -> None:
        self._newest = Reading(photos)
        self._of_thread = threading.local()

    @property
    def seen(self) -> Reading:
        """What this thread's request sees; outside of one, the newest."""
        kept: Reading | None = getattr(self._of_thread, "reading", None)
        return kept or self._newest

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """A request: all in the block sees the reading that is the newest now."""
        self._of_thread.reading = self._newest
        try:
            yield
        finally:
            self._of_thread.reading = None

    def exchange(self, photos: Collection) -> None:
        """Put another reading in the place of the newest; one thread at a time."""
        former = self._newest
        others = photos.records != former.photos.records
        self._newest = Reading(photos, former.number + 1, former.images + others)

    def catch_up(self) -> None:
        """Let this thread's request see the newest reading.

        Raises
        ------
        OutdatedError
            It has other images than the request has seen.
        """
        if self.seen.images != self._newest.images:
            raise OutdatedError
        self.begin_anew()

    def begin_anew(self) -> None:
        """The same for a request that has not looked at an image yet."""
        if getattr(self._of_thread, "reading", None) is not None:
            self._of_thread.reading = self._newest
