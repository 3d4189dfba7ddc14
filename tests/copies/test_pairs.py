"""Near-duplicate pairs: all that brute force finds, and bounded work on crowds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.copies import pairs as pairs_module
from imgbatch.copies.pairs import near_duplicate_pairs
from imgbatch.copies.rule import hamming


def components(n, pairs):
    """The smallest row that each row is connected with."""
    root = list(range(n))
    for _ in range(n):
        for a, b in pairs:
            root[a] = root[b] = min(root[a], root[b])
    return root


def all_pairs(hashes, max_bits, within):
    near = hamming(hashes[:, None], hashes) <= max_bits
    near &= within[:, None] == within
    return np.argwhere(np.triu(near, 1))


def crowded_hashes(n, seed):
    """Hashes a few bits from a few others, with copies."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**63, size=1 + n // 4).astype(np.uint64)[
        rng.integers(1 + n // 4, size=n)
    ]
    for _ in range(5):
        flip = rng.random(n) < 0.6
        hashes[flip] ^= (np.uint64(1) << rng.integers(0, 64, size=n).astype(np.uint64))[flip]
    return hashes


@settings(deadline=None)
@given(
    n=st.integers(0, 60),
    max_bits=st.sampled_from([0, 1, 3, 6, 12]),
    groups=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    large=st.booleans(),
)
def test_pairs_connect_what_brute_force_connects(n, max_bits, groups, seed, large):
    hashes = crowded_hashes(n, seed)
    within = np.arange(n) % groups
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_module, "_LARGE", 0 if large else 1 << 15)
        pairs = near_duplicate_pairs(hashes, max_bits, within)
    expected = all_pairs(hashes, max_bits, within)
    assert {*map(tuple, pairs.tolist())} <= {*map(tuple, expected.tolist())}
    assert components(n, pairs.tolist()) == components(n, expected.tolist())
    if len(np.unique(hashes)) == n:  # no copies: every pair is there
        assert pairs.tolist() == expected.tolist()


def test_copies_of_one_image_are_chained_and_not_paired():
    pairs = near_duplicate_pairs(np.full(100_000, 7, np.uint64))
    assert len(pairs) == 99_999
    assert (pairs[:, 1] - pairs[:, 0] == 1).all()


def test_a_crowd_of_near_hashes_does_not_blow_up():
    crowd = np.arange(1 << 12, dtype=np.uint64)  # alike in 52 of 64 bits
    pairs = near_duplicate_pairs(crowd, 6)
    assert len(pairs) <= pairs_module.MAX_PARTNERS * 7 * len(crowd)
    assert (hamming(crowd[pairs[:, 0]], crowd[pairs[:, 1]]) <= 6).all()


def test_by_default_hashes_up_to_six_bits_apart_are_pairs():
    hashes = np.array([0, 0b111111, 0b1111111 << 30], np.uint64)
    assert near_duplicate_pairs(hashes).tolist() == [[0, 1]]
