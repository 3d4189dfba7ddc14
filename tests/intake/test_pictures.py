"""Pictures of the new folder: size, direction, colours; what cannot be a picture."""

import errno
import io
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imgbatch.errors import OutputError
from imgbatch.intake import pictures
from imgbatch.intake.records import Fit
from tests.drawing import corners, encode, jpeg, photo, png, turned
from tests.intake.making import kept_rows, made, pictures_in, write_table

sides = st.integers(1, 60)


def prepared(tmp_path, data, name="a.jpg", **options):
    """The only picture that is made of a file."""
    source = tmp_path / "source"
    source.mkdir()
    (source / name).write_bytes(data)
    table = write_table(tmp_path / "table.csv", [{"path": name}])
    done = made(table, tmp_path / "to", source, **options)
    assert done.dropped == {}
    ((path, written),) = pictures_in(tmp_path / "to").items()
    assert kept_rows(tmp_path / "to")[0]["file_name"] == path
    return path, written


@given(sides, sides, sides, sides, st.sampled_from(Fit))
def test_every_picture_comes_to_exactly_the_size(width, height, new_width, new_height, fit):
    picture = np.full((height, width, 3), 77, np.uint8)
    fitted = pictures.fit_picture(picture, (new_width, new_height), fit, (255, 0, 0))
    assert fitted.shape == (new_height, new_width, 3)
    is_picture = (fitted == 77).all(axis=2)
    if fit is Fit.CONTAIN:
        rows, columns = is_picture.any(axis=1).sum(), is_picture.any(axis=0).sum()
        assert is_picture.sum() == rows * columns
        assert rows == new_height or columns == new_width
        assert (fitted[~is_picture] == (255, 0, 0)).all()
    else:
        assert is_picture.all()


def test_cover_keeps_the_middle_and_the_proportions():
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 200
    fitted = pictures.fit_picture(picture, (50, 50), Fit.COVER, (0, 0, 0))
    assert fitted.min() == 200


def test_shrinking_averages_so_that_fine_stripes_become_grey():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    fitted = pictures.fit_picture(stripes, (90, 90), Fit.STRETCH, (0, 0, 0))
    assert abs(fitted.astype(float).mean() - 127.5) < 2
    assert fitted.std() < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright_whatever_exif_says(orientation, tmp_path):
    image, exif = turned(corners(), orientation)
    _, data = prepared(tmp_path, jpeg(image, exif=exif.tobytes()), size=(48, 32))
    with Image.open(io.BytesIO(data)) as written:
        assert written.size == (48, 32)
        assert written.getexif().get(0x0112, 1) == 1
        pixels = np.asarray(written)
    for (y, x), color in {(4, 4): 0, (4, 44): 1, (28, 4): 2}.items():
        assert pixels[y, x].argmax() == color


@pytest.mark.parametrize(
    "image",
    [photo(1).convert("L"), photo(1).convert("CMYK"), photo(1).convert("P")],
    ids=["grey", "CMYK", "palette"],
)
def test_every_kind_of_picture_becomes_rgb(image, tmp_path):
    form = "JPEG" if image.mode != "P" else "PNG"
    path, data = prepared(tmp_path, encode(image, form), name="a.png", size=(40, 30))
    assert path == "images/a.jpg"
    with Image.open(io.BytesIO(data)) as written:
        assert (written.mode, written.size, written.format) == ("RGB", (40, 30), "JPEG")


def test_transparent_pixels_show_the_background(tmp_path):
    clear = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    _, data = prepared(tmp_path, png(clear), name="a.png", size=(30, 30))
    with Image.open(io.BytesIO(data)) as written:
        assert np.asarray(written).min() > 250


def test_without_a_size_files_are_copied_to_the_byte(tmp_path):
    image, exif = turned(corners(), 6)
    data = jpeg(image, exif=exif.tobytes())
    assert prepared(tmp_path, data, name="a.JPG") == ("images/a.JPG", data)


def test_a_large_picture_is_decoded_smaller_and_looks_as_if_it_were_not(tmp_path):
    image = photo(3, 1600, 1200, noise=0)
    _, data = prepared(tmp_path, jpeg(image), size=(100, 75))
    with Image.open(io.BytesIO(data)) as written:
        wanted = np.asarray(image.resize((100, 75), Image.Resampling.BOX), float)
        assert np.abs(np.asarray(written, float) - wanted).mean() < 4


def test_names_that_would_be_equal_become_unlike(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    names = ("a.jpg", "a.png", "A.jpeg", "\u00e9.jpg", "\u00c9.jpg", "e\u0301.jpg", "stra\u00dfe.jpg",
             "STRASSE.jpg")  # fmt: skip
    for number, name in enumerate(names):
        (source / name).write_bytes(png(photo(number)))
    rows = [{"path": name} for name in names]
    made(write_table(tmp_path / "table.csv", rows), tmp_path / "to", source, size=(32, 32))
    written = pictures_in(tmp_path / "to")
    assert len({unicodedata.normalize("NFC", name).casefold() for name in written}) == len(names)
    assert len(set(written.values())) == len(names)
    assert all(row["file_name"] in written for row in kept_rows(tmp_path / "to"))


def test_a_name_that_the_file_system_refuses_costs_one_row(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.jpg").write_bytes(jpeg(photo(1)))

    def refuse(*_):
        raise OSError(errno.ENAMETOOLONG, "File name too long")

    monkeypatch.setattr(pictures.os, "replace", refuse)
    table = write_table(tmp_path / "table.csv", [{"path": "a.jpg"}])
    monkeypatch.setattr("imgbatch.files.atomic.Path.replace", lambda old, new: old.rename(new))
    assert made(table, tmp_path / "to", source).dropped == {"bad-name": 1}


def test_a_full_disk_ends_the_run_and_leaves_no_half_file(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for number in range(36):
        (source / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    rows = [{"path": f"{number}.jpg"} for number in range(36)]
    table = write_table(tmp_path / "table.csv", rows)
    real, written = pictures.os.replace, []

    def full(draft, target):
        if len(written) == 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(target)
        real(draft, target)

    monkeypatch.setattr(pictures.os, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        made(table, tmp_path / "to", source)
    assert not (tmp_path / "to" / "metadata.csv").exists()
    assert len(pictures_in(tmp_path / "to")) == 20
    monkeypatch.setattr(pictures.os, "replace", real)
    done = made(table, tmp_path / "to", source)
    assert (done.kept, done.made) == (36, 20)  # a chunk of 16 was noted
