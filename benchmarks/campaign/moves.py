"""Part `moves`: `duplicates --apply` and `--undo`, stopped at any moment, lose no file.

This is the one command that changes the folder of images, so every file is followed. A first run is
killed or interrupted; then comes a second one: the same again, the other direction, another level,
another folder to move to, or two at once; it may be stopped, too. At every moment every file must
be where it was or aside, with its own bytes, and a journal must list each one that is aside. When
all is settled, each must be in one place alone, nothing else may lie about, and undoing every
journal must give the folder as it was.

Steps of moving take longer here (`_SLOW`), or signals would hardly ever meet them. In some cases
hard links are refused: by the way to the other folder, or everywhere, as on a memory card.
"""

import contextlib
import json
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from campaign.answers import document
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.deeds import Moment
from campaign.folders import contents, copy_pictures, replace_folder
from campaign.interrupts import OUR_FRAME
from campaign.processes import Command, Ended
from campaign.zygote import COMMAND, Zygote

_PICTURES = 24
_JOURNAL = "imgbatch-moves-"
_LINKS = "links-refused"
"""A file in the working directory; it says where there are no hard links."""
_SLOW = f"""
import errno, os, time
def slowed(name):
    real = getattr(os, name)
    def slow(first, *rest, **more):
        if "/photos/" not in str(first) and "/aside" not in str(first):
            return real(first, *rest, **more)
        if name == "link" and os.path.exists("{_LINKS}"):
            second = str(rest[0])
            with open("{_LINKS}") as file:
                refused = file.read()
            if refused == "everywhere" or ("/photos/" in str(first)) != ("/photos/" in second):
                raise OSError(errno.EXDEV, "refused by the campaign")
        time.sleep(0.002)
        done = real(first, *rest, **more)
        time.sleep(0.002)
        return done
    setattr(os, name, slow)
for name in ("link", "unlink", "rename", "replace"):
    slowed(name)
"""
_SECONDS_OF_MOVING = 0.4
_BY_SIGNAL = (-signal.SIGKILL, -signal.SIGINT)


class _Place:
    """A folder with copies in it, two folders to move them to, and what each file holds."""

    def __init__(self, campaign: Campaign, home: Path, zygote: Zygote) -> None:
        self.campaign, self.home = campaign, home
        self.photos, self.master = home / "photos", home / "master"
        self.asides = (home / "aside", home / "aside-2")
        made = copy_pictures(self.master, _PICTURES)
        for name, tail in (("twins", b""), ("again", b"again")):
            (self.master / name).mkdir()
            for number, picture in enumerate(made[::2]):
                file = self.master / name / f"{number:02}.jpg"
                file.write_bytes(picture.read_bytes() + tail)
                shutil.copystat(picture, file)
        self.whole = contents(self.master)
        self.set_up("")
        ended = zygote.command(*self.apply())
        self.moved = set(self.places()) - set(contents(self.photos))
        if ended.code != 0 or len(self.moved) != _PICTURES:
            raise BrokenError(f"undisturbed, {len(self.moved)} files move: {ended.in_short}")

    def set_up(self, links: str) -> None:
        """Begin anew; `links` says where hard links are refused."""
        replace_folder(self.master, self.photos)
        for aside in self.asides:
            shutil.rmtree(aside, ignore_errors=True)
        (self.home / _LINKS).unlink(missing_ok=True)
        if links:
            (self.home / _LINKS).write_text(links)

    def apply(self, aside: int = 0, level: str = "edited") -> list[object]:
        """Arguments that move copies."""
        return ["duplicates", self.photos, "--level", level, "--move-to", self.asides[aside],
                "--apply", "--json"]  # fmt: skip

    def undo(self) -> list[object]:
        """Arguments that undo the first journal, pending or not; without one, that move copies."""
        journals = self.journals()
        return ["duplicates", "--undo", journals[0], "--json"] if journals else self.apply()

    def journals(self) -> list[Path]:
        """All journals, by folder and number."""
        return [file for aside in self.asides for file in sorted(aside.glob(f"{_JOURNAL}*"))]

    def places(self) -> dict[str, list[Path]]:
        """Where each file of the folder is now."""
        roots = (self.photos, *self.asides)
        return {
            name: [root / name for root in roots if (root / name).exists()] for name in self.whole
        }

    def wrong(self, *, settled: bool, twice_at_most: int = 0) -> list[tuple[str, str]]:
        """What must not be seen in the folders; more must hold when nothing is pending.

        A kill leaves one file with two names; if it is then moved to another folder, it keeps both.
        """
        found, listed, twice = [], self._listed(), list[str]()
        for name, places in self.places().items():
            told = ", ".join(str(path.relative_to(self.home)) for path in places)
            if not places:
                found.append(("a file is lost", name))
            held = {path.read_bytes() for path in places}
            if not settled and self.whole[name] in held:
                held.discard(b"")  # without hard links a name comes before its bytes
            if held - {self.whole[name]}:
                found.append(("a file has other bytes", told))
            if settled and len(places) > 1:
                twice.append(told)
            if missing := [path for path in places if path not in listed and self._aside(path)]:
                found.append(("no journal knows a moved file", str(missing[0])))
        if len(twice) > twice_at_most:
            found.append(("a file is in two places", "; ".join(twice)))
        found += self._strange(settled=settled)
        if settled and (pending := [file.name for file in self.journals() if "pend" in file.name]):
            found.append(("a journal is still pending", ", ".join(pending)))
        return found

    def _strange(self, *, settled: bool) -> list[tuple[str, str]]:
        """Files that are neither the folder's nor journals; drafts may lie about for a while."""
        found = []
        for root in (self.photos, *self.asides):
            for name in contents(root).keys() - self.whole.keys():
                journal = root != self.photos and name.startswith(_JOURNAL)
                draft = Path(name).name.startswith(".imgbatch-")
                if not journal and (settled or not draft):
                    found.append(("something else lies about", f"{root.name}/{name}"))
        return found

    def _aside(self, path: Path) -> bool:
        return not path.is_relative_to(self.photos)

    def _listed(self) -> set[Path]:
        lines = [line for file in self.journals() for line in file.read_text().splitlines()[1:]]
        return {Path(json.loads(line)["to"]) for line in lines}


@contextlib.contextmanager
def _slot(campaign: Campaign, number: int) -> Iterator[tuple[_Place, Zygote]]:
    home = campaign.folder(f"moves-{number}")
    slowed = replace(campaign, work=home, plant=_SLOW + campaign.plant)
    with Zygote(slowed, home, COMMAND) as zygote:
        yield _Place(slowed, home, zygote), zygote


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(slot: tuple[_Place, Zygote], case: int) -> Outcome:
        return _stopped(*slot, campaign.random("moves", case), case)

    yield from each_case(campaign, cases, lambda number: _slot(campaign, number), attempt)


def _stopped(place: _Place, zygote: Zygote, random: Random, case: int) -> Outcome:
    """One case: stopped, perhaps stopped once more, gone on with, settled, undone."""
    links = random.choice(("", "", "between", "everywhere"))
    place.set_up(links)
    story, found, memory_mb, early = [], list[tuple[str, str]](), 0.0, True
    if random.random() < 0.35:
        if zygote.command(*place.apply()).code != 0:
            raise BrokenError("undisturbed, no file moves")
        then = place.undo()
        story.append("moved")
    else:
        then = place.apply()
    stops = random.choice((1, 1, 2))
    for _ in range(stops):
        ended, told, at_end = _stop(place, then, random)
        early, memory_mb = early and at_end, max(memory_mb, ended.memory_mb)
        story.append(told)
        found += _wrong_end(ended)
        found += place.wrong(settled=False)
        then = random.choice((place.apply(), place.undo()))
    if place.campaign.keep:
        _copy_found(place)
    story.append(_go_on(place, zygote, random, found))
    found += place.wrong(settled=False)
    found += _settled(place, zygote, twice_at_most=stops if "folder" in story[-1] else 0)
    text = f"{'; '.join(story)}{f'; links refused {links}' if links else ''}"
    if found:
        place.campaign.kept("moves", case, place.home / "found")
    failures = tuple(Failure(kind, f"{text}: {what}") for kind, what in found)
    return Outcome(case, failures, memory_mb, "ended before they were stopped" if early else "")


def _copy_found(place: _Place) -> None:
    """Keep what the last stop left, for failed cases."""
    shutil.rmtree(place.home / "found", ignore_errors=True)
    for root in (place.photos, *place.asides):
        if root.is_dir():
            shutil.copytree(root, place.home / "found" / root.name)


def _stop(place: _Place, arguments: list[object], random: Random) -> tuple[Ended, str, bool]:
    """Run a command and send it a signal in its work; how it ended, in words, and whether early."""
    number = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGINT))
    if random.random() < 0.85:
        moment = Moment(random.uniform(0, _SECONDS_OF_MOVING), 1, outputs_alone=True)
    else:
        moment = Moment(random.uniform(0, 2.0))
    command = Command(place.campaign, arguments, place.home)
    moment.wait(command, place.home / "index", place.home / "aside")
    early = command.poll()
    command.send(number, group=random.random() < 0.5)
    what = "undo" if "--undo" in arguments else "apply"
    return command.end(), f"{what}, {number.name} {moment}", early


def _wrong_end(ended: Ended) -> list[tuple[str, str]]:
    """What is wrong with how a stopped command ended; Python itself may have been starting."""
    found = [("processes are left", "; ".join(ended.strays))] if ended.strays else []
    errors = [line for line in ended.lines if not line.startswith("note: ")]
    if OUR_FRAME.search(ended.err):
        found.append(("a traceback", ended.in_short))
    elif ended.code == 130 and len(errors) != 1:
        found.append((f"{len(errors)} lines on standard error, exit code 130", ended.in_short))
    elif ended.code not in (0, 130, *_BY_SIGNAL) and "KeyboardInterrupt" not in ended.err:
        found.append((f"exit code {ended.code}", ended.in_short))
    return found


def _go_on(place: _Place, zygote: Zygote, random: Random, found: list[tuple[str, str]]) -> str:
    """What somebody may do next; adds what went wrong, and returns what it was."""
    ways = {
        "the same": [place.apply()],
        "undo": [place.undo()],
        "another level": [place.apply(level="exact")],
        "another folder": [place.apply(1)],
        "two at once": [place.apply(), place.apply()],
        "two folders at once": [place.apply(), place.apply(1)],
        "undo beside": [place.undo(), place.apply()],
    }
    way = random.choice(list(ways))
    if len(ways[way]) == 1:
        endings = [zygote.command(*ways[way][0])]
    else:
        commands = [Command(place.campaign, arguments, place.home) for arguments in ways[way]]
        endings = [command.end() for command in commands]
    for ended in endings:
        clear = ended.code in (1, 2) and len(ways[way]) > 1 and "Traceback" not in ended.err
        if ended.code != 0 and not clear:
            found.append((f"then {way}: exit code {ended.code}", ended.in_short))
    return f"then {way}"


def _settled(place: _Place, zygote: Zygote, *, twice_at_most: int) -> list[tuple[str, str]]:
    """Finish what is pending, look; then undo all, and look again."""
    found = []
    for aside in (0, 1):
        if aside and not place.asides[1].exists():
            continue
        ended = zygote.command(*place.apply(aside))
        if ended.code != 0 or document(ended) is None:
            found.append(("applying again fails", ended.in_short))
    found += place.wrong(settled=True, twice_at_most=twice_at_most)
    away = {name for name, places in place.places().items() if any(map(place._aside, places))}  # noqa: SLF001
    if away != place.moved:
        found.append(("other files are aside", ", ".join(sorted(away ^ place.moved)[:3])))
    for journal in reversed(place.journals()):
        ended = zygote.command("duplicates", "--undo", journal, "--json")
        if ended.code != 0:
            found.append(("undoing fails", ended.in_short))
    found += place.wrong(settled=True)
    if contents(place.photos) != place.whole:
        found.append(("undone, the folder is another one", f"{len(contents(place.photos))} files"))
    return found


PART = Part(
    "moves", "files that are moved are lost at no moment, and none is twice there", 220, _run
)
