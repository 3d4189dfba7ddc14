"""Why images are near or far: shares against the plain computation."""

import colorsys
import os
import shutil
import subprocess
import sys

import imagehash
import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.config import load_config
from imgbatch.descriptors.phash import Phash
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.outputs.explain import explanation_document
from imgbatch.outputs.legend import bar, in_words, legend
from imgbatch.selection.explain import (
    color_bars,
    describe_image,
    hash_bits,
    shares,
    shares_of_set,
)
from tests.commands import environment


@pytest.fixture
def space_and_points():
    random = np.random.default_rng(5)
    blocks = {
        "hsv": random.normal(size=(40, 12)).astype(np.float32),
        "hog": random.normal(size=(40, 30)).astype(np.float32),
        "lbp": random.normal(size=(40, 6)).astype(np.float32),
    }
    options = {
        "hsv": BlockOptions(0.5, 8, 0.0),
        "hog": BlockOptions(0.3, 10, 0.5),
        "lbp": BlockOptions(0.2, 4, 0.5),
    }
    space = FeatureSpace.fit(blocks, options)
    return space, space.transform(blocks)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(7)
    for number in range(14):
        pixels = random.integers(0, 256, (6, 8, 3)).astype(np.uint8)
        image = Image.fromarray(pixels).resize((160, 120), Image.Resampling.BICUBIC)
        image.save(folder / f"{number:02}.png")
    index = tmp_path_factory.mktemp("index")
    return imgbatch.load(folder, emphasis="extended", index=index)


def test_shares_sum_to_one_and_equal_the_naive_computation(space_and_points):
    space, points = space_and_points
    for a, b in ((0, 1), (3, 20), (38, 7)):
        split = shares(space, points[a], points[b])
        assert sum(split.values()) == pytest.approx(1, abs=1e-5)
        total, start = 0.0, 0
        naive = {}
        for name, width in (("hsv", 8), ("hog", 10), ("lbp", 4)):
            naive[name] = 0.0
            for column in range(start, start + width):
                naive[name] += float(points[a, column] - points[b, column]) ** 2
            start += width
            total += naive[name]
        assert split == pytest.approx(
            {name: part / total for name, part in naive.items()}, abs=1e-5
        )


def test_equal_points_have_no_shares(space_and_points):
    space, points = space_and_points
    assert shares(space, points[4], points[4]) == {}


def test_a_set_without_anchor_is_compared_with_its_nearest_earlier_image(space_and_points):
    space, points = space_and_points
    chosen = points[[5, 9, 2, 30]]
    why = shares_of_set(space, chosen, None)
    assert why[0] == why[1] == shares(space, chosen[1], chosen[0])
    for rank in (2, 3):
        nearest = min(range(rank), key=lambda other: np.linalg.norm(chosen[rank] - chosen[other]))
        assert why[rank] == shares(space, chosen[rank], chosen[nearest])
    assert shares_of_set(space, points[:1], None) == [{}]


def test_an_explained_distance_equals_the_score_of_a_similar_set(photos):
    picked = photos.similar(6, seed=3)
    anchor = picked.images[0]
    assert anchor.anchor
    assert anchor.shares == {}
    for image in picked.images[1:]:
        explanation = photos.explain(anchor.path, image.relative)
        assert explanation.distance == pytest.approx(image.score, abs=6e-5)
        split = {part.name: part.share for part in explanation.parts}
        assert split == pytest.approx(image.shares, abs=1e-5)
        assert sum(image.shares.values()) == pytest.approx(1, abs=1e-4)


def test_an_explained_distance_equals_the_score_of_a_different_set(photos):
    images = photos.different(5, seed=4).images
    for rank, image in enumerate(images[1:], start=1):
        near = min(
            (photos.explain(image.path, other.path) for other in images[:rank]),
            key=lambda explanation: explanation.distance,
        )
        assert near.distance == pytest.approx(image.score, abs=6e-5)
        assert {p.name: p.share for p in near.parts} == pytest.approx(image.shares, abs=1e-5)
    assert images[0].shares == images[1].shares


@pytest.mark.slow
def test_the_parts_of_a_typical_pair_are_the_weights(photos):
    paths = photos.paths
    pairs = [photos.explain(a, b) for a in paths for b in paths]
    for name in ("hsv", "hog", "fisher_color"):
        parts = [part for pair in pairs for part in pair.parts if part.name == name]
        assert np.mean([part.squared_distance for part in parts]) == pytest.approx(
            parts[0].weight, rel=1e-3
        )
        assert np.mean([part.ratio for part in parts]) == pytest.approx(1, rel=1e-3)


def test_an_image_from_outside_is_as_far_as_its_copy_inside(photos, tmp_path):
    outside = tmp_path / "copy.png"
    shutil.copy(photos.paths[3], outside)
    inside = photos.explain(photos.paths[0], photos.paths[3])
    explanation = photos.explain(photos.paths[0], outside)
    assert explanation.distance == pytest.approx(inside.distance, abs=1e-5)
    assert explanation.images[1].relative == os.fspath(outside)


def test_an_unreadable_image_is_an_error_that_names_it(photos, tmp_path):
    with pytest.raises(imgbatch.ImgbatchError, match=r"gone\.png"):
        photos.explain(photos.paths[0], tmp_path / "gone.png")


def test_color_bars_hold_the_whole_histogram():
    histogram = np.random.default_rng(1).dirichlet(np.ones(16 * 4 * 4)).reshape(16, 4, 4)
    colors, heights = color_bars(histogram.astype(np.float32))
    assert colors.shape == (20, 16, 3)
    assert heights.sum() == pytest.approx(1, abs=1e-5)
    assert heights[:4, 0] == pytest.approx(
        [histogram[:, :, 0].sum(), *histogram[:, 0, 1:].sum(axis=0)], abs=1e-6
    )
    middle = colorsys.rgb_to_hsv(*(colors[4 + 5, 3 * 4 + 3] / 255))
    assert middle == pytest.approx((5.5 / 16, 3.5 / 4, 3.5 / 4), abs=0.01)


def test_a_histogram_without_saturations_has_hues_alone():
    histogram = np.full((6, 1, 2), 1 / 12, np.float32)
    _, heights = color_bars(histogram)
    assert heights[:2].sum() == 0
    assert heights[2:].sum() == pytest.approx(1)


def test_hash_bits_stand_in_the_order_of_the_hash():
    bits = hash_bits(np.array([0b10000001, 0, 0, 0, 0, 0, 0, 1], np.uint8))
    assert np.argwhere(bits).tolist() == [[0, 0], [0, 7], [7, 7]]


def described(pixels):
    codes = {"phash": Phash().describe(np.ascontiguousarray(pixels))}
    return describe_image(("/a.png", "a.png"), pixels.shape[1::-1], pixels, {}, codes, codes)


@pytest.mark.parametrize("seed", range(5))
def test_the_phash_is_written_as_imagehash_writes_it(seed):
    # A grey picture of 32 x 32 pixels needs none of the roundings in which the hashes may differ.
    grey = np.random.default_rng(seed).integers(0, 256, (32, 32, 1), np.uint8)
    pixels = grey.repeat(3, axis=2)
    image = described(pixels)
    assert image.phash == str(imagehash.phash(Image.fromarray(pixels)))
    assert imagehash.hex_to_hash(image.phash) == image.image_hash


def test_an_explanation_counts_the_bits_that_differ_and_its_json_names_both_hashes(photos):
    explanation = photos.explain(photos.paths[0], photos.paths[1])
    a, b = explanation.images
    assert explanation.hash_bits_apart == (a.hash_bits != b.hash_bits).sum() > 0
    document = explanation_document(explanation, ())
    hashes = [image["phash"] for image in document["images"]]
    assert hashes == [a.phash, b.phash]
    assert (int(hashes[0], 16) ^ int(hashes[1], 16)).bit_count() == document["hash_bits_apart"]
    for image, text in zip((a, b), hashes, strict=True):
        with Image.open(image.path) as picture:
            assert imagehash.hex_to_hash(text) - imagehash.phash(picture) <= 4


def test_a_request_without_explanation_does_not_import_imagehash(photos):
    script = (
        "import sys, imgbatch, imgbatch.outputs.json\n"
        f"photos = imgbatch.load({photos.folder!r}, index={str(photos.index_directory.parent)!r})\n"
        "photos.similar(3, seed=1), photos.different(3, seed=1)\n"
        "print('imagehash' in sys.modules)\n"
        "photos.explain(photos.paths[0], photos.paths[1])\n"
        "print('imagehash' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == ["False", "True"]


def test_bars_are_always_as_wide_as_they_should_be():
    random = np.random.default_rng(2)
    for cells in (1, 8, 16):
        for _ in range(50):
            parts = random.dirichlet(np.ones(8))
            names = ("hsv", "hog", "phash", "lbp", "phog", "moments", "gist", "thumbnail")
            split = dict(zip(names, parts.tolist(), strict=True))
            assert len(bar(split, cells, blocks=True)) == cells
            assert set(bar(split, cells, blocks=False).plain) <= set("cshtemgl")
    assert bar({}, 8, blocks=True).plain == ""


def test_every_descriptor_has_a_letter_of_its_own():
    names = list(load_config().config.weights)
    letters = [bar({name: 1.0}, 1, blocks=False).plain for name in names]
    assert len(set(letters)) == len(names)
    assert legend(["hsv", "hog"], blocks=False).plain == "c colour  s shape"


def test_words_follow_the_ratio_to_a_typical_pair():
    assert [in_words(ratio) for ratio in (0.1, 0.7, 1.0, 1.3, 2.0)] == [
        "much nearer",
        "nearer",
        "about as far",
        "farther",
        "much farther",
    ]
