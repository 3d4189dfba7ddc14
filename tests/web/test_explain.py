"""Explain: two images side by side, one image alone, and ways to choose the second."""

import re

import pytest

from tests.web.test_images import shown


def ids(served, *rows):
    return [served.site.id_of(row) for row in rows]


def test_two_images_show_the_shares_of_the_library(served):
    a, b = ids(served, 2, 11)
    photos = served.site.photos
    explained = photos.explain(photos.paths[2], photos.paths[11])
    text = served.get(f"/explain?a={a}&b={b}").text
    assert f"{explained.distance:.3f}" in text
    for part in explained.parts:
        assert f"<b>{part.share:.0%}</b>" in text
    assert f"{explained.hash_bits_apart} of 64" in text
    command = re.search(r'<pre class="command"><code>([^<]*)', text)[1]
    assert command.startswith(f"imgbatch explain {photos.paths[2]} {photos.paths[11]} --folder")
    assert "--metadata" not in command


def test_one_image_shows_what_is_kept_and_others_to_compare_it_with(served):
    (a,) = ids(served, 5)
    photos = served.site.photos
    near = photos.similar(9, like=photos.paths[5], keep_duplicates=True).images[1:]
    text = served.look(f"/explain?a={a}").text
    assert "What its point keeps" in text
    links = re.findall(rf'href="/explain\?a={a}&amp;b=([^"]+)"', text)
    assert [served.site.row_of(link) for link in links] == [
        photos.records.row_of(image.relative) for image in near
    ]


def test_images_of_the_basket_can_be_compared(own_page):
    first, second = ids(own_page, 1, 7)
    own_page.post("/basket/change", {"add": [first, second]})
    text = own_page.look(f"/explain?a={first}").text
    section = text.partition("one of the basket")[2].partition("</nav>")[0]
    assert f"b={second}" in section
    assert f"b={first}" not in section


def test_nothing_given_explains_a_random_image(own_page):
    seen = {own_page.get("/explain").headers["Location"] for _ in range(40)}
    assert len(seen) > 1
    assert all(own_page.look(address).status == 200 for address in seen)


def test_the_second_image_alone_becomes_the_first(served):
    (b,) = ids(served, 3)
    assert served.get(f"/explain?b={b}").headers["Location"] == f"/explain?a={b}"


@pytest.mark.parametrize("query", ["a=0-000000000000", "a={a}&b=x", "b=%00"])
def test_there_is_no_such_image(served, query):
    reply = served.get(f"/explain?{query.format(a=served.site.id_of(0))}")
    assert (reply.status, "Traceback" in reply.text) == (404, False)


def test_a_file_that_is_gone_is_told(own_page):
    import os

    a, b = ids(own_page, 0, 1)
    os.unlink(own_page.site.photos.paths[0])
    reply = own_page.get(f"/explain?a={a}&b={b}")
    assert (reply.status, "Traceback" in reply.text) == (400, False)
    assert "image000.jpg" in reply.text


def test_names_of_any_bytes_are_explained(own_page):
    folder = own_page.site.photos.folder
    for name in ("caf\udce9.jpg", "<b>&.jpg"):
        with open(f"{folder}/image003.jpg", "rb") as known, open(f"{folder}/{name}", "wb") as file:
            file.write(known.read())
    own_page.site.read_again(refresh=True)
    rows = [own_page.site.photos.records.row_of(name) for name in ("caf\udce9.jpg", "<b>&.jpg")]
    a, b = ids(own_page, *rows)
    reply = own_page.get(f"/explain?a={a}&b={b}")
    assert reply.status == 200
    assert "caf\\xe9.jpg" in reply.text
    assert "<b>&" not in reply.text
    assert len(shown(reply)) > 2


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_an_image_leads_to_its_comparison_in_a_browser(served, open_tab, script):
    opened = open_tab(served, f"/image?id={served.site.id_of(4)}", java_script_enabled=script)
    tab = opened.tab
    tab.get_by_role("link", name="Explain, compare").click()
    tab.wait_for_selector(".to-compare a", timeout=30_000)
    tab.locator(".to-compare a").first.click()
    tab.wait_for_url("**b=*")
    assert tab.locator("text=What sets them apart").count() == 1
    assert opened.complaints == []
