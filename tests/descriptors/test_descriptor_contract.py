"""What every registered descriptor promises; registering a descriptor tests it."""

import json
from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from imgbatch.config import default_config_path, load_config
from imgbatch.descriptors import ALWAYS, DESCRIPTORS, build_descriptors, fingerprint

CONFIG = load_config(default_config_path()).config
SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (187, 1), (1, 255), (3, 200), (96, 128), (255, 171)]
CONTEXT = {"decoding": 1, "view_px": 128, "background": [255, 255, 255]}


@pytest.fixture(params=DESCRIPTORS)
def descriptor(request):
    return DESCRIPTORS[request.param](CONFIG)


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)


def with_another_value(descriptor):
    """One descriptor for each parameter, which alone has another value that makes sense."""
    other = {"grid": 4 + (descriptor.name == "moments"), "window_px": 120, "cell_px": 12}
    for field in fields(descriptor):
        value = getattr(descriptor, field.name)
        yield field.name, replace(descriptor, **{field.name: other.get(field.name, 2 * value)})


def test_the_registry_key_is_the_descriptors_name():
    assert {name: build(CONFIG).name for name, build in DESCRIPTORS.items()} == {
        name: name for name in DESCRIPTORS
    }


def test_every_descriptor_has_a_weight_and_settings_of_the_space_in_the_default_config():
    assert set(CONFIG.weights) == set(DESCRIPTORS)
    assert set(CONFIG.space.components) == set(DESCRIPTORS)
    assert set(CONFIG.space.power) == set(DESCRIPTORS)


def test_only_descriptors_with_a_weight_are_built_and_always_those_for_duplicates():
    for name in DESCRIPTORS:
        alone = CONFIG.model_copy(update={"weights": {n: float(n == name) for n in DESCRIPTORS}})
        assert {descriptor.name for descriptor in build_descriptors(alone)} == {name, *ALWAYS}


@pytest.mark.parametrize("count", [1, 2, 40])
def test_views_described_together_give_the_codes_of_each_alone(descriptor, count):
    views = [noise(SHAPES[number % len(SHAPES)], number) for number in range(count)]
    together = descriptor.describe_many(views)
    assert together.dtype == np.uint8
    assert together.tolist() == [descriptor.describe(view).tolist() for view in views]
    first = together.copy()
    descriptor.describe_many(views[::-1])
    assert (together == first).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_picture_of_any_shape_gives_dim_bytes_and_finite_features(descriptor, shape):
    code = descriptor.describe(noise(shape))
    assert code.shape == (descriptor.dim,)
    assert code.dtype == np.uint8
    features = descriptor.features(code[None])
    assert features.dtype == np.float32
    assert features.ndim == 2
    assert np.isfinite(features).all()


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (127, 127, 127), (255, 0, 0)])
@pytest.mark.parametrize("shape", [(1, 1), (187, 1), (100, 128)], ids=str)
def test_a_flat_picture_gives_finite_features(descriptor, color, shape):
    code = descriptor.describe(np.full((*shape, 3), color, np.uint8))
    assert code.shape == (descriptor.dim,)
    assert np.isfinite(descriptor.features(code[None])).all()


def test_equal_pixels_give_equal_bytes_and_the_picture_stays_as_it_was(descriptor):
    view = noise((96, 128))
    kept = view.copy()
    first = descriptor.describe(view)
    descriptor.describe(noise((64, 64), seed=1))
    assert descriptor.describe(kept).tobytes() == first.tobytes()
    assert (view == kept).all()


def test_different_pictures_give_different_bytes(descriptor):
    codes = {descriptor.describe(noise((96, 128), seed)).tobytes() for seed in range(5)}
    assert len(codes) == 5


@pytest.mark.parametrize(
    "lay_out",
    [
        np.asfortranarray,
        lambda view: np.repeat(view, 2, axis=1)[:, ::2],
        lambda view: np.repeat(view, 2, axis=0)[::2],
        lambda view: np.ascontiguousarray(view[::-1])[::-1],
        lambda view: np.ascontiguousarray(view[:, ::-1])[:, ::-1],
        lambda view: np.ascontiguousarray(view[..., ::-1])[..., ::-1],
        lambda view: np.pad(view, ((3, 2), (5, 1), (0, 1)))[3:-2, 5:-1, :3],
        lambda view: np.ascontiguousarray(view.transpose(1, 0, 2)).transpose(1, 0, 2),
    ],
    ids=["fortran", "columns", "rows", "upside-down", "mirrored", "bgr", "window", "transposed"],
)
def test_where_the_pixels_lie_in_memory_does_not_matter(descriptor, lay_out):
    view = noise((96, 128))
    elsewhere = lay_out(view)
    assert (elsewhere == view).all()
    assert descriptor.describe(elsewhere).tobytes() == descriptor.describe(view).tobytes()


def test_a_read_only_picture_can_be_described(descriptor):
    view = noise((96, 128))
    expected = descriptor.describe(view)
    view.flags.writeable = False
    assert (descriptor.describe(view) == expected).all()


@pytest.mark.parametrize("n", [0, 1, 5])
def test_features_are_n_rows_of_float32_each_of_its_own_code(descriptor, n):
    codes = np.zeros((n, descriptor.dim), np.uint8)
    for row in range(n):
        codes[row] = descriptor.describe(noise((60, 80), row))
    features = descriptor.features(codes)
    assert features.dtype == np.float32
    assert features.shape[0] == n
    for row in range(n):
        assert (descriptor.features(codes[row : row + 1]) == features[row]).all()


def test_features_accept_every_possible_byte_and_leave_the_codes_alone(descriptor):
    codes = np.random.default_rng(0).integers(0, 256, (20, descriptor.dim)).astype(np.uint8)
    kept = codes.copy()
    assert np.isfinite(descriptor.features(codes)).all()
    assert (codes == kept).all()


def test_features_accept_read_only_codes(descriptor):
    codes = np.frombuffer(bytes(3 * descriptor.dim), np.uint8).reshape(3, -1)
    assert len(descriptor.features(codes)) == 3


def test_parameters_are_json_and_hold_every_field(descriptor):
    parameters = descriptor.parameters()
    assert json.loads(json.dumps(parameters)) == parameters
    assert set(parameters) >= {field.name for field in fields(descriptor)}


def test_a_descriptor_is_frozen_and_equal_to_another_of_the_same_parameters(descriptor):
    twin = replace(descriptor)
    assert twin == descriptor
    assert hash(twin) == hash(descriptor)
    with pytest.raises(AttributeError):
        descriptor.version = 2


def test_the_fingerprint_is_16_hex_digits_and_repeats(descriptor):
    first = fingerprint(descriptor, CONTEXT)
    assert len(first) == 16
    assert set(first) <= set("0123456789abcdef")
    assert fingerprint(replace(descriptor), dict(reversed(CONTEXT.items()))) == first


def test_the_fingerprint_changes_with_every_parameter_and_every_part_of_the_context(descriptor):
    fingerprints = [fingerprint(descriptor, CONTEXT)]
    fingerprints += [fingerprint(other, CONTEXT) for _, other in with_another_value(descriptor)]
    for key, value in [("decoding", 2), ("view_px", 64), ("background", [0, 0, 0])]:
        fingerprints.append(fingerprint(descriptor, CONTEXT | {key: value}))
    fingerprints.append(fingerprint(descriptor, CONTEXT | {"new": 0}))
    assert len(set(fingerprints)) == len(fingerprints)


def test_the_fingerprint_changes_with_the_version(descriptor):
    newer = type("Newer", (type(descriptor),), {"version": descriptor.version + 1})
    other = newer(**asdict(descriptor))
    assert fingerprint(other, CONTEXT) != fingerprint(descriptor, CONTEXT)


def test_no_two_descriptors_share_a_fingerprint():
    assert len({fingerprint(d(CONFIG), CONTEXT) for d in DESCRIPTORS.values()}) == len(DESCRIPTORS)


def test_descriptors_of_other_parameters_side_by_side_do_not_disturb_each_other(descriptor):
    view = noise((96, 128))
    expected = descriptor.describe(view).tobytes()
    for _, other in with_another_value(descriptor):
        before = other.describe(view).tobytes()
        assert len(before) == other.dim
        assert descriptor.describe(view).tobytes() == expected
        assert other.describe(view).tobytes() == before


def test_describing_in_threads_gives_the_bytes_of_describing_in_turn(descriptor):
    from concurrent.futures import ThreadPoolExecutor

    views = [noise((60 + seed, 90), seed) for seed in range(24)]
    expected = [descriptor.describe(view).tobytes() for view in views]
    with ThreadPoolExecutor(4) as pool:
        codes = [code.tobytes() for code in pool.map(descriptor.describe, views)]
    assert codes == expected
