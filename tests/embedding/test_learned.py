import io

import numpy as np
import pytest

from imgbatch.embedding.learned import LearnedMap
from imgbatch.embedding.space import BlockOptions, FeatureSpace


def fitted(seed=0):
    """Blocks of two descriptors, and a space of eight columns."""
    random = np.random.default_rng(seed)
    blocks = {
        "hue": random.normal(size=(40, 9)).astype(np.float32),
        "edge": random.normal(size=(40, 12)).astype(np.float32),
    }
    options = {"hue": BlockOptions(0.4, 3, 0.5), "edge": BlockOptions(0.6, 5, 0.5)}
    return blocks, FeatureSpace.fit(blocks, options)


def learned(columns=8, seed=1):
    matrix = np.random.default_rng(seed).normal(size=(8, columns)).astype(np.float32)
    return LearnedMap(matrix, 0.75)


def with_map(space, map_):
    return FeatureSpace(space.blocks, map_)


def saved(space):
    file = io.BytesIO()
    space.save(file)
    return file.getvalue()


def test_mapped_points_have_the_length_of_the_scale_and_zero_stays_zero():
    points = np.vstack([np.random.default_rng(0).normal(size=(5, 8)), np.zeros((1, 8))])
    mapped = learned().transform(points.astype(np.float32))
    assert np.linalg.norm(mapped[:5], axis=1) == pytest.approx(0.75)
    assert not mapped[5].any()


@pytest.mark.parametrize("columns", [8, 3])
def test_a_learned_space_maps_the_points_of_the_space_that_it_was_learned_in(columns):
    blocks, space = fitted()
    map_ = learned(columns)
    points = with_map(space, map_).transform(blocks)
    assert points.tobytes() == map_.transform(space.transform(blocks)).tobytes()
    assert points.shape == (40, with_map(space, map_).dimensions) == (40, columns)


def test_no_column_of_a_learned_space_belongs_to_one_descriptor():
    _, space = fitted()
    mapped = with_map(space, learned())
    assert mapped.columns == {}
    assert mapped.unlearned.columns == space.columns
    assert mapped.shares == space.shares


def test_a_learned_space_is_read_as_it_was_written():
    blocks, space = fitted()
    mapped = with_map(space, learned())
    again = FeatureSpace.load(io.BytesIO(saved(mapped)))
    assert again.transform(blocks).tobytes() == mapped.transform(blocks).tobytes()
    assert FeatureSpace.load(io.BytesIO(saved(space))).learned is None


def test_a_program_that_knows_no_learned_map_finds_a_block_that_it_cannot_read():
    _, space = fitted()
    with np.load(io.BytesIO(saved(with_map(space, learned())))) as stored:
        names = stored["names"].tolist()
        assert names == ["hue", "edge", "learned"]
        assert "learned.mean" not in stored


@pytest.mark.parametrize(
    "wrong",
    [
        LearnedMap(np.zeros((7, 8), np.float32), 1.0),
        LearnedMap(np.zeros(8, np.float32), 1.0),
    ],
)
def test_a_map_that_does_not_fit_the_blocks_is_refused(wrong):
    _, space = fitted()
    with pytest.raises(ValueError, match="learned map"):
        FeatureSpace.load(io.BytesIO(saved(with_map(space, wrong))))
