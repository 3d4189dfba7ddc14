"""Make all pictures that are wanted: spread over processes, from local files or from links."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from imgbatch.config.schema import Config
from imgbatch.intake.pictures import Chunk, Form, Task, make_pictures
from imgbatch.intake.records import LinkOptions, Prepare
from imgbatch.intake.state import Outcome, State
from imgbatch.runners import build_runner

Progress = Callable[..., None]
"""Called with the pictures that are done, those to be made, and a remark on failures."""
_CHUNK_PICTURES = 16
_USUAL_BYTES = 100_000
"""Of a picture's file, to tell whether worker processes are worth starting."""


@dataclass(frozen=True)
class Maker:
    """Makes the pictures of a folder that are pending.

    Attributes
    ----------
    options, links, config
        What is made, and how.
    state
        Says what is pending, and gets what became of it.
    """

    options: Prepare
    links: LinkOptions
    config: Config
    state: State

    def make(self, count: int, progress: Progress) -> int:
        """Make all pending pictures; returns how many could be made."""
        runner = build_runner(
            self.config.index.workers, count * _USUAL_BYTES, ("imgbatch.intake.pictures",)
        )
        tally = _Tally(count, progress)
        chunks = self._downloaded(tally) if self.options.from_links else self._local()
        for outcomes in runner.run(make_pictures, chunks, split=Chunk.split, crashed=Chunk.crashed):
            self._record(outcomes, tally)
        return tally.made

    def limits(self) -> list[float]:
        """What decides, besides a file, whether a picture can be made of it."""
        images = self.config.images
        of_files = [images.max_megapixels, images.max_file_megabytes, images.max_seconds]
        return [*of_files, self.config.prepare.max_download_megabytes]

    def path_of(self, source: str) -> str:
        """The whole path of a local picture."""
        return os.path.join(os.path.abspath(self.options.images or ""), *source.split("/"))

    def _record(self, outcomes: list[Outcome], tally: "_Tally") -> None:
        self.state.record(outcomes)
        tally.add(outcomes)

    def _local(self) -> Iterator[Chunk]:
        """Local pictures, in the order of the table."""
        pending = self.state.pending(mixed=False)
        tasks = (Task(image.id, self.path_of(image.source), file) for image, file in pending)
        while batch := tuple(islice(tasks, _CHUNK_PICTURES)):
            yield self._chunk(batch)

    def _downloaded(self, tally: "_Tally") -> Iterator[Chunk]:
        """Pictures whose links were fetched; links that failed are recorded on the way."""
        from imgbatch.intake.addresses import is_global
        from imgbatch.intake.download import Downloader
        from imgbatch.intake.fetch import Failed, Fetched, FetchOptions

        allowed = (lambda _: True) if self.links.allow_private else is_global
        limits = self.config.prepare.model_dump(exclude={"jpeg_quality"})
        limits |= {"per_host": self.links.per_host} if self.links.per_host else {}
        options = FetchOptions(**limits, ignore_opt_out=self.links.ignore_opt_out)
        pending = (image for image, _ in self.state.pending(mixed=True))
        with Downloader(options, allowed, self.state.drafts) as downloader:
            for answers in downloader.answers(pending, _CHUNK_PICTURES):
                failed = [Outcome(*one) for one in answers if isinstance(one, Failed)]
                self._record(failed, tally)
                fetched = [Task(*one, "") for one in answers if isinstance(one, Fetched)]
                if fetched:
                    yield self._chunk(tuple(fetched))

    def _chunk(self, tasks: tuple[Task, ...]) -> Chunk:
        form, pictures = form_of(self.options, self.config), str(self.state.pictures)
        return Chunk(tasks, form, pictures, self.state.drafts)


class _Tally:
    """Counts what is done, for the progress bar and for the answer."""

    def __init__(self, count: int, progress: Progress) -> None:
        self._count, self._progress = count, progress
        self._done, self.made = 0, 0
        self._failures: dict[str, int] = {}

    def add(self, outcomes: list[Outcome]) -> None:
        """Count some outcomes, and show the new state."""
        for one in outcomes:
            self.made += not one.reason
            if one.reason:
                self._failures[one.reason] = self._failures.get(one.reason, 0) + 1
        self._done += len(outcomes)
        remark = ", ".join(f"{reason} {count:,}" for reason, count in self._failures.items())
        self._progress(self._done, self._count, remark)


def form_of(options: Prepare, config: Config) -> Form:
    """What pictures become.

    A cut-off picture is refused, since the grey that stands for its missing part would be written
    as if it belonged to the picture.
    """
    limits = config.images.model_copy(update={"min_shown_share": 1.0}).as_options()
    return Form(options.size, options.fit, config.prepare.jpeg_quality, limits)
