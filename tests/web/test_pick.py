"""Similar and different sets on the page: the same as the terminal's, kept by their address."""

import re

import pytest


def names(html):
    return re.findall(r'alt="([^"]+)"', html)


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_an_address_without_a_seed_leads_to_one_that_repeats_the_set(served, mode):
    reply = served.get(f"/{mode}?n=4")
    assert reply.status == 303
    assert re.fullmatch(rf"/{mode}\?n=4&seed=\d+", reply.headers["Location"])
    first, again = served.follow(reply).text, served.follow(reply).text
    assert names(first) == names(again)
    assert len(names(first)) == 4


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_the_page_shows_what_the_shown_command_gives(served, cli, mode):
    html = served.get(f"/{mode}?n=5&seed=11").text
    command = re.search(r'class="command"><code>(.*?)</code>', html)[1]
    words = command.replace("&#39;", "'").split()[1:]
    answer = cli(*words, "--json", "--no-sheet", "--index", served.source.index)
    images = answer.json["images"]
    folder = str(served.source.folder)
    assert names(html) == [one["path"].removeprefix(f"{folder}/") for one in images]
    for one in images:
        if one["score"]:
            assert f"</span>{one['score']:.3f}</span>" in html


def test_a_click_on_an_image_shows_more_like_it(served):
    path = served.site.photos.records[5].path
    html = served.get(f"/similar?like={served.id_of(path)}&n=3").text
    assert names(html)[0] == path
    assert "anchor" in html
    assert "--like" in html


def test_a_set_by_tags_and_one_with_near_duplicates_can_be_asked_for(served):
    html = served.get("/similar?n=2&seed=3&by=tags").text
    assert "--by tags" in html
    assert "--keep-duplicates" in served.get("/different?n=2&seed=3&duplicates=1").text


def test_an_image_that_is_not_there_is_told_in_a_sentence(served):
    reply = served.get("/similar?like=3-000000000000")
    assert reply.status == 404
    assert "no longer" in reply.text


@pytest.mark.slow
def test_keys_enlarge_pick_anew_and_fill_the_basket(own_page, open_tab):
    page = open_tab(own_page, "/similar?n=4&seed=2")
    page.press("ArrowRight", "ArrowRight", "x")
    page.wait("document.getElementById('in-basket')?.textContent === '1'")
    assert len(own_page.site.basket) == 1
    page.press("z")
    assert page.is_open("enlarged")
    assert "/pictures/" in page.tab.locator("#enlarged img").get_attribute("src")
    page.press("ArrowRight", "x")
    page.wait("document.getElementById('in-basket')?.textContent === '2'")
    page.press("Escape")
    page.press("x")  # takes the same one out again
    page.wait("document.getElementById('in-basket')?.textContent === '1'")
    before = page.ask("location.search")
    page.press("n")
    page.wait(
        "(before) => location.search !== before && document.readyState === 'complete'", before
    )
    page.press("u")
    page.wait("document.getElementById('in-basket')?.textContent === '2'")
    assert page.complaints == []


@pytest.mark.slow
def test_single_letters_can_be_turned_off_and_stay_off(own_page, open_tab):
    page = open_tab(own_page, "/similar?n=4&seed=2")
    page.press("?")
    page.tab.uncheck("#single-keys")
    page.press("Escape", "ArrowRight", "x", "n")
    page.tab.reload()
    assert not page.ask("document.getElementById('single-keys').checked")
    assert page.ask("location.search") == "?n=4&seed=2"
    assert len(own_page.site.basket) == 0


@pytest.mark.slow
def test_enter_on_a_picture_shows_more_like_it(served, open_tab):
    page = open_tab(served, "/similar?n=4&seed=2")
    page.press("ArrowRight", "ArrowRight")
    name = page.focused()
    page.press("Enter")
    page.tab.wait_for_url("**/similar?like=*")
    assert page.tab.locator(".card img").first.get_attribute("alt") == name


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/similar?n=4&seed=2", "/map", "/images", "/basket"])
def test_a_key_acts_once_on_every_screen_and_says_what_it_did(own_page, open_tab, path):
    own_page.look(path)
    own_page.site.basket.add(["one", "two"])
    own_page.site.basket.add(["three"])
    page = open_tab(own_page, path)
    page.wait("!document.querySelector('main progress') && document.readyState === 'complete'")
    page.press("u")
    page.wait("document.getElementById('told')?.textContent === 'Undone.'")
    page.tab.wait_for_timeout(200)
    sent = [url for url in page.requests if url.endswith("/basket/change")]
    assert len(sent) == 1
    assert own_page.site.basket.paths == ("one", "two")
