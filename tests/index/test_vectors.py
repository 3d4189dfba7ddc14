"""Collections of vectors that a user brings."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgbatch
from imgbatch import Collection
from imgbatch.errors import LabelError, SelectionError, UsageError
from imgbatch.index.vectors import index_of_vectors
from imgbatch.learning.model import LabelModel
from imgbatch.sampler import DiverseBatchSampler
from tests.drawing import photo, png


def clusters(per_class=12, classes=3, d=16, seed=0):
    """Vectors of different lengths in a few directions, shuffled, and a path for each."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, d))
    numbers = random.permutation(np.repeat(np.arange(classes), per_class))
    vectors = centres[numbers] + 0.2 * random.normal(size=(len(numbers), d))
    vectors *= random.uniform(0.5, 9, size=(len(numbers), 1))
    return vectors, [f"/photos/class{c}/{row}.jpg" for row, c in enumerate(numbers)]


@pytest.fixture
def mine():
    return Collection.from_vectors(*clusters())


def test_rows_are_in_the_order_given(mine):
    vectors, paths = clusters()
    assert mine.paths == paths
    assert mine.folder == "/photos"
    assert mine.labels == tuple(path.split("/")[2] for path in paths)
    for row in (0, 17, 35):
        assert mine.similar(3, like=paths[row]).paths[0] == paths[row]
    cosine = vectors @ vectors.T / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    assert np.corrcoef((mine.points @ mine.points.T).ravel(), cosine.ravel())[0, 1] > 0.9999


@given(n=st.integers(2, 30), d=st.integers(2, 9), seed=st.integers(0, 99))
def test_the_mean_squared_distance_is_1_and_lengths_do_not_count(n, d, seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, d))
    names = [f"/p/{row}.jpg" for row in range(n)]
    points = Collection.from_vectors(vectors, names).points
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    assert squares.mean() == pytest.approx(1, rel=1e-3)
    longer = vectors * random.uniform(0.1, 50, size=(n, 1))
    assert Collection.from_vectors(longer, names).points == pytest.approx(points, abs=1e-5)


def test_sets_batches_maps_and_labels_work_as_ever(mine):
    picked = mine.similar(6, seed=1)
    assert len({image.label for image in picked}) == 1
    assert picked.images == mine.similar(6, seed=1).images
    assert {image.label for image in mine.different(3, seed=1)} == {"class0", "class1", "class2"}
    batches = mine.batches(6, seed=1)
    assert sorted(np.concatenate(batches.rows).tolist()) == list(range(36))
    assert len(mine.map().positions) == 36
    assert len(mine.where(label="class1").similar(12, seed=1)) == 12
    assert len(list(DiverseBatchSampler.from_collection(mine, 6))) == 6


def test_like_takes_a_vector_as_it_is_and_a_point(mine):
    vectors, paths = clusters()
    for like in (vectors[5], vectors[5] * 1e-9, mine.points[5]):
        picked = mine.similar(4, like=like)
        assert picked.paths[0] == paths[5]
        assert picked[0].score == pytest.approx(0, abs=1e-3)


def test_like_takes_no_vector_without_a_direction(mine):
    with pytest.raises(SelectionError, match="is zero"):
        mine.similar(3, like=np.zeros(16))


def test_a_model_labels_other_vectors_of_the_same_kind_and_no_pictures(mine, tmp_path, indexed):
    mine.train_labels().save(tmp_path / "model.npz")
    model = LabelModel.load(tmp_path / "model.npz")
    vectors, paths = clusters(per_class=9)
    others = Collection.from_vectors(vectors[:20], paths[:20])
    assert model.predict(others).labels == list(others.labels)
    folder = imgbatch.load(indexed.folder, index=indexed.index)
    for other in (folder, Collection.from_vectors(vectors[:, :9], paths)):
        with pytest.raises(UsageError, match=r"other descriptors.*give a collection of vectors"):
            model.predict(other)
    with pytest.raises(SelectionError, match="made of vectors"):
        model.predict(folder.paths[0])
    with pytest.raises(UsageError, match="other descriptors"):
        folder.train_labels().predict(mine)


def test_equal_vectors_are_copies():
    vectors, paths = clusters(per_class=4, classes=1)
    doubled = Collection.from_vectors(
        np.repeat(vectors, 2, axis=0), [*paths, *(f"{p}2" for p in paths)]
    )
    picked = doubled.similar(4, seed=1)
    assert len({doubled.paths.index(path) // 2 for path in picked.paths}) == 4
    kept = doubled.similar(2, like=doubled.paths[0], keep_duplicates=True)
    assert set(kept.paths) == set(doubled.paths[:2])
    for rows in doubled.batches(4, seed=1):
        assert len(set((rows // 2).tolist())) == 4


@pytest.mark.parametrize(
    "ask",
    [
        lambda mine: mine.explain(mine.paths[0], mine.paths[1]),
        lambda mine: mine.describe(mine.paths[0]),
        lambda mine: mine.duplicates(),
        lambda mine: mine.overview(),
        lambda mine: mine.quantities(),
        lambda mine: mine.contents(),
        lambda mine: mine.where(label="class1").overview(),
    ],
)
def test_what_needs_descriptors_says_so(mine, ask):
    with pytest.raises(SelectionError, match=r"made of vectors.*needs the descriptors"):
        ask(mine)


def test_a_picture_cannot_be_placed_among_vectors(mine, tmp_path):
    (tmp_path / "a.png").write_bytes(png(photo(0)))
    for like in (tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8)):
        with pytest.raises(SelectionError, match="placing a picture needs"):
            mine.similar(3, like=like)


def test_metadata_are_read_as_of_a_folder(tmp_path):
    pytest.importorskip("bm25s")
    (tmp_path / "known.csv").write_text(
        "file_name,text,tags,label\nb.jpg,a red boat,sea;boat,x\na.jpg,a dog,snow;dog,y\n"
    )
    mine = Collection.from_vectors(
        np.eye(3), [tmp_path / f"{name}.jpg" for name in "cba"], metadata=tmp_path / "known.csv"
    )
    assert mine.labels == ("", "x", "y")
    assert mine.search("boat", 1).paths == (str(tmp_path / "b.jpg"),)
    assert mine.tag_table().counts() == {"boat": 1, "dog": 1, "sea": 1, "snow": 1}
    with pytest.raises(LabelError):
        Collection.from_vectors(np.eye(1), ["a.jpg"], metadata=tmp_path / "none.csv")


def test_one_folder_that_holds_all_is_no_class():
    alone = Collection.from_vectors(np.eye(2), ["/p/a/2.jpg", "/p/a/1.jpg"])
    assert alone.labels == ("", "")
    mixed = Collection.from_vectors(np.eye(3), ["/p/a/1.jpg", "/p/b/1.jpg", "/p/a/2.jpg"])
    assert mixed.labels == ("a", "b", "a")


@pytest.mark.parametrize(
    ("vectors", "paths", "message"),
    [
        (np.eye(3), ["a", "b"], "3 vectors and 2 paths"),
        (np.eye(2), ["a", "./a"], "given twice"),
        (np.zeros((2, 3)), ["a", "b"], "vector 0 is zero"),
        (np.array([[1, 2], [1, np.inf]]), ["a", "b"], "vector 1"),
        (np.ones(4), ["a"], "shape \\(4,\\)"),
        (np.ones((0, 4)), [], "shape \\(0, 4\\)"),
        (np.ones((1, 9000)), ["a"], "at most 8192"),
        ("abc", ["a"], "are a str"),
        ([[1, 2], [3]], ["a", "b"], "are a list"),
        (np.eye(2, dtype=complex), ["a", "b"], "are a ndarray"),
    ],
)
def test_what_does_not_fit_is_refused(vectors, paths, message):
    with pytest.raises(SelectionError, match=message):
        Collection.from_vectors(vectors, paths)


def test_the_folder_of_what_is_kept_goes_with_the_index():
    opened = index_of_vectors(np.eye(2), ["a.jpg", "b.jpg"])
    directory = opened.directory
    assert directory.is_dir()
    del opened
    gc.collect()
    assert not directory.exists()
