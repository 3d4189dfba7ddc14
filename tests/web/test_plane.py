"""The served map: points as numbers, names and pictures on demand, a lasso into the basket."""

import numpy as np
import pytest

import imgbatch
from imgbatch.web.asked import Asked

DRAWN = "document.querySelector('.field > canvas').dataset.frame"


def stamp(page):
    return page.site.stamp


def test_points_are_those_of_the_map_command(served, cli):
    data = served.look("/map/points").body
    n = len(served.site.photos)
    assert len(data) == 5 * n
    places = np.frombuffer(data[: 4 * n], "<u2").reshape(n, 2) / 65535
    answer = cli(
        "map", served.source.folder, "--json", "--no-picture", "--index", served.source.index
    ).json
    expected = np.array([[one["x"], one["y"]] for one in answer["images"]])
    assert np.abs(places - expected).max() < 1e-4
    colors = np.frombuffer(data[4 * n :], np.uint8)
    labels = [one["label"] for one in answer["images"]]
    assert len(set(zip(colors.tolist(), labels, strict=True))) == 3


def test_names_come_with_pictures_and_links(served):
    body = {"stamp": stamp(served), "images": "0,5"}
    first, second = served.post("/map/names", body).json
    assert first["name"] == served.site.photos.records[0].path
    assert served.get(second["picture"]).status == 200
    assert served.get(second["link"]).status == 200


def test_words_are_found_in_names_whatever_their_case(served):
    rows = np.frombuffer(served.get("/map/found?words=CLASS1").body, "<u4")
    paths = [served.site.photos.records[int(row)].path for row in rows]
    assert len(paths) == 8
    assert all(path.startswith("class1/") for path in paths)


@pytest.mark.parametrize("words", ["", "%00", "no%20such%20name", "%ff"])
def test_words_that_no_name_holds_find_nothing(served, words):
    reply = served.get(f"/map/found?words={words}")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    ("images", "status"), [("x", 400), ("-1", 400), ("99", 400), ("0," * 800, 400), ("", 200)]
)
def test_rows_that_make_no_sense_are_refused(served, images, status):
    body = {"stamp": stamp(served), "images": images}
    assert served.post("/map/names", body).status == status


@pytest.mark.parametrize("path", ["/map/names", "/map/paths", "/map/basket"])
def test_rows_of_images_that_were_read_again_since_are_refused(served, path):
    reply = served.post(path, {"stamp": "former.0", "images": "1"})
    assert reply.status == 409
    assert "anew" in reply.text


@pytest.fixture
def read_meanwhile(own_page, photos, monkeypatch):
    """Files come before all others, and the folder is read again within each request."""
    known = own_page.site.photos
    body = (photos / known.records[0].path).read_bytes()
    for number in range(3):
        (photos / f"0{number}.jpg").write_bytes(body + bytes([number]))

    def hasten(name):
        asked = getattr(Asked, name)

        def read_after(self, site, *rest):
            found = asked(self, site, *rest)
            site.read_again(refresh=True)
            return found

        monkeypatch.setattr(Asked, name, read_after)

    for name in ("rows", "path"):
        hasten(name)
    return known.records


def test_rows_stay_those_of_the_folder_that_was_shown(own_page, photos, read_meanwhile):
    rows = {"stamp": stamp(own_page), "images": "0,2"}
    wanted = [read_meanwhile[row].path for row in (0, 2)]
    assert own_page.post("/map/basket", rows).status == 200
    assert own_page.site.basket.paths == tuple(wanted)
    assert len(own_page.site.photos) == len(read_meanwhile) + 3


@pytest.mark.parametrize("path", ["/map/names", "/map/paths"])
def test_names_and_paths_are_those_of_the_folder_that_was_shown(own_page, path, read_meanwhile):
    text = own_page.post(path, {"stamp": stamp(own_page), "images": "11"}).text
    assert read_meanwhile[11].path in text
    assert read_meanwhile[8].path not in text


@pytest.mark.parametrize("path", ["/label/give", "/check/answer"])
def test_a_label_is_given_to_the_image_that_was_shown(own_page, path, read_meanwhile):
    shown = read_meanwhile[1].path
    own_page.post(path, {"image": own_page.id_of(shown), "label": "cat"})
    assert own_page.site.saved.given("label") == {shown: "cat"}


@pytest.fixture
def indexed_meanwhile(own_page, photos):
    """Files come before all others, and a command in a terminal brings the index up to date."""
    body = (photos / own_page.site.photos.records[0].path).read_bytes()
    for number in range(3):
        (photos / f"0{number}.jpg").write_bytes(body + bytes([number]))
    former = own_page.site.photos.records
    imgbatch.load(photos, index=own_page.source.index, emphasis="extended")
    assert own_page.site.photos.records == former
    return former


def test_a_map_and_its_rows_are_of_one_folder(own_page, indexed_meanwhile):
    before = stamp(own_page)
    page = own_page.look("/map")
    assert page.status == 200
    after = stamp(own_page)
    assert after != before
    assert f'data-stamp="{after}"' in page.text
    points = own_page.look(f"/map/points?stamp={after}").body
    assert len(points) == 5 * len(own_page.site.photos) == 5 * (len(indexed_meanwhile) + 3)
    assert own_page.get(f"/map/points?stamp={before}").status == 409
    assert own_page.post("/map/basket", {"stamp": before, "images": "2"}).status == 409
    assert own_page.site.basket.paths == ()


def test_an_image_page_is_of_one_image(own_page, indexed_meanwhile):
    shown = own_page.id_of(indexed_meanwhile[5].path)
    own_page.site.give({indexed_meanwhile[1].path: {"label": "cat"}})
    page = own_page.look(f"/image?id={shown}").text
    assert f"<title>{indexed_meanwhile[5].path}" in page
    assert len(own_page.site.photos) == len(indexed_meanwhile) + 3
    assert f'href="/image?id={own_page.id_of(indexed_meanwhile[4].path)}"' in page


def test_a_label_leaves_an_open_map_alone_and_a_new_image_does_not(own_page, photos):
    before = stamp(own_page)
    path = own_page.site.photos.records[0].path
    own_page.site.give({path: {"label": "cat"}})
    with own_page.site.asking():
        assert stamp(own_page) == before
    (photos / "0.jpg").write_bytes((photos / path).read_bytes())
    own_page.site.read_again(refresh=True)
    assert stamp(own_page) != before


def test_paths_are_absolute_and_those_of_several_lines_are_counted(own_page, photos):
    (photos / "a\nb.jpg").write_bytes((photos / own_page.site.photos.records[0].path).read_bytes())
    own_page.site.read_again(refresh=True)
    rows = ",".join(map(str, range(13)))
    reply = own_page.post("/map/paths", {"stamp": stamp(own_page), "images": rows})
    lines = reply.text.splitlines()
    assert reply.headers["X-Left-Out"] == "1"
    assert len(lines) == 12
    assert all(line.startswith(str(photos)) for line in lines)


@pytest.mark.slow
def test_a_lasso_chooses_and_the_choice_goes_into_the_basket(own_page, open_tab):
    own_page.look("/map")
    page = open_tab(own_page, "/map")
    page.wait(f"!!{DRAWN}")
    page.tab.locator(".field").scroll_into_view_if_needed()
    box = page.tab.locator(".field > canvas").bounding_box()
    page.tab.click("[data-do=lasso]")
    page.tab.mouse.move(box["x"] + 2, box["y"] + 2)
    page.tab.mouse.down()
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    for x, y in ((right, box["y"] + 2), (right, bottom), (box["x"] + 2, bottom)):
        page.tab.mouse.move(x, y, steps=3)
    page.tab.mouse.up()
    page.wait("document.querySelector('.map output').textContent === '12 images are chosen.'")
    page.tab.click("[data-do=basket]")
    page.wait("document.getElementById('in-basket').textContent === '12'")
    assert len(own_page.site.basket) == 12
    assert page.complaints == []


@pytest.mark.slow
def test_few_images_are_drawn_as_pictures_and_the_list_leads_to_more_like_one(served, open_tab):
    served.look("/map")
    page = open_tab(served, "/map")
    page.wait(f"!!{DRAWN}")
    page.wait("document.querySelector('.field > canvas').dataset.pictures === '24'")
    page.tab.fill("[name=find]", "class2")
    page.wait("document.querySelectorAll('.map .list button').length === 8")
    page.tab.locator(".map .list button").first.focus()
    page.press("Enter")
    page.wait("document.querySelectorAll('.looked-at li').length === 10")
    assert "class2/" in page.tab.inner_text(".looked-at h3")
    link = page.tab.locator(".looked-at a").get_attribute("href")
    assert link.startswith("/similar?like=")
    assert page.complaints == []
