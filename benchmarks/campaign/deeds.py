"""Commands that are killed or interrupted, the state they begin in, and what they must answer."""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Literal

from campaign.answers import difference, document
from campaign.base import BrokenError, Campaign
from campaign.commands import CHECK, MODEL, Deed
from campaign.folders import (
    contents,
    copy_pictures,
    replace_folder,
    write_given,
    write_unreadable,
)
from campaign.planfiles import write_good
from campaign.processes import Command, Ended, run
from campaign.zygote import COMMAND, Zygote

State = Literal["none", "before", "after"]
"""Of an index: there is none; it is that of the folder before its change; after it."""
FORMER = b"an older file"
STATE = ".imgbatch"
_PADDED_BYTES = 110_000
"""Behind each picture; forty of them are then worth worker processes."""
_OF_STATE = re.compile(r"metadata/[0-9a-f]{24}")
_OF_STATE_BYTES = re.compile(_OF_STATE.pattern.encode())
_OF_SHARDS = frozenset(("seal.json", "space.npz"))
"""What a whole space of an index in shards consists of; its points lie in the store."""
_TEMPORARY = (".imgbatch-", "tmp", ".part-")
_POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Expected:
    """What an undisturbed run on a fresh index gave."""

    document: dict[str, Any] | None
    outputs: dict[str, bytes]
    lines: list[str]
    seconds: float


class Bench:
    """A folder of images that changes, its index and outputs, all set up anew for each case.

    Parameters
    ----------
    home
        The folder of it all.
    zygote
        For requests whose start is not what is looked at.
    padded
        Whether reading the folder is worth worker processes.
    """

    def __init__(self, campaign: Campaign, home: Path, zygote: Zygote, *, padded: bool) -> None:
        self.campaign, self.home, self.zygote = campaign, home, zygote
        self.photos, self.index, self.out = (home / name for name in ("photos", "index", "out"))
        self._expected: dict[str, Expected] = {}
        padding_bytes = _PADDED_BYTES if padded else 0
        count = campaign.pictures
        for state in ("before", "after"):
            master = home / f"photos-{state}"
            made = copy_pictures(master, count, padding_bytes=padding_bytes)
            write_unreadable(master)
            twin = made[-1].with_stem("twin")
            shutil.copy2(made[-1], twin)
            if state == "before":
                for gone in made[::4]:
                    gone.unlink()
                made[1].write_bytes(made[2].read_bytes())
                copy_pictures(master / "gone", 2, first=1)
            else:
                write_given(home / "given", made, master)

    def set_up(self, index: State, photos: Literal["before", "after"] = "after") -> None:
        """Begin anew: no outputs, the folder in one state and its index in another."""
        replace_folder(self.home / f"photos-{photos}", self.photos)
        shutil.rmtree(self.index, ignore_errors=True)
        if index != "none":
            shutil.copytree(getattr(self, f"_index_{index}"), self.index)
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def put_former(self, deed: Deed) -> None:
        """Put something older where the deed's output goes."""
        target = self.out / deed.output.rstrip("/")
        if deed.output.endswith("/"):
            write_good(target)
        elif "." in deed.output:
            target.write_bytes(FORMER)

    def arguments(self, deed: Deed) -> list[str]:
        """The deed's arguments, as a list."""
        images = sorted(path for path in self.photos.rglob("*.jp*g") if path.name != "words.jpg")
        places = {"PHOTOS": str(self.photos), "IMAGE": str(images[0]), "OTHER": str(images[-1])}
        given = self.home / "given"
        if MODEL in deed.arguments:
            self._make_model(given / "model.npz")
        words = [places.get(word, word) for word in deed.arguments.split()]
        words = [word.replace("OUT/", f"{self.out}/") for word in words]
        return [word.replace("GIVEN/", f"{given}/") for word in words]

    def _make_model(self, model: Path) -> None:
        """Train a model, once, beside the indexes that are looked at."""
        if not model.exists():
            index = self.home / "index-of-model"
            photos = self.home / "photos-after"
            ended = self.zygote.command("label", "train", photos, "-o", model, "--index", index)
            if ended.code != 0:
                raise BrokenError(f"no model can be trained: {ended.in_short}")

    def run(self, deed: Deed, *, fresh: bool = True) -> Ended:
        """Run a deed undisturbed, in a new process or in one that was forked."""
        if fresh:
            return run(self.campaign, self.arguments(deed), self.home)
        return self.zygote.command(*self.arguments(deed))

    def outputs(self) -> dict[str, bytes]:
        """All files below the outputs, but for states by which commands go on.

        The state of `prepare` is a database that holds when files changed; whether it is right is
        seen from a further run, which must find nothing to do. A page names a list of the index, in
        a folder that is named after the index's state; this name is left out.
        """
        found = contents(self.out)
        return {
            name: _OF_STATE_BYTES.sub(b"metadata/*", data) if name.endswith(".html") else data
            for name, data in found.items()
            if STATE not in name.split("/")
        }

    def check(self) -> Ended:
        """Ask what must be answered alike, without the start of a Python."""
        return self.zygote.command(*self.arguments(CHECK))

    def start(self, deed: Deed) -> Command:
        """Start a deed."""
        return Command(self.campaign, self.arguments(deed), self.home)

    def expected(self, deed: Deed, state: State = "none") -> Expected:
        """What an undisturbed run gives, of the folder after its change.

        From an index that is up to date, which another command made; else from a fresh one.
        """
        ready = state == "after" or deed.needs_index
        key = f"{deed.name}, ready" if ready else deed.name
        if key not in self._expected:
            self.set_up("after" if ready else "none")
            ended = self.check() if deed is CHECK else self.run(deed)
            if ended.code != 0 or (deed.answers and document(ended) is None):
                raise BrokenError(f"an undisturbed {deed.name} fails: {ended.in_short}")
            told = document(ended, [deed.left_to_do]) if deed.answers else None
            outputs = self.outputs()
            self._expected[key] = Expected(told, outputs, lines_of(ended), ended.seconds)
        return self._expected[key]

    def dependence(self, deed: Deed) -> str:
        """How an answer differs if another command made the index; empty if it does not."""
        fresh, ready = self.expected(deed), self.expected(deed, "after")
        if fresh.document is not None and (text := difference(ready.document, fresh.document)):
            return text
        other = [name for name, data in fresh.outputs.items() if ready.outputs.get(name) != data]
        return f"other bytes in {', '.join(other)}" if other else ""

    # ----- indexes of both states -----------------------------------------------------------------

    @cached_property
    def _index_before(self) -> Path:
        return self._made_index("before")

    @cached_property
    def _index_after(self) -> Path:
        return self._made_index("after")

    def _made_index(self, state: Literal["before", "after"]) -> Path:
        kept = self.home / f"index-{state}"
        photos_now = self.home / "photos-now"
        replace_folder(self.photos, photos_now)
        self.set_up("none", state)
        ended = self.check()
        if ended.code != 0:
            raise BrokenError(f"an index cannot be made: {ended.in_short}")
        self.index.rename(kept)
        replace_folder(photos_now, self.photos)
        return kept

    # ----- what may never be seen -----------------------------------------------------------------

    def half_written(self, deed: Deed, expected: dict[str, bytes]) -> str:
        """A file under a final name that is neither the former nor the new one; empty if none."""
        former = FORMER if deed.output else b""
        name = deed.output.rstrip("/")
        if deed.output.endswith("/") and (self.out / name).exists():
            found = contents(self.out / name)
            new = {path.removeprefix(f"{name}/"): data for path, data in expected.items()}
            if found not in (new, self._former_plan):  # each a dictionary of files
                return f"{deed.output} holds {', '.join(found) or 'nothing'}"
        else:
            for path, data in self.outputs().items():
                temporary = any(part.startswith(_TEMPORARY) for part in path.split("/"))
                if not temporary and data not in (former, *expected.values()):
                    return f"{path} of {len(data):,} bytes"
        return self._half_index() if deed.name != "clean" else ""

    @cached_property
    def _former_plan(self) -> dict[str, bytes]:
        write_good(self.home / "former")
        return contents(self.home / "former")

    def _half_index(self) -> str:
        """A folder of the index, of points or rows, that lacks a file; empty if none does."""
        for kind in ("spaces", "listings"):
            whole = {frozenset(os.listdir(folder)) for folder in _folders(self._index_after, kind)}
            for folder in _folders(self.index, kind):
                sharded = (folder.parent.parent / "store").is_dir()
                complete = whole | ({_OF_SHARDS} if sharded and kind == "spaces" else set())
                if frozenset(os.listdir(folder)) not in complete:
                    return f"{kind}/{folder.name} holds {', '.join(os.listdir(folder))}"
        return ""


def lines_of(ended: Ended) -> list[str]:
    """Lines of standard error; a folder whose name depends on the index's state has none."""
    return [_OF_STATE.sub("metadata/*", line) for line in ended.lines]


def _folders(index: Path, kind: str) -> list[Path]:
    return [path for path in index.glob(f"*/{kind}/*") if not path.name.startswith(_TEMPORARY)]


class Benches:
    """A bench whose folder is worth worker processes (True), and one whose folder is not (False).

    Each is made when it is first asked for.
    """

    def __init__(self, campaign: Campaign, home: Path, stack: contextlib.ExitStack) -> None:
        self._campaign, self._home, self._stack = campaign, home, stack
        self._made: dict[bool, Bench] = {}

    def __getitem__(self, padded: bool) -> Bench:
        if padded not in self._made:
            place = self._home / ("padded" if padded else "small")
            place.mkdir()
            zygote = self._stack.enter_context(Zygote(self._campaign, place, COMMAND))
            self._made[padded] = Bench(self._campaign, place, zygote, padded=padded)
        return self._made[padded]


@contextlib.contextmanager
def benches(campaign: Campaign, name: str) -> Iterator[Benches]:
    """Both benches, as a slot of `each_case`."""
    with contextlib.ExitStack() as stack:
        yield Benches(campaign, campaign.folder(name), stack)


# ----- moments ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """When a signal is sent: after a time, or some time after the n-th change on the disk.

    Changes are those of the index and the outputs, or of the outputs alone.
    """

    seconds: float
    changes: int = 0
    outputs_alone: bool = False

    @classmethod
    def draw(cls, random: Random, whole_seconds: float, deed: Deed) -> "Moment":
        """Anywhere in a run of so many seconds, every second time just after a change."""
        if random.random() < 0.5:
            return cls(random.uniform(0, whole_seconds))
        if deed.output and random.random() < 0.5:
            return cls(random.choice((0.0, 0.001, 0.003)), random.randint(1, 3), outputs_alone=True)
        return cls(random.choice((0.0, 0.001, 0.005, 0.03)), random.randint(1, 8))

    def __str__(self) -> str:
        where = "of the outputs" if self.outputs_alone else "on the disk"
        after = f"change {self.changes} {where} and " if self.changes else ""
        return f"after {after}{self.seconds:.3f} s"

    def wait(
        self, command: Command, index: Path, out: Path, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Wait for the moment, or for the end of the command if that comes first."""
        changes = _changes((out,) if self.outputs_alone else (index, out))
        pause_seconds = _POLL_SECONDS / 4 if self.outputs_alone else _POLL_SECONDS
        for _ in range(self.changes):
            seen = next(changes)
            while next(changes) == seen:
                meanwhile()
                if command.poll():
                    return
                time.sleep(pause_seconds)
        begun = command.seconds if self.changes else 0.0
        while command.seconds < begun + self.seconds and not command.poll():
            meanwhile()
            time.sleep(min(_POLL_SECONDS, self.seconds))


def _changes(folders: tuple[Path, ...]) -> Iterator[frozenset[tuple[str, int, int]]]:
    """Names, sizes and times of all files below some folders, again and again."""
    while True:
        found = []
        for folder in folders:
            for directory, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(directory, name)
                    try:
                        status = os.lstat(path)
                    except OSError:
                        continue
                    found.append((path, status.st_size, status.st_mtime_ns))
        yield frozenset(found)
