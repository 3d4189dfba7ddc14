"""The perceptual hash is that of imagehash, but for its roundings."""

from pathlib import Path

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.fftpack import dct

from imgbatch.config import default_config_path, load_config
from imgbatch.descriptors import phash
from imgbatch.descriptors.phash import Phash, as_integers
from imgbatch.images.decode import decode

CONFIG = load_config(default_config_path()).config
SAMPLES = Path(__file__).parents[2] / "samples"


def naive_frequencies(view):
    """Resized pixel by pixel, then SciPy's transform, with nothing rounded in between."""

    def resize(row):
        scale = len(row) / 32
        stretch = max(scale, 1.0)
        pixels = []
        for target in range(32):
            weights = []
            for source in range(len(row)):
                offset = (source + 0.5 - (target + 0.5) * scale) / stretch
                inside = abs(offset) < 3
                weights.append(np.sinc(offset) * np.sinc(offset / 3) if inside else 0.0)
            pixels.append(np.dot(weights, row) / sum(weights))
        return pixels

    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(float)
    across = np.array([resize(row) for row in grey])
    both = np.array([resize(column) for column in across.T]).T
    return dct(dct(both, axis=0), axis=1)[:8, :8].ravel()


def differing_bits(code, expected):
    return int(np.unpackbits(code ^ np.packbits(expected)).sum())


def imagehash_of(view):
    return imagehash.phash(Image.fromarray(np.ascontiguousarray(view))).hash


def grey_view(plane):
    return np.dstack([np.asarray(plane).astype(np.uint8)] * 3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    levels=st.sampled_from([1, 2, 64, 256]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_hash_equals_a_naive_one_where_frequencies_are_off_the_median(
    height, width, levels, seed
):
    view = np.random.default_rng(seed).integers(0, levels, (height, width, 3)).astype(np.uint8)
    frequencies = naive_frequencies(view)
    above = frequencies - np.median(frequencies)
    clear = np.abs(above) > 0.01
    bits = np.unpackbits(Phash().describe(view)).astype(bool)
    assert (bits == (above > 0))[clear].all()
    assert not bits[np.abs(above) < 1e-4].any()


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=["down", "across", "diagonal"])
@pytest.mark.parametrize("size", [33, 64, 128, 255])
def test_the_hash_of_noise_over_a_gradient_is_nearly_that_of_imagehash(axes, size):
    ramp = np.linspace(0, 220, size)
    plane = sum(np.expand_dims(ramp, 1 - axis) for axis in axes) / len(axes)
    noise = np.random.default_rng(size).integers(0, 35, (size, size))
    view = grey_view(plane + noise)
    assert differing_bits(Phash().describe(view), imagehash_of(view)) <= 4


@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (187, 1), (100, 130)], ids=str)
def test_all_flat_pictures_but_the_black_one_have_one_hash(shape):
    codes = {Phash().describe(np.full((*shape, 3), level, np.uint8)).tobytes()
             for level in (1, 64, 127, 128, 254, 255)}  # fmt: skip
    assert codes == {bytes([0x80, 0, 0, 0, 0, 0, 0, 0])}
    assert Phash().describe(np.zeros((*shape, 3), np.uint8)).tobytes() == bytes(8)


@pytest.mark.parametrize("period", [2, 4, 8, 16, 32, 64])
def test_a_pattern_full_of_ties_hashes_alike_whatever_noise_a_machine_adds(period, monkeypatch):
    y, x = np.mgrid[:128, :128]
    exact = phash._resized_cosines
    random = np.random.default_rng(0)
    for plane in ((x // period + y // period) % 2, x // period % 2, (x + y) // period % 2):
        view = grey_view(255 * plane)
        expected = Phash().describe(view)
        with monkeypatch.context() as patched:
            jitter = 1 + 1e-13 * random.standard_normal((8, 128))
            patched.setattr(phash, "_resized_cosines", lambda n, by=jitter: exact(n) * by)
            assert (Phash().describe(view) == expected).all()


def test_the_hashes_of_the_samples_are_within_a_few_bits_of_imagehash():
    files = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in {".jpg", ".jpeg", ".png"})
    assert len(files) >= 100
    views = [decode(file.read_bytes(), CONFIG.images.as_options()).view for file in files]
    bits = [differing_bits(Phash().describe(view), imagehash_of(view)) for view in views]
    assert max(bits) <= 4
    assert np.mean(bits) <= 0.5


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
    integers = as_integers(codes).tolist()
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
