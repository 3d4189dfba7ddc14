"""Pages in a real browser: they load nothing, fit any width, and are used without a mouse."""

from itertools import pairwise

import pytest

from tests.outputs.pages import PAGES

pytestmark = pytest.mark.slow
EACH = pytest.mark.parametrize("kind", PAGES)
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


# ----- what it loads and runs ---------------------------------------------------------------------


@EACH
def test_a_page_asks_for_nothing_and_nothing_is_wrong_with_it(open_page, addresses, kind):
    page = open_page(kind)
    assert page.complaints == []
    others = [url for url in page.requests if not url.startswith("data:image/jpeg;base64,")]
    assert others == [addresses[kind]]
    assert page.ask("getComputedStyle(document.body).margin") == "0px"  # the style has its hash
    assert page.tab.locator("#show-help").is_visible()  # and so has the script
    assert page.ask("[...document.images].every(image => image.naturalWidth > 0)")


def test_a_script_that_finds_its_way_into_a_page_is_not_run(open_page):
    page = open_page("similar")
    assert page.ask("document.documentElement.dataset.ran") is None  # by a hostile name
    page.ask("""() => {
        const script = document.createElement("script");
        script.textContent = "document.documentElement.dataset.ran = 'yes'";
        document.body.append(script);
        const picture = new Image();
        picture.src = "file:///etc/hostname";
        document.body.append(picture);
    }""")
    page.tab.wait_for_timeout(50)
    assert page.ask("document.documentElement.dataset.ran") is None
    assert any("script-src" in complaint for complaint in page.complaints)
    assert any("img-src" in complaint for complaint in page.complaints)


@EACH
def test_a_page_is_complete_without_its_script(open_page, kind):
    with_script, without = open_page(kind), open_page(kind, java_script_enabled=False)
    for selector in ("main h2", "main figcaption", "main td", "main dd", "main img"):
        expected = with_script.tab.locator(selector).count()
        assert without.tab.locator(selector).count() == expected
    visible = "all => all.filter(one => one.checkVisibility()).length"
    pictures = without.tab.locator("main img")
    assert pictures.evaluate_all(visible) == pictures.count()
    controls = without.tab.locator("button, input, dialog")
    assert controls.evaluate_all(visible) == 0  # they would do nothing


# ----- how it looks -------------------------------------------------------------------------------


@EACH
def test_no_width_needs_to_be_scrolled_sideways(open_page, kind):
    page = open_page(kind)
    for width in (320, 390, 768, 1280, 2560):
        page.tab.set_viewport_size({"width": width, "height": 900})
        assert page.ask("document.documentElement.scrollWidth") <= width, width
        wide = page.ask("""() => [...document.querySelectorAll("main *, header *, footer *")].filter(
            one => !one.closest(".quiet") && one.getBoundingClientRect().right > innerWidth + 1
        ).map(one => one.outerHTML.slice(0, 99))""")
        assert wide == [], width


LOW_CONTRAST = """() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = (color) => {
        const [r, g, b] = channels(color).slice(0, 3).map((c) => {
            c /= 255;
            return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        for (; one; one = one.parentElement) {
            const color = getComputedStyle(one).backgroundColor;
            if ((channels(color)[3] ?? 1) === 1) return color;
        }
        return "rgb(255, 255, 255)";
    };
    const low = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const one = words.currentNode.parentElement;
        if (!words.currentNode.data.trim() || one.closest("script, style")) continue;
        const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${words.currentNode.data.trim()}`);
    }
    return low;
}"""


@EACH
@SCHEMES
def test_every_text_has_enough_contrast(open_page, kind, scheme):
    page = open_page(kind, color_scheme=scheme)
    assert page.ask(LOW_CONTRAST) == []
    paper = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 600) == (scheme == "light")


def test_nothing_moves_by_itself(open_page):
    page = open_page("similar")
    moving = """[...document.querySelectorAll("*")].map(one => getComputedStyle(one)).filter(
        style => style.transitionDuration !== "0s" || style.animationName !== "none"
    ).length"""
    assert page.ask(moving) == 0


def test_bars_keep_their_colours_where_colours_are_forced(open_page):
    page = open_page("similar", forced_colors="active")
    assert page.ask("getComputedStyle(document.querySelector('.bar')).forcedColorAdjust") == "none"
    assert (
        page.ask("getComputedStyle(document.querySelector('.marked .mat')).outlineStyle") == "solid"
    )


def test_what_is_printed_has_no_controls(open_page):
    page = open_page("similar")
    page.tab.emulate_media(media="print", color_scheme="dark")
    assert not page.tab.locator("#show-help").is_visible()
    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.ask(LOW_CONTRAST) == []


# ----- who hears it, or uses keys -----------------------------------------------------------------


@EACH
def test_headings_landmarks_and_names_are_in_order(open_page, kind):
    page = open_page(kind)
    levels = page.ask("""[...document.querySelectorAll("body > :not(dialog) :is(h1, h2, h3, h4),"
        + "body > :is(h1, h2)")].map(one => Number(one.tagName[1]))""")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    for landmark in ("header", "main", "footer"):
        assert page.tab.locator(f"body > {landmark}").count() == 1
    ids = page.ask("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    named = page.ask("[...document.querySelectorAll('[aria-labelledby]')]"
                     ".map(one => one.getAttribute('aria-labelledby'))")  # fmt: skip
    assert set(named) <= set(ids)
    assert page.ask("[...document.images].every(image => image.alt)")
    assert page.ask("document.documentElement.lang && document.title")


@EACH
def test_every_control_is_reached_by_tab(open_page, kind):
    page = open_page(kind)
    controls = page.ask("""() => {
        const all = [...document.querySelectorAll(
            "a[href], button:not(:disabled), input, [tabindex='0']"
        )];
        const visible = all.filter(one => !one.closest("dialog"));
        visible.forEach((one, number) => one.dataset.number = number);
        return visible.length;
    }""")
    reached = []
    for _ in range(controls):
        page.press("Tab")
        reached.append(page.ask("Number(document.activeElement.dataset.number)"))
    assert reached == list(range(controls))


def test_the_skip_link_leads_to_the_content(open_page):
    page = open_page("similar")
    page.press("Tab")
    assert page.focused() == "Skip to the content"
    assert page.tab.locator(".skip").bounding_box()["y"] >= 0
    page.press("Enter")
    assert page.ask("document.activeElement.id") == "content"


def columns_of(page):
    """How many pictures stand in the first row."""
    tops = page.ask("""[...document.querySelectorAll(".zoom")]
        .map(one => one.getBoundingClientRect().top)""")
    return tops.count(tops[0])


def test_arrows_move_over_the_pictures(open_page):
    page = open_page("batches")
    names = page.ask("[...document.querySelectorAll('.zoom img')].map(one => one.alt)")
    page.press("ArrowRight")
    assert page.focused() == names[0]
    page.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.focused() == names[1]
    page.press("ArrowLeft", "ArrowLeft")
    assert page.focused() == names[0]  # there is nothing before it
    page.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert page.focused() == names[4]  # the next batch begins


def test_arrows_up_and_down_move_by_rows(open_page):
    page = open_page("similar")
    names = page.ask("[...document.querySelectorAll('.zoom img')].map(one => one.alt)")
    columns = columns_of(page)
    assert 1 < columns < len(names) - 1
    page.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert page.focused() == names[1 + columns]
    page.press("ArrowUp")
    assert page.focused() == names[1]


@pytest.mark.parametrize("key", ["Enter", "z"])
def test_a_picture_is_enlarged_by_a_key_and_the_focus_comes_back(open_page, key):
    page = open_page("duplicates")
    names = page.ask("[...document.querySelectorAll('.zoom img')].map(one => one.alt)")
    page.press("ArrowRight", "ArrowRight", key)
    assert page.is_open("enlarged")
    enlarged = page.tab.locator("#enlarged")
    assert enlarged.locator("img").get_attribute("alt") == names[1]
    assert "distance to the keeper 0.31" in enlarged.inner_text().replace("\n", " ")
    assert enlarged.locator("output").inner_text() == "2 of 3"
    page.press("ArrowRight", "ArrowRight")  # the second one would leave the group
    assert enlarged.locator("img").get_attribute("alt") == names[2]
    page.press("Escape")
    assert not page.is_open("enlarged")
    assert page.focused() == names[2]
    assert page.complaints == []


def test_buttons_of_an_enlarged_picture_do_what_keys_do(open_page):
    page = open_page("duplicates")
    page.tab.locator(".zoom").first.click()
    output = page.tab.locator("#enlarged output")
    page.tab.get_by_role("button", name="Next").click()
    assert output.inner_text() == "2 of 3"
    page.tab.get_by_role("button", name="Previous").click()
    assert output.inner_text() == "1 of 3"
    assert page.tab.get_by_role("button", name="Previous").get_attribute("aria-disabled") == "true"
    page.tab.locator("#enlarged").get_by_role("button", name="Close").click()
    assert not page.is_open("enlarged")


def test_a_question_mark_tells_the_keys_and_single_keys_can_be_switched_off(open_page):
    page = open_page("similar")
    page.press("?")
    assert page.is_open("help")
    page.tab.locator("#single-keys").uncheck()
    page.press("Escape", "?")
    assert not page.is_open("help")
    page.press("ArrowRight", "z")
    assert not page.is_open("enlarged")
    page.press("Enter")
    assert page.is_open("enlarged")
    page.press("Escape")
    page.tab.get_by_role("button", name="Keys").click()
    page.tab.locator("#single-keys").check()
    page.press("Escape")
    assert page.focused() == "Keys"


def test_an_enlarged_picture_fits_a_small_screen(open_page):
    page = open_page("similar", viewport={"width": 320, "height": 480})
    page.press("ArrowRight", "Enter")
    box = page.tab.locator("#enlarged").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert box["y"] + box["height"] <= 480
    inside = page.ask("(() => { const d = document.getElementById('enlarged');"
                      " return d.scrollWidth <= d.clientWidth; })()")  # fmt: skip
    assert inside
