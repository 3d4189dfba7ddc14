"""Descriptors of weight 0 are inert; one switched on is computed alone."""

import os

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.config import load_config
from imgbatch.descriptors import DESCRIPTORS
from imgbatch.index import extract


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(3)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(8):
        pixels = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
        Image.fromarray(pixels).resize((70, 50)).save(photos / f"{number}.png")
        os.utime(photos / f"{number}.png", (1_600_000_000, 1_600_000_000))  # long unchanged
    return photos


@pytest.fixture
def calls(monkeypatch):
    """Counts of what was done: decoded files, and pictures described by each descriptor."""
    counts = dict.fromkeys(("decode", *DESCRIPTORS), 0)

    def counting(decode):
        def count_and_decode(*args, **kwargs):
            counts["decode"] += 1
            return decode(*args, **kwargs)

        return count_and_decode

    def counting_views(describe_many):
        def count_and_describe(descriptor, views):
            counts[descriptor.name] += len(views)
            return describe_many(descriptor, views)

        return count_and_describe

    monkeypatch.setattr(extract, "decode", counting(extract.decode))
    for build in DESCRIPTORS.values():
        kind = type(build(load_config().config))
        monkeypatch.setattr(kind, "describe_many", counting_views(kind.describe_many))
    return counts


def load(folder, tmp_path, **weights):
    config = load_config().config
    index = config.index.model_copy(update={"workers": 1})
    merged = config.weights | weights
    changed = config.model_copy(update={"weights": merged, "index": index})
    return imgbatch.load(folder, config=changed, index=tmp_path / "index")


def done(calls):
    counts = {name: count for name, count in calls.items() if count}
    for name in calls:
        calls[name] = 0
    return counts


def test_a_descriptor_switched_on_is_computed_alone(folder, tmp_path, calls):
    load(folder, tmp_path)
    assert done(calls) == {"decode": 8, "hsv": 8, "hog": 8, "phash": 8, "miniature": 8}
    load(folder, tmp_path, gist=0.2)
    assert done(calls) == {"decode": 8, "gist": 8}
    load(folder, tmp_path, gist=0.2, lbp=0.1, moments=0.1)
    assert done(calls) == {"decode": 8, "lbp": 8, "moments": 8}


def test_changed_weights_decode_nothing(folder, tmp_path, calls):
    load(folder, tmp_path, gist=0.2, lbp=0.1)
    done(calls)
    first = load(folder, tmp_path, gist=0.6, lbp=0.0, hsv=0.1).points
    second = load(folder, tmp_path).points
    assert done(calls) == {}
    assert first.shape != second.shape


@pytest.mark.parametrize(
    "name", [name for name in DESCRIPTORS if name not in {"hsv", "hog", "phash"}]
)
def test_a_descriptor_switched_off_again_leaves_no_trace(folder, tmp_path, name):
    before = load(folder, tmp_path).points
    load(folder, tmp_path, **{name: 0.3}).similar(3, seed=1)
    after = load(folder, tmp_path)
    assert np.array_equal(after.points, before)
    assert set(after.projection.space.blocks) == {"hsv", "hog", "phash"}


EXTENDED = {"hsv", "hog", "phash", "fisher_gradient", "fisher_color"}


@pytest.mark.parametrize(
    ("emphasis", "used"),
    [("extended", EXTENDED), ("best", EXTENDED | {"fisher_sift", "lbp", "phog"})],
)
def test_presets_use_their_descriptors_and_no_others(folder, tmp_path, emphasis, used):
    photos = imgbatch.load(folder, emphasis=emphasis, index=tmp_path / "index")
    assert set(photos.projection.space.blocks) == used
    assert sum(photos.projection.space.shares.values()) == pytest.approx(1)
