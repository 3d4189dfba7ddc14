"""Problems that were planted in a folder are found, and sound folders have none."""

import pytest

import imgbatch
from tests.overview.planted import COPIES, PLANTED, plant


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    base = tmp_path_factory.mktemp("planted")
    photos = imgbatch.load(plant(base / "photos"), index=base / "index")
    return photos.overview(blur=True)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_problem_is_found(seen, name):
    (problem,) = [problem for problem in seen.problems if problem.name == name]
    assert PLANTED[name] <= {image.relative for image in problem.images}
    assert problem.count == len(problem.images)


@pytest.mark.parametrize("name", [name for name in PLANTED if name != "blurred"])
def test_nothing_else_is_found(seen, name):
    (problem,) = [problem for problem in seen.problems if problem.name == name]
    assert {image.relative for image in problem.images} == PLANTED[name]


def test_the_copies_are_counted(seen):
    assert seen.repetition.copies == len(COPIES) // 2
    assert seen.repetition.groups == len(COPIES) // 2
