"""Part `concurrent`: two to four commands at once on one index, while files come and go.

Every command must succeed, or fail with one clear line of error that is legitimate:

- ``cache clean`` finds no index, or one that another removed first: "no index of ...";
- the index changed between two steps of a request: "has changed since it was loaded";
- with a ``cache clean`` beside it, an index that is gone from under a command: "the index cannot be
  opened", "written" or "used"; "there is no index".

Afterwards the index must give the answers of a fresh index of the folder as it is then.
"""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from campaign.answers import clear_line, difference, document
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.folders import copy_pictures, replace_folder, write_unreadable
from campaign.processes import Command, Ended
from campaign.zygote import COMMAND, Zygote

_PICK = ["-n", "4", "--json", "--no-sheet", "--seed"]
_OTHERS = ("index", "index", "similar", "similar", "different", "clean", "export")
_LEGITIMATE = re.compile(r"has changed since it was loaded")
_LEGITIMATE_OF_CLEAN = re.compile(r"no index of ")
_LEGITIMATE_BESIDE_CLEAN = re.compile(
    r"the index cannot be (opened|written|used)|there is no index"
)
_EACH_MOVE_SECONDS = 0.02
_PADDED_BYTES = 110_000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where commands meet: a folder of images, its index, and all images that may be in it."""

    home: Path
    pictures: list[Path]
    zygote: Zygote

    @property
    def photos(self) -> Path:
        return self.home / "photos"

    @property
    def reserve(self) -> Path:
        return self.home / "reserve"


@contextlib.contextmanager
def _place(campaign: Campaign, number: int) -> Iterator[_Place]:
    home = campaign.folder(f"concurrent-{number}")
    made = copy_pictures(home / "reserve", campaign.pictures, padding_bytes=_PADDED_BYTES)
    write_unreadable(home / "reserve")
    inside = [path.relative_to(home / "reserve") for path in made]
    with Zygote(campaign, home, COMMAND) as zygote:
        yield _Place(home, inside, zygote)


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(place: _Place, case: int) -> Outcome:
        return _meet(campaign, place, case)

    yield from each_case(campaign, cases, lambda number: _place(campaign, number), attempt)


def _meet(campaign: Campaign, place: _Place, case: int) -> Outcome:
    random = campaign.random("concurrent", case)
    names = ["index", *random.sample(_OTHERS, random.randint(1, 3))]
    random.shuffle(names)
    replace_folder(place.reserve, place.photos)
    shutil.rmtree(place.home / "index", ignore_errors=True)
    if random.random() < 0.5:
        _expect(place.zygote.command("index", place.photos))
    ended = _at_once(campaign, place, names, random)
    told = " + ".join(names)
    failures = []
    for name, one in zip(names, ended, strict=True):
        if wrong := _wrong(name, one, beside_clean="clean" in names):
            failures.append(Failure(f"{name} {wrong}", f"{told}: {one.in_short}"))
        if one.strays:
            text = f"{told}: {'; '.join(one.strays)}"
            failures.append(Failure(f"{name} leaves processes", text))
    text = _other_answers(place, 1 + case)
    if text:
        failures.append(Failure("the index answers otherwise than a fresh one", f"{told}: {text}"))
    if failures:
        campaign.kept("concurrent", case, place.home / "index", place.photos)
    refused = sum(one.code != 0 for one in ended)
    apart = "with a legitimate error" if refused and not failures else ""
    return Outcome(case, tuple(failures), max(one.memory_mb for one in ended), apart)


def _expect(ended: Ended) -> None:
    if ended.code != 0:
        raise BrokenError(f"an undisturbed command fails: {ended.in_short}")


def _at_once(
    campaign: Campaign, place: _Place, names: Sequence[str], random: Random
) -> list[Ended]:
    """Start the commands within a moment of each other, and move files until all have ended."""
    commands: list[Command] = []
    starts = sorted(random.choice((0.0, 0.0, random.uniform(0, 0.6))) for _ in names)
    begun, moved = time.monotonic(), 0.0
    while True:
        now = time.monotonic() - begun
        while len(commands) < len(names) and now >= starts[len(commands)]:
            arguments = _arguments(place, names[len(commands)], len(commands), random)
            commands.append(Command(campaign, arguments, place.home))
        ended = [command.poll() for command in commands]
        if len(commands) == len(names) and all(ended):
            return [command.end() for command in commands]
        if any(command.seconds > campaign.limits.command_seconds for command in commands):
            return [command.end() for command in commands]
        if now >= moved + _EACH_MOVE_SECONDS:
            moved = now
            _move(place, random)
        time.sleep(0.005)


def _arguments(place: _Place, name: str, number: int, random: Random) -> list[object]:
    if name == "clean":
        return ["cache", "clean", place.photos]
    if name == "index":
        return ["index", place.photos, "--json", "--workers", random.choice((1, 2))]
    if name == "export":
        return ["export", place.photos, "--json", "--to", place.home / f"export-{number}.npz"]
    return [name, place.photos, *_PICK, random.randrange(1000)]


def _move(place: _Place, random: Random) -> None:
    """Let a file come or go; at least half of all stay."""
    inside = random.choice(place.pictures)
    target, source = place.photos / inside, place.reserve / inside
    present = sum((place.photos / one).exists() for one in place.pictures)
    if not target.exists():
        shutil.copy2(source, target)
    elif present > len(place.pictures) // 2:
        target.unlink()
    else:
        os.utime(target)


def _wrong(name: str, ended: Ended, *, beside_clean: bool) -> str:
    """What is wrong with how a command ended; empty if it succeeded or had a good reason not to."""
    if ended.code == 0:
        if name != "clean" and document(ended) is None:
            return "succeeds without a document"
        talk = [line for line in ended.lines if not line.startswith("note: ")]
        return "talks beside its result" if talk else ""
    if unclear := clear_line(ended):
        return f"fails with {unclear}"
    line = ended.err
    if _LEGITIMATE.search(line) or (name == "clean" and _LEGITIMATE_OF_CLEAN.search(line)):
        return ""
    if beside_clean and _LEGITIMATE_BESIDE_CLEAN.search(line):
        return ""
    return "fails without a good reason"


def _other_answers(place: _Place, seed: int) -> str:
    """How the index answers otherwise than a fresh one of the folder as it is now."""
    fresh = place.home / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    for mode in ("similar", "different"):
        arguments = [mode, place.photos, *_PICK, seed]
        expected = place.zygote.command(*arguments, "--index", fresh)
        _expect(expected)
        ended = place.zygote.command(*arguments)
        if ended.code != 0:
            return f"{mode}: {ended.in_short}"
        if text := difference(document(ended), document(expected) or {}):
            return f"{mode}: {text}"
    return ""


PART = Part("concurrent", "commands at once on one index succeed and leave it right", 108, _run)
