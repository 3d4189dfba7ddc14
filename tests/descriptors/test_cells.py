"""Cells of a grid: both ways of cutting a picture agree with the definition."""

import numpy as np
import pytest

from imgbatch.descriptors.cells import cell_edges, cell_numbers


@pytest.mark.parametrize("grid", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (5, 3), (16, 16), (31, 90)], ids=str)
def test_each_pixel_lies_in_the_cell_of_whole_number_division(shape, grid):
    height, width = shape
    numbers = cell_numbers(height, width, grid)
    assert numbers.dtype == np.uint8
    for y in range(height):
        for x in range(width):
            assert numbers[y, x] == (y * grid // height) * grid + x * grid // width


@pytest.mark.parametrize("grid", [1, 2, 3, 8])
@pytest.mark.parametrize("length", [1, 2, 7, 8, 31, 100])
def test_the_edges_of_cells_are_where_their_numbers_change(length, grid):
    numbers = cell_numbers(1, length, grid)[0]
    edges = cell_edges(length, grid)
    assert [(numbers == cell).sum() for cell in range(grid)] == [
        edge.stop - edge.start for edge in edges
    ]
    assert [edge.start for edge in edges[1:]] == [edge.stop for edge in edges[:-1]]


def test_cells_differ_in_size_by_one_pixel_at_most():
    sizes = [edge.stop - edge.start for edge in cell_edges(101, 7)]
    assert sum(sizes) == 101
    assert max(sizes) - min(sizes) == 1


def test_kept_numbers_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        cell_numbers(4, 4, 2)[0, 0] = 1
