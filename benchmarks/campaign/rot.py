"""Damage to one file of an index, as disks, copies and careless hands do it."""

import contextlib
import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from campaign.damage import append, cut_end, flip_bits, random_range, zero_page

_OF_DATABASES = 4
"""The catalogue, which holds most of what matters, is chosen so many times as often as another
room of files that one command keeps."""
_CATALOGUE = "catalogue"
_PAGES = ("basket.json", "thumbnails.sqlite", "turns.sqlite")
_BEGINS = (b"\x93NUMPY", b"PK")
_SQLITE_BEGINS = b"SQLite format 3\0"
"""Of files of arrays that no digest stands before."""
_KEY = re.compile(r"[0-9a-f]{12,}")
"""What differs between indexes in the name of a file."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """What was done: the kind of file, such as ``spaces/points.npy``, and the damage in words."""

    kind: str
    text: str
    size_bytes: int


def damage_one(index: Path, older: Path, random: Random) -> Damaged:
    """Damage one file of the index in a folder; `older` is the same index at an earlier time.

    Every second time the file's time of change stays as it was, as a failing disk leaves it.
    """
    rooms: dict[str, dict[str, list[Path]]] = {}
    for file in _files(index):
        kind = _kind(index, file)
        rooms.setdefault(room_of(kind), {}).setdefault(kind, []).append(file)
    room = random.choice([
        room for room in rooms for _ in range(_OF_DATABASES if room == _CATALOGUE else 1)
    ])  # fmt: skip
    kind = random.choice([*rooms[room]])
    file = random.choice(rooms[room][kind])
    status = file.stat()
    text = _damage(file, kind, index, older, random)
    if random.random() < 0.5 and file.is_file():
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        text += ", its time of change kept"
    return Damaged(kind, text, status.st_size)


def _kind(index: Path, file: Path) -> str:
    """The outer folder and the name of a file, without what differs between indexes."""
    inside = file.relative_to(index).parts[1:]  # the first is named after the image folder
    name = inside[-1]
    if inside[0] == "store":
        inside = inside[1:]
        name = f"*{''.join(Path(name).suffixes[-2:])}"
    name = _KEY.sub("*", name)
    return name if len(inside) == 1 else f"{inside[0]}/{name}"


def room_of(kind: str) -> str:
    """What keeps a kind of file: its outer folder, the catalogue, or the local page."""
    outer, inside, _ = kind.partition("/")
    if inside:
        return outer
    if kind.startswith(_PAGES):
        return "pages"
    return _CATALOGUE if kind.startswith(_CATALOGUE) else "index"


def _damage(file: Path, kind: str, index: Path, older: Path, random: Random) -> str:
    how = [*_BYTES, "bits", "one bit", "gone", "folder", "older", "swapped"]
    if file.suffix in (".npy", ".npz") and file.read_bytes().startswith(_BEGINS):
        how += ["numbers", "numbers"]
    if file.read_bytes().startswith(_SQLITE_BEGINS):
        how.append("version")
    chosen = random.choice(how)
    if chosen in _BYTES:
        data, text = _BYTES[chosen](file.read_bytes(), random)
        file.write_bytes(data)
        return text
    if chosen == "older":
        return _older(file, [path for path in _files(older) if _kind(older, path) == kind], random)
    if chosen == "swapped":
        other = random.choice([path for path in _files(index) if path != file])
        first, second = file.read_bytes(), other.read_bytes()
        file.write_bytes(second)
        other.write_bytes(first)
        return f"swapped with {_kind(index, other)}"
    if chosen == "numbers":
        return _other_numbers(file, random)
    if chosen == "version":
        return _other_version(file, random)
    file.unlink()
    if chosen == "folder":
        file.mkdir()
    return "a folder in its place" if chosen == "folder" else "gone"


def _other_version(file: Path, random: Random) -> str:
    """Let a database say that an older or a newer program wrote it."""
    version = random.choice((0, 1, 2, 99))
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    return f"written by version {version}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _older(file: Path, versions: list[Path], random: Random) -> str:
    """Put an older version in a file's place; one that has none is emptied."""
    if versions:
        shutil.copyfile(random.choice(versions), file)
        return "an older version of it"
    file.write_bytes(b"")
    return "emptied"


def _one_bit(data: bytes, random: Random) -> tuple[bytes, str]:
    """Flip one bit anywhere."""
    changed = bytearray(data)
    place = random.randrange(max(1, len(data)))
    if changed:
        changed[place] ^= 1 << random.randrange(8)
    return bytes(changed), f"a bit of byte {place} flipped"


_BYTES = {
    "page": zero_page,
    "bits": flip_bits,
    "one bit": _one_bit,
    "cut": cut_end,
    "noise": random_range,
    "appended": append,
}


def _other_numbers(file: Path, random: Random) -> str:
    """Write a whole file again with other numbers in it, as no check of its form can notice."""
    whole = np.load(file, allow_pickle=False)
    named = dict(whole) if file.suffix == ".npz" else {"": whole}
    name = random.choice([name for name, array in named.items() if array.dtype.kind in "fiu"])
    array = np.array(named[name])
    if not array.size:
        return "written again"
    flat = array.reshape(-1)
    places = [
        random.randrange(flat.size) for _ in range(random.choice((1, 10, flat.size // 2 + 1)))
    ]
    value = random.choice((np.nan, 0.0, 1e30)) if array.dtype.kind == "f" else random.randrange(100)
    flat[places] = value
    named[name] = array
    if file.suffix == ".npz":
        with file.open("wb") as opened:
            np.savez(opened, **named)
    else:
        with file.open("wb") as opened:
            np.save(opened, array)
    return f"{len(places)} numbers {f'of {name} ' if name else ''}set to {value}"
