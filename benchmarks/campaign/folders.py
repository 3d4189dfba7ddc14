"""Folders of images for commands to work on, and tables that tell of them."""

import csv
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from campaign.base import SAMPLES

_OLD_SECONDS = 1_600_000_000
"""A time of change; an index reads files again that changed a moment ago."""
_OF_A_CLASS = 10


def sample_files(count: int, *, first: int = 0, each: int = _OF_A_CLASS) -> list[Path]:
    """Samples of a few classes, `each` of one at most; of others for another `first`, up to 3."""
    classes = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
    used = classes[4 * first :][: max(2, -(-count // each))]
    rows = [sorted(folder.iterdir())[:each] for folder in used]
    files = [path for column in zip(*rows, strict=True) for path in column]
    if count > len(files):
        raise ValueError(f"{count} pictures were asked for, there are {len(files)}")
    return files[:count]


def copy_pictures(
    folder: Path, count: int, *, first: int = 0, each: int = _OF_A_CLASS, padding_bytes: int = 0
) -> list[Path]:
    """Copy samples into subfolders of a folder, by class, and date them back.

    `padding_bytes` of zeros behind each picture make reading the folder worth several processes.
    """
    made = []
    for number, source in enumerate(sample_files(count, first=first, each=each)):
        target = folder / source.parent.name / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes() + bytes(padding_bytes))
        os.utime(target, (_OLD_SECONDS + number, _OLD_SECONDS + number))
        made.append(target)
    return made


def write_unreadable(folder: Path) -> Path:
    """Write a file that is no picture, so that the index has something to skip."""
    file = folder / "words.jpg"
    file.write_bytes(b"words")
    dated_back(file)
    return file


def dated_back(file: Path) -> None:
    """Give a file an old time of change."""
    os.utime(file, (_OLD_SECONDS, _OLD_SECONDS))


def replace_folder(source: Path, target: Path) -> None:
    """Make a folder equal to another one, times of change included."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path inside it; {} if there is no folder.

    The state that `prepare` keeps beside what it makes is left out.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in files if path.name != "prepare.sqlite"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def write_given(folder: Path, images: list[Path], photos: Path) -> None:
    """Write what commands take beside a folder of images: tables, and a few images of own classes.

    Of every second image a text and a label are known. The table to prepare has rows that go.
    """
    folder.mkdir()
    rows = [(path.relative_to(photos).as_posix(), path.parent.name) for path in images]
    colors = ("red", "green", "blue")
    known = list(enumerate(rows))[::2]
    texts = ((name, f"a {colors[i % 3]} {kind} in place {i}") for i, (name, kind) in known)
    _write_rows(folder / "captions.csv", ("file_name", "text"), texts)
    _write_rows(folder / "labels.csv", ("file_name", "label"), (row for _, row in known))
    bad = [("words.jpg", "no picture"), ("none.jpg", "no file"), ("../outside.jpg", "elsewhere")]
    _write_rows(folder / "table.csv", ("file_name", "title"), [*rows, *bad, rows[0]])
    copy_pictures(folder / "few", 32, each=4)


def _write_rows(file: Path, header: tuple[str, ...], rows: Iterable[tuple[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([header, *rows])
