import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.measures.colors import color_cells, color_names
from imgbatch.measures.measured import Measures
from imgbatch.measures.quantities import COLOR_NAMES, MEASURES, STORED, as_bytes, as_values


def values_of(view):
    measures = Measures()
    return dict(zip(STORED, measures.features(measures.describe(view)[None])[0], strict=True))


def flat(red, green, blue, shape=(90, 120)):
    return np.full((*shape, 3), (red, green, blue), np.uint8)


def noise(seed, shape=(90, 120)):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200)), min_size=1, max_size=20))
def test_pictures_of_any_size_measure_the_same_alone_and_in_a_group(shapes):
    views = [noise(number, shape) for number, shape in enumerate(shapes)]
    together = Measures().describe_many(views)
    assert together.shape == (len(views), len(STORED))
    for view, row in zip(views, together, strict=True):
        assert (Measures().describe(view) == row).all()


def test_shares_of_colour_names_sum_to_that_of_the_pixels_that_have_one():
    picture = noise(1, (64, 64))
    sample = picture[::3, ::3].reshape(-1, 3)
    named = (color_names(color_cells(sample)) < len(COLOR_NAMES)).mean()
    values = values_of(picture)
    assert 0.2 < named < 0.9
    assert sum(values[name] for name in COLOR_NAMES) == pytest.approx(named, abs=0.01)


def test_a_colour_that_most_people_would_not_name_counts_for_no_name():
    values = values_of(flat(225, 205, 170))
    assert all(values[name] == 0 for name in COLOR_NAMES)


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("black", (5, 5, 5)),
        ("grey", (128, 128, 128)),
        ("white", (250, 250, 250)),
        ("red", (205, 25, 30)),
        ("orange", (240, 130, 30)),
        ("yellow", (240, 220, 40)),
        ("green", (40, 150, 60)),
        ("blue", (40, 90, 200)),
        ("purple", (120, 45, 150)),
        ("pink", (250, 150, 185)),
        ("brown", (115, 75, 40)),
    ],
)
def test_a_flat_picture_has_the_name_of_its_colour(name, color):
    values = values_of(flat(*color))
    assert values[name] == 1
    assert values["border"] == values["even"] == 1
    assert values["edges"] == values["soft"] == values["contrast"] == 0


def test_names_of_colours_are_those_of_the_nearest_prototype_looked_up():
    from imgbatch.measures import colors

    pixels = np.random.default_rng(0).integers(0, 256, (200, 3), dtype=np.uint8)
    centres = pixels // 8 * 8 + 4
    lab = cv2.cvtColor(centres[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    for row, number in zip(lab, color_names(color_cells(pixels)), strict=True):
        nearest = {}
        for name in (*COLOR_NAMES, ""):
            codes = [bytes.fromhex(code) for code in colors._PROTOTYPES[name]]
            prototypes = np.array([list(code) for code in codes], np.float32)[None] / 255
            away = cv2.cvtColor(prototypes, cv2.COLOR_RGB2LAB)[0] - row
            nearest[name] = np.sqrt((away**2).sum(axis=1)).min()
        best = min(nearest.values())
        assert nearest[(*COLOR_NAMES, "")[number]] == pytest.approx(best, abs=1e-2)


def test_lightness_and_contrast_are_those_of_cielab():
    half = flat(0, 0, 0)
    half[:, 60:] = 255
    values = values_of(half)
    assert values["lightness"] == pytest.approx(50, abs=3)
    assert values["contrast"] == 100
    assert values_of(flat(119, 119, 119))["lightness"] == pytest.approx(50, abs=1)


def test_chroma_is_0_of_grey_pictures_and_the_highest_chroma_is_seen_in_a_hundredth_of_pixels():
    grey = noise(2)
    grey[:] = grey[..., :1]
    assert values_of(grey)["most_chroma"] == 0
    grey[:12, :12] = 255, 0, 0
    assert values_of(grey)["most_chroma"] > 50
    assert values_of(grey)["chroma"] < 10


def test_a_border_of_one_colour_is_plain_whatever_lies_inside():
    framed = flat(240, 240, 240)
    framed[20:70, 25:95] = noise(3, (50, 70))
    values = values_of(framed)
    assert values["border"] == 1
    assert values_of(noise(3))["border"] < 0.3


def test_gradients_are_strong_weak_or_none():
    stripes = flat(255, 255, 255, (64, 64))
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = stripes[:, 3::8] = 0
    values = values_of(stripes)
    assert values["edges"] == pytest.approx(0.5, abs=0.05)
    assert values["even"] == pytest.approx(0.5, abs=0.05)
    assert values["soft"] == 0
    ramp = np.repeat(np.arange(0, 192, 3, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, 2)
    assert values_of(ramp)["soft"] == 1


def test_measures_are_those_of_a_naive_computation():
    for seed in range(5):
        view = cv2.resize(noise(seed, (9, 12)), (120, 90), interpolation=cv2.INTER_CUBIC)
        small = cv2.resize(view, (64, 64), interpolation=cv2.INTER_LINEAR)
        lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[::3, ::3].astype(float)
        light = np.sort((lab[..., 0] * 100 / 255).ravel())
        chroma = np.rint(np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)).ravel()
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(int)
        kernel = np.array([1, 2, 1])
        across, down = np.zeros((2, 64, 64))
        for y in range(1, 63):
            for x in range(1, 63):
                part = grey[y - 1 : y + 2, x - 1 : x + 2]
                across[y, x] = abs(((part[:, 2] - part[:, 0]) * kernel).sum())
                down[y, x] = abs(((part[2] - part[0]) * kernel).sum())
        gradients = (np.rint(across / 8) + np.rint(down / 8))[2:-2, 2:-2]
        expected = {
            "lightness": light.mean(),
            "contrast": light[459] - light[24],
            "chroma": chroma.mean(),
            "most_chroma": np.sort(chroma)[479],
            "edges": (gradients >= 24).mean(),
            "even": (gradients == 0).mean(),
            "soft": ((gradients > 0) & (gradients < 12)).mean(),
        }
        values = values_of(view)
        for name, value in expected.items():
            kind = MEASURES[name]
            assert abs(values[name] - value) <= 0.01 * (kind.high - kind.low), name


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bytes_are_the_nearest_to_the_values_they_stand_for(seed):
    stored = np.random.default_rng(seed).integers(0, 256, (3, len(STORED)), dtype=np.uint8)
    values = as_values(stored)
    assert (as_bytes(values) == stored).all()
    low = [MEASURES[name].low for name in STORED]
    high = [MEASURES[name].high for name in STORED]
    assert (values >= low).all()
    assert (values <= high).all()
