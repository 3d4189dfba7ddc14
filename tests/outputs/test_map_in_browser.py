"""The page of a map in a real browser: drawn, zoomed, searched, chosen from, read as a list."""

import pytest

from tests.outputs.pages import HOSTILE

pytestmark = pytest.mark.slow
DRAWN = "document.querySelector('.field > canvas').dataset"


@pytest.fixture
def page(open_page):
    opened = open_page("map", accept_downloads=True)
    opened.tab.wait_for_function(f"{DRAWN}.frame")
    return opened


def press_button(page, action):
    page.tab.click(f"[data-do={action}]")
    page.tab.wait_for_timeout(50)


def listed(page, which=".list"):
    return page.tab.locator(f"{which} button").all_inner_texts()


def middle(page):
    page.ask("document.querySelector('.field').scrollIntoView({block: 'center'})")
    box = page.tab.locator(".field > canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def colors_drawn(page):
    """Colours on the canvas, by number of pixels."""
    return page.ask("""() => {
        const canvas = document.querySelector(".field > canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const counts = {};
        for (const value of new Uint32Array(data.buffer)) {
            const hex = "#" + [0, 8, 16].map(by => ((value >> by) & 255).toString(16).padStart(2, "0")).join("");
            counts[hex] = (counts[hex] ?? 0) + 1;
        }
        return counts;
    }""")  # fmt: skip


def test_few_images_are_drawn_as_pictures_framed_in_the_colours_of_the_legend(page):
    assert page.ask(f"{DRAWN}.pictures") == "12"
    page.tab.wait_for_timeout(200)
    counts = colors_drawn(page)
    legend = page.tab.locator(".of-map rect").evaluate_all(
        "all => all.map(one => one.getAttribute('fill'))"
    )
    assert len(legend) == 3
    assert all(counts.get(color, 0) > 100 for color in legend)
    others = sum(count for color, count in counts.items() if color not in {"#ffffff", *legend})
    assert others > 5000  # the pictures themselves


def test_zooming_shows_fewer_images_and_the_whole_map_all(page):
    for _ in range(6):
        press_button(page, "nearer")
    assert int(page.ask(f"{DRAWN}.pictures")) < 12
    press_button(page, "whole")
    assert page.ask(f"{DRAWN}.pictures") == "12"
    page.tab.mouse.move(*middle(page))
    page.tab.mouse.wheel(0, -1500)
    page.tab.wait_for_timeout(100)
    assert int(page.ask(f"{DRAWN}.pictures")) < 12


def test_keys_move_and_zoom_the_map(page):
    page.tab.focus(".field > canvas")
    page.press(*["ArrowRight"] * 20)
    page.tab.wait_for_timeout(100)
    assert page.ask(f"{DRAWN}.pictures") == "0"
    assert set(colors_drawn(page)) == {"#ffffff"}
    page.press(*["ArrowLeft"] * 20, "+", "-")
    page.tab.wait_for_timeout(100)
    assert page.ask(f"{DRAWN}.pictures") == "12"


def test_a_name_is_found_and_what_was_found_is_chosen(page):
    assert len(listed(page)) == 12
    page.tab.fill("[name=find]", "A/")
    found = listed(page)
    assert [name.split(" ")[0] for name in found if name.startswith("a/")] == [
        f"a/{n}.jpg" for n in range(6)
    ]
    page.tab.fill("[name=find]", "no such name")
    assert listed(page) == []
    page.tab.fill("[name=find]", "a/3")
    press_button(page, "choose-found")
    assert page.tab.inner_text(".map output") == "1 image is chosen."
    press_button(page, "choose-none")
    assert len(listed(page)) == 1


def test_a_lasso_chooses_what_it_surrounds_and_paths_are_saved(page, tmp_path):
    box = page.tab.locator(".field > canvas").bounding_box()
    press_button(page, "lasso")
    page.tab.mouse.move(box["x"] + 2, box["y"] + 2)
    page.tab.mouse.down()
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    for x, y in ((right, box["y"] + 2), (right, bottom), (box["x"] + 2, bottom)):
        page.tab.mouse.move(x, y, steps=3)
    page.tab.mouse.up()
    assert page.tab.inner_text(".map output") == "12 images are chosen."
    with page.tab.expect_download() as started:
        press_button(page, "save")
    started.value.save_as(tmp_path / "paths.txt")
    lines = (tmp_path / "paths.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    assert len(lines) == 11  # a name with a line break cannot stand on a line
    assert all(line.startswith(f"/{HOSTILE[0]}/") for line in lines)
    assert lines[-1].endswith("/" + max(HOSTILE))
    assert "1 names with a line break" in page.tab.inner_text(".map output")


def test_a_small_lasso_chooses_only_what_lies_inside(page):
    page.tab.locator(".list button").nth(5).click()  # which brings it to the middle
    page.tab.wait_for_timeout(100)
    name = page.tab.inner_text(".looked-at h3")
    press_button(page, "lasso")
    x, y = middle(page)
    page.tab.mouse.move(x - 6, y - 6)
    page.tab.mouse.down()
    for dx, dy in ((6, -6), (6, 6), (-6, 6)):
        page.tab.mouse.move(x + dx, y + dy, steps=2)
    page.tab.mouse.up()
    assert listed(page) == [name]


def test_the_list_says_of_an_image_what_the_map_shows(page):
    """By keyboard alone: an image, its group, and its ten nearest, which lead on."""
    page.tab.focus(".list button")
    page.press("Enter")
    name = listed(page)[0]
    assert page.ask("document.activeElement.textContent") == name
    assert "group" in name
    near = listed(page, ".looked-at")
    assert len(near) == len(set(near)) == 10
    assert name not in near
    apart = page.ask("""() => {
        const data = JSON.parse(document.querySelector(".map-data").textContent);
        const bytes = Uint8Array.from(atob(data.positions), one => one.charCodeAt(0));
        const places = [...new Uint16Array(bytes.buffer)];
        return data.names.map((_, image) => [places[2 * image], places[2 * image + 1]]);
    }""")
    data_names = page.ask("JSON.parse(document.querySelector('.map-data').textContent).names")
    where = dict(zip(data_names, apart, strict=True))
    me = next(other for other in where if other.startswith(name[:10]))
    order = sorted(
        where,
        key=lambda one: (where[one][0] - where[me][0]) ** 2 + (where[one][1] - where[me][1]) ** 2,
    )
    assert near[0].startswith(order[1][:4])
    page.press("Tab", "Enter")
    assert page.tab.inner_text(".looked-at h3") == near[0]


def test_hovering_shows_picture_and_name_and_no_name_becomes_code(page):
    page.tab.locator(".list button").nth(3).click()
    page.tab.wait_for_timeout(100)
    page.tab.mouse.move(*middle(page))
    assert page.tab.locator(".hovered").is_visible()
    assert page.tab.inner_text(".hovered p") == page.tab.inner_text(".looked-at h3")
    drawn = page.ask("""() => {
        const canvas = document.querySelector(".hovered canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(data).size;
    }""")
    assert drawn > 20
    assert page.ask("document.documentElement.dataset.ran") is None
    assert page.complaints == []
    text = page.tab.inner_text(".list")
    assert "\u202e" not in text
