"""The map of a folder: kept, grouped, and measured by its labels."""

from collections import Counter

import numpy as np
import pytest

import imgbatch
from imgbatch.errors import LabelError, SelectionError
from imgbatch.index.kept_map import MAPS
from imgbatch.overview import map as folder_map
from imgbatch.overview.map import NONE, accuracy
from tests.drawing import write_photos


@pytest.fixture
def folder(tmp_path):
    write_photos(tmp_path / "photos", 24, classes=3)
    return tmp_path / "photos"


@pytest.fixture
def made(monkeypatch):
    """How many maps were computed."""
    seeds, compute = [], folder_map.map_of
    monkeypatch.setattr(
        folder_map, "map_of", lambda points, seed, *rest: seeds.append(seed) or compute(points, seed, *rest)
    )  # fmt: skip
    return seeds


def test_a_map_is_made_once_for_images_weights_and_seed(folder, made):
    first = imgbatch.load(folder).map()
    again = imgbatch.load(folder).map(color="cluster")
    assert len(made) == 1
    assert (again.positions == first.positions).all()
    assert again.quality == first.quality
    photos = imgbatch.load(folder)
    photos.map(seed=1)
    imgbatch.load(folder, emphasis="color").map()
    photos.where(label="class1").map()
    write_photos(folder / "more", 2)
    assert len(imgbatch.load(folder).map().files) == 26
    assert made == [0, 1, 0, 0, 0]


def test_a_damaged_map_is_made_anew(folder, made):
    photos = imgbatch.load(folder)
    first = photos.map()
    (file,) = (photos.index_directory / MAPS).iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert (imgbatch.load(folder).map().positions == first.positions).all()
    assert len(made) == 2


def test_images_are_grouped_by_label_the_largest_first(folder, tmp_path):
    labels = tmp_path / "labels.csv"
    lines = ["path,label", *(f"class0/image{3 * row:03}.jpg,b" for row in range(5))]
    lines += [f"class1/image{3 * row + 1:03}.jpg,a" for row in range(2)]
    labels.write_text("\n".join(lines))
    shown = imgbatch.load(folder, metadata=labels).map()
    assert shown.color == "label"
    assert shown.group_names == ("b", "a")
    counts = Counter(map(shown.group_of, range(24)))
    assert counts == {"b": 5, "a": 2, "": 17}
    assert (shown.groups == NONE).sum() == 17


def test_images_are_grouped_by_the_tag_that_tells_most_of_each(folder):
    photos = imgbatch.load(folder)
    shown = photos.map(color="tag")
    for row, tags in enumerate(photos.tagging.of_rows(np.arange(24))):
        assert shown.group_of(row) == (tags[0].tag if tags else "")


def test_a_cluster_is_that_of_the_nearest_centre(folder):
    shown = imgbatch.load(folder).map(color="cluster")
    points = imgbatch.load(folder).points
    groups = np.unique(shown.groups)
    centres = np.stack([points[shown.groups == number].mean(axis=0) for number in groups])
    apart = np.linalg.norm(points[:, None] - centres, axis=2)
    assert (apart.argmin(axis=1) == shown.groups).mean() > 0.9
    assert (np.diff(np.bincount(shown.groups)) <= 0).all()


def test_without_labels_clusters_colour_the_map_and_accuracy_is_unknown(tmp_path):
    write_photos(tmp_path / "plain", 8)
    photos = imgbatch.load(tmp_path / "plain")
    shown = photos.map()
    assert shown.color == "cluster"
    assert all(np.isnan(one.accuracy) for one in shown.quality)
    with pytest.raises(LabelError, match="colour by cluster"):
        photos.map(color="label")
    with pytest.raises(SelectionError, match="give one of label, tag, cluster"):
        photos.map(color="red")


def test_accuracy_in_all_dimensions_is_a_vote_of_the_nearest(folder):
    photos = imgbatch.load(folder)
    labels, points = photos.labels, photos.points
    right = 0
    for row in range(24):
        order = np.argsort(np.linalg.norm(points - points[row], axis=1), kind="stable")
        votes = [labels[other] for other in order if other != row][:10]
        best = max(votes, key=lambda label: (votes.count(label), -votes.index(label)))
        right += best == labels[row]
    quality = {one.name: one for one in photos.map().quality}
    assert quality["all dimensions"].accuracy == pytest.approx(right / 24)
    assert set(quality) == {"map", "PCA", "all dimensions"}


def test_images_without_a_label_neither_vote_nor_count():
    near = np.array([[1, 2], [0, 2], [0, 1]])
    assert accuracy(["a", "", "a"], np.arange(3), near) != accuracy(
        ["a", "b", "a"], np.arange(3), near
    )
    assert accuracy(["a", "", "a", "b"], np.array([0, 1, 2]), near) == 1
