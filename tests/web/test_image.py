"""The page of one image: what is known of it, its nearest others, ways on."""

import os
from urllib.parse import urlencode

import pytest

import imgbatch
from tests.commands import ROOT
from tests.drawing import write_photos
from tests.web.serving import Served
from tests.web.test_images import shown

CONFIG = imgbatch.load_config(ROOT / "config.toml").config


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Six photos: hostile names, a copy, texts and tags."""
    base = tmp_path_factory.mktemp("described")
    folder = base / "photos"
    names = write_photos(folder, 4)
    (folder / "<i>copy & more.jpg").write_bytes((folder / names[1]).read_bytes())
    (folder / "caf\udce9.jpg").write_bytes((folder / names[1]).read_bytes())
    (folder / "metadata.csv").write_text(
        'file_name,label,tags,text\nimage000.jpg,"a & <b>","x&y;sea","<script>alert(1)</script>"\n'
    )
    served = Served(folder, base / "index", base / "saved.csv", CONFIG)
    yield served
    served.stop()


def page_of(served, path, more=""):
    return served.look(f"/image?id={served.id_of(path)}{more}")


def test_all_that_is_known_is_told_and_leads_on(described):
    text = page_of(described, "image000.jpg").text
    for told in ("120 × 90 pixels", "&lt;script&gt;alert(1)", "a &amp; &lt;b&gt;"):
        assert told in text
    assert "<script>alert" not in text
    for name, value in (("label", "a & <b>"), ("tag", "x&y"), ("tag", "sea")):
        address = f"/images?{urlencode({name: value})}"
        assert f'href="{address}"' in text
        assert shown(described.get(address)) == ["image000.jpg"]


def test_the_nearest_others_are_those_of_the_library(described):
    like = os.path.join(described.source.folder, "image002.jpg")
    photos = described.site.photos
    near = photos.similar(6, like=like, keep_duplicates=True).images[1:]
    found = shown(page_of(described, "image002.jpg"))
    assert found[0] == "image002.jpg"
    assert [name.replace("\\xe9", "\udce9").replace("&lt;", "<").replace("&gt;", ">")
            .replace("&amp;", "&") for name in found[1:]] == [one.relative for one in near]  # fmt: skip


def test_copies_are_looked_for_on_request(described):
    assert "Near-duplicates" not in page_of(described, "image001.jpg").text
    text = page_of(described, "image001.jpg", "&copies=1").text
    section = text.partition("Near-duplicates")[2].partition("Nearest")[0]
    assert "copy &amp; more.jpg" in section
    assert "caf\\xe9.jpg" in section
    assert "There are none." in page_of(described, "image003.jpg", "&copies=1").text


def test_names_of_any_bytes_have_a_page(described):
    reply = page_of(described, "caf\udce9.jpg")
    assert (reply.status, "caf\\xe9.jpg" in reply.text) == (200, True)


def test_the_path_before_and_the_path_after_are_linked(described):
    text = page_of(described, "image001.jpg").text
    for path in ("image000.jpg", "image002.jpg"):
        assert f'href="/image?id={described.id_of(path)}"' in text
    first = described.site.photos.records[0].path
    assert 'aria-disabled="true">Previous' in page_of(described, first).text


@pytest.mark.parametrize("name", ["", "0", "0-000000000000", "%00", "../x"])
def test_no_image_has_such_a_page(described, name):
    reply = described.get(f"/image?id={name}")
    assert (reply.status, "Traceback" in reply.text) == (404, False)


def test_a_file_that_is_gone_is_told(own_page):
    path = own_page.site.photos.paths[0]
    os.unlink(path)
    reply = own_page.get(f"/image?id={own_page.site.id_of(0)}")
    assert "The file is gone" in reply.text


@pytest.mark.slow
def test_keys_lead_through_the_folder_and_the_basket(own_page, open_tab):
    opened = open_tab(own_page, f"/image?id={own_page.site.id_of(0)}")
    opened.press("]")
    opened.tab.wait_for_url(f"**id={own_page.site.id_of(1)}")
    opened.tab.locator(".one-image").get_by_role("button", name="To the basket").click()
    opened.tab.locator('.one-image [aria-pressed="true"]').wait_for()
    assert own_page.site.basket.paths == (own_page.site.photos.records[1].path,)
    assert opened.complaints == []


def test_the_class_of_a_folder_whose_name_is_no_text_leads_on(tmp_path):
    folder = tmp_path / "photos"
    for name, old in zip(("caf\udce9", "cats ", "dogs"), write_photos(folder, 3), strict=True):
        (folder / name).mkdir()
        (folder / old).rename(folder / name / "1.jpg")
    served = Served(folder, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        for path, name in (("caf\udce9/1.jpg", "caf\\xe9"), ("cats /1.jpg", "cats")):
            reply = page_of(served, path)
            address = f"/images?{urlencode({'label': name})}"
            assert f'href="{address}"' in reply.text
            assert shown(served.get(address)) == [path.replace("\udce9", "\\xe9")]
    finally:
        served.stop()
