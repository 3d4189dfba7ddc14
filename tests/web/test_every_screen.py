"""What holds for every screen: it works without a script, fits any width, bars nobody."""

import pytest

from imgbatch.web.screens import SCREENS
from tests.browsers import barriers

MENU = [screen.path for screen in SCREENS if screen.group]
EACH = pytest.mark.parametrize("path", MENU)


def ready(tab, *, state="load"):
    """Wait until work in the background is done and the page stands."""
    tab.wait_for_selector("main:not(:has(progress))", timeout=60_000)
    tab.wait_for_load_state(state)


@EACH
def test_the_menu_names_every_screen_and_marks_the_one_that_is_shown(served, path):
    reply = served.get(path)
    reply = served.follow(reply) if reply.status == 303 else reply
    for other in MENU:
        assert f'href="{other}"' in reply.text
    assert reply.text.count('aria-current="page"') == 1


@pytest.mark.parametrize("path", [*MENU, "/nothing"])
def test_no_value_of_an_address_shows_the_inside_of_the_program(served, path):
    for query in (
        "n=0", "n=-1", "n=1e9", "n=99999999999999999999", "seed=x", "seed=-1", "page=0", "page=-3",
        "like=0-000000000000", "a=nonsense", "id=%00", "group=abc", "size=%E2%82%AC", "epoch=-1",
        "by=%3Cscript%3E", "color=none", "level=%ff", "sort=;drop", "label=%ed%b3%a9", "tag=%00",
    ):  # fmt: skip
        reply = served.look(f"{path}?{query}")
        assert reply.status in {200, 303, 400, 404}, (query, reply.status)
        for insides in ("Traceback", "File &#34;", "Error:", "inside imgbatch", "<script>"):
            assert insides not in reply.text, query


@pytest.mark.slow
@EACH
def test_nothing_is_wrong_in_the_browser_and_nothing_is_loaded_from_elsewhere(
    served, open_tab, path
):
    page = open_tab(served, path)
    ready(page.tab, state="networkidle")
    assert page.complaints == []
    assert all(
        url.startswith((f"http://{served.host}/", "data:", "blob:")) for url in page.requests
    )
    assert page.ask("getComputedStyle(document.body).margin") == "0px"
    page.ask("[...document.images].forEach((one) => { one.loading = 'eager'; })")
    page.wait("[...document.images].every((one) => one.complete)")
    pictures = page.ask("[...document.querySelectorAll('main img')].map((one) => one.naturalWidth)")
    assert all(pictures)


@pytest.mark.slow
@EACH
def test_axe_finds_no_barrier(served, open_tab, path):
    page = open_tab(served, path)
    ready(page.tab)
    assert barriers(page.tab) == []


@pytest.mark.slow
@EACH
def test_a_page_says_the_same_without_its_scripts(served, open_tab, path):
    with_scripts = open_tab(served, path)
    ready(with_scripts.tab)
    bookmark = with_scripts.ask("location.pathname + location.search")
    without = open_tab(served, bookmark, java_script_enabled=False)
    for selector in ("main h2", "main figcaption", "main td", "main dd", "main .card img"):
        expected = with_scripts.tab.locator(selector).count()
        assert without.tab.locator(selector).count() == expected, selector
    assert without.tab.locator("main").is_visible()


@pytest.mark.slow
@EACH
def test_no_width_is_scrolled_sideways(served, open_tab, path):
    page = open_tab(served, path)
    ready(page.tab)
    for width in (320, 390, 768, 1280, 2560):
        page.tab.set_viewport_size({"width": width, "height": 900})
        assert page.ask("document.documentElement.scrollWidth") <= width, width


@pytest.mark.slow
@EACH
def test_what_can_be_pressed_can_be_touched_and_reached_by_keyboard(served, open_tab, path):
    page = open_tab(served, path, viewport={"width": 390, "height": 844}, has_touch=True)
    ready(page.tab)
    small = page.ask("""() => [...document.querySelectorAll("main button, main select, main input, .menu a")]
        .filter((one) => one.checkVisibility() && one.type !== "hidden" && one.type !== "checkbox")
        .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
        .filter(([, box]) => box.height < 24 || box.width < 24).map(([html]) => html)""")
    assert small == []
    page.press("Tab")
    assert page.focused() == "Skip to the content"
    page.press("Enter")
    assert page.ask("location.hash") == "#content"


@pytest.mark.slow
def test_forced_colours_and_reduced_motion_leave_pictures_and_focus_to_be_seen(served, open_tab):
    page = open_tab(served, "/similar?seed=1", forced_colors="active", reduced_motion="reduce")
    ready(page.tab)
    page.tab.locator(".card a.zoom").first.focus()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    page.press("ArrowRight")
    assert page.ask(outline) == "solid"
    bars = "getComputedStyle(document.querySelector('.bar')).forcedColorAdjust"
    assert page.ask(bars) == "none"
