"""Swaps: the energy is that of the plain definition, and every swap lowers it most."""

import numpy as np
import pytest

from imgbatch.batches import swaps as swaps_module
from imgbatch.batches.points import DealtPoints, quantise
from imgbatch.batches.swaps import Swaps, closeness
from imgbatch.copies.rule import hamming
from tests.batches.points import clustered_points


def naive_energy(swaps):
    """Add up the repulsion of every pair in a cell, and the squared deviation of every cell."""
    dealt, total = swaps.dealt, 0.0
    mean = np.rint(dealt.points.sum(axis=0, dtype=np.float64) / dealt.empty)
    for cell in swaps.cells:
        rows = [row for row in cell.tolist() if row != dealt.empty]
        total += swaps.mean_weight * ((dealt.points[rows] - mean).sum(axis=0) ** 2).sum()
        for i, x in enumerate(rows):
            for y in rows[:i]:
                apart = ((dealt.points[x] - dealt.points[y]) ** 2).sum()
                total += np.rint(swaps_module._FULL * max(0, 1 - apart / swaps.close) ** 4)
                if apart == 0 or hamming(dealt.hashes[x], dealt.hashes[y]) <= dealt.duplicate_bits:
                    total += swaps_module._FORBIDDEN
    return total


def swaps_in_random_cells(n=157, width=12):
    rng = np.random.default_rng(0)
    hashes = np.append(rng.integers(0, 2**63, size=40).astype(np.uint64)[np.arange(n) % 40], 0)
    dealt = DealtPoints(quantise(clustered_points(n)), None, hashes.astype(np.uint64), 6)
    cells = np.full((-(-n // width), width), n)
    cells.reshape(-1)[:n] = rng.permutation(n)
    return Swaps(dealt, cells, closeness(dealt.points, width)), rng


def test_swaps_keep_the_naive_energy_and_lower_it():
    swaps, rng = swaps_in_random_cells()
    energies = [swaps.energy()]
    for _ in range(8):
        assert swaps.energy() == pytest.approx(naive_energy(swaps), rel=1e-6)
        swaps.run(1, rng)
        energies.append(swaps.energy())
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < 0.5 * energies[0]


def test_a_swap_between_two_cells_is_the_best_of_all():
    swaps, _ = swaps_in_random_cells(n=13, width=7)
    before, cells = swaps.energy(), swaps.cells.copy()
    outcomes = []
    for i in range(7):
        for j in range(6):  # the last slot of the second cell is empty
            changed = cells.copy()
            changed[0, i], changed[1, j] = cells[1, j], cells[0, i]
            outcomes.append(naive_energy(Swaps(swaps.dealt, changed, swaps.close)))
    swaps.run(1, np.random.default_rng(0))
    assert swaps.energy() == pytest.approx(min(*outcomes, before), rel=1e-6)
