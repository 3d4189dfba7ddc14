"""``explain``, and the shares of a distance in the tables and JSON of other commands."""

import numpy as np
import pytest
from PIL import Image

from tests.commands import run_in_this_process


@pytest.fixture
def photos(tmp_path, monkeypatch):
    random = np.random.default_rng(11)
    folder = tmp_path / "photos"
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
        for number in range(4):
            pixels = random.integers(0, 256, (6, 6, 3)).astype(np.uint8)
            name = folder / kind / f"{kind}-{number}.png"
            Image.fromarray(pixels).resize((90, 60)).save(name)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return folder


def run(*arguments, code=0, **environment):
    answer = run_in_this_process(*arguments, env=environment)
    assert answer.code == code, answer.err
    return answer


def explained(*arguments, **environment):
    return run("explain", *arguments, "--json", **environment).json


def test_explain_prints_a_table_and_writes_an_opaque_picture(photos, tmp_path):
    a, b = photos / "cats" / "cats-0.png", photos / "cats" / "cats-1.png"
    result = run("explain", a, b)
    assert "hsv (colour)" in result.out
    assert "hash" in result.out
    made = list((tmp_path / "work" / "imgbatch-out").iterdir())
    assert len(made) == 1
    assert made[0].name.startswith("explain-cats-0-cats-1-")
    with Image.open(made[0]) as picture:
        assert picture.format == "JPEG"
        assert picture.mode == "RGB"
        assert picture.getpixel((2, 2)) == pytest.approx((0xEC, 0xEC, 0xEC), abs=2)


def test_the_same_request_writes_the_same_file_anew(photos, tmp_path):
    a, b = photos / "cats" / "cats-0.png", photos / "dogs" / "dogs-1.png"
    first = explained(a, b)["picture"]
    assert explained(a, b)["picture"] == first
    assert explained(a, b, "--emphasis", "shape")["picture"] != first
    assert len(list((tmp_path / "work" / "imgbatch-out").iterdir())) == 2


def test_json_splits_the_distance_by_descriptor(photos):
    found = explained("cats/cats-0.png", "dogs/dogs-1.png", "--folder", photos)
    parts = found["descriptors"]
    assert {part["name"] for part in parts} == {"hsv", "hog", "phash"}
    assert sum(part["share"] for part in parts) == pytest.approx(1, abs=1e-4)
    weights = {part["name"]: part["weight"] for part in parts}
    assert weights == {"hsv": 0.4, "hog": 0.57, "phash": 0.03}
    total = sum(part["squared_distance"] for part in parts)
    assert found["distance"] == pytest.approx(total**0.5, abs=1e-4)
    assert [image["relative"] for image in found["images"]] == [
        "cats/cats-0.png",
        "dogs/dogs-1.png",
    ]
    assert 0 <= found["hash_bits_apart"] <= 64


@pytest.mark.parametrize("emphasis", ["color", "extended", "best"])
def test_presets_are_explained_by_all_their_descriptors(photos, emphasis):
    found = explained(
        "cats/cats-0.png", "cats/cats-1.png", "--folder", photos, "--emphasis", emphasis
    )
    assert len(found["descriptors"]) == {"color": 3, "extended": 5, "best": 8}[emphasis]


def test_descriptors_switched_off_are_not_drawn(photos, tmp_path):
    config = tmp_path / "hash.toml"
    config.write_text("[weights]\nhsv = 0.0\nhog = 0.0\nphash = 1.0\n")
    a, b = photos / "cats" / "cats-0.png", photos / "cats" / "cats-1.png"
    found = explained(a, b, "--config", config)
    assert [part["name"] for part in found["descriptors"]] == ["phash"]


def test_without_a_folder_an_indexed_one_that_holds_both_is_taken(photos):
    a, b = photos / "cats" / "cats-0.png", photos / "dogs" / "dogs-1.png"
    assert explained(a, b)["folder"] == str(photos / "cats")  # nothing is indexed yet
    run("index", photos)
    assert explained(a, b)["folder"] == str(photos)
    assert explained(a, photos / "cats" / "cats-1.png")["folder"] == str(photos / "cats")


def test_an_image_is_no_distance_from_itself(photos):
    a = photos / "cats" / "cats-0.png"
    found = explained(a, a)
    assert found["distance"] == 0
    assert all(part["share"] == 0 for part in found["descriptors"])


def test_no_picture_option_draws_no_picture(photos, tmp_path):
    a, b = photos / "cats" / "cats-0.png", photos / "cats" / "cats-1.png"
    assert explained(a, b, "--no-picture")["picture"] is None
    assert not (tmp_path / "work" / "imgbatch-out").exists()


@pytest.mark.parametrize("ending", [".jpg", ".webp", ".png"])
def test_the_ending_decides_the_format(photos, tmp_path, ending):
    a, b = photos / "cats" / "cats-0.png", photos / "cats" / "cats-1.png"
    target = tmp_path / f"out{ending}"
    run("explain", a, b, "-o", target)
    with Image.open(target) as picture:
        assert picture.format == {".jpg": "JPEG", ".webp": "WEBP", ".png": "PNG"}[ending]


def test_a_page_and_pictures_are_written_side_by_side(photos, tmp_path):
    a, b = photos / "cats" / "cats-0.png", photos / "dogs" / "dogs-1.png"
    targets = [tmp_path / name for name in ("why.html", "why.png", "why.webp")]
    found = explained(a, b, *(word for path in targets for word in ("-o", path)))
    assert [file["path"] for file in found["files"]] == list(map(str, targets))
    assert found["picture"] == str(targets[1])
    assert not (tmp_path / "work" / "imgbatch-out").exists()
    page = targets[0].read_text(encoding="utf-8")
    assert page.count("<img ") == 2 * 4  # of each: the picture, colours, shape, hash
    assert f"{found['hash_bits_apart']} of 64" in page


def test_without_pictures_a_page_is_made_all_the_same(photos, tmp_path):
    page, sheet = tmp_path / "one.html", tmp_path / "one.png"
    answer = run("explain", photos / "cats" / "cats-0.png", photos / "dogs" / "dogs-1.png",
                 "-o", page, "-o", sheet, "--no-picture")  # fmt: skip
    assert "no picture is made" in answer.err
    assert page.exists()
    assert not sheet.exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("cats/none.png", "cats/cats-1.png"), "none.png"),
        (("cats/cats-0.png", "cats/cats-1.png", "-o", "{photos}/cats/why.png"), "-o"),
        (("cats/cats-0.png", "cats/cats-1.png", "-o", "why.txt"), "why.txt"),
        (("cats/cats-0.png", "cats/cats-1.png", "--emphasis", "smell"), "smell"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(photos, arguments, named):
    filled = [argument.format(photos=photos) for argument in arguments]
    result = run("explain", *filled, "--folder", photos, code=2)
    assert result.out == ""
    assert len(result.err.strip().splitlines()) == 1
    assert named in result.err


def test_a_missing_file_without_a_folder_is_named(photos):
    result = run("explain", photos / "none.png", photos / "cats" / "cats-0.png", code=2)
    assert "none.png" in result.err


def test_the_image_folder_stays_as_it_was(photos, monkeypatch):
    monkeypatch.chdir(photos)
    before = sorted(path for path in photos.rglob("*"))
    found = explained("cats/cats-0.png", "cats/cats-1.png", "--folder", ".")
    assert sorted(path for path in photos.rglob("*")) == before
    assert "cache" in found["picture"]


def test_explain_fits_a_narrow_terminal(photos):
    a, b = photos / "cats" / "cats-0.png", photos / "cats" / "cats-1.png"
    narrow = run("explain", a, b, "--no-picture", COLUMNS="40").out
    table = [line for line in narrow.splitlines() if line[:1] in "│┃┏└"]
    assert table
    assert max(map(len, table)) <= 40


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_json_of_a_set_says_why(photos, mode):
    document = run(mode, photos, "-n", 4, "--seed", 2, "--json").json
    for image in document["images"]:
        if image["anchor"] or not image["score"]:
            assert image["why"] == {}
        else:
            assert set(image["why"]) == {"hsv", "hog", "phash"}
            assert sum(image["why"].values()) == pytest.approx(1, abs=1e-4)
        assert "shares" not in image


def test_the_table_shows_shares_as_letters_where_there_is_no_colour(photos):
    wide = run("different", photos, "-n", 3, "--no-sheet", COLUMNS="80", NO_COLOR="1").out
    assert "c colour  s shape  h hash" in wide
    narrow = run("different", photos, "-n", 3, "--no-sheet", COLUMNS="60").out
    assert "c colour" not in narrow
