"""The perceptual hash is imagehash's, bit for bit."""

from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imgbatch import images
from imgbatch.config import default_config_path, load_config
from imgbatch.descriptors.phash import Phash, as_integers

CONFIG = load_config(default_config_path()).config
SAMPLES = Path(__file__).parents[2] / "samples"


def assert_equals_imagehash(view):
    expected = imagehash.phash(Image.fromarray(np.ascontiguousarray(view)))
    code = Phash().describe(view)
    assert (np.unpackbits(code).reshape(8, 8) == expected.hash).all()
    assert int(as_integers(code[None])[0]) == int(str(expected), 16)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 140),
    width=st.integers(1, 140),
    levels=st.sampled_from([1, 2, 64, 256]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_hash_of_noise_equals_imagehash(height, width, levels, seed):
    view = np.random.default_rng(seed).integers(0, levels, (height, width, 3))
    assert_equals_imagehash(view.astype(np.uint8))


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=["down", "across", "diagonal"])
@pytest.mark.parametrize("size", [1, 2, 7, 8, 31, 32, 33, 64, 128, 255])
def test_the_hash_of_a_gradient_equals_imagehash(axes, size):
    ramp = np.linspace(0, 255, size)
    plane = sum(np.expand_dims(ramp, 1 - axis) for axis in axes) / len(axes)
    grey = np.broadcast_to(plane, (size, size)).astype(np.uint8)
    assert_equals_imagehash(np.dstack([grey, grey, grey]))
    assert_equals_imagehash(np.dstack([grey, 255 - grey, grey[::-1]]))


@pytest.mark.parametrize("level", [0, 1, 64, 127, 128, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (187, 1), (100, 130)], ids=str)
def test_the_hash_of_a_flat_picture_equals_imagehash(level, shape):
    assert_equals_imagehash(np.full((*shape, 3), level, np.uint8))


@pytest.mark.parametrize("period", [2, 4, 8, 16, 32, 64])
def test_the_hash_of_a_symmetric_pattern_full_of_ties_equals_imagehash(period):
    y, x = np.mgrid[:128, :128]
    for plane in ((x // period + y // period) % 2, x // period % 2, (x + y) // period % 2):
        grey = (255 * plane).astype(np.uint8)
        assert_equals_imagehash(np.dstack([grey] * 3))


def test_the_hashes_of_the_samples_equal_imagehash():
    files = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in {".jpg", ".jpeg", ".png"})
    assert len(files) >= 100
    for file in files:
        assert_equals_imagehash(images.decode(file.read_bytes(), CONFIG.images).view)


def test_the_first_bit_is_the_highest_of_the_integer():
    codes = np.zeros((3, 8), np.uint8)
    codes[0, 0], codes[1, 7], codes[2] = 0x80, 0x01, 0xFF
    integers = as_integers(codes)
    assert integers.dtype == np.uint64
    assert integers.shape == (3,)
    assert integers.tolist() == [2**63, 1, 2**64 - 1]


def test_integers_of_no_codes_of_one_and_of_a_view_into_others_are_right():
    assert as_integers(np.zeros((0, 8), np.uint8)).shape == (0,)
    codes = np.random.default_rng(0).integers(0, 256, (6, 16)).astype(np.uint8)
    expected = [int.from_bytes(row.tobytes(), "big") for row in codes[::2, 4:12]]
    assert as_integers(codes[::2, 4:12]).tolist() == expected


def test_the_squared_distance_of_features_is_four_times_the_differing_bits():
    codes = np.random.default_rng(0).integers(0, 256, (12, 8)).astype(np.uint8)
    features = Phash().features(codes)
    assert features.shape == (12, 64)
    integers = [int(one) for one in as_integers(codes)]
    for a in range(12):
        for b in range(12):
            squared = float(((features[a] - features[b]) ** 2).sum())
            assert squared == 4 * (integers[a] ^ integers[b]).bit_count()


def test_a_smaller_and_recompressed_copy_has_nearly_the_same_hash():
    file = SAMPLES / "coffee" / "coffee-01.jpg"
    with Image.open(file) as picture:
        big = np.asarray(picture.convert("RGB"))
        small = np.asarray(picture.convert("RGB").resize((150, 110)))
    a, b = as_integers(np.stack([Phash().describe(big), Phash().describe(small)])).tolist()
    assert (a ^ b).bit_count() <= 6
