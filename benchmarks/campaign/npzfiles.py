"""Hostile files of arrays: NPZ whose bytes, members, arrays or header are not as they were."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from campaign.damage import damaged

MARKER = "unpickled"
"""A file that appears beside a hostile file if a pickle in it was run."""
_BOMB_BYTES, _BLOCK_BYTES = 700_000_000, 10_000_000
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2, 10**30, 1e400, float("nan"), 0.5, "", "x", "a\nb", "\0", "\udcff",
    "../../x", "a" * 100_000, [], [1], ["a", "a"], ["a\n\x1b[31mb"], [None], {}, {"a": 1},
    [["a"]] * 3, "\u202e", [{}], [{"name": 1}],
)  # fmt: skip
_SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (3, 0), (1, 1), (2, 2, 2), (7,), (100_000,))
_TYPES = ("<f8", "<f2", ">f4", "<i8", "|u1", "|b1", "<c16", "<U5", "|S3", "<M8[s]", "f4,i2", "<f4")
_NAMES = ("../x", "/etc/x", "a\nb", "", "header", "space", "x" * 60_000, "weights.npy", "\x1b[31m")


class _Runs:
    """Unpickling it makes a file in the working directory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (MARKER, "w")


def unpacked(data: bytes) -> dict[str, Any]:
    """The arrays of a good file, its header as a value, and a file inside as another dictionary."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        parts = dict(stored)
    if "header" in parts:
        parts["header"] = json.loads(parts["header"].tobytes())
    if "space" in parts:
        parts["space"] = unpacked(parts["space"].tobytes())
    return parts


def packed(parts: dict[str, Any], finish: Callable[[dict[str, Any]], None] | None = None) -> bytes:
    """A file of such parts; `finish` may change the parts once the file inside is packed."""
    whole = dict(parts)
    if isinstance(whole.get("space"), dict):
        whole["space"] = np.frombuffer(packed(whole["space"]), np.uint8)
    if finish:
        finish(whole)
    if "header" in whole and not isinstance(whole["header"], np.ndarray):
        text = json.dumps(whole["header"]).encode("utf-8", "surrogatepass")
        whole["header"] = np.frombuffer(text, np.uint8)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in whole.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=True)
            archive.writestr(f"{name}.npy", member.getvalue())
    return file.getvalue()


def hostile_npz(
    good: bytes, random: Random, finish: Callable[[dict[str, Any]], None] | None = None
) -> tuple[bytes, str]:
    """A hostile file made of a good one, and what was done."""
    kind = random.choice(("bytes", "bytes", "header", "header", "header", "array", "array", "array",
                          "inner", "inner", "zip", "claim", "pickle"))  # fmt: skip
    if kind == "bytes":
        return damaged(good, random)
    if kind == "zip":
        return random.choice(_ZIPS)(good, random)
    parts = unpacked(good)
    if kind == "header":
        text = _other_header(parts, random)
    elif kind == "claim":
        return _claim(good, random)
    else:
        inner = kind == "inner" and isinstance(parts.get("space"), dict)
        text = _other_array(parts["space"] if inner else parts, random, pickle=kind == "pickle")
        text = f"{'inside, ' if inner else ''}{text}"
    return packed(parts, finish), text


def _other_header(parts: dict[str, Any], random: Random) -> str:
    """Another value anywhere in the header."""
    if random.random() < 0.1:
        parts["header"] = random.choice([*VALUES, json.loads("[" * 900 + "]" * 900)])
        return f"header = {repr(parts['header'])[:40]}"
    table, path = parts["header"], []
    while True:
        key = random.choice([*table] if isinstance(table, dict) else range(len(table)))
        path.append(str(key))
        deeper = table[key]
        if not isinstance(deeper, dict | list) or not deeper or random.random() < 0.4:
            break
        table = deeper
    if isinstance(table, dict) and random.random() < 0.2:
        del table[key]
        return f"no {'.'.join(path)}"
    table[key] = random.choice(VALUES)
    return f"{'.'.join(path)} = {repr(table[key])[:40]}"


def _other_array(parts: dict[str, Any], random: Random, *, pickle: bool) -> str:
    names = [name for name, part in parts.items() if isinstance(part, np.ndarray)]
    if not names:
        return "nothing"
    name = random.choice(names)
    array = parts[name]
    if pickle:
        parts[name] = np.array([_Runs(), 1], object)
        return f"{name} is pickled"
    kind = random.choice(("gone", "shape", "type", "number", "numbers", "more", "cut", "turned"))
    if kind == "gone":
        del parts[name]
    elif kind == "shape":
        parts[name] = np.ones(random.choice(_SHAPES), array.dtype)
    elif kind == "type":
        parts[name] = np.zeros(array.shape, random.choice(_TYPES))
    elif kind in ("number", "numbers") and array.dtype.kind == "f" and array.size:
        parts[name] = changed = array.copy()
        at = random.randrange(array.size) if kind == "number" else slice(None)
        changed.reshape(-1)[at] = random.choice((np.nan, np.inf, -np.inf))
    elif kind == "more":
        parts[random.choice(_NAMES) or "empty"] = np.zeros(random.choice(_SHAPES))
    elif kind == "cut" and array.ndim:
        parts[name] = array[: random.randrange(len(array) + 1)]
    else:
        parts[name] = array.T.copy()
    return f"{name} {kind} of {array.dtype} {array.shape}"


def _claim(good: bytes, random: Random) -> tuple[bytes, str]:
    """A member whose header claims more than there is."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = random.choice([*members])
    shape = random.choice(("10000000000,", "99999999999999999999,", "-1,", "4000000000,4000000000",
                           "1000000000,", "1," * 40, "True,", "1.5,", "(1,),"))  # fmt: skip
    kind = random.choice(("<f4", "|u1", "<f8", "<U100000000", "|V0", "|O", "<m8[s]", "no type"))
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}"
    text = random.choice((text, text, text, "(" * 3000, "{" + "'a': 1, " * 900 + "}"))
    version = random.choice((b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\x09\0"))
    size = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
    members[name] = b"\x93NUMPY" + version + size + text.encode() + bytes(64)
    return _zipped(members), f"{name} claims {text[:70]}"


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def _bomb(good: bytes, random: Random) -> tuple[bytes, str]:
    """A good file with a member that is small as it lies and large once it is unpacked."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = random.choice([*members, "more.npy"])
    members.pop(name, None)
    file = io.BytesIO(_zipped(members))
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({_BOMB_BYTES},), }}\n"
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        member.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
        for _ in range(_BOMB_BYTES // _BLOCK_BYTES):
            member.write(bytes(_BLOCK_BYTES))
    return file.getvalue(), f"{name} is {_BOMB_BYTES:,} zeros, packed"


def _repacked(good: bytes, random: Random) -> tuple[bytes, str]:
    """The same members, packed in another way."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    method = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    data = _zipped(members, method)
    if random.random() < 0.5:
        return damaged(data, random)[0], f"packed by method {method}, and damaged"
    return data, f"packed by method {method}"


def _directory(good: bytes, random: Random) -> tuple[bytes, str]:
    """Another number in an entry of the archive's table of contents."""
    starts = [at for at in range(len(good) - 4) if good[at : at + 4] == b"PK\1\2"]
    if not starts:
        return good, "nothing"
    at, field = random.choice(starts), random.choice((8, 10, 16, 20, 24, 28, 30, 32, 42))
    data = bytearray(good)
    value = random.choice((0, 1, 0x7FFF, 0xFFFF, 99))
    data[at + field : at + field + 2] = struct.pack("<H", value)
    return bytes(data), f"field {field} of the archive's entry at byte {at} is {value}"


def _doubled(good: bytes, random: Random) -> tuple[bytes, str]:
    """A file behind a file, or rubbish that calls itself one."""
    return random.choice((
        (good + good, "twice"), (good[: len(good) // 2] + good, "one and a half"),
        (zlib.compress(good), "packed as a whole"), (b"\x93NUMPY\1\0" + good, "an array's begin"),
        (b"", "empty"), (b"PK\5\6" + bytes(18), "an archive of nothing"), (b"PK\3\4", "four bytes"),
    ))  # fmt: skip


_ZIPS = (_repacked, _repacked, _directory, _directory, _directory, _doubled, _bomb)
