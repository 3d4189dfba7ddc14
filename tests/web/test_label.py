"""Labelling on the page: forms without a script, keys with one."""

import csv

import pytest

import imgbatch
from tests.browsers import barriers
from tests.drawing import jpeg, photo
from tests.web.conftest import CONFIG
from tests.web.serving import Served

HOSTILE = ("<b onclick=alert(1)>&.jpg", "caf\udce9.jpg")


@pytest.fixture
def page(photos, tmp_path):
    """Twelve photos without labels, and two with hostile names."""
    for number, name in enumerate(HOSTILE):
        (photos / name).write_bytes(jpeg(photo(90 + number, 120, 90)))
    served = Served(photos, tmp_path / "index", tmp_path / "out" / "saved.csv", CONFIG)
    yield served
    served.stop()


def rows_of(file):
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
        return {row.pop("file_name"): row for row in csv.DictReader(opened)}


def give(served, path, label, queue="next"):
    form = {"image": served.id_of(path), "label": label, "queue": queue}
    return served.post("/label/give", form)


def paths_of(served):
    return list(served.site.photos.records.all_paths())


def test_a_form_labels_an_image_and_leads_to_another_one(page):
    first = page.look("/label")
    assert first.status == 200
    path = paths_of(page)[3]
    after = page.follow(give(page, path, "sea"))
    assert f"{path}: sea." in after.text
    assert f'alt="{path}"' not in after.text
    assert rows_of(page.file) == {path: {"label": "sea"}}


def test_names_of_any_bytes_are_labelled_and_shown_escaped(page):
    for path in HOSTILE:
        assert page.follow(give(page, path, "<i>")).status == 200
    assert {path: row["label"] for path, row in rows_of(page.file).items()} == dict.fromkeys(
        HOSTILE, "<i>"
    )
    text = page.look("/label?queue=unlabelled").text
    assert "<i>" not in text
    assert "&lt;i&gt;" in text


def test_an_undone_label_is_gone_and_its_image_is_shown_again(page):
    page.look("/label")
    path = "image003.jpg"
    give(page, path, "sea")
    back = page.follow(page.post("/label/change", {"undo": "1", "queue": "next"}))
    assert f"Undone: {path}" in back.text
    assert f"<bdi>{path}</bdi>" in back.text
    assert not page.site.saved.is_begun


def test_a_skipped_image_comes_back_when_it_is_asked_for_or_the_skip_undone(page):
    for undoing in ({"undo": "1"}, {"again": "1"}):
        shown = page.look("/label?queue=unlabelled").text
        path = paths_of(page)[0]
        assert f"<bdi>{path}</bdi>" in shown or path in HOSTILE
        first = page.site.labelling.queue("unlabelled", 1)[0].relative
        page.post("/label/give", {"image": page.id_of(first), "skip": "1", "queue": "unlabelled"})
        assert page.site.labelling.queue("unlabelled", 1)[0].relative != first
        page.post("/label/change", undoing)
        assert page.site.labelling.queue("unlabelled", 1)[0].relative == first


def test_images_drawn_at_random_are_kept_for_measuring_and_the_model_is_measured(page):
    page.look("/label")
    paths = [image.relative for image in page.site.labelling.queue("unlabelled", 14)]
    for number, path in enumerate(paths[:4]):
        give(page, path, "ab"[number % 2], queue="random")
    for number, path in enumerate(paths[4:12]):
        give(page, path, "ab"[number % 2])
    assert [row["split"] for row in rows_of(page.file).values()] == ["test"] * 4 + [""] * 8
    page.post("/label/change", {"learn": "1"})
    while page.site.labelling.is_learning:
        text = page.look("/label?queue=unlabelled").text
    measured = page.site.labelling.round().measured
    assert (measured.images, measured.random) == (4, 0.5)
    assert f"Balanced accuracy {measured.figure.value:.0%}" in text
    assert "random choice: 50%" in text


def test_a_grid_labels_all_but_those_that_are_ticked(page):
    page.look("/label")
    paths = [image.relative for image in page.site.labelling.queue("unlabelled", 14)]
    for number, path in enumerate(paths[:6]):
        give(page, path, "ab"[number % 2])
    page.post("/label/change", {"learn": "1"})
    while page.site.labelling.is_learning:
        page.look("/label?queue=unlabelled")
    name = page.site.labelling.queue("unlabelled", 1)[0].suggested
    shown = page.look(f"/label?queue=class:{name}")
    taken = [image.relative for image in page.site.labelling.queue(f"class:{name}", 20)]
    assert taken
    assert all(f'value="{page.id_of(path)}"' in shown.text for path in taken)
    ids = [page.id_of(path) for path in taken]
    page.post("/label/accept", {"queue": f"class:{name}", "image": ids, "not": ids[:1]})
    rows = rows_of(page.file)
    assert taken[0] not in rows
    assert all(rows[path]["label"] == name for path in taken[1:])
    assert f'value="{ids[0]}"' not in page.look(f"/label?queue=class:{name}").text


def test_the_first_label_of_a_labelled_folder_writes_the_labels_that_it_has(indexed, tmp_path, cli):
    served = Served(indexed.folder, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        path = paths_of(served)[0]
        give(served, path, "another")
        before = dict(zip(paths_of(served), served.site.photos.labels, strict=True))
        rows = rows_of(served.file)
        assert {name: row["label"] for name, row in rows.items()} == before | {path: "another"}
        with served.site.asking() as photos:
            assert dict(zip(paths_of(served), photos.labels, strict=True)) == before | {
                path: "another"
            }
    finally:
        served.stop()


def test_predictions_stay_predictions_in_the_file_that_the_first_label_begins(photos, tmp_path):
    predicted = tmp_path / "predicted.csv"
    predicted.write_text(
        "file_name,label,tags,source\nimage000.jpg,cat,,imgbatch\nimage001.jpg,dog,,imgbatch\n"
        "image002.jpg,dog,,\nimage003.jpg,dog,old,imgbatch\nimage004.jpg,,sunny,\n"
        "image004.jpg,,warm,imgbatch\n"
    )
    served = Served(
        photos, tmp_path / "index", tmp_path / "saved.csv", CONFIG,
        metadata=(str(predicted),), trust_predicted=True,
    )  # fmt: skip
    try:
        give(served, "image001.jpg", "cat")
        served.post("/basket/change", {"add": served.id_of("image002.jpg")})
        served.post("/basket/give", {"what": "tag", "name": "nice"})
        assert {
            name: (row["label"], row["tags"], row["source"])
            for name, row in rows_of(served.file).items()
        } == {
            "image000.jpg": ("cat", "", "imgbatch"),
            "image001.jpg": ("cat", "", ""),
            "image002.jpg": ("dog", "nice", ""),
            "image003.jpg": ("dog", "old", "imgbatch"),
            "image004.jpg": ("", "sunny;warm", ""),
        }
    finally:
        served.stop()
    known = imgbatch.load(photos, index=tmp_path / "index", metadata=[served.file])
    assert [label for label in known.labels if label] == ["cat", "dog"]


def test_an_image_that_was_not_drawn_at_random_is_not_kept_for_measuring(page):
    page.look("/label")
    first, second = (image.relative for image in page.site.labelling.queue("unlabelled", 2))
    give(page, first, "a")
    page.post("/label/change", {"learn": "1"})
    page.site.labelling._drawn.discard(second)  # as of a folder of more images than are drawn
    give(page, first, "b", queue="random")
    give(page, second, "b", queue="random")
    parts = {name: row.get("split", "") for name, row in rows_of(page.file).items()}
    assert parts == {first: "test", second: ""}


def test_a_tag_and_a_label_are_undone_and_the_image_has_its_former_label(indexed, tmp_path):
    served = Served(indexed.folder, tmp_path / "index", tmp_path / "saved.csv", CONFIG)
    try:
        path = paths_of(served)[0]
        former = served.site.label_of(path)
        served.post("/basket/change", {"add": served.id_of(path)})
        served.post("/basket/give", {"what": "tag", "name": "nice"})
        give(served, path, "another")
        for _ in range(2):
            served.post("/basket/undo-given", {})
        assert (served.site.label_of(path), served.site.tags_of(path)) == (former, ())
        with served.site.asking() as photos:
            assert photos.labels[0] == former
    finally:
        served.stop()


def test_training_in_the_terminal_takes_the_file_as_it_stands(page, tmp_path, cli):
    page.look("/label")
    for number, path in enumerate(paths_of(page)):
        give(page, path, "ab"[number % 2], queue="random" if number < 4 else "next")
    folder, model = page.source.folder, tmp_path / "model.npz"
    done = cli(
        "label",
        "train",
        folder,
        "--metadata",
        page.file,
        "-o",
        model,
        "--index",
        tmp_path / "index",
    )
    assert done.code == 0, done.err
    assert model.exists()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"label": ""}, "has no name"),
        ({"label": "x" * 201}, "1 to 200 characters"),
        ({"label": "a\nb"}, "the class is"),
        ({"image": "", "label": "a"}, "no image is named"),
    ],
)
def test_wrong_labels_are_told_in_a_sentence(page, form, told):
    reply = page.post("/label/give", {"image": page.id_of(HOSTILE[0])} | form)
    assert reply.status == 400
    assert told in reply.text
    assert not page.file.exists()


@pytest.mark.parametrize("address", ["/label?queue=none", "/label?queue=class:none"])
def test_a_queue_that_is_none_is_refused(page, address):
    reply = page.look(address)
    assert reply.status == 400
    assert "queue is" in reply.text


def test_an_image_that_is_none_is_missing(page):
    assert page.post("/label/give", {"image": "0-000000000000", "label": "a"}).status == 404


def test_a_folder_with_all_labels_says_so(served):
    assert "All images have a label" in served.look("/label").text


@pytest.mark.slow
def test_keys_label_undo_and_skip_without_leaving_the_page(page, open_tab):
    page.look("/label?queue=unlabelled")
    tab = open_tab(page, "/label?queue=unlabelled")
    order = [image.relative for image in page.site.labelling.queue("unlabelled", 14)]
    order = [path for path in order if path not in HOSTILE]
    tab.ask("window.stays = true")

    def shown():
        return tab.ask("document.getElementById('shown-path').innerText")

    def press(key, path):
        tab.press(key)
        tab.tab.wait_for_function(
            "path => document.getElementById('shown-path').innerText === path", arg=path
        )

    while shown() not in order:
        tab.press("s")
        tab.tab.wait_for_timeout(300)
    start = order.index(shown())
    tab.press("c")
    tab.tab.keyboard.type("sea")
    press("Enter", order[start + 1])
    tab.tab.wait_for_selector("[data-key='1']")
    tab.ask("document.activeElement.blur()")
    press("1", order[start + 2])
    press("s", order[start + 3])
    press("1", order[start + 4])
    press("Backspace", order[start + 3])
    tab.tab.wait_for_function(
        "() => document.getElementById('told').innerText.startsWith('Undone')"
    )
    assert tab.ask("window.stays")
    assert {order[start], order[start + 1]} == set(rows_of(page.file))
    assert tab.complaints == []


@pytest.mark.slow
def test_a_label_that_could_not_be_saved_is_told_and_its_image_shown_again(page, open_tab):
    page.look("/label?queue=unlabelled")
    tab = open_tab(page, "/label?queue=unlabelled")
    path = tab.ask("document.getElementById('shown-path').innerText")
    page.stop()
    tab.press("c")
    tab.tab.keyboard.type("sea")
    tab.press("Enter")
    tab.tab.wait_for_function(
        "() => document.getElementById('told').innerText.startsWith('Not saved')"
    )
    assert tab.ask("document.getElementById('shown-path').innerText") == path


def fails(tab, *, times):
    """Let the server's next answers to a label or a skip be failures; how many were asked for."""
    asked = []

    def answer(route):
        asked.append(route.request.post_data)
        if len(asked) > times:
            route.continue_()
        else:
            body = f"<p class=lead>The disk is full, {len(asked)}.</p>"
            route.fulfill(status=500, body=body, content_type="text/html")

    tab.tab.route("**/label/give", answer)
    return asked


def told(tab, text):
    tab.wait("text => document.getElementById('told').innerText.includes(text)", text)


@pytest.mark.slow
def test_no_image_is_passed_over_however_often_saving_fails(page, open_tab):
    page.look("/label?queue=unlabelled")
    tab = open_tab(page, "/label?queue=unlabelled")
    first, second = (one.relative for one in page.site.labelling.queue("unlabelled", 2))
    asked = fails(tab, times=3)
    for number in range(1, 4):
        tab.press("s")
        told(tab, f"Not saved. The disk is full, {number}.")
        assert page.id_of(first) == tab.ask("document.querySelector('#desk [name=image]').value")
    tab.press("s")
    told(tab, "Skipped")
    assert page.id_of(second) == tab.ask("document.querySelector('#desk [name=image]').value")
    assert len(asked) == 4
    assert page.site.labelling.queue("unlabelled", 1)[0].relative == second


@pytest.mark.slow
def test_keys_pressed_behind_one_that_is_not_saved_are_asked_for_again(page, open_tab):
    page.look("/label?queue=unlabelled")
    tab = open_tab(page, "/label?queue=unlabelled")
    paths = [one.relative for one in page.site.labelling.queue("unlabelled", 4)]
    asked = fails(tab, times=1)
    tab.ask(
        "() => { for (let i = 0; i < 3; i++) document.querySelector('#desk [name=skip]').click(); }"
    )
    told(tab, "Not saved. The disk is full, 1.")
    for path in paths[1:]:
        with tab.tab.expect_response("**/label/give"):  # the next picture is shown before it
            tab.press("s")
        told(tab, "Skipped")
        tab.wait(
            "id => document.querySelector('#desk [name=image]').value === id", page.id_of(path)
        )
    assert len(asked) == 4
    assert page.site.labelling.queue("unlabelled", 1)[0].relative == paths[3]


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
def test_without_a_script_an_image_is_labelled_by_a_button(page, open_tab, width):
    give(page, HOSTILE[1], "sea")
    page.look("/label?queue=unlabelled")
    tab = open_tab(
        page, "/label?queue=unlabelled", java_script_enabled=False,
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    tab.tab.get_by_role("button", name="sea").click()
    tab.tab.wait_for_load_state()
    assert ": sea." in tab.tab.inner_text("#told")
    assert len(rows_of(page.file)) == 2


@pytest.mark.slow
def test_the_desk_and_the_grid_bar_nobody_and_fit_a_phone(page, open_tab):
    page.look("/label")
    paths = [image.relative for image in page.site.labelling.queue("unlabelled", 14)]
    for number, path in enumerate(paths[:6]):
        give(page, path, "ab"[number % 2])
    page.post("/label/change", {"learn": "1"})
    while page.site.labelling.is_learning:
        page.look("/label?queue=unlabelled")
    name = page.site.labelling.queue("unlabelled", 1)[0].suggested
    page.look("/check")
    for address in ("/label", f"/label?queue=class:{name}", "/check", "/basket"):
        tab = open_tab(page, address, viewport={"width": 320, "height": 700})
        assert barriers(tab.tab) == [], address
        assert tab.ask("document.documentElement.scrollWidth") <= 320, address
        assert tab.complaints == []


def test_a_label_that_replaces_one_of_another_tab_says_so(own_page):
    path = own_page.site.photos.records[0].path
    form = {"image": own_page.id_of(path), "queue": "next"}
    own_page.post("/label/give", form | {"label": "cat"})
    reply = own_page.follow(own_page.post("/label/give", form | {"label": "dog"}))
    assert f"{path}: dog, in place of cat." in reply.text


def test_the_queue_says_why_nothing_is_suggested_yet(own_page):
    assert "No suggestion yet" in own_page.look("/label").text
