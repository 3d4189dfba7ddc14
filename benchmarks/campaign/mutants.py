"""Mutants of image files: damage to bytes, and to what their format is made of."""

from collections.abc import Sequence
from random import Random

from campaign.damage import DAMAGES
from campaign.imagefiles import Number, Piece, structure, with_right_sums
from campaign.seeds import Seed

_GENERAL = ("bits", "zeros", "cut", "repeated", "noise", "removed", "appended")
_TAGS = (256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 339)
"""Tags of a TIFF that say how its pixels lie."""
_SIZES = ((9_990, 9_990), (1_500, 60_000), (60_000, 1_500), (4_000, 3_000), (1, 99_000_000),
          (99_000_000, 1), (3, 30_000_000))  # fmt: skip
"""Near the limit in megapixels, and of few columns or rows."""
_MOST_BYTES = 2_000_000
"""A mutation that makes a file larger is left out."""


def mutant(seeds: Sequence[Seed], random: Random) -> tuple[str, bytes, str]:
    """A seed's name, its bytes after one to four mutations, and what was done to them."""
    seed = random.choice(seeds)
    data, told = seed.data, list[str]()
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        changed, text = _mutated(data, seeds, random)
        if len(changed) <= _MOST_BYTES:
            data = changed
            told.append(text)
    if random.random() < 0.7:
        data = with_right_sums(data)
    return seed.name, data, "; ".join(told)


def _mutated(data: bytes, seeds: Sequence[Seed], random: Random) -> tuple[bytes, str]:
    numbers, pieces = structure(data)
    kind = random.choice((*_GENERAL, "spliced", "number", "number", "number", "pieces", "pieces",
                          "size"))  # fmt: skip
    if kind == "size":
        return _other_size(data, numbers, random)
    if kind == "number" and numbers:
        return _other_number(data, random.choice(numbers), random)
    if kind == "pieces" and len(pieces) > 1:
        return _other_pieces(data, pieces, random)
    if kind == "spliced":
        return _spliced(data, random.choice(seeds), random)
    return DAMAGES[kind if kind in _GENERAL else "bits"](data, random)


def _other_number(data: bytes, number: Number, random: Random) -> tuple[bytes, str]:
    most = (1 << 8 * number.size) - 1
    old = int.from_bytes(data[number.start : number.start + number.size], number.order)
    new = random.choice((
        0, 1, most, most >> 1, (most >> 1) + 1, random.randint(0, most), old + 1, old - 1,
        old * 2, old // 2, len(data), 1 << random.randrange(8 * number.size), 10_000, 65_500,
    )) & most  # fmt: skip
    if number.name.startswith("tag "):
        new = random.choice(_TAGS)
    written = new.to_bytes(number.size, number.order)
    changed = data[: number.start] + written + data[number.start + number.size :]
    return changed, f"{number.name} set from {old} to {new}"


def _other_size(data: bytes, numbers: Sequence[Number], random: Random) -> tuple[bytes, str]:
    """Claim a large picture where there is a small one, now and then not in every place."""
    changed = bytearray(data)
    width, height = random.choice(_SIZES)
    share = random.choice((1, 1, 0.5))
    for number in numbers:
        if random.random() >= share:
            continue
        if number.name.endswith(("width", "value of tag 256")):
            claimed = width
        elif number.name.endswith(("height", "value of tag 257")):
            claimed = height
        else:
            continue
        written = min(claimed, (1 << 8 * number.size) - 1).to_bytes(number.size, number.order)
        changed[number.start : number.start + number.size] = written
    return bytes(changed), f"claims to be {width}x{height}"


def _other_pieces(data: bytes, pieces: Sequence[Piece], random: Random) -> tuple[bytes, str]:
    """Two pieces swapped, or one repeated, taken out or put elsewhere."""
    first, second = sorted(random.sample(pieces, 2), key=lambda piece: piece.start)
    a, b = data[first.start : first.end], data[second.start : second.end]
    kind = random.choice(("swapped", "swapped", "repeated", "taken out", "put before"))
    if kind == "swapped" and first.end <= second.start:
        between, after = data[first.end : second.start], data[second.end :]
        changed = data[: first.start] + b + between + a + after
        return changed, f"{first.name} and {second.name} swapped"
    if kind == "repeated":
        times = random.choice((2, 3, 10, 100, 1000, 5000))
        times = min(times, max(2, _MOST_BYTES // (2 * max(1, len(b)))))
        changed = data[: second.start] + b * times + data[second.end :]
        return changed, f"{second.name} {times} times"
    if kind == "taken out":
        return data[: second.start] + data[second.end :], f"{second.name} taken out"
    return data[: first.start] + b + data[first.start :], f"{second.name} put before {first.name}"


def _spliced(data: bytes, other: Seed, random: Random) -> tuple[bytes, str]:
    """The head of one file and the tail of another."""
    end, start = random.randrange(len(data) + 1), random.randrange(len(other.data))
    return data[:end] + other.data[start:], f"from byte {end} on {other.name}'s from {start} on"
