"""All images: filtered, sorted, in pages, and put into the basket by their filter."""

import re
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import imgbatch
from imgbatch.web.listing import Wanted, oddness, rows_of, strings_with
from tests.commands import ROOT
from tests.drawing import write_photos
from tests.web.serving import Served

CONFIG = imgbatch.load_config(ROOT / "config.toml").config


def shown(reply):
    """The paths of the images of a page, in their order."""
    assert reply.status == 200, reply.text
    return re.findall(r'<img [^>]*alt="([^"]*)"', reply.text)


def test_all_images_stand_in_the_order_of_their_paths(served):
    reply = served.get("/images")
    assert shown(reply) == list(served.site.photos.records.all_paths())
    assert "<title>24 images" in reply.text


def test_pages_hold_every_image_once_and_lead_to_each_other(served):
    seen, address = [], "/images?size=10"
    for _ in range(3):
        reply = served.get(address)
        seen += shown(reply)
        following = re.search(r'href="([^"]*)" data-key="]"', reply.text)
        address = following[1].replace("&amp;", "&") if following else None
    assert address is None
    assert seen == list(served.site.photos.records.all_paths())


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("label=class1", 8),
        ("label=class1&label=class2", 16),
        ("label=class1&label=", 8),
        ("words=CLASS2/", 8),
        ("words=class+image001", 1),
        ("tag=landscape", 24),
        ("tag=landscape&without_tag=landscape", 0),
        ("words=nothing-of-this-name", 0),
    ],
)
def test_filters_choose_images(served, query, count):
    assert len(shown(served.get(f"/images?{query}"))) == count


def test_filters_that_no_image_passes_are_said(served):
    reply = served.get("/images?words=nothing-of-this-name")
    assert (reply.status, "No image passes" in reply.text) == (200, True)
    assert "0 of 24 images" in reply.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("page=4&size=10", "give 1 to 3"),
        ("page=0", "give 1 to 1"),
        ("page=x", "whole number"),
        ("size=501", "give 1 to 500"),
        ("sort=beauty", "sort is"),
        ("label=clas1", "near it are"),
        ("without_tag=nosuch", "no image has the tag"),
        ("sort=sharpness", "is not known of any image"),
        ("sort=random&seed=-1", "give 0"),
    ],
)
def test_wrong_values_are_told_in_a_sentence(served, query, said):
    reply = served.get(f"/images?{query}")
    assert (reply.status, said in reply.text) == (400, True), reply.text[-2000:]
    assert "Traceback" not in reply.text


def test_sorted_images_are_those_of_their_values(served):
    photos = served.site.photos
    by_light = np.argsort(-photos.quantities()["lightness"], kind="stable")
    paths = [photos.records[row].path for row in by_light]
    assert shown(served.get("/images?sort=lightness")) == paths
    sizes = [record.width * record.height for record in photos.records]
    largest = shown(served.get("/images?sort=size&size=1"))
    assert sizes[photos.records.row_of(largest[0])] == max(sizes)


def test_reversed_paths_and_seeded_chance(served):
    paths = list(served.site.photos.records.all_paths())
    assert shown(served.get("/images?reverse=1")) == paths[::-1]
    once, again, other = (shown(served.get(f"/images?sort=random&seed={n}")) for n in (1, 1, 2))
    assert once == again != other
    assert sorted(once) == sorted(other) == paths


def test_the_image_unlike_all_others_comes_first(tmp_path):
    photos = write_odd(tmp_path / "photos")
    served = Served(photos, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        assert shown(served.look("/images?sort=odd"))[0] == "odd.jpg"
    finally:
        served.stop()


def write_odd(folder):
    """One picture in ten sizes, and another one."""
    first, second = write_photos(folder, 2)
    (folder / second).rename(folder / "odd.jpg")
    with Image.open(folder / first) as picture:
        for side in range(300, 400, 10):
            picture.resize((side, side)).save(folder / f"like{side}.jpg")
    return folder


def test_oddness_is_the_distance_to_the_fifth_nearest(indexed):
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    points = np.asarray(photos.points, np.float64)
    apart = np.sort(np.linalg.norm(points[:, None] - points, axis=2), axis=1)
    assert oddness(photos, lambda *_: None) == pytest.approx(apart[:, 5], abs=1e-3)


def test_all_images_of_a_filter_go_to_the_basket_and_back(own_page):
    form = {"label": [], "words": "image00", "sort": "path", "back": "/images?words=image00"}
    reply = own_page.follow(own_page.post("/images/basket", form))
    found = shown(reply)
    assert f"{len(found)} added to the basket." in reply.text
    assert list(own_page.site.basket.paths) == found


def test_no_more_than_the_limit_go_to_the_basket(own_page, monkeypatch):
    monkeypatch.setattr("imgbatch.web.screens.images._TO_BASKET", 5)
    reply = own_page.follow(own_page.post("/images/basket", {"back": "/images"}))
    assert "The first 5 of 12 images were taken: 5 added to the basket." in reply.text
    assert len(own_page.site.basket) == 5
    assert "Put the first 5 in the basket" in reply.text


def test_names_of_any_bytes_are_shown_found_and_taken(tmp_path):
    folder = tmp_path / "photos"
    write_photos(folder, 3)
    hostile = ["<script>alert(1)</script>", "caf\udce9", "a&b\n\"'", "ÉTÉ"]
    for name, image in zip(hostile, ["image000.jpg"] * 4, strict=True):
        (folder / f"{name.replace('/', '_')}.jpg").write_bytes((folder / image).read_bytes())
    served = Served(folder, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        reply = served.get("/images")
        assert len(shown(reply)) == 7
        assert "<script>alert" not in reply.text
        assert "caf\\xe9.jpg" in reply.text
        assert shown(served.get(f"/images?words={quote('été')}")) == ["ÉTÉ.jpg"]
        served.post("/images/basket", {"words": "caf"})
        assert served.site.basket.paths == ("caf\udce9.jpg",)
    finally:
        served.stop()


WORDS = st.text("abÉé ./", max_size=6)


@given(st.lists(WORDS, max_size=8), st.text("abÉé./", min_size=1, max_size=3))
def test_words_are_found_inside_each_string_alone(strings, word):
    encoded = [string.encode() for string in strings]
    packed = np.frombuffer(b"".join(encoded), np.uint8)
    ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
    forms = {word, word.lower(), word.upper(), word.capitalize()}
    small = {re.sub("[A-Z]", lambda m: m[0].lower(), form) for form in forms}
    naive = [
        any(form in re.sub("[A-Z]", lambda m: m[0].lower(), string) for form in small)
        for string in strings
    ]
    assert strings_with(packed, ends, word).tolist() == naive


def test_words_in_texts_count_as_words_in_paths(photos, tmp_path):
    (photos / "captions.csv").write_text(
        "file_name,text\nimage001.jpg,A red Bus\nimage002.jpg,a bus stop\n"
    )
    opened = imgbatch.load(photos, index=tmp_path / "index")
    assert rows_of(opened, Wanted(words="bus")).tolist() == [1, 2]
    assert rows_of(opened, Wanted(words="bus image001")).tolist() == [1]


def test_many_classes_are_offered_as_a_text_field(photos, tmp_path):
    write_photos(photos, 60)
    rows = "".join(f"image{n:03}.jpg,kind {n}\n" for n in range(60))
    (photos / "metadata.csv").write_text(f"file_name,label\n{rows}")
    served = Served(photos, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        text = served.get("/images?label=kind+7").text
        assert '<input name="label" list="label-names"' in text
        assert '<input type="checkbox" name="label" value="kind 7" checked>' in text
        assert shown(served.get("/images?label=kind+7&label=kind+9")) == [
            "image007.jpg",
            "image009.jpg",
        ]
    finally:
        served.stop()


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_filters_and_pages_work_in_a_browser(served, open_tab, script):
    opened = open_tab(served, "/images?size=5", java_script_enabled=script)
    tab = opened.tab
    tab.get_by_role("combobox", name="Class").select_option("class2")
    tab.get_by_role("button", name="Show").click()
    tab.get_by_role("link", name="Next").first.click()
    assert tab.locator(".card").count() == 3
    tab.get_by_label("Class: class2").uncheck()
    tab.get_by_role("button", name="Show").click()
    assert tab.locator("h1").inner_text() == "24 images"
    if script:
        tab.keyboard.press("]")
        tab.wait_for_url("**page=2")
    assert opened.complaints == []
