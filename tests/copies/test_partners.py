"""The best partners, as if all likenesses had been sorted at the end."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.copies.partners import BestPartners

LEAST = 0.5


@given(
    seed=st.integers(0, 2**16),
    images=st.integers(1, 4),
    windows=st.integers(1, 3),
    cells=st.integers(1, 4),
    most=st.integers(1, 3),
)
def test_cell_by_cell_the_partners_are_those_of_a_sort_at_the_end(
    seed, images, windows, cells, most
):
    random = np.random.default_rng(seed)
    rows = np.arange(3 * cells)
    likeness = random.permutation(images * windows * len(rows)).astype(np.float32)
    likeness = (likeness / len(likeness)).reshape(images, windows, len(rows))
    block = random.choice(len(rows) + images, images, replace=False)
    best = BestPartners.none(block, most, LEAST)
    for cell in np.split(rows, cells):
        visits = random.random((images, windows)) < 0.7
        likeness[~visits[:, :, None] & np.isin(rows, cell)] = 0
        image, window = np.nonzero(visits)
        best.improve(image, window, cell, likeness[image, window][:, cell])
    for image in range(images):
        wanted = [
            (float(likeness[image, :, row].max()), row, int(likeness[image, :, row].argmax()))
            for row in rows
            if row != block[image] and likeness[image, :, row].max() > LEAST
        ]
        wanted = sorted(wanted, reverse=True)[:most]
        found = best.of(np.array([image]))
        assert found.rows.tolist() == [row for _, row, _ in wanted]
        assert found.windows.tolist() == [window for _, _, window in wanted]


def test_the_same_partner_met_again_counts_once_by_its_best_window():
    best = BestPartners.none(np.array([9]), 3, LEAST)
    once = np.array([0]), np.array([1]), np.array([4, 5]), np.array([[0.7, 0.6]], np.float32)
    best.improve(*once)
    best.improve(np.array([0]), np.array([2]), np.array([4]), np.array([[0.8]], np.float32))
    found = best.of(np.array([0]))
    assert (found.rows.tolist(), found.windows.tolist()) == ([4, 5], [2, 1])
