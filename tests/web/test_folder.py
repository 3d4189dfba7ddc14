"""The folder changes, vanishes or is read again under an open page."""

import shutil

import pytest

from tests.drawing import jpeg, photo


def read_again(page):
    reply = page.post("/folder/read", {"back": "/similar?n=2&seed=1"})
    while True:
        reply = page.follow(reply)
        if reply.headers["Refresh"] is None:
            return reply
        reply = page.get("/folder/reading?before=0&back=/similar%3Fn%3D2%26seed%3D1")


def test_new_images_are_there_after_reading_again_and_addresses_still_mean_the_same(
    own_page, photos
):
    name = own_page.site.photos.records[0].path
    old = own_page.id_of(name)
    (photos / "0-first.jpg").write_bytes(jpeg(photo(77, 90, 60)))
    assert "13 images" not in own_page.get("/basket").text
    reply = read_again(own_page)
    assert "13 images" in reply.text
    assert "1 of them new or changed" in reply.text
    assert own_page.id_of(name) != old
    assert f'alt="{name}"' in own_page.get(f"/similar?n=1&like={old}").text
    assert own_page.get(f"/thumbnails/{old}").status == 200


def test_a_file_that_goes_leaves_a_place_that_says_so(own_page, photos):
    record = own_page.site.photos.records[3]
    name = own_page.id_of(record.path)
    own_page.post("/basket/change", {"add": name})
    (photos / record.path).unlink()
    assert own_page.get(f"/thumbnails/{name}").status == 404
    assert own_page.get(f"/pictures/{name}").status == 404
    assert "the file is gone" in own_page.get("/basket").text


def test_a_folder_that_vanishes_is_told_and_the_page_goes_on(own_page, photos):
    aside = photos.with_name("aside")
    shutil.move(photos, aside)
    reply = own_page.post("/folder/read", {"back": "/basket"})
    while reply.status == 303:
        reply = own_page.follow(reply)
        if reply.headers["Refresh"]:
            reply = own_page.get("/folder/reading?before=0")
    assert reply.status == 400
    assert "Traceback" not in reply.text
    assert own_page.get("/similar?n=3&seed=1").status == 200
    shutil.move(aside, photos)
    assert "12 images" in read_again(own_page).text


def test_nothing_is_written_into_the_folder(own_page, photos):
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    folder_time = photos.stat().st_mtime_ns
    own_page.get("/similar?n=3&seed=1")
    own_page.get(f"/thumbnails/{own_page.site.id_of(0)}")
    own_page.post("/basket/change", {"add": own_page.site.id_of(1)})
    own_page.site.saved.give({own_page.site.photos.records[0].path: {"label": "cat"}})
    assert {path: path.stat().st_mtime_ns for path in photos.rglob("*")} == before
    assert photos.stat().st_mtime_ns == folder_time


def test_names_that_are_no_text_or_would_be_code_work_everywhere(own_page, photos):
    for name in (b"caf\xe9.jpg", b"<script>alert(1)</script>.jpg", b"a\nb.jpg", b'"onerror=x.jpg'):
        with open(bytes(photos) + b"/" + name.replace(b"/", b"\xe2\x88\x95"), "wb") as file:
            file.write(jpeg(photo(len(name), 90, 60)))
    read_again(own_page)
    records = own_page.site.photos.records
    assert len(records) == 16
    for row in range(len(records)):
        name = own_page.site.id_of(row)
        assert own_page.get(f"/thumbnails/{name}").status == 200
        own_page.post("/basket/change", {"add": name})
    html = own_page.get("/basket").text
    assert "<script>alert" not in html
    assert '"onerror' not in html
    assert len(own_page.site.basket) == 16
    assert own_page.get("/similar?n=16&seed=1&duplicates=1").status == 200


def give(page, path):
    form = {"image": page.id_of(path), "label": "sea", "queue": "unlabelled"}
    return page.follow(page.post("/label/give", form))


@pytest.mark.parametrize("name", ["metadata.csv", "captions.csv"])
def test_a_label_beside_a_table_of_other_images_ends_no_page(own_page, photos, name):
    (photos / name).write_text("file_name,label\nnone.jpg,cat\n")
    first, second = list(own_page.site.photos.records.all_paths())[:2]
    give(own_page, first)
    assert give(own_page, second).status == 200
    own_page.site.read_again(refresh=True)
    assert own_page.site.photos.labels[:3] == ("sea", "sea", "")
    command = own_page.site.command("similar")
    assert command.endswith(f"--metadata {own_page.file}")
    assert command.count("--metadata") == 1


def test_a_labelled_image_that_goes_ends_no_page(own_page, photos):
    path = own_page.site.photos.records[0].path
    give(own_page, path)
    (photos / path).unlink()
    assert "11 images" in read_again(own_page).text
    assert own_page.look("/label?queue=unlabelled").status == 200


def test_a_label_leaves_texts_beside_the_images_alone(own_page, photos):
    path, other = list(own_page.site.photos.records.all_paths())[:2]
    (photos / path).with_suffix(".txt").write_text("a grey sea")
    give(own_page, other)
    with own_page.site.asking() as read:
        assert read.labels[1] == "sea"
        assert read.texts[0] == ("a grey sea",)
        assert read.metadata.of_image(0).texts == ("a grey sea",)
