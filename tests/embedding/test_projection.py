"""The steps from codes to points: sampling, batches, files; what a space's key depends on."""

import numpy as np
import pytest

from imgbatch.config import load_config
from imgbatch.embedding.projection import (
    ARRAYS,
    Projection,
    fitted_rows,
    load_part,
    projected,
    space_key,
    write_arrays,
)
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.neighbours.parts import MemoryPart, PartedSearch
from imgbatch.neighbours.search import NeighbourSearch
from tests.threads import blas_threads


@pytest.fixture
def config(tmp_path):
    def build(text=""):
        (tmp_path / "c.toml").write_text(text)
        return load_config(tmp_path / "c.toml").config

    return build


NAMES = ("hsv", "phash", "miniature", "measures")


class Plain:
    """A descriptor whose codes are its features; it notes the BLAS threads there are."""

    dim = 8

    def __init__(self, name):
        self.name, self.threads = name, set()

    def features(self, codes):
        self.threads |= blas_threads()
        return codes.astype(np.float32)


def test_a_space_is_fitted_on_all_rows_or_on_a_fixed_sample_of_them(config):
    sampled = config("[space]\nfit_images = 100")
    assert fitted_rows(100, sampled).tolist() == list(range(100))
    rows = fitted_rows(1000, sampled)
    assert len(rows) == len(set(rows.tolist())) == 100
    assert rows.tolist() == sorted(rows.tolist())
    assert rows.min() >= 0
    assert 500 < rows.max() < 1000
    assert rows.tolist() == fitted_rows(1000, sampled).tolist()


def test_the_key_changes_with_all_that_a_space_depends_on_and_with_nothing_else(config):
    pairs = (("f1", Plain("hsv")), ("f2", Plain("phash")))
    key = space_key("generation", pairs, config())
    assert len(key) == 24
    assert key == space_key("generation", pairs, config("[similar]\npool = 50"))
    others = {
        space_key("other", pairs, config()),
        space_key("generation", pairs[:1], config()),
        space_key("generation", (("f3", pairs[0][1]), pairs[1]), config()),
        *(
            space_key("generation", pairs, config(text))
            for text in (
                "[weights]\nhsv = 0.1",
                "[space.components]\nhog = 9",
                "[space.power]\nhog = 0.75",
                "[space]\nfit_images = 100",
            )
        ),
    }
    assert len(others - {key}) == 7


def test_points_are_computed_batch_by_batch_on_one_thread(monkeypatch):
    random = np.random.default_rng(0)
    codes = {name: random.integers(0, 256, (50, 8), dtype=np.uint8) for name in NAMES}
    pairs = tuple((f"f{name}", Plain(name)) for name in NAMES)
    blocks = {name: array.astype(np.float32) for name, array in codes.items()}
    space = FeatureSpace.fit(blocks, {name: BlockOptions(0.5, 4, 0.5) for name in codes})
    streams = [[array[:30], array[30:]] for array in codes.values()]
    batches = list(projected(streams, pairs, space))
    assert [len(points) for points, *_ in batches] == [30, 20]
    points, squares, hashes, miniatures, measures = (
        np.concatenate(arrays) for arrays in zip(*batches, strict=True)
    )
    assert np.allclose(points, space.transform(blocks), atol=1e-6)
    assert np.allclose(squares, (points**2).sum(axis=1), atol=1e-6)
    assert (miniatures == codes["miniature"]).all()
    assert (measures == codes["measures"]).all()
    bits = np.unpackbits(codes["phash"], axis=1)
    assert [f"{number:064b}" for number in hashes.tolist()] == [
        "".join(map(str, row)) for row in bits.tolist()
    ]
    assert all(descriptor.threads <= {1} for _, descriptor in pairs)


def test_arrays_written_in_batches_are_read_as_one_part(tmp_path):
    points = np.arange(21, dtype=np.float32).reshape(7, 3)
    squares, hashes = points[:, 0].copy(), np.arange(7, dtype=np.uint64)
    arrays = points, squares, hashes, np.arange(14, dtype=np.uint8).reshape(7, 2)
    arrays += (np.arange(35, dtype=np.uint8).reshape(7, 5),)
    cuts = [tuple(array[a:b] for array in arrays) for a, b in ((0, 4), (4, 7))]
    write_arrays(iter(cuts), 7, tmp_path)
    assert sorted(file.stem for file in tmp_path.iterdir()) == sorted(ARRAYS)
    part = load_part(*(tmp_path / f"{name}.npy" for name in ARRAYS))
    assert part.shape == (7, 3)
    for name, array in zip(ARRAYS, arrays, strict=True):
        assert getattr(part, name).tobytes() == array.tobytes()
        assert getattr(part, name).dtype == array.dtype


@pytest.mark.parametrize("odd", ARRAYS)
def test_arrays_of_different_lengths_are_no_part(tmp_path, odd):
    for name in ARRAYS:
        shape = (6 if name == odd else 7, 3) if name == "points" else (6 if name == odd else 7,)
        np.save(tmp_path / f"{name}.npy", np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="do not belong together"):
        load_part(*(tmp_path / f"{name}.npy" for name in ARRAYS))


def test_points_in_one_part_are_searched_as_one_array_and_points_in_several_part_by_part():
    points = np.zeros((4, 2), np.float32)
    part = MemoryPart.of(points)
    space = FeatureSpace({})
    assert type(Projection(space, (part,)).search(0)) is NeighbourSearch
    assert type(Projection(space, (part, part)).search(0)) is PartedSearch
