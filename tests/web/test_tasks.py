"""Twelve things that people come for, done in a browser: with how many clicks, keys and entries.

The counts stand in docs/BROWSE.md, which a test compares. An entry is a word typed or a choice made
in a list.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.commands import ROOT
from tests.drawing import write_photos
from tests.web.conftest import CONFIG
from tests.web.serving import Served

pytestmark = pytest.mark.slow
TASKS = {}


def task(function):
    TASKS[function.__name__.replace("_", " ")] = function
    return function


class Hand:
    """Does what a user does, and counts it."""

    def __init__(self, page, out):
        self.page, self.tab, self.out, self.count = page, page.tab, out, 0

    def click(self, selector, **options):
        self.count += 1
        self.tab.locator(selector).first.click(**options)
        self.settle()

    def key(self, *keys):
        for key in keys:
            self.count += 1
            self.tab.keyboard.press(key)
            self.settle()

    def enter(self, selector, value):
        self.count += 1
        field = self.tab.locator(selector).first
        if field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def menu(self, name):
        self.click(f".menu a:text-matches('^{name}')")

    def settle(self):
        """Wait until the page stands, work in the background included; this costs no click."""
        self.tab.wait_for_timeout(60)
        self.page.wait(
            "!document.querySelector('main progress, #desk[aria-busy]')"
            " && document.readyState === 'complete'"
        )


@pytest.fixture
def desk(tmp_path, open_tab):
    """A page of 24 photos in three classes, one of them twice; or without classes."""
    opened = []

    def open_desk(*, flat=False):
        folder = tmp_path / "photos"
        names = write_photos(folder, 24, classes=3)
        shutil.copyfile(folder / names[0], folder / names[0].replace("image", "copy"))
        if flat:
            for name in sorted(folder.rglob("*.jpg")):
                name.rename(folder / f"{name.parent.name}-{name.name}")
        served = Served(folder, tmp_path / "index", tmp_path / "labels.csv", CONFIG)
        page = open_tab(served, "/similar?n=4&seed=1", accept_downloads=True)
        opened.append(served)
        return served, Hand(page, tmp_path / "out")

    yield open_desk
    for served in opened:
        served.stop()


@task
def save_five_pictures_of_one_kind_as_copies(open_desk):
    _, hand = open_desk()
    hand.click(".card a.zoom")
    hand.enter("[name=n]", "5")
    hand.key("Enter")
    hand.click("button:text-matches('Put all')")
    hand.menu("Basket")
    hand.enter("[name=folder]", str(hand.out))
    hand.click("button:text-is('Copy the files')")
    assert len(list(hand.out.iterdir())) == 5
    return hand


@task
def see_another_set_of_different_pictures(open_desk):
    _, hand = open_desk()
    hand.menu("Different")
    before = hand.page.ask("location.search")
    hand.key("n")
    hand.page.wait("(before) => location.search !== before", before)
    return hand


@task
def get_the_command_that_removes_copies(open_desk):
    _, hand = open_desk()
    hand.menu("Duplicates")
    assert "--move-to" in hand.tab.inner_text("main")
    assert hand.tab.locator(".mark:text-is('keep')").count() == 1
    return hand


@task
def label_three_kinds_by_keyboard(open_desk):
    served, hand = open_desk(flat=True)
    hand.menu("Label")
    for name in ("sea", "sky", "sand"):
        hand.key("c")
        hand.enter("[name=other], input[type=text]", name)
        hand.key("Enter")
    hand.page.wait("document.querySelector('#desk [data-key~=\"3\"]') !== null")  # as a person does
    hand.key("1", "2", "3", "1")
    hand.page.until(lambda: len(served.site.saved.given("label")) == 7, "seven labels")
    return hand


@task
def find_pictures_by_words(open_desk):
    _, hand = open_desk()
    hand.menu("Search")
    hand.enter("[name=q]", "class1")
    hand.key("Enter")
    assert "class1/" in hand.tab.locator(".card img").first.get_attribute("alt")
    return hand


@task
def find_pictures_like_one_of_your_own(open_desk):
    served, hand = open_desk()
    hand.menu("Search")
    hand.count += 1
    own = Path(served.site.path_of(0))
    hand.tab.set_input_files("[name=image]", str(own))
    hand.settle()
    if not hand.tab.locator(".card").count():
        hand.click("button:text-is('Search')")
    assert hand.tab.locator(".card").count() > 3
    return hand


@task
def see_all_pictures_of_a_class(open_desk):
    _, hand = open_desk()
    hand.menu("All images")
    hand.enter("[name=label]", "class2")
    hand.click("button:text-is('Show')")
    alts = hand.tab.locator(".card img").evaluate_all("all => all.map((one) => one.alt)")
    assert len(alts) == 8
    assert all(alt.startswith("class2/") for alt in alts)
    return hand


@task
def choose_with_a_lasso_on_the_map(open_desk):
    served, hand = open_desk()
    hand.menu("Map")
    hand.page.wait("!!document.querySelector('.field > canvas')?.dataset.frame")
    hand.click("[data-do=lasso]")
    hand.tab.locator(".field").scroll_into_view_if_needed()
    box = hand.tab.locator(".field > canvas").bounding_box()
    hand.count += 1
    hand.tab.mouse.move(box["x"] + 2, box["y"] + 2)
    hand.tab.mouse.down()
    for x, y in ((1, 0), (1, 1), (0, 1)):
        hand.tab.mouse.move(
            box["x"] + 2 + x * (box["width"] - 5), box["y"] + 2 + y * (box["height"] - 5), steps=3
        )
    hand.tab.mouse.up()
    hand.click("[data-do=basket]")
    hand.page.wait("document.getElementById('in-basket').textContent === '25'")
    assert len(served.site.basket) == 25
    return hand


@task
def learn_why_two_pictures_are_near(open_desk):
    _, hand = open_desk()
    hand.click(".card .path a")
    hand.click("main a:text-matches('Explain', 'i')")
    hand.click(".to-compare a")
    assert "b=" in hand.page.ask("location.search")
    return hand


@task
def answer_the_first_doubt_about_a_label(open_desk):
    served, hand = open_desk()
    wrong = served.site.photos.records[0].path
    served.site.give({wrong: {"label": "class2"}})
    hand.menu("Check")
    assert hand.tab.locator("main kbd").count()
    hand.key("k")
    hand.page.wait("true")
    return hand


@task
def mail_a_choice_as_one_file(open_desk):
    _, hand = open_desk()
    hand.click("button:text-matches('Put all')")
    hand.menu("Basket")
    with hand.tab.expect_download() as started:
        hand.click("a:text-is('Save as a page')")
    started.value.save_as(hand.out)
    assert hand.out.read_text().count("data:image/jpeg") == 4
    return hand


@task
def come_back_to_a_set_tomorrow(open_desk):
    served, hand = open_desk()
    address = hand.page.ask("location.href")
    shown = hand.tab.locator(".card img").evaluate_all("all => all.map((one) => one.alt)")
    hand.tab.goto(f"http://{served.host}/basket")
    hand.count += 1
    hand.tab.goto(address)  # a bookmark
    again = hand.tab.locator(".card img").evaluate_all("all => all.map((one) => one.alt)")
    assert again == shown
    return hand


def documented():
    """Counts of the table in docs/BROWSE.md, by task."""
    text = (ROOT / "docs" / "BROWSE.md").read_text(encoding="utf-8")
    text = text.partition("## Twelve tasks")[2]
    rows = re.findall(r"^\| ([a-z][^|]*?) \| (\d+) \|", text, re.MULTILINE)
    return {name: int(count) for name, count in rows}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_as_many_clicks_and_keys_as_documented(desk, name):
    hand = TASKS[name](desk)
    assert hand.page.complaints == []
    assert documented().get(name) == hand.count


def test_every_documented_task_is_tried():
    assert documented().keys() == TASKS.keys()
