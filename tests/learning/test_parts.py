"""Parts keep the share of each class, never divide a group, and train on every class."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.learning.known import joined_groups
from imgbatch.learning.parts import dealt_parts

SHARES = st.sampled_from([(0.8, 0.2), (0.8, 0.1, 0.1), (0.5, 0.5), (0.2,) * 5])


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=200), SHARES, st.integers(0, 5))
def test_each_part_has_its_share_of_each_class(classes, shares, seed):
    classes = np.array(classes)
    parts = dealt_parts(classes, np.arange(len(classes)), shares, seed)
    for number in np.unique(classes):
        of_class = parts[classes == number]
        for part, share in enumerate(shares):
            assert abs((of_class == part).sum() - share * len(of_class)) <= 2


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=1, max_size=120),
    SHARES,
    st.integers(0, 5),
)
def test_a_group_is_never_divided(pairs, shares, seed):
    classes, groups = np.array(pairs).T
    parts = dealt_parts(classes, groups, shares, seed)
    assert set(parts.tolist()) <= set(range(len(shares)))
    for group in np.unique(groups):
        assert len(set(parts[groups == group].tolist())) == 1


def test_every_class_is_trained_on_even_with_one_image():
    classes = np.arange(50)
    assert set(dealt_parts(classes, classes, (0.8, 0.2), seed=0).tolist()) == {0}


def test_small_classes_are_tested_too_in_all():
    classes = np.repeat(np.arange(500), 2)
    parts = dealt_parts(classes, np.arange(1000), (0.8, 0.2), seed=0)
    assert abs((parts == 1).mean() - 0.2) < 0.01
    assert all((parts[classes == number] == 0).any() for number in range(500))


def test_parts_are_repeatable_and_differ_by_seed():
    classes, groups = np.arange(100) % 3, np.arange(100)
    first, again, other = (dealt_parts(classes, groups, (0.8, 0.2), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["", "a", "b", "c"])), min_size=1))
def test_groups_of_both_kinds_are_joined_by_chains(pairs):
    copies = np.unique([copy for copy, _ in pairs], return_inverse=True)[1].reshape(-1)
    named = [name for _, name in pairs]
    joined = joined_groups(copies, named)
    groups = list(range(len(pairs)))  # naive: merge until nothing changes
    changed = True
    while changed:
        changed = False
        for i in range(len(pairs)):
            for j in range(len(pairs)):
                same = copies[i] == copies[j] or (named[i] and named[i] == named[j])
                if same and groups[i] != groups[j]:
                    groups = [groups[i] if group == groups[j] else group for group in groups]
                    changed = True
    for i in range(len(pairs)):
        for j in range(len(pairs)):
            assert (joined[i] == joined[j]) == (groups[i] == groups[j])
