"""Folders of images for commands to work on."""

import os
import shutil
from pathlib import Path

from campaign.base import SAMPLES

_OLD_SECONDS = 1_600_000_000
"""A time of change; an index reads files again that changed a moment ago."""
_OF_A_CLASS = 10


def sample_files(count: int, *, first: int = 0) -> list[Path]:
    """Samples of a few classes, ten of each at most; of others for another `first`, up to 3."""
    classes = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
    used = classes[4 * first :][: max(2, -(-count // _OF_A_CLASS))]
    rows = [sorted(folder.iterdir()) for folder in used]
    files = [path for column in zip(*rows, strict=True) for path in column]
    if count > len(files):
        raise ValueError(f"{count} pictures were asked for, there are {len(files)}")
    return files[:count]


def copy_pictures(
    folder: Path, count: int, *, first: int = 0, padding_bytes: int = 0
) -> list[Path]:
    """Copy samples into subfolders of a folder, by class, and date them back.

    `padding_bytes` of zeros behind each picture make reading the folder worth several processes.
    """
    made = []
    for number, source in enumerate(sample_files(count, first=first)):
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
    os.utime(file, (_OLD_SECONDS, _OLD_SECONDS))
    return file


def replace_folder(source: Path, target: Path) -> None:
    """Make a folder equal to another one, times of change included."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path inside it; {} if there is no folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
