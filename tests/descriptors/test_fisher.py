"""Fisher vectors beside their definition, value by value, and whatever they may not depend on."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from imgbatch.descriptors import fingerprint, fisher
from imgbatch.descriptors.fisher import ARRAYS, Dictionary, load_dictionary, matmul, patches
from imgbatch.descriptors.fisher_color import FisherColor
from imgbatch.descriptors.fisher_gradient import FisherGradient, FisherSift

ALL = [FisherGradient(), FisherSift(), FisherColor()]
EVERY = pytest.mark.parametrize("descriptor", ALL, ids=lambda descriptor: descriptor.name)


def textured(seed, shape=(96, 140)):
    """Blobs of several sizes and colours, another picture for each seed."""
    random = np.random.default_rng(seed)
    view = np.zeros((*shape, 3))
    for side in (3, 8, 24, 60):
        coarse = random.normal(size=(side, side, 3))
        view += cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 30 * view, 0, 255).astype(np.uint8)


def density(value, mean, deviation):
    """Of the normal distribution."""
    return np.exp(-(((value - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))


def fisher_vector(local, places, dictionary):
    """Perronnin, Sanchez and Mensink 2010, equations 4 to 6 and section 3, one value after another.

    local is (n, d), places (n, 2).
    """
    components = (local - dictionary.mean) @ dictionary.axes.T
    points = np.concatenate([components, places * dictionary.spread], axis=1)
    shares = np.ones((len(points), len(dictionary.weights)), np.longdouble)
    for k, weight in enumerate(dictionary.weights):
        each = density(points.astype(np.longdouble), dictionary.means[k], dictionary.deviations[k])
        shares[:, k] = weight * each.prod(axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    by_mean, by_deviation = [], []
    for k, weight in enumerate(dictionary.weights):
        share = shares[:, k, None].astype(np.float64)
        away = (points - dictionary.means[k]) / dictionary.deviations[k]
        by_mean.append((share * away).mean(axis=0) / np.sqrt(weight))
        by_deviation.append((share * (away**2 - 1)).mean(axis=0) / np.sqrt(2 * weight))
    vector = np.concatenate(by_mean + by_deviation)
    vector = np.sign(vector) * np.sqrt(np.abs(vector))
    return vector / np.linalg.norm(vector)


@EVERY
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_code_is_the_fisher_vector_of_its_definition(descriptor, seed):
    view = textured(seed)
    local, places = descriptor.local_descriptors(view), descriptor.places
    expected = fisher_vector(
        local.T.astype(np.float64), places.T.astype(np.float64), load_dictionary(descriptor.name)
    )
    code = descriptor.describe(view).astype(int) - 128
    away = np.abs(code - (600 * expected).clip(-127, 127))
    assert away.max() < 0.51  # nothing but the rounding to a byte
    assert (code != 0).mean() > 0.15  # enough values say something


@EVERY
def test_the_features_of_a_code_are_a_vector_of_length_1_but_for_rounding(descriptor):
    codes = descriptor.describe_many([textured(seed) for seed in range(4)])
    lengths = np.linalg.norm(descriptor.features(codes), axis=1)
    assert lengths == pytest.approx(1, abs=0.01)
    assert not descriptor.features(np.full((1, descriptor.dim), 128, np.uint8)).any()


@EVERY
def test_a_value_beyond_the_range_of_a_byte_is_cut(descriptor, monkeypatch):
    loud = np.zeros((1, descriptor.dim))
    loud[0, :4] = 1.0, -1.0, 0.2, -0.2
    monkeypatch.setattr(fisher._Model, "vectors", lambda _model, _sums: loud)
    code = descriptor.describe(textured(0))
    assert code[:5].tolist() == [255, 1, 248, 8, 128]


@EVERY
def test_the_number_of_blas_threads_changes_no_bit(descriptor):
    model = fisher._model(descriptor)
    local = [descriptor.local_descriptors(textured(seed)) for seed in range(8)]
    sums = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            sums.append(np.stack([model.sums(each) for each in local]))
    assert (sums[0] == sums[1]).all()
    assert (sums[0] == sums[2]).all()


@EVERY
def test_no_product_is_so_large_that_blas_shares_it_out(descriptor, monkeypatch):
    sizes = []

    class Spy(np.ndarray):
        """An array that records the sizes of products."""

        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
            plain = [np.asarray(each) for each in inputs]
            if ufunc is np.matmul:
                sizes.append(plain[0].shape[-2] * plain[0].shape[-1] * plain[1].shape[-1])
            if out is not None:
                options["out"] = tuple(np.asarray(each) for each in out)
            return np.asarray(getattr(ufunc, method)(*plain, **options)).view(Spy)

    monkeypatch.setattr(
        fisher,
        "matmul",
        lambda left, right: matmul(left.view(Spy), right.view(Spy)).view(np.ndarray),
    )
    descriptor.describe(textured(1))
    assert len(sizes) >= 3
    assert max(sizes) <= 2**18


@pytest.mark.parametrize("inner", [1, 7, 64, 65, 300])
def test_products_in_parts_are_products(inner):
    random = np.random.default_rng(inner)
    left = random.normal(size=(5, 64, inner)).astype(np.float32)
    right = random.normal(size=(5, inner, 64)).astype(np.float32)
    assert matmul(left, right) == pytest.approx(left @ right, abs=1e-4)


def test_patches_that_do_not_fit_are_refused():
    maps = np.zeros((3, 9, 8), np.float32)
    assert patches(maps, 2, 3, 3, 2).shape == (2, 2, 3, 3, 3)
    with pytest.raises(ValueError, match="do not fit"):
        patches(maps, 2, 3, 4, 2)


# ----- dictionaries -------------------------------------------------------------------------------


def test_there_is_a_dictionary_for_each_descriptor_and_for_nothing_else():
    assert {path.stem for path in fisher._FOLDER.iterdir()} == {each.name for each in ALL}


@EVERY
def test_a_dictionary_is_a_small_file_of_half_precision_numbers(descriptor):
    path = fisher._FOLDER / f"{descriptor.name}.npz"
    assert path.stat().st_size < 20_000
    with np.load(path, allow_pickle=False) as stored:
        assert set(stored.files) == set(ARRAYS)
        assert all(stored[name].dtype == np.float16 for name in ARRAYS)
        assert all(np.isfinite(stored[name]).all() for name in ARRAYS)


@EVERY
def test_a_dictionary_is_a_mixture_of_components_that_are_all_in_use(descriptor):
    dictionary = load_dictionary(descriptor.name)
    assert dictionary.weights.sum() == pytest.approx(1, abs=0.01)
    assert dictionary.weights.min() > 0.001
    assert dictionary.deviations.min() > 0
    gram = dictionary.axes @ dictionary.axes.T
    assert gram == pytest.approx(np.eye(len(gram)), abs=0.01)
    assert (dictionary.axes.max(axis=1) >= -dictionary.axes.min(axis=1) - 1e-3).all()


@EVERY
def test_the_fingerprint_changes_with_every_array_of_the_dictionary(descriptor, monkeypatch):
    dictionary = load_dictionary(descriptor.name)
    fingerprints = {fingerprint(descriptor, {})}
    for name in ARRAYS:
        array = getattr(dictionary, name).copy()
        array.flat[-1] = np.nextafter(np.float16(array.flat[-1]), np.float16(np.inf))
        changed = replace(dictionary, **{name: array})
        monkeypatch.setattr(fisher, "load_dictionary", lambda _name, changed=changed: changed)
        fingerprints.add(fingerprint(descriptor, {}))
    assert len(fingerprints) == 1 + len(ARRAYS)


def test_a_dictionary_whose_arrays_are_swapped_is_another():
    ones, twos = np.ones((2, 2)), np.full((2, 2), 2.0)
    parts = dict.fromkeys(ARRAYS, np.ones(1))
    one = Dictionary(**parts | {"means": ones, "deviations": twos})
    other = Dictionary(**parts | {"means": twos, "deviations": ones})
    assert one.digest != other.digest


@EVERY
def test_the_map_is_bright_where_two_pictures_differ(descriptor):
    """Both are one texture on the left; on the right the first is stripes, the second another."""
    view, other = textured(1), textured(1)
    other[:, 70:] = textured(2)[:, 70:]
    view[:, 70:] = np.where(np.arange(70)[:, None] // 5 % 2, (40, 90, 200), (250, 210, 20))
    codes = [descriptor.describe(picture) for picture in (view, other)]
    where = descriptor.differing(view, *codes)
    assert where.shape == (16, 16)
    assert where.dtype == np.float32
    assert (where.min(), where.max()) == (0, 1)
    assert where[:, 10:].mean() > 1.2 * where[:, :6].mean()


@EVERY
def test_the_map_of_equal_codes_is_dark_and_any_picture_has_one(descriptor):
    for shape in ((1, 1), (300, 2), (20, 30)):
        view = textured(3, shape)
        codes = descriptor.describe(view)
        assert not descriptor.differing(view, codes, codes).any()
        other = descriptor.describe(textured(4))
        assert np.isfinite(descriptor.differing(view, codes, other)).all()
