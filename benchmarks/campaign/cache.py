"""Part `cache`: an index with a corrupted file answers right, or names the command that mends it.

One file of all that commands and the local page keep of a folder (see `rot`) is damaged. Then the
commands that read it (see `asked`) must give the undisturbed answers; a note is welcome. Or they
fail with one line that names a command in backticks which, when run, makes the answer right. Then
an image is added, and the answers must be those of a fresh index: this shows descriptors that are
silently wrong. Every fifth index has a write-ahead log, as a killed command leaves it; every 12th
lies in shards of ``--cluster local``. Of these and of every sixth case new processes answer; the
others fork from one that has imported the modules. What people put into the basket cannot be made
again: it may be empty with a note.
"""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from campaign.answers import clear_line, difference, document, named_command
from campaign.asked import ASKS, PLAIN, asks_for, make_folder
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.folders import copy_pictures, replace_folder
from campaign.processes import Ended, run
from campaign.rot import Damaged, damage_one, room_of
from campaign.zygote import COMMAND, Zygote

_EACH_SHARDED, _EACH_LOGGED, _EACH_FRESH = 12, 5, 6
Kind = Literal["closed", "logged", "shards"]
"""Of an index: as commands leave it; with a write-ahead log; in shards."""


class _Bench:
    """A folder of images, copies of its index in every kind, and the right answers."""

    def __init__(self, campaign: Campaign, home: Path, zygote: Zygote) -> None:
        self.campaign, self.home, self.zygote = campaign, home, zygote
        self.photos, self.index = home / "photos", home / "index"
        made = make_folder(home / "whole", campaign.pictures)
        replace_folder(home / "whole", home / "earlier")
        for gone in made[::4]:
            (home / "earlier" / gone.relative_to(home / "whole")).unlink()
        self.more = copy_pictures(home / "more", 2, first=1)[0]
        self.added = self.photos / "added.jpg"
        self.right: dict[tuple[str, bool], dict[str, Any]] = {}
        replace_folder(home / "whole", self.photos)
        for added in (True, False):
            if added:
                shutil.copy2(self.more, self.added)
            else:
                self.added.unlink()
            shutil.rmtree(self.index, ignore_errors=True)
            for name in _ordered():
                ended = self.ask(name, "closed", fresh=False)
                self.right[name, added] = document(ended) or _refuse(ended)
        self.kept: dict[Kind, tuple[Path, Path]] = {}

    def ask(self, name: str, kind: Kind, *, fresh: bool) -> Ended:
        """Ask one of `ASKS`."""
        ask = ASKS[name]
        if ask.task:
            seconds = self.campaign.limits.command_seconds
            return self.zygote.run(ask.task, str(self.photos), seconds)
        arguments = [*ask.before, self.photos, *ask.after]
        if kind == "shards":
            return run(self.campaign, [*arguments, "--cluster", "local"], self.home)
        return self.command(arguments, fresh=fresh)

    def command(self, arguments: Sequence[object], *, fresh: bool) -> Ended:
        """Run a command, in a new process or in one that was forked."""
        if fresh:
            return run(self.campaign, arguments, self.home)
        return self.zygote.command(*arguments)

    def set_up(self, kind: Kind) -> Path:
        """Put a whole index of this kind in its place; returns an older one."""
        if kind not in self.kept:
            self.kept[kind] = self._made(kind)
        kept, older = self.kept[kind]
        replace_folder(kept, self.index)
        self.added.unlink(missing_ok=True)
        return older

    def _made(self, kind: Kind) -> tuple[Path, Path]:
        """An index of the folder, and the same index from before its last images came."""
        shutil.rmtree(self.index, ignore_errors=True)
        replace_folder(self.home / "earlier", self.photos)
        asks = PLAIN if kind == "shards" else _ordered()
        for name in asks:
            _right(self.ask(name, kind, fresh=False))
        older, kept = (self.home / f"{kind}-{age}" for age in ("older", "kept"))
        replace_folder(self.index, older)
        replace_folder(self.home / "whole", self.photos)
        with _reader(self.index) if kind == "logged" else contextlib.nullcontext():
            for name in asks:
                _right(self.ask(name, kind, fresh=False))
            replace_folder(self.index, kept)
        return kept, older


def _ordered() -> list[str]:
    """All questions, the overview first: it measures what others show once it is measured."""
    return sorted(ASKS, key=lambda name: name != "overview")


@contextlib.contextmanager
def _reader(index: Path) -> Iterator[None]:
    """Read the database all the while, so that what is written stays in its log."""
    (file,) = index.glob("*/catalogue.sqlite")
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM images").fetchone()
        yield


def _right(ended: Ended) -> Ended:
    return ended if ended.code == 0 else _refuse(ended)


def _refuse(ended: Ended) -> Any:
    raise BrokenError(f"an undisturbed command fails: {ended.in_short}")


@contextlib.contextmanager
def _bench(campaign: Campaign, number: int) -> Iterator[_Bench]:
    home = campaign.folder(f"cache-{number}")
    with Zygote(campaign, home, COMMAND) as zygote:
        yield _Bench(campaign, home, zygote)


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(bench: _Bench, case: int) -> Outcome:
        return _corrupt(campaign, bench, case)

    yield from each_case(campaign, cases, lambda number: _bench(campaign, number), attempt)


def _corrupt(campaign: Campaign, bench: _Bench, case: int) -> Outcome:
    random = campaign.random("cache", case)
    kind: Kind = "closed"
    if case % _EACH_SHARDED == _EACH_SHARDED - 1:
        kind = "shards"
    elif case % _EACH_LOGGED == _EACH_LOGGED - 1:
        kind = "logged"
    older = bench.set_up(kind)
    damaged = damage_one(bench.index, older, random)
    if campaign.keep:
        replace_folder(bench.index, bench.home / "found")
    room = "" if kind == "shards" else room_of(damaged.kind)
    failure, memory_mb = None, 0.0
    for mode, added in asks_for(room, random):
        if added:
            shutil.copy2(bench.more, bench.added)
        what, one_mb = _wrong(bench, mode, kind, added=added, fresh=case % _EACH_FRESH == 0)
        memory_mb = max(memory_mb, one_mb)
        if what:
            failure = _failure(damaged, kind, mode, what, added=added)
            break
    if failure:
        campaign.kept("cache", case, bench.home / "found")
    return Outcome(case, (failure,) if failure else (), memory_mb)


def _failure(
    damaged: Damaged, kind: Kind, mode: str, what: tuple[str, str], *, added: bool
) -> Failure:
    later = " once an image is added" if added else ""
    place = "in shards, " if kind == "shards" else ""
    told = f"{damaged.text}; {mode}{later}: {what[1]}"
    return Failure(f"{place}{damaged.kind}: {what[0]}{later}", told, damaged.size_bytes)


def _wrong(
    bench: _Bench, mode: str, kind: Kind, *, added: bool, fresh: bool
) -> tuple[tuple[str, str] | None, float]:
    """Kind and text of what is wrong with an answer, None if nothing is; and the memory it took."""
    ended = bench.ask(mode, kind, fresh=fresh)
    memory_mb = ended.memory_mb
    if ended.code != 0:
        if problem := _not_mended(bench, ended, fresh=fresh):
            return problem, memory_mb
        ended = bench.ask(mode, kind, fresh=fresh)
    return _wrong_answer(ended, bench.right[mode, added]), max(memory_mb, ended.memory_mb)


def _not_mended(bench: _Bench, ended: Ended, *, fresh: bool) -> tuple[str, str] | None:
    """What is wrong with an error, which must name a command; the command is run."""
    if unclear := clear_line(ended):
        return unclear, ended.in_short
    advice = named_command(ended, str(bench.photos))
    if advice is None:
        return "an error that names no command", ended.in_short
    bench.command(advice, fresh=fresh)
    return None


def _wrong_answer(ended: Ended, right: dict[str, Any]) -> tuple[str, str] | None:
    if ended.code != 0:
        return "the named command does not mend it", ended.in_short
    if ended.strays:
        return "processes are left", "; ".join(ended.strays)
    if talk := [line for line in ended.lines if not line.startswith("note: ")]:
        return "talk beside the answer", talk[0][:200]
    told = document(ended)
    if told and right.get("basket") and told.get("basket") == [] and _notes(ended):
        told["basket"] = right["basket"]
    if text := difference(told, right):
        noted = f"with a note: {ended.lines[0][:200]}; " if ended.lines else ""
        return f"another answer, {'with a note' if noted else 'in silence'}", noted + text
    return None


def _notes(ended: Ended) -> list[str]:
    return list(json.loads(ended.out)["notes"])


PART = Part("cache", "a corrupted index answers right or names what mends it", 2000, _run)
