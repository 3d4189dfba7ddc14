"""Likely wrong labels on the page."""

import csv

import pytest

from tests.drawing import jpeg, photo, settle, write_photos
from tests.web.conftest import CONFIG
from tests.web.serving import Served


@pytest.fixture
def page(tmp_path):
    """Three classes of eight photos; a copy of one of them has another class."""
    folder = tmp_path / "photos"
    write_photos(folder, 24, classes=3)
    copied = (folder / "class0" / "image000.jpg").read_bytes()
    (folder / "class1" / "copy & <b>.jpg").write_bytes(copied)
    (folder / "class2" / "caf\udce9.jpg").write_bytes(jpeg(photo(77)))
    settle(folder)
    served = Served(folder, tmp_path / "index", tmp_path / "out" / "saved.csv", CONFIG)
    yield served
    served.stop()


COPY = "class1/copy & <b>.jpg"


def rows_of(file):
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
        return {row.pop("file_name"): row for row in csv.DictReader(opened)}


def test_a_copy_of_another_class_is_doubted_first_with_images_of_both(page):
    text = page.look("/check").text
    assert "copy of class" in text
    assert "Nearest images labelled class0" in text
    assert "Nearest images labelled class1" in text
    assert "copy & <b>" not in text


@pytest.mark.parametrize("label", ["class0", "class1", "quite another"])
def test_an_answer_is_written_with_all_other_labels_and_not_asked_for_again(page, label):
    page.look("/check")
    form = {"image": page.id_of(COPY), "label": label}
    after = page.follow(page.post("/check/answer", form))
    rows = rows_of(page.file)
    assert len(rows) == 26
    assert (rows[COPY]["label"], rows[COPY]["checked"]) == (label, "yes")
    assert rows["class0/image000.jpg"] == {"label": "class0", "checked": ""}
    assert after.status == 200
    assert f'name="image" value="{page.id_of(COPY)}"' not in page.look("/check").text


def test_an_undone_answer_is_asked_for_again(page):
    page.look("/check")
    page.post("/check/answer", {"image": page.id_of(COPY), "label": "class0"})
    back = page.follow(page.post("/check/change", {"undo": "1"}))
    assert f'name="image" value="{page.id_of(COPY)}"' in back.text
    assert rows_of(page.file)[COPY]["label"] == "class1"


def test_labels_are_doubted_anew_with_the_answers(page):
    page.look("/check")
    page.post("/check/answer", {"image": page.id_of(COPY), "label": "class0"})
    page.post("/check/change", {"again": "1"})
    assert "copy of class" not in page.look("/check").text


@pytest.mark.parametrize("form", [{}, {"label": ""}, {"label": "a\0"}])
def test_a_wrong_answer_is_told_in_a_sentence(page, form):
    reply = page.post("/check/answer", {"image": page.id_of(COPY)} | form)
    assert reply.status == 400
    assert "Traceback" not in reply.text


def test_a_folder_without_classes_says_what_is_missing(own_page):
    reply = own_page.look("/check")
    assert reply.status == 200
    assert "labels of two classes are needed" in reply.text


@pytest.mark.slow
def test_keys_take_and_keep(page, open_tab):
    page.look("/check")
    tab = open_tab(page, "/check")
    asked = tab.ask("document.getElementById('shown-path').innerText")
    tab.press("k")
    tab.tab.wait_for_function("() => document.getElementById('told').innerText.includes(' stays ')")
    assert rows_of(page.file)[asked]["checked"] == "yes"
    tab.press("Backspace")
    tab.tab.wait_for_function(
        "() => document.getElementById('told').innerText.startsWith('Undone')"
    )
    assert tab.ask("document.getElementById('shown-path').innerText") == asked
    tab.press("Enter")
    tab.tab.wait_for_function("() => document.getElementById('told').innerText.includes(', not ')")
    assert tab.complaints == []


@pytest.mark.slow
def test_a_key_answers_after_two_answers_that_could_not_be_saved(page, open_tab):
    page.look("/check")
    tab = open_tab(page, "/check")
    asked = tab.ask("document.getElementById('shown-path').innerText")
    failed = []

    def answer(route):
        failed.append(route)
        body = f"<p class=lead>The disk is full, {len(failed)}.</p>"
        route.fulfill(status=500, body=body, content_type="text/html")

    tab.tab.route("**/check/answer", answer)
    for number in (1, 2):
        tab.press("k")
        tab.wait(
            "text => document.getElementById('told').innerText === text",
            f"Not saved. The disk is full, {number}.",
        )
    tab.tab.unroute("**/check/answer")
    tab.press("k")
    tab.wait("() => document.getElementById('told').innerText.includes(' stays ')")
    assert rows_of(page.file)[asked]["checked"] == "yes"
