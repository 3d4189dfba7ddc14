"""What images are to be like: a file, a picture, a point, or several of these."""

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.errors import SelectionError
from tests.drawing import photo, png


@pytest.fixture(scope="module")
def photos(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


@pytest.fixture
def outside(tmp_path):
    file = tmp_path / "outside.png"
    file.write_bytes(png(photo(99)))
    return file


def test_a_picture_in_memory_is_like_its_file(photos, outside):
    of_file = photos.similar(5, like=outside)
    with Image.open(outside) as picture:
        ways = [picture.copy(), np.asarray(picture.convert("RGB"))]
    for way in ways:
        picked = photos.similar(5, like=way)
        assert picked.images == of_file.images[1:]  # rank 0 is the file itself
        assert [image.rank for image in picked] == [1, 2, 3, 4, 5]


def test_copies_of_a_picture_in_memory_are_left_out(photos):
    with Image.open(photos.paths[4]) as picture:
        picture.load()
    assert photos.paths[4] not in photos.similar(5, like=picture).paths
    kept = photos.similar(5, like=picture, keep_duplicates=True)
    assert kept.paths[0] == photos.paths[4]


def test_a_point_is_where_its_image_is(photos):
    picked = photos.similar(5, like=photos.points[7])
    assert picked.paths[0] == photos.paths[7]
    assert picked[0].score == 0
    assert not picked[0].anchor
    scores = [image.score for image in picked]
    assert scores == sorted(scores)
    assert scores[1] > 0


def test_several_are_their_mean_point(photos, outside):
    rows = [2, 9]
    mean = np.mean(photos.points[rows], axis=0)
    by_mean = photos.similar(6, like=mean)
    given = [photos.paths[2], np.asarray(photos.points[9])]
    assert photos.similar(6, like=given).images == by_mean.images
    assert photos.similar(6, like=tuple(given)).images == by_mean.images
    with Image.open(outside) as picture:
        assert len(photos.similar(4, like=[*given, picture, outside])) == 4


def test_a_list_of_one_is_that_one(photos):
    assert photos.similar(4, like=[photos.paths[3]]).images == (
        photos.similar(4, like=photos.paths[3]).images
    )


def test_search_takes_the_same(photos):
    pytest.importorskip("bm25s")
    by_path = photos.search("class1", 4, like=photos.paths[9])
    assert photos.search("class1", 4, like=np.asarray(photos.points[9])).images == by_path.images
    assert len(photos.search("class1", 4, like=[photos.paths[9], photos.points[10]])) == 4


@pytest.mark.parametrize(
    ("like", "message"),
    [
        (3, "`like` is of the type int.*give a path"),
        ([], "`like` is empty"),
        ([0.5, 0.5], "`like` is of the type float"),
        (np.zeros((5, 5, 3)), "array \\(5, 5, 3\\) of float64.*uint8"),
        (np.zeros(3), "the point has the shape \\(3,\\)"),
        ("no-such.jpg", "no-such.jpg"),
        (["no-such.jpg"], "no-such.jpg"),
    ],
)
def test_what_is_nothing_of_that_kind_is_refused(photos, like, message):
    with pytest.raises(SelectionError, match=message):
        photos.similar(3, like=like)


def test_a_point_that_is_not_finite_is_refused(photos):
    point = np.array(photos.points[0])
    point[3] = np.nan
    with pytest.raises(SelectionError, match="no number"):
        photos.similar(3, like=point)


def test_by_tags_takes_an_image_of_the_folder_alone(photos):
    with pytest.raises(SelectionError, match="is no readable image of"):
        photos.similar(3, like=photos.points[0], by="tags")
