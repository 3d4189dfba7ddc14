"""The rule for near-duplicates, against Python's own bits and a plain search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.copies import rule
from imgbatch.copies.rule import are_copies, first_distinct, hamming

HASH = st.integers(0, 2**64 - 1)


@given(HASH, HASH)
def test_hamming_counts_the_differing_bits(a, b):
    expected = (a ^ b).bit_count()
    assert hamming(np.uint64(a), np.uint64(b)) == expected
    assert rule._count_bits(np.array([a ^ b], np.uint64)) == expected


def test_hamming_broadcasts():
    a, b = np.arange(3, dtype=np.uint64), np.arange(4, dtype=np.uint64)
    assert hamming(a[:, None], b).shape == (3, 4)


@given(HASH, st.sets(st.integers(0, 63), max_size=12), st.integers(0, 12))
def test_copies_are_at_most_the_limit_apart(original, flipped, limit):
    other = original ^ sum(1 << bit for bit in flipped)
    assert are_copies(np.uint64(original), np.uint64(other), limit) == (len(flipped) <= limit)


@given(
    hashes=st.lists(st.integers(0, 31), max_size=20),
    most=st.integers(0, 8),
    limit=st.integers(0, 3),
    taken=st.none() | st.integers(0, 31),
)
def test_the_first_distinct_hashes_copy_none_before_them(hashes, most, limit, taken):
    chosen = [] if taken is None else [taken]
    expected = []
    for position, candidate in enumerate(hashes):
        if all((candidate ^ other).bit_count() > limit for other in chosen):
            chosen.append(candidate)
            expected.append(position)
    start = None if taken is None else np.uint64(taken)
    assert first_distinct(np.array(hashes, np.uint64), most, limit, start) == expected[:most]
