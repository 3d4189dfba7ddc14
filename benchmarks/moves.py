"""Kill `imgbatch duplicates --apply` and `--undo` at random moments: no file may be lost.

Usage: python benchmarks/moves.py [--kills 200] [--seed 0]

A folder of 400 files, all but 4 of them copies, is moved aside and back. Each command is killed
while it is at work, and run again; after each kill every file must be in exactly one of both
places, or under both names of one file, with its bytes.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw

FILES, PICTURES = 400, 4
_APPLY = ("duplicates", "photos", "--move-to", "aside", "--apply")
_RERUN = 0.5
"""Chance that a killed command is run to its end next; else it is killed again."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        expected = _make(place / "photos")
        _run(place, "index", "photos")
        kills = doubled = in_the_middle = 0
        undoing = False
        while kills < arguments.kills:
            words = ("duplicates", "--undo", _journals(place)[-1]) if undoing else _APPLY
            ended = _killed(place, words, chance)
            kills += not ended
            middle, twice = _check(place, expected)
            in_the_middle += middle and not ended
            doubled += twice
            if ended or chance.random() < _RERUN:
                if undoing:
                    for journal in _journals(place):
                        _run(place, "duplicates", "--undo", journal)
                else:
                    _run(place, *_APPLY)
                _check(place, expected)
                if len(list((place / "photos").glob("*.jpg"))) != (FILES if undoing else PICTURES):
                    raise SystemExit(f"a rerun did not finish: {words}")
            undoing = bool(_journals(place)) and (undoing or not _pending(place))
        print(
            f"{kills} kills, {in_the_middle} of them while files were moved; {doubled} files seen "
            "under both names; no file lost; every rerun finished"
        )
    return 0


def _make(folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    expected = {}
    for number in range(FILES):
        picture = Image.new("RGB", (160, 120), "navy")
        pen, draw = random.Random(number % PICTURES), ImageDraw.Draw(picture)
        for _ in range(40):
            x, y, side = pen.randrange(160), pen.randrange(120), pen.randrange(5, 40)
            color = pen.randrange(256), pen.randrange(256), pen.randrange(256)
            draw.rectangle((x, y, x + side, y + side), fill=color)
        file = folder / f"{number:03}.jpg"
        picture.save(file, quality=60 + number // PICTURES % 35, comment=str(number).encode())
        expected[file.name] = file.read_bytes()
    return expected


def _journals(place: Path) -> list[str]:
    """Journals of files that are, or may be, aside."""
    found = sorted((place / "aside").glob("imgbatch-moves-*.jsonl"))
    return [str(path.relative_to(place)) for path in found if ".undone." not in path.name]


def _pending(place: Path) -> bool:
    return any(".pending." in name for name in _journals(place))


def _start(place: Path, words: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "imgbatch", *words]
    if words[-2:-1] != ("--undo",):
        command += ["--index", "index", "--workers", "1"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=place, **pipes)  # type: ignore[call-overload, no-any-return]


def _run(place: Path, *words: str) -> None:
    process = _start(place, words)
    _, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{words} ended with {process.returncode}: {err.decode()}")


def _killed(place: Path, words: tuple[str, ...], chance: random.Random) -> bool:
    """Kill a command once the first file has moved, or so; whether it had ended before that."""
    before = _counts(place)
    process = _start(place, words)
    deadline = time.monotonic() + 60
    while process.poll() is None and _counts(place) == before and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.02))
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()
    return ended


def _counts(place: Path) -> tuple[int, int]:
    aside = place / "aside"
    there = sum(1 for _ in aside.glob("*.jpg")) if aside.is_dir() else 0
    return sum(1 for _ in (place / "photos").glob("*.jpg")), there


def _check(place: Path, expected: dict[str, bytes]) -> tuple[bool, int]:
    """Whether files are in both places, and how many have two names; an error if one is lost."""
    here = {path.name: path for path in (place / "photos").glob("*.jpg")}
    there = {path.name: path for path in (place / "aside").glob("*.jpg")}
    if here.keys() | there.keys() != expected.keys():
        raise SystemExit(f"lost: {expected.keys() - here.keys() - there.keys()}")
    twice = here.keys() & there.keys()
    for name, content in expected.items():
        for found in (here, there):
            if name in found and found[name].read_bytes() != content:
                raise SystemExit(f"{found[name]} has other bytes")
    if any(not here[name].samefile(there[name]) for name in twice):
        raise SystemExit(f"doubled: {twice}")
    return bool(here and there and len(here) > PICTURES), len(twice)


if __name__ == "__main__":
    sys.exit(main())
