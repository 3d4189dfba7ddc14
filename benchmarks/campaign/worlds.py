"""Part `worlds`: folders as nobody expects them, by names, times and changes of any kind.

Cases take turns. Of *names*, a dozen images get hostile ones, among them twins that some systems do
not tell apart; a command writes what it says of them, and each row must name exactly one file, and
all files must be named. Of *times*, files are replaced by others of the same size, and dated to the
time before, to the future, before 1970 or to whole seconds; the next answer must be that of a fresh
index. Of *moments*, the folder or files of it vanish, or become something else, while a command is
at work: it must answer or end with one clear line, and, once all is as before, the answer must be
right.
"""

import contextlib
import csv
import json
import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from campaign.answers import clear_line, difference, document
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.deeds import Moment
from campaign.folders import copy_pictures, replace_folder, sample_files
from campaign.processes import Command, Ended
from campaign.zygote import COMMAND, Zygote

_PICTURES = 12
_LONGEST_SECONDS = 2.5
_HARD = (
    "a.jpg", " a.jpg", "\ta.jpg", "\u00a0a.jpg", "a\rb.jpg", "a\nb.jpg", "a\r\nb.jpg", "-n.jpg",
    "=1+1.jpg", "@SUM(A1).jpg", "%41.jpg", "A.jpg", "a.JPG", "caf\u00e9.jpg", "cafe\u0301.jpg",
    "i.jpg", "I.jpg", "\u0130.jpg", "\u0131.jpg", "stra\u00dfe.jpg", "STRASSE.jpg", "CON.jpg",
    "[bold]x[/bold].jpg", "[/red].jpg", "<script>alert(1)<!--.jpg", "a&amp;b.jpg", "'q'.jpg",
    '"q".jpg', 'a"b,c;d.jpg', "#a.jpg", "?q=1.jpg", "a\\b.jpg", "\u202egpj.jpg", "\u200b.jpg",
    "\U0001f600.jpg", "\U000e0001.jpg", "\uffff.jpg", "\ufeffa.jpg", "\x1b[31mred.jpg", "\x85.jpg",
    "\u2028x.jpg", "\x1cx.jpg", "a .jpg", "a..jpg", f"{'x' * 251}.jpg", f"{chr(228) * 125}1.jpg",
    "~.jpg", "$HOME.jpg", "`id`.jpg", "*.jpg", "a::b.jpg", "{id}.jpg", "null.jpg", "file_name",
    "0", "-", " ", "\udcff.jpg", "a\udcc3.jpg", "\udced\udca0\udc80.jpg", "caf\udce9.jpg",
    "d/a.jpg", " d/a.jpg", "d /a.jpg", "cat.jpg/a.jpg", "=d/x.jpg", "d\n/x.jpg", "\udcff/1.jpg",
    f"{'d/' * 200}x.jpg", f"{'x' * 255}/{'y' * 255}/{'z' * 255}/a.jpg",
)  # fmt: skip
_PLANES = (0x20, 0x3B1, 0x5D0, 0x627, 0x4E00, 0xE000, 0x1F300, 0x20000, 0xF0000, 0x10FF00)


class _World:
    """A folder, its index and outputs, and the command without the start of a Python."""

    def __init__(self, campaign: Campaign, home: Path, zygote: Zygote) -> None:
        self.campaign, self.home, self.zygote = campaign, home, zygote
        self.photos, self.master, self.out = (home / name for name in ("photos", "master", "out"))
        self.others = [file.read_bytes() for file in sample_files(_PICTURES, first=2)]
        copy_pictures(self.master, _PICTURES)
        self.begin_anew()
        self.expected = self.answer()

    def begin_anew(self) -> None:
        """No index, no outputs, the folder as it was."""
        replace_folder(self.master, self.photos)
        for folder in (self.home / "index", self.out):
            shutil.rmtree(folder, ignore_errors=True)
        self.out.mkdir()

    def answer(self) -> dict[str, Any]:
        """What an undisturbed command answers, with an index or without one."""
        ended = self.run("different", self.photos, "-n", 8, "--seed", 5, "--json", "--no-sheet")
        told = document(ended)
        if ended.code != 0 or told is None:
            raise BrokenError(f"an undisturbed command fails: {ended.in_short}")
        return told

    def run(self, *arguments: object) -> Ended:
        return self.zygote.command(*arguments)


@contextlib.contextmanager
def _world(campaign: Campaign, number: int) -> Iterator[_World]:
    home = campaign.folder(f"worlds-{number}")
    with Zygote(campaign, home, COMMAND) as zygote:
        yield _World(campaign, home, zygote)


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    yield from each_case(campaign, cases, lambda number: _world(campaign, number), _attempt)


def _attempt(world: _World, case: int) -> Outcome:
    chance = world.campaign.random("worlds", case)
    world.begin_anew()
    kind = (_names, _times, _moments)[case % 3]
    try:
        found = kind(world, chance)
    except BrokenError as error:
        found = [("an undisturbed command fails afterwards", str(error))]
    if found:
        world.campaign.kept("worlds", case, world.photos, world.out)
    return Outcome(case, tuple(Failure(what, f"case {case}: {text}") for what, text in found))


# ----- names --------------------------------------------------------------------------------------


def _csv_names(column: str) -> Callable[[Path], list[str]]:
    def names(file: Path) -> list[str]:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
            return [row[column] for row in csv.DictReader(text, skipinitialspace=True)]

    return names


def _plan_names(file: Path) -> list[str]:
    from imgbatch.batches.plan_files import read_plan

    return [path for epoch in read_plan(file).epochs for batch in epoch for path in batch]


def _json_names(file: Path) -> list[str]:
    return [image["relative"] for image in json.loads(file.read_bytes())["images"]]


def _listed_names(file: Path) -> list[str]:
    inside = f"{file.parents[1]}/photos/"
    return [os.fsdecode(name).removeprefix(inside) for name in file.read_bytes().split(b"\0")[:-1]]


_ALL = f"-n {_PICTURES} --seed 5 --keep-duplicates --no-sheet"
_WRITERS: tuple[tuple[str, str, Callable[[Path], list[str]]], ...] = (
    (f"different PHOTOS {_ALL} -o FILE", "rows.csv", _csv_names("path")),
    ("tags PHOTOS -o FILE", "tags.csv", _csv_names("file_name")),
    ("map PHOTOS --no-picture -o FILE", "map.csv", _csv_names("path")),
    ("batches PHOTOS --batch-size 5 --seed 5 -o FILE", "plan.jsonl", _plan_names),
    ("batches PHOTOS --batch-size 5 --seed 5 -o FILE", "plan.csv", _plan_names),
    ("batches PHOTOS --batch-size 5 --seed 5 -o FILE", "plan.parquet", _plan_names),
    (f"different PHOTOS {_ALL} --json", "stdout", _json_names),
    (f"different PHOTOS {_ALL} --paths -0", "stdout", _listed_names),
)
"""Commands, what they write, and how the names in it are read."""


def _names(world: _World, chance: random.Random) -> list[tuple[str, str]]:
    written = sorted(path for path in world.photos.rglob("*") if path.is_file())
    names: dict[str, None] = {}
    while len(names) < len(written):
        name = chance.choice(_HARD) if chance.random() < 0.8 else _drawn(chance)
        place = world.photos / name
        with contextlib.suppress(OSError):  # a file stands where a folder should, or is too long
            if name not in names and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                written[len(names)].rename(place)
                names[name] = None
    arguments, output, read = chance.choice(_WRITERS)
    file = world.out / output
    words = [{"PHOTOS": world.photos, "FILE": file}.get(word, word) for word in arguments.split()]
    ended = Command(world.campaign, words, world.home) if output == "stdout" else None
    if ended is None:
        done = world.run(*words)
    else:
        ended.process.wait(world.campaign.limits.command_seconds)
        file.write_bytes(ended._files[0].read_bytes())  # noqa: SLF001 - names need not be text
        done = ended.end()
    told = f"{arguments}: {sorted(names)!a}"
    if done.code != 0:
        return [("a command fails at names", f"{told}: {done.in_short}")]
    try:
        found = read(file)
    except (ValueError, KeyError, csv.Error) as error:
        return [("what was written is not read", f"{told}: {error!r}")]
    if sorted(found) != sorted(names):
        return [("rows name other files", f"{told}: read {sorted(set(found) ^ set(names))!a}")]
    return []


def _drawn(chance: random.Random) -> str:
    """Characters of any plane, but for / and NUL; no hidden file."""
    chars = [
        chr(chance.choice(_PLANES) + chance.randrange(64)) for _ in range(chance.randint(1, 9))
    ]
    return "".join(char for char in chars if char != "/").lstrip(".") + ".jpg"


# ----- times --------------------------------------------------------------------------------------


def _times(world: _World, chance: random.Random) -> list[tuple[str, str]]:
    files = sorted(path for path in world.photos.rglob("*") if path.is_file())
    fresh = chance.random() < 0.5
    if fresh:  # written just now, as most folders of a camera's card are when they are read first
        for file in files:
            os.utime(file)
    world.answer()
    done = []
    for file in chance.sample(files, chance.randint(1, 4)):
        before, data = file.stat(), chance.choice(world.others)
        size = max(before.st_size, len(data))
        same = size == before.st_size
        file.write_bytes(data + bytes(size - len(data)))
        times = {
            "the time before": before.st_mtime_ns,
            "the future": (int(time.time()) + 10**8) * 10**9,
            "before 1970": -(10**9) * 86_400,
            "0": 0,
            "whole 2 seconds": before.st_mtime_ns // (2 * 10**9) * 2 * 10**9,
        }
        name = chance.choice(list(times))
        os.utime(file, ns=(times[name], times[name]))
        done.append(f"{file.name} as large: {same}, dated {name}")
    now = world.answer()
    shutil.rmtree(world.home / "index")
    if text := difference(now, world.answer()):
        return [("old content is answered", f"{'new files, ' * fresh}{'; '.join(done)}: {text}")]
    return []


# ----- moments ------------------------------------------------------------------------------------

_DEEDS = (
    "index PHOTOS", "similar PHOTOS --seed 5 -o OUT/a.jpg -o OUT/a.html",
    "tags PHOTOS -o OUT/a.csv",
    "different PHOTOS --seed 5 --no-sheet --copy-to OUT/copied", "overview PHOTOS -o OUT/a.html",
    "map PHOTOS -o OUT/a.html -o OUT/a.jpg", "duplicates PHOTOS -o OUT/a.html", "search PHOTOS red",
    "batches PHOTOS --batch-size 5 --preview 2 -o OUT/p.jsonl", "export PHOTOS --to OUT/a.npz",
    "evaluate PHOTOS --sets 2 -n 3 --report OUT/a.html", "caption PHOTOS",
    "label next PHOTOS -n 3", "tags PHOTOS --blur", "duplicates PHOTOS --move-to OUT/moved --apply",
)  # fmt: skip


def _change_folder(photos: Path, how: str) -> None:
    away = photos.with_name("away")
    photos.rename(away)
    if how == "becomes a file":
        photos.write_bytes(b"x")
    elif how == "becomes empty":
        photos.mkdir()
    elif how == "becomes a link to itself":
        photos.symlink_to(photos)


def _change_file(file: Path, how: str) -> None:
    data = file.read_bytes()
    if how == "grows":
        with file.open("ab") as more:
            more.write(data * 40)
        return
    if how == "shrinks":
        os.truncate(file, len(data) // 3)
        return
    file.unlink()
    if how == "becomes a folder":
        file.mkdir()
    elif how == "becomes a pipe":
        os.mkfifo(file)
    elif how == "becomes a device's link":
        file.symlink_to("/dev/zero")
    elif how == "becomes a loop":
        file.symlink_to(file.name)
    elif how == "becomes a socket":
        with contextlib.chdir(file.parent), socket.socket(socket.AF_UNIX) as made:
            made.bind(file.name)


_OF_FOLDER = ("vanishes", "becomes a file", "becomes empty", "becomes a link to itself")
_OF_FILES = (
    "vanishes", "grows", "shrinks", "becomes a folder", "becomes a pipe", "becomes a loop",
    "becomes a device's link", "becomes a socket",
)  # fmt: skip


def _moments(world: _World, chance: random.Random) -> list[tuple[str, str]]:
    deed = chance.choice(_DEEDS)
    if chance.random() < 0.5:
        world.answer()
    places = {"PHOTOS": str(world.photos)}
    words = [places.get(w, w.replace("OUT/", f"{world.out}/")) for w in deed.split()]
    whole = chance.random() < 0.5
    how = chance.choice(_OF_FOLDER if whole else _OF_FILES)
    moment = (
        Moment(chance.uniform(0.2, _LONGEST_SECONDS))
        if chance.random() < 0.5
        else Moment(chance.choice((0.0, 0.003, 0.03)), chance.randint(1, 8))
    )
    command = Command(world.campaign, words, world.home)
    moment.wait(command, world.home / "index", world.out)
    with contextlib.suppress(OSError):  # the command moved it meanwhile
        if whole:
            _change_folder(world.photos, how)
        else:
            files = sorted(path for path in world.photos.rglob("*") if path.is_file())
            for file in chance.sample(files, min(len(files), chance.choice((1, 4, _PICTURES)))):
                _change_file(file, how)
    ended = command.end()
    _put_back(world)
    told = f"{deed}; {'the folder' if whole else 'files'}: {how}, {moment}: {ended.in_short}"
    found = []
    if ended.code == 0 and "Traceback" in ended.err:
        found.append(("a traceback", told))
    elif ended.code != 0 and (wrong := clear_line(ended)):
        found.append((wrong, told))
    if ended.strays:
        found.append(("processes outlive their command", told))
    if text := difference(world.answer(), world.expected):
        found.append(("another answer afterwards", f"{told}: {text}"))
    return found


def _put_back(world: _World) -> None:
    """The folder as it was, whatever stands in its place."""
    shutil.rmtree(world.photos.with_name("away"), ignore_errors=True)
    if world.photos.is_symlink() or world.photos.is_file():
        world.photos.unlink()
    replace_folder(world.master, world.photos)


PART = Part("worlds", "odd names, times and vanishing files: right, or one clear line", 600, _run)
