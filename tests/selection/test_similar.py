"""Sets of one kind against a plain re-ranking, and what every set promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.selection.similar import (
    Anchor,
    SimilarOptions,
    choose_anchor,
    coherence,
    neighbourhood,
    similar,
)

SEEDS = st.integers(0, 2**32 - 1)


def whole_numbers(seed, n, d=3, most=1000):
    """Points whose squared distances are exact in float32, so that a plain version is, too."""
    return np.random.default_rng(seed).integers(0, most + 1, (n, d)).astype(np.float32)


def clusters(seed, sizes, spread=0.1, d=16):
    """Clusters of these sizes far apart; the rows of one follow those of the other."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(sizes), d))
    points = [c + spread * random.normal(size=(k, d)) for c, k in zip(centres, sizes, strict=True)]
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.concatenate(points).astype(np.float32), labels


def spread_hashes(n, seed=0):
    """Random hashes: no two are near-duplicates."""
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def differing(a, b):
    return (int(a) ^ int(b)).bit_count()


def naive_distinct(ranked, wanted, anchor, options):
    """The first rows that copy neither the anchor nor one before; copies where these run out."""
    if options.hashes is None:
        return ranked[:wanted]
    first = anchor.hash if anchor.row is None else options.hashes[anchor.row]
    seen = [] if first is None else [first]
    chosen, left_out = [], []
    for row in ranked:
        candidate = options.hashes[row]
        if any(differing(candidate, other) <= options.duplicate_bits for other in seen):
            left_out.append(row)
        else:
            chosen.append(row)
            seen.append(candidate)
    return [*chosen, *left_out][:wanted] if len(chosen) < wanted else chosen[:wanted]


def naive_similar(points, anchor, n, options):
    """The set, written as the docstrings say it, with lists over all points."""
    total = len(points)
    exact = points.astype(np.int64)
    centre = anchor.point.astype(np.int64)

    def away(row):
        return int(((exact[row] - centre) ** 2).sum())

    others = sorted((row for row in range(total) if row != anchor.row), key=lambda r: (away(r), r))
    everyone = [centre, *(exact[row] for row in others)]  # the anchor, then the others by distance

    def list_of(member):
        rest = [other for other in range(len(everyone)) if other != member]
        rest.sort(key=lambda o: (int(((everyone[o] - everyone[member]) ** 2).sum()), o))
        return rest

    lists = [list_of(member) for member in range(len(everyone))]

    def profile(member):
        counts = [0] * len(everyone)
        for lister in (member, *lists[member][: options.averaged]):
            for named in (lister, *lists[lister][: options.list_length]):
                counts[named] += 1
        return counts

    wanted = n - (anchor.row is not None)
    candidates = others[: options.candidates_per_pick * wanted]
    reference = profile(0)

    def shared(candidate):
        member = 1 + others.index(candidate)
        return sum(min(a, b) for a, b in zip(profile(member), reference, strict=True))

    ranked = sorted(candidates, key=shared, reverse=True) + others[len(candidates) :]
    chosen = naive_distinct(ranked, wanted, anchor, options)
    chosen.sort(key=lambda row: (away(row), row))
    return ([anchor.row] if anchor.row is not None else []) + chosen


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    total=st.integers(1, 45),
    wanted=st.floats(0, 1),
    per_pick=st.integers(1, 4),
    list_length=st.integers(2, 25),
    averaged=st.integers(0, 8),
    inside=st.booleans(),
    copies=st.sampled_from([None, 1, 3, 1000]),
    most=st.sampled_from([3, 1000]),
)
def test_the_set_equals_a_plain_re_ranking(
    seed, total, wanted, per_pick, list_length, averaged, inside, copies, most
):
    random = np.random.default_rng(seed)
    points = whole_numbers(seed, total, most=most)
    hashes = None
    if copies is not None:  # about `copies` rows of each hash
        hashes = spread_hashes(total)[random.integers(0, max(1, total // copies), total)]
    n = 1 + int(wanted * (total - 1))
    options = SimilarOptions(
        candidates_per_pick=per_pick, list_length=list_length, averaged=averaged, hashes=hashes
    )
    row = int(random.integers(total))
    anchor = Anchor(points[row], row)
    if not inside:
        anchor = Anchor(points[row] + 1, hash=None if hashes is None else hashes[row])
    rows, distances = similar(NeighbourSearch(points), anchor, n, options)
    assert rows.tolist() == naive_similar(points, anchor, n, options)
    expected = np.linalg.norm(points[rows].astype(float) - anchor.point, axis=1)
    assert np.allclose(distances, expected, rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, total=st.integers(1, 80), wanted=st.floats(0, 1), averaged=st.integers(0, 20))
def test_a_set_has_n_different_rows_begins_with_the_anchor_and_moves_away_from_it(
    seed, total, wanted, averaged
):
    points = np.random.default_rng(seed).normal(size=(total, 8)).astype(np.float32)
    n = 1 + int(wanted * (total - 1))
    row = seed % total
    options = SimilarOptions(averaged=averaged, hashes=spread_hashes(total))
    rows, distances = similar(NeighbourSearch(points), Anchor(points[row], row), n, options)
    assert rows.dtype == np.int64
    assert distances.dtype == np.float32
    assert len(set(rows.tolist())) == len(rows) == len(distances) == n
    assert rows[0] == row
    assert distances[0] == 0
    assert (np.diff(distances) >= 0).all()
    assert np.allclose(distances, np.linalg.norm(points[rows] - points[row], axis=1), atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 10, 30])
def test_one_candidate_a_pick_gives_the_nearest_images(n):
    points = whole_numbers(5, 200)
    search = NeighbourSearch(points)
    options = SimilarOptions(candidates_per_pick=1)
    for row in range(0, 200, 7):
        rows, _ = similar(search, Anchor(points[row], row), n, options)
        assert rows.tolist() == search.nearest(points[row], n)[0].tolist()
        outside = points[row] + np.float32(3)
        rows, _ = similar(search, Anchor(outside), n, options)
        assert rows.tolist() == search.nearest(outside, n)[0].tolist()


@pytest.mark.parametrize("large", [0, 50_000])
def test_a_pool_smaller_than_the_folder_still_gives_full_sets(large):
    points, labels = clusters(0, [60] * 10)
    search = NeighbourSearch(points, large)
    options = SimilarOptions(pool=20, hashes=spread_hashes(600))
    for row in range(0, 600, 37):
        rows, _ = similar(search, Anchor(points[row], row), 10, options)
        assert len(set(rows.tolist())) == 10
        assert (labels[rows] == labels[row]).all()


@pytest.mark.parametrize("n", [1, 2, 150, 700, 2500])
def test_large_sets_are_complete_up_to_the_whole_folder(n):
    points = np.random.default_rng(0).normal(size=(2500, 4)).astype(np.float32)
    options = SimilarOptions(hashes=spread_hashes(2500))
    rows, distances = similar(NeighbourSearch(points), Anchor(points[9], 9), n, options)
    assert len(set(rows.tolist())) == n
    assert (np.diff(distances) >= 0).all()


def test_near_duplicates_stay_out_while_other_images_exist_and_then_fill_up():
    random = np.random.default_rng(0)
    points = random.normal(size=(60, 6)).astype(np.float32)
    points[:40] = points[0] + 0.001 * random.normal(size=(40, 6))
    hashes = spread_hashes(60)
    flips = np.array([1 << int(b) for b in random.integers(0, 64, 40)], np.uint64)
    hashes[:40] = hashes[0] ^ flips  # each one bit away from one picture
    search = NeighbourSearch(points)
    options = SimilarOptions(pool=20, hashes=hashes)
    for n in (2, 10, 21):
        rows, _ = similar(search, Anchor(points[5], 5), n, options)
        assert rows[0] == 5
        assert (rows[1:] >= 40).all()
    rows, _ = similar(search, Anchor(points[5], 5), 25, options)
    assert set(range(40, 60)) < set(rows.tolist())
    assert (rows < 40).sum() == 5
    rows, _ = similar(search, Anchor(points[5], 5), 60, options)
    assert sorted(rows.tolist()) == list(range(60))


def test_copies_farther_away_than_the_first_look_do_not_shorten_the_set():
    points = np.zeros((3000, 3), np.float32)
    points[2990:] = np.arange(10, dtype=np.float32)[:, None] + 5
    hashes = np.full(3000, 7, np.uint64)
    hashes[2990:] = spread_hashes(10)
    rows, _ = similar(
        NeighbourSearch(points), Anchor(points[3], 3), 8, SimilarOptions(hashes=hashes)
    )
    assert rows[0] == 3
    assert rows[1:].tolist() == list(range(2990, 2997))


@pytest.mark.parametrize(("limit", "left_out"), [(0, False), (5, False), (6, True), (7, True)])
def test_a_hash_at_most_the_limit_away_is_a_near_duplicate(limit, left_out):
    points = np.arange(12, dtype=np.float32)[:, None].repeat(2, axis=1)
    hashes = spread_hashes(12, seed=2)
    hashes[1] = hashes[0] ^ np.uint64(0b111111)
    options = SimilarOptions(candidates_per_pick=1, hashes=hashes, duplicate_bits=limit)
    rows, _ = similar(NeighbourSearch(points), Anchor(points[0], 0), 6, options)
    assert (1 not in rows) == left_out


def test_an_anchor_from_outside_is_not_in_the_set_and_neither_are_its_copies():
    points = whole_numbers(1, 80)
    hashes = spread_hashes(80)
    options = SimilarOptions(hashes=hashes)
    anchor = Anchor(points[11], hash=hashes[11] ^ np.uint64(3))
    rows, distances = similar(NeighbourSearch(points), anchor, 10, options)
    assert len(set(rows.tolist())) == 10
    assert 11 not in rows
    assert (np.diff(distances) >= 0).all()
    everyone, _ = similar(NeighbourSearch(points), anchor, 80, options)
    assert sorted(everyone.tolist()) == list(range(80))
    assert everyone[0] == 11


def test_an_anchor_from_outside_leaves_nothing_out_where_copies_are_kept():
    points = whole_numbers(1, 80)
    rows, distances = similar(NeighbourSearch(points), Anchor(points[11]), 5, SimilarOptions())
    assert rows[0] == 11
    assert distances[0] == 0


@pytest.mark.parametrize("total", [1, 2, 3])
@pytest.mark.parametrize("inside", [True, False])
def test_the_smallest_folders_give_sets_of_every_size(total, inside):
    points = whole_numbers(0, total)
    for hashes in (None, spread_hashes(total), np.zeros(total, np.uint64)):
        for n in range(1, total + 1):
            anchor = Anchor(points[0], 0) if inside else Anchor(points[0] + 1, hash=np.uint64(5))
            options = SimilarOptions(hashes=hashes)
            rows, _ = similar(NeighbourSearch(points), anchor, n, options)
            assert len(set(rows.tolist())) == n


def test_points_without_any_variance_give_sets_of_different_rows():
    points = np.zeros((50, 4), np.float32)
    rows, distances = similar(
        NeighbourSearch(points),
        Anchor(points[30], 30),
        10,
        SimilarOptions(hashes=spread_hashes(50)),
    )
    assert rows[0] == 30
    assert len(set(rows.tolist())) == 10
    assert not distances.any()


def test_the_same_request_gives_the_same_set_whatever_was_asked_before():
    points, _ = clusters(3, [30] * 8)
    options = SimilarOptions(hashes=spread_hashes(240))
    used = NeighbourSearch(points)
    for row in range(0, 240, 11):
        anchor = Anchor(points[row], row)
        fresh, _ = similar(NeighbourSearch(points), anchor, 10, options)
        assert (similar(used, anchor, 10, options)[0] == fresh).all()


def test_re_ranking_finds_the_anchors_own_cluster_where_distance_alone_does_not():
    # A tight cluster with a row at its rim, beside a wide one whose nearest rows are nearer.
    plain = better = 0
    for seed in range(10):
        points, labels = clusters(seed, [25, 25, 25, 25], spread=0.75, d=8)
        search = NeighbourSearch(points)
        for row in range(0, 100, 5):
            anchor = Anchor(points[row], row)
            nearest, _ = similar(search, anchor, 10, SimilarOptions(candidates_per_pick=1))
            ranked, _ = similar(search, anchor, 10, SimilarOptions())
            plain += (labels[nearest] == labels[row]).sum()
            better += (labels[ranked] == labels[row]).sum()
    assert better > plain


def test_coherence_is_one_in_a_tight_group_and_low_for_an_outlier():
    points, _ = clusters(0, [11, 40])
    points = np.concatenate([points, points[:1] + 3]).astype(np.float32)
    search, options = NeighbourSearch(points), SimilarOptions()

    def share(row, k):
        around = neighbourhood(search, Anchor(points[row], row), 300, 10, options)
        return coherence(around, k)[0]

    # Each names the ten others, of which the anchor is one: nine of ten are the anchor's own.
    assert share(0, 10) == pytest.approx(0.9)
    assert share(51, 10) < share(0, 10)


def test_of_equally_coherent_neighbourhoods_the_tightest_wins():
    # In a group of 11 each neighbour's list names the ten others: the share is 0.9 for every row.
    shape = np.random.default_rng(0).normal(size=(11, 8))
    points = np.concatenate([shape, 0.3 * shape + 9, 0.6 * shape - 9]).astype(np.float32)
    search, options = NeighbourSearch(points), SimilarOptions(tournament=33)
    away = np.linalg.norm(points[:, None].astype(float) - points, axis=2)
    tenth_neighbour = np.sort(away, axis=1)[:, 10]
    for row in range(33):
        around = neighbourhood(search, Anchor(points[row], row), 300, 10, options)
        share, closeness = coherence(around, 10)
        assert share == pytest.approx(0.9)
        assert closeness == pytest.approx(-tenth_neighbour[row], rel=1e-3)
    for seed in range(5):
        anchor = choose_anchor(search, 10, options, np.random.default_rng(seed))
        assert anchor.row == tenth_neighbour.argmin()


@pytest.mark.parametrize(("n", "pooled"), [(10, 300), (40, 400), (199, 1990), (250, 2000)])
def test_neighbour_lists_are_computed_for_ten_images_a_pick_and_never_more_than_2000(n, pooled):
    points = np.random.default_rng(0).normal(size=(2600, 4)).astype(np.float32)
    search = NeighbourSearch(points)
    around = neighbourhood(search, Anchor(points[7], 7), 2500, n, SimilarOptions())
    assert len(around.rows) == 2500
    assert len(around.lists) == len(around.list_distances) == 1 + pooled


@pytest.mark.parametrize(("n", "size"), [(3, 300), (40, 400)])
def test_a_request_asks_for_ten_neighbours_a_pick_or_the_pool(n, size):
    points = np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32)
    asked = []

    class Counting(NeighbourSearch):
        def nearest(self, query, k):
            asked.append(k)
            return super().nearest(query, k)

    search = Counting(points)
    anchor = choose_anchor(search, n, SimilarOptions(), np.random.default_rng(0))
    similar(search, anchor, n, SimilarOptions(hashes=spread_hashes(5000)))
    assert set(asked) == {size + 1}  # the anchor is its own nearest neighbour


def test_a_tournament_prefers_tight_clusters():
    random = np.random.default_rng(0)
    tight, _ = clusters(1, [15] * 4, spread=0.02)
    loose = random.normal(size=(240, 16)) * 2
    points = np.concatenate([tight, loose]).astype(np.float32)
    search = NeighbourSearch(points)

    def wins(tournament):
        options = SimilarOptions(tournament=tournament)
        return sum(
            choose_anchor(search, 10, options, np.random.default_rng(seed)).row < 60
            for seed in range(30)
        )

    # A fifth of the rows is tight: one draw finds one in a fifth of all cases, five in two thirds.
    assert wins(1) < 12
    assert wins(5) > 2 * wins(1)


@pytest.mark.parametrize("tournament", [1, 2])
def test_every_row_can_become_an_anchor(tournament):
    points = whole_numbers(0, 8)
    search = NeighbourSearch(points)
    options = SimilarOptions(tournament=tournament, neighbours=2)
    anchors = {
        choose_anchor(search, 3, options, np.random.default_rng(seed)).row for seed in range(300)
    }
    assert len(anchors) >= 9 - tournament  # the loosest row loses every tournament of two


@pytest.mark.parametrize("total", [1, 2, 3])
def test_an_anchor_is_found_in_the_smallest_folders_and_repeats_by_seed(total):
    points = whole_numbers(0, total)
    for tournament in (1, 5, 100):
        options = SimilarOptions(tournament=tournament)
        first, again = (
            choose_anchor(NeighbourSearch(points), 1, options, np.random.default_rng(4))
            for _ in range(2)
        )
        assert first.row == again.row
        assert 0 <= first.row < total
        assert (first.point == points[first.row]).all()
