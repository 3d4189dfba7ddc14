"""Near-duplicates on the page: which image is kept, and what could go."""

import os

import pytest
from PIL import Image

from tests.drawing import settle
from tests.web.conftest import CONFIG
from tests.web.serving import Served

COPIES = ("copy <i>.jpg", "caf\udce9.jpg")


@pytest.fixture
def page(photos, tmp_path):
    """Twelve photos, two equal copies of one, a smaller one of another."""
    for name in COPIES:
        (photos / name).write_bytes((photos / "image000.jpg").read_bytes())
    with Image.open(photos / "image005.jpg") as picture:
        picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(photos / "small.jpg")
    settle(photos)
    served = Served(photos, tmp_path / "index", tmp_path / "out" / "saved.csv", CONFIG)
    yield served
    served.stop()


def in_basket(page):
    return set(page.site.basket.paths)


def groups_of(page, level):
    return [
        {image.relative for image in group.images}
        for group in page.site.photos.duplicates(level).groups
    ]


def test_groups_stand_side_by_side_with_the_kept_one_marked(page):
    text = page.look("/duplicates?level=copies").text
    assert text.count('<article class="group">') == 2
    assert text.count('<strong class="mark">keep</strong>') == 2
    assert text.count("keep this one") == 3
    assert "<i>" not in text
    assert "imgbatch duplicates" in text
    assert "--move-to DIR" in text


def test_all_that_could_go_is_put_into_the_basket_and_no_file_is_moved(page):
    before = sorted(os.listdir(page.source.folder))
    page.look("/duplicates?level=copies")
    reply = page.post("/duplicates/collect", {"level": "copies"})
    assert "holds the 3 images that could go" in page.follow(reply).text
    found = page.site.photos.duplicates("copies")
    extra = {one.relative for group in found.groups for one in group.images if not one.keep}
    assert in_basket(page) == extra
    assert sorted(os.listdir(page.source.folder)) == before


def test_another_image_is_kept_at_a_click_and_never_all_of_a_group_go(page):
    page.look("/duplicates?level=copies")
    page.post("/duplicates/collect", {"level": "copies"})
    kept = [page.id_of(COPIES[1]), page.id_of(COPIES[0])]
    chosen = page.look(f"/duplicates?level=copies&keep={kept[0]}&keep={kept[1]}")
    assert "you chose it" in chosen.text
    assert chosen.text.count(f'name="keep" value="{kept[1]}"') >= 1
    assert f'type="hidden" name="keep" value="{kept[0]}"' not in chosen.text
    page.post("/duplicates/collect", {"level": "copies", "keep": kept})
    assert COPIES[0] not in in_basket(page)
    for group in groups_of(page, "copies"):
        assert len(group - in_basket(page)) == 1
    page.post("/basket/change", {"undo": "1"})
    assert COPIES[0] in in_basket(page)


def test_another_picture_of_a_scene_is_never_said_to_go(page):
    page.look("/duplicates?level=scene")
    page.post("/duplicates/collect", {"level": "scene"})
    found = page.site.photos.duplicates("scene")
    kinds = {one.relative: one.kind for group in found.groups for one in group.images}
    assert all(kinds[path] != "scene" for path in in_basket(page))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/duplicates?level=much", 400),
        ("/duplicates?page=99", 400),
        ("/duplicates?page=x", 400),
        ("/duplicates?keep=0-000000000000", 404),
    ],
)
def test_wrong_values_are_told(page, address, status):
    assert page.look(address).status == status


def test_a_folder_without_duplicates_says_so(served):
    text = served.look("/duplicates?level=exact").text
    assert "There are none." in text
    assert "--move-to" not in text
