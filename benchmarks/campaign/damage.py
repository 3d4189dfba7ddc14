"""Damage to the bytes of any file: each kind is a function in `DAMAGES`.

It takes the bytes and random numbers and returns other bytes, and what was done in a few words.
"""

from collections.abc import Callable
from random import Random

Damage = Callable[[bytes, Random], tuple[bytes, str]]
_PAGE_BYTES = 4096
_HEAD_BYTES = 256
"""Where most of what decides about a file stands."""


def _place(data: bytes, random: Random) -> int:
    """Somewhere in the data; every second time in its head."""
    most = min(len(data), _HEAD_BYTES) if random.random() < 0.5 else len(data)
    return random.randrange(max(1, most))


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Beginning and end of a range, short more often than long."""
    start = _place(data, random)
    length = 1 + int(2 ** random.uniform(0, max(1, len(data) - start).bit_length()))
    return start, min(len(data), start + length)


def flip_bits(data: bytes, random: Random) -> tuple[bytes, str]:
    """Flip 1 to 16 bits."""
    changed = bytearray(data)
    bits = [(_place(data, random), random.randrange(8)) for _ in range(2 ** random.randrange(5))]
    for place, bit in bits:
        if changed:
            changed[place] ^= 1 << bit
    return bytes(changed), f"{len(bits)} bits flipped, the first at byte {bits[0][0]}"


def zero_range(data: bytes, random: Random) -> tuple[bytes, str]:
    """Write zeros over a range."""
    start, end = _span(data, random)
    return data[:start] + bytes(end - start) + data[end:], f"bytes {start} to {end} zeroed"


def zero_page(data: bytes, random: Random) -> tuple[bytes, str]:
    """Write zeros over a page of 4 KiB, as a lost write of a disk does."""
    start = random.randrange(max(1, -(-len(data) // _PAGE_BYTES))) * _PAGE_BYTES
    end = min(len(data), start + _PAGE_BYTES)
    return data[:start] + bytes(end - start) + data[end:], f"bytes {start} to {end} zeroed"


def random_range(data: bytes, random: Random) -> tuple[bytes, str]:
    """Write random bytes over a range."""
    start, end = _span(data, random)
    noise = random.randbytes(end - start)
    return data[:start] + noise + data[end:], f"random bytes from {start} to {end}"


def cut_end(data: bytes, random: Random) -> tuple[bytes, str]:
    """Cut the end off."""
    end = random.randrange(max(1, len(data)))
    return data[:end], f"cut after {end} of {len(data)} bytes"


def remove_range(data: bytes, random: Random) -> tuple[bytes, str]:
    """Take a range out."""
    start, end = _span(data, random)
    return data[:start] + data[end:], f"bytes {start} to {end} taken out"


def repeat_range(data: bytes, random: Random) -> tuple[bytes, str]:
    """Repeat a range, up to eight times."""
    start, end = _span(data, random)
    times = random.randint(2, 8)
    return data[:start] + data[start:end] * times + data[end:], (
        f"bytes {start} to {end} repeated {times} times"
    )


def append(data: bytes, random: Random) -> tuple[bytes, str]:
    """Append random bytes."""
    more = random.randbytes(2 ** random.randrange(14))
    return data + more, f"{len(more)} random bytes appended"


DAMAGES: dict[str, Damage] = {
    "bits": flip_bits,
    "zeros": zero_range,
    "page": zero_page,
    "noise": random_range,
    "cut": cut_end,
    "removed": remove_range,
    "repeated": repeat_range,
    "appended": append,
}


def damaged(data: bytes, random: Random) -> tuple[bytes, str]:
    """The data with one damage of any kind."""
    return random.choice([*DAMAGES.values()])(data, random)
