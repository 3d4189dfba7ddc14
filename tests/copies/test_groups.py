"""Groups: around a keeper that each member matches itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.copies.groups import Member, grouped
from imgbatch.copies.match import Kind, Pairs


def pairs_of(*links, kind=Kind.COPY):
    rows = np.array(sorted(tuple(sorted(link)) for link in links), np.int64).reshape(-1, 2)
    return Pairs(rows, np.full(len(rows), kind, np.uint8), np.ones(len(rows), np.float32))


def no_match(_pairs):
    return Pairs.none()


def groups_of(pairs, count, match=no_match, contents=None, **options):
    contents = np.arange(count) if contents is None else np.array(contents)
    return [[m.row for m in group] for group in grouped(pairs, contents, sorted, match, **options)]


def test_a_chain_of_likeness_does_not_grow_a_group():
    assert groups_of(pairs_of((0, 1), (1, 2), (2, 3)), 4) == [[0, 1], [2, 3]]


def test_what_the_search_missed_is_asked_for_before_a_member_is_left_out():
    asked = []

    def match(pairs):
        asked.extend(map(tuple, pairs.tolist()))
        return pairs_of((0, 2), kind=Kind.EDITED)

    assert groups_of(pairs_of((0, 1), (1, 2)), 3, match) == [[0, 1, 2]]
    assert asked == [(0, 2)]


def test_equal_files_stand_together_and_count_as_one_image():
    contents = [0, 1, 0, 1, 2]
    exact = pairs_of((0, 2), (1, 3), kind=Kind.EXACT)
    near = pairs_of((0, 1))
    both = Pairs(
        *(
            np.concatenate([getattr(x, n) for x in (exact, near)])
            for n in ("rows", "kinds", "scores")
        )
    )
    made = list(grouped(both, np.array(contents), sorted, no_match))
    assert made == [
        [
            Member(0, Kind.EXACT, 1.0),
            Member(2, Kind.EXACT, 1.0),
            Member(1, Kind.COPY, 1.0),
            Member(3, Kind.COPY, 1.0),
        ]
    ]


def test_only_images_that_may_be_kept_are_kept():
    pairs = pairs_of((0, 3), (1, 3), (2, 4))
    assert groups_of(pairs, 5, keepers=frozenset({3})) == [[3, 0, 1]]


def test_of_two_links_between_the_same_contents_the_stronger_one_counts():
    rows = np.array([(0, 1), (1, 2)])
    for kinds in ([Kind.COPY, Kind.SCENE], [Kind.SCENE, Kind.COPY]):
        scores = np.where(np.array(kinds) == Kind.COPY, 0.9, 1).astype(np.float32)
        pairs = Pairs(rows, np.array(kinds, np.uint8), scores)
        ((_, *others),) = grouped(pairs, np.array([0, 1, 0]), sorted, no_match)
        assert [member.kind for member in others if member.row == 1] == [Kind.COPY]


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] < p[1])))
def test_no_image_is_in_two_groups_and_each_member_matches_its_keeper(links):
    made = groups_of(pairs_of(*links), 10)
    rows = [row for group in made for row in group]
    assert len(rows) == len(set(rows))
    for keeper, *members in made:
        assert members
        assert all((min(keeper, m), max(keeper, m)) in links for m in members)
    left = set(range(10)) - set(rows)
    assert not any(a in left and b in left for a, b in links)
