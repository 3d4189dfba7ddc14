"""Candidates and matches: edits of a picture are found among others, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from imgbatch.copies import candidates as searching
from imgbatch.copies import cells
from imgbatch.copies.candidates import candidates_among, find_candidates
from imgbatch.copies.match import Kind, Pairs, matched
from imgbatch.runners.maps import ThreadMap
from tests.copies.drawing import miniature, scene, view

OTHERS = [scene(seed) for seed in range(100, 130)]
ORIGINAL = scene(1)


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=25)
    return Image.open(buffer).convert("RGB")


def marked(image):
    copy = image.copy()
    ImageDraw.Draw(copy).text((30, 100), "(c) nobody", (255, 255, 255), font_size=26)
    return copy


def cropped(image, left, top, right, bottom):
    width, height = image.size
    box = left * width, top * height, (1 - right) * width, (1 - bottom) * height
    return image.crop(tuple(map(int, box)))


EDITS = {
    "smaller": (Kind.COPY, lambda image: image.resize((130, 100))),
    "squeezed": (Kind.COPY, lambda image: image.resize((200, 240))),
    "recompressed": (Kind.COPY, jpeg),
    "grey": (Kind.COPY, lambda image: ImageOps.grayscale(image).convert("RGB")),
    "brighter": (Kind.COPY, lambda image: ImageEnhance.Brightness(image).enhance(1.3)),
    "cropped": (Kind.EDITED, lambda image: cropped(image, 0.12, 0.08, 0.1, 0.15)),
    "cut on one side": (Kind.EDITED, lambda image: cropped(image, 0, 0, 0.28, 0)),
    "mirrored": (Kind.EDITED, ImageOps.mirror),
    "upside down": (Kind.EDITED, lambda image: image.rotate(180)),
    "turned": (Kind.EDITED, lambda image: image.rotate(90, expand=True)),
    "tilted": (Kind.EDITED, lambda image: image.rotate(4)),
    "framed": (Kind.EDITED, lambda image: ImageOps.expand(image, 18, (240, 240, 240))),
    "mirrored and cropped": (
        Kind.EDITED,
        lambda image: cropped(ImageOps.mirror(image), 0.1, 0.1, 0.1, 0.1),
    ),
}


def found_among(images, **options):
    miniatures = np.stack([miniature(image) for image in images])
    found = find_candidates(miniatures, **options)
    return matched(miniatures, found, lambda rows: [view(images[row]) for row in rows])


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_found_among_others_with_its_kind(name):
    kind, edit = EDITS[name]
    found = found_among([*OTHERS, ORIGINAL, edit(ORIGINAL)])
    assert found.rows.tolist() == [[30, 31]]
    assert found.kinds.tolist() == [kind]
    assert 0.8 < found.scores[0] <= 1


def test_a_marked_picture_is_found():
    assert found_among([*OTHERS, ORIGINAL, marked(ORIGINAL)]).rows.tolist() == [[30, 31]]


def test_different_pictures_are_not_matched():
    assert len(found_among(OTHERS)) == 0


def test_without_edits_only_plain_copies_are_looked_for():
    images = [*OTHERS, ORIGINAL, jpeg(ORIGINAL), ImageOps.mirror(ORIGINAL)]
    assert found_among(images, edited=False).rows.tolist() == [[30, 31]]


def test_between_two_sets_of_rows_only_pairs_of_both_are_looked_for():
    images = [ORIGINAL, jpeg(ORIGINAL), *OTHERS, ORIGINAL.resize((160, 120))]
    sides = np.array([0, 1]), np.arange(2, len(images))
    assert found_among(images, between=sides).rows.tolist() == [[0, 32], [1, 32]]


def test_outlines_of_different_objects_before_plain_backgrounds_are_told_apart():
    def thing(seed):
        picture = Image.new("RGB", (240, 240), "white")
        inside = scene(seed, 140, 140)
        mask = Image.new("L", (140, 140))
        ImageDraw.Draw(mask).ellipse((0, 0, 139, 139), fill=255)
        picture.paste(inside, (50, 50), mask)
        return picture

    assert len(found_among([thing(seed) for seed in range(12)])) == 0
    assert len(found_among([thing(1), thing(2), thing(1).resize((120, 120))])) == 1


def test_blank_pictures_are_copies_if_they_are_of_one_grey():
    greys = [Image.new("RGB", (50, 40), (level,) * 3) for level in (0, 120, 121, 255, 254)]
    found = found_among(greys)
    assert found.rows.tolist() == [[1, 2], [3, 4]]
    assert set(found.kinds.tolist()) == {Kind.COPY}


def test_where_files_cannot_be_read_only_close_miniatures_match():
    bent = scene(2).transform((320, 240), Image.Transform.QUAD, (0, 0, 20, 240, 320, 200, 300, 0))
    images = [ORIGINAL, ORIGINAL.resize((160, 120)), scene(2), bent]
    miniatures = np.stack([miniature(image) for image in images])
    found = matched(miniatures, find_candidates(miniatures), lambda rows: [None] * len(rows))
    assert found.rows.tolist() == [[0, 1]]


def test_cells_and_threads_find_what_one_cell_finds(monkeypatch):
    images = [scene(seed) for seed in range(40)]
    images += [jpeg(image) for image in images[:20]]
    expected = found_among(images)
    assert [[row, row + 40] for row in range(20)] == expected.rows.tolist()
    monkeypatch.setattr(cells, "_ONE_CELL", 16)
    monkeypatch.setattr(searching, "_LEAST_SEEKING", 7)
    again = found_among(images, run_tasks=ThreadMap(2))
    assert again.rows.tolist() == expected.rows.tolist()


def test_given_pairs_are_judged_as_in_a_search():
    images = [*OTHERS[:5], ORIGINAL, ImageOps.mirror(ORIGINAL)]
    miniatures = np.stack([miniature(image) for image in images])
    pairs = np.array([[0, 5], [5, 6], [1, 2]])
    found = matched(
        miniatures,
        candidates_among(miniatures, pairs),
        lambda rows: [view(images[r]) for r in rows],
    )
    assert found.rows.tolist() == [[5, 6]]


def test_few_and_many_pairs_of_the_same_images_are_as_alike(monkeypatch):
    random = np.random.default_rng(0)
    views = random.random((6, 9, 5), np.float32)
    wholes = random.random((6, 5), np.float32)
    a, b = random.integers(0, 6, (2, 20))
    naive = [[view @ wholes[j] for view in views[i]] for i, j in zip(a, b, strict=True)]
    for dense in (0, 100):
        monkeypatch.setattr(searching, "_DENSE", dense)
        assert np.allclose(searching._likenesses(views, wholes, a, b), naive)


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_of_no_image_or_one_has_no_pairs(count):
    miniatures = np.zeros((count, 1024), np.uint8)
    assert len(matched(miniatures, find_candidates(miniatures), lambda rows: [])) == 0
    assert len(Pairs.none()) == 0
