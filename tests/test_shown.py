"""Results that show themselves: sequences of images, sheets, what notebooks show."""

import base64
import io
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.outputs import Pictures, Result, write_sheet
from imgbatch.outputs.notebook import MOST_PICTURES
from imgbatch.shown import Shown
from imgbatch.types import Batches, PickedImage, Selection
from tests.commands import environment
from tests.drawing import jpeg, photo
from tests.outputs.small import small_found

HOSTILE = "<script>alert(1)<!--&\"'.jpg"


@pytest.fixture(scope="module")
def photos(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def html(result):
    return result._repr_mimebundle_(include=None, exclude=None)["text/html"]


def shown_pictures(result):
    uris = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html(result))
    return [Image.open(io.BytesIO(base64.b64decode(uri))) for uri in uris]


def results(photos):
    return {
        "selection": photos.similar(5, seed=1),
        "found": small_found("sea", tuple(photos.paths[:2])),
        "batches": photos.batches(10, seed=1),
        "explanation": photos.explain(photos.paths[0], photos.paths[1]),
        "description": photos.describe(photos.paths[0]),
    }


def test_a_selection_is_a_sequence_of_its_images(photos):
    picked = photos.similar(5, seed=1)
    assert list(picked) == [picked[place] for place in range(len(picked))] == list(picked.images)
    assert picked[-1] is picked.images[4]
    assert picked.paths == tuple(image.path for image in picked.images)
    assert picked.index(picked[3]) == 3
    with pytest.raises(IndexError):
        picked[5]


def test_a_slice_is_a_selection_that_keeps_the_seed(photos):
    picked = photos.different(6, seed=3)
    part = picked[1:4]
    assert isinstance(part, Selection)
    assert part.images == picked.images[1:4]
    assert (part.seed, part.mode) == (3, "different")


def test_hits_are_a_sequence_and_a_slice_of_them_too():
    found = small_found("sea", ("/a", "/b", "/c"))
    assert [image.rank for image in found] == [1, 2, 3]
    assert found[1:].paths == ("/b", "/c")


def test_an_explanation_is_a_sequence_of_its_two_images(photos):
    explained = photos.explain(photos.paths[0], photos.paths[1])
    assert len(explained) == 2
    assert explained.paths == tuple(photos.paths[:2])
    assert explained[:1] == explained.images[:1]


@pytest.mark.parametrize("kind", ["selection", "found", "batches", "explanation", "description"])
def test_each_result_has_a_short_repr_that_is_its_text_in_a_notebook(photos, kind):
    result = results(photos)[kind]
    assert repr(result).startswith("<imgbatch.")
    assert len(repr(result)) < 120
    assert result._repr_mimebundle_()["text/plain"] == repr(result)


@pytest.mark.parametrize(
    ("kind", "count"),
    [("selection", 5), ("found", 2), ("batches", 20), ("explanation", 2), ("description", 3)],
)
def test_a_notebook_shows_small_pictures_and_no_script(photos, kind, count):
    result = results(photos)[kind]
    pictures = shown_pictures(result)
    assert len(pictures) == count
    assert all(max(picture.size) <= 128 for picture in pictures)
    assert "<script" not in html(result)
    assert "http" not in html(result)
    assert result.sheet().width > 200


def test_batches_show_their_own_images(photos):
    batches = photos.batches(10, seed=1)
    assert batches.first_paths == tuple(
        tuple(photos.paths[row] for row in rows) for rows in batches.rows
    )
    many = Batches(tuple(np.array([row]) for row in range(9)), 1, 0)
    many = many.showing(lambda row: photos.paths[row], photos.config)
    assert many.first_paths == tuple((path,) for path in photos.paths[:4])


def test_what_a_notebook_holds_is_bounded(photos):
    image = PickedImage(1, photos.paths[0], "a.jpg", 0.0, 8, 6)
    picked = Selection("similar", 1, "/photos", (image,) * 100)
    assert len(shown_pictures(picked)) == MOST_PICTURES
    assert f"{100 - MOST_PICTURES} more" in html(picked)
    assert len(html(picked)) < 500_000
    batches = Batches((), 1, 0, tuple((photos.paths[0],) * 10 for _ in range(4)))
    assert len(shown_pictures(batches)) == MOST_PICTURES


def test_names_are_escaped_wherever_a_notebook_shows_them():
    image = PickedImage(1, f"/{HOSTILE}", f"{HOSTILE}", 0.0, 8, 6)
    assert "<script" not in html(Selection("similar", 1, f"/{HOSTILE}", (image,)))
    assert "<script" not in html(small_found(HOSTILE))
    assert "<script" not in html(Batches((), 1, 0, ((f"/{HOSTILE}",),)))
    assert "\udce9" not in html(Selection("similar", 1, "/caf\udce9", (image,)))


def test_the_sheet_is_the_one_that_the_command_writes(photos, tmp_path):
    picked = photos.similar(5, seed=1)
    target = tmp_path / "sheet.png"
    write_sheet(Result(picked, Pictures(picked.paths, photos.config)), target, photos.config.sheet)
    with Image.open(target) as written:
        assert np.array_equal(np.asarray(written), np.asarray(picked.sheet()))


def test_pictures_are_drawn_by_the_settings_that_they_were_chosen_with(photos):
    small = photos.config.sheet.model_copy(update={"cell_px": 100})
    config = photos.config.model_copy(update={"sheet": small})
    picked = photos.similar(4, seed=1)
    narrow = Selection("similar", 1, photos.folder, picked.images, config=config)
    assert narrow.sheet().width < picked.sheet().width
    assert narrow == Selection("similar", 1, photos.folder, picked.images)


def test_a_file_that_is_gone_is_grey_and_no_error(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(photo(0)))
    gone = PickedImage(1, str(tmp_path / "gone.jpg"), "gone.jpg", 0.0, 8, 6)
    picked = Selection("similar", 1, str(tmp_path), (gone,))
    assert len(shown_pictures(picked)) == 1
    assert picked.sheet()


def test_a_result_without_a_way_to_show_it_is_an_error_of_ours():
    class Other(Shown):
        pass

    with pytest.raises(NotImplementedError, match="Other"):
        Other().sheet()
    with pytest.raises(NotImplementedError, match="Other"):
        html(Other())


def test_importing_the_package_imports_nothing_that_draws():
    code = (
        "import sys, imgbatch; import imgbatch.types;"
        "print([m for m in sys.modules if m in ('PIL', 'jinja2', 'rich')"
        " or m.startswith('imgbatch.outputs')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout.strip() == "[]"


def test_results_can_be_pickled_as_workers_of_a_data_loader_do(photos):
    for kind in ("selection", "batches", "explanation"):
        result = results(photos)[kind]
        again = pickle.loads(pickle.dumps(result))
        assert repr(again) == repr(result)
        assert again.sheet().size == result.sheet().size
