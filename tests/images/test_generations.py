"""What a file tells of its picture's past: cameras, compression, traces of an earlier one."""

import pytest
from PIL import Image, ImageOps

from imgbatch.images.generations import Generations, generations_of
from tests.copies.drawing import scene
from tests.drawing import encode, jpeg, png


def again(data, save, edit=lambda image: image):
    """A file decoded, edited and saved once more."""
    import io

    return save(edit(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "edit", [lambda image: image, ImageOps.mirror, lambda image: image.rotate(90, expand=True)]
)
@pytest.mark.parametrize("save", [png, lambda image: jpeg(image, quality=95)])
def test_a_jpeg_saved_again_with_finer_steps_keeps_traces_of_the_first_ones(seed, edit, save):
    first = jpeg(scene(seed), quality=75)
    assert generations_of(again(first, save, edit)).traces > generations_of(first).traces + 0.1


def test_coarser_steps_are_told():
    fine, coarse = (generations_of(jpeg(scene(0), quality=q)).coarseness for q in (90, 60))
    assert 0 < fine < coarse
    assert generations_of(png(scene(0))).coarseness == 0


def test_only_an_exif_block_with_a_maker_or_a_model_names_a_camera():
    exif = Image.Exif()
    exif[0x0131] = "a program"
    assert not generations_of(jpeg(scene(0), exif=exif)).camera
    exif[0x0110] = "a model"
    assert generations_of(jpeg(scene(0), exif=exif)).camera


@pytest.mark.parametrize("size", [(3, 2), (63, 64), (1500, 90)])
def test_pictures_of_any_size_tell_something(size):
    for data in (jpeg(scene(0).resize(size)), png(scene(0).resize(size))):
        assert generations_of(data).traces >= 0


def test_other_formats_and_damaged_files_tell_nothing():
    good = jpeg(scene(0))
    assert generations_of(encode(scene(0), "WEBP")) == Generations()
    assert generations_of(b"") == Generations()
    for cut in (4, 100, 300, len(good) // 2):
        assert generations_of(good[:cut]).traces == 0
