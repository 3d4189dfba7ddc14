"""Many links at the same time, in a thread of its own, as one stream of answers."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Self

import stamina.instrumentation

from imgbatch.intake.addresses import Allowed
from imgbatch.intake.fetch import Failed, Fetched, Fetcher, FetchOptions
from imgbatch.intake.state import Pending

_AHEAD = 8
"""Links under way for each connection: most wait for their host or for another attempt."""
_LEAST_AHEAD = 64
_Answer = Fetched | Failed | BaseException


class Downloader:
    """A ``with`` block that fetches links; at its end all that is under way stops.

    Memory does not grow with the number of links: a bounded number is under way, and files that
    nobody has taken yet count among them.

    Parameters
    ----------
    options
        Limits and times.
    allowed
        Which addresses may be connected to.
    drafts
        The folder for the files.
    """

    def __init__(self, options: FetchOptions, allowed: Allowed, drafts: str) -> None:
        self._options, self._allowed, self._drafts = options, allowed, drafts
        self._most = max(_LEAST_AHEAD, _AHEAD * options.connections)
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        # Its usual hook would log every further attempt.
        self._hooks = stamina.instrumentation.get_on_retry_hooks()
        stamina.instrumentation.set_on_retry_hooks(())
        self._thread.start()
        self._fetcher = asyncio.run_coroutine_threadsafe(self._new_fetcher(), self._loop).result()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        stamina.instrumentation.set_on_retry_hooks(self._hooks)

    def answers(self, links: Iterator[Pending], most: int) -> Iterator[list[Fetched | Failed]]:
        """The answers to all links as they come, up to `most` at a time.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        under_way = 0
        while True:
            new = list(islice(links, self._most - under_way))
            if new:
                self._loop.call_soon_threadsafe(self._start, new)
                under_way += len(new)
            if not under_way:
                return
            batch = [self._answers.get()]
            while len(batch) < most and not self._answers.empty():
                batch.append(self._answers.get())
            under_way -= len(batch)
            failures = [one for one in batch if isinstance(one, BaseException)]
            if failures:
                raise failures[0]
            yield [one for one in batch if not isinstance(one, BaseException)]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _new_fetcher(self) -> Fetcher:
        return Fetcher(self._options, self._allowed, self._drafts)

    def _start(self, links: list[Pending]) -> None:
        for link in links:
            task = self._loop.create_task(self._answer(link))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    async def _answer(self, link: Pending) -> None:
        self._answers.put(await self._fetcher.fetch(link))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._answers.put(error)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()
        await asyncio.sleep(0)  # closed transports say goodbye
