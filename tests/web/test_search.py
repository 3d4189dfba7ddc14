"""Search by words, by an image of the folder, by a picture that is brought."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from imgbatch.outputs.search import why_in_words
from tests.drawing import corners, encode, jpeg, photo, png
from tests.web.test_images import shown

BOUNDARY = "a-boundary"


def brought(served, data, name="mine.jpg", **fields):
    """The form of the page, as a browser sends it with a picture."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
    parts += [head.encode(), b"Content-Type: image/jpeg\r\n\r\n", data, b"\r\n"]
    body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    headers = served.headers | {
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    return served.ask("POST", "/search/bring", body, headers)


def test_words_find_what_the_library_finds_and_say_why(served):
    found = served.site.photos.search("class1", 5)
    reply = served.look("/search?q=class1&n=5")
    assert shown(reply) == [image.relative for image in found.images]
    assert why_in_words(found.images[0]) in reply.text
    assert f"{found.images[0].relevance:.2f}" in reply.text
    assert f"imgbatch search {served.source.folder} class1 -n 5" in reply.text


def test_words_and_an_image_count_together(served):
    like = served.site.photos.paths[9]
    found = served.site.photos.search("class1", 5, like=like)
    reply = served.look(f"/search?q=class1&n=5&like={served.site.id_of(9)}")
    assert shown(reply)[0] == "class1/" + like.rpartition("/")[2]  # in the form
    assert shown(reply)[1:] == [image.relative for image in found.images]
    assert f"--like {like}" in reply.text


def test_an_image_alone_finds_what_looks_like_it(served):
    like = served.site.photos.paths[3]
    picked = served.site.photos.similar(4, like=like, keep_duplicates=True)
    reply = served.get(f"/search?n=4&like={served.site.id_of(3)}")
    assert shown(reply)[-4:] == [image.relative for image in picked.images]


def test_a_picture_that_is_brought_finds_its_copies(served):
    photos = served.site.photos
    with open(photos.paths[5], "rb") as file:
        reply = brought(served, file.read(), q="", n="3")
    address = urlsplit(reply.headers["Location"])
    assert (reply.status, address.path) == (303, "/search")
    page = served.follow(reply)
    assert shown(page)[-3] == photos.records[5].path
    again = served.get(f"{address.path}?{address.query}")  # it can be kept as a bookmark
    assert shown(again) == shown(page)
    name = parse_qs(address.query)["picture"][0]
    picture = served.get(f"/search/picture?name={name}")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.body.startswith(b"\x89PNG")


def test_a_picture_and_words_go_together(served):
    reply = brought(served, jpeg(photo(7)), q="class2", n="4")
    page = served.look(urlsplit(reply.headers["Location"]).geturl())
    assert {name.partition("/")[0] for name in shown(page)[-4:]} == {"class2"}


@pytest.mark.parametrize(
    "data",
    [b"no picture", b"\xff\xd8\xff\xe0 cut off", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 40],
)
def test_what_is_no_picture_is_told(served, data):
    reply = brought(served, data, name='"><script>.jpg')
    assert (reply.status, "the picture cannot be used" in reply.text) == (400, True)
    assert "Traceback" not in reply.text


def test_a_picture_bomb_is_refused(served):
    import struct
    import zlib

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    data += struct.pack(">I", zlib.crc32(chunk))
    assert brought(served, data).status == 400


def test_without_a_file_the_form_leads_to_its_answer(served):
    reply = brought(served, b"", q="class0", n="2", like="")
    assert parse_qs(urlsplit(reply.headers["Location"]).query) == {"q": ["class0"], "n": ["2"]}


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("q=class1&n=0", 400, "give 1 to 24"),
        ("q=class1&only=some", 400, "only is"),
        ("q=%2B%2B", 400, "no word in"),
        ("picture=../../etc/passwd", 404, "kept no longer"),
        ("picture=000000000000000000000000", 404, "kept no longer"),
        ("like=0-000000000000", 404, "not, or no longer"),
    ],
)
def test_wrong_values_are_told_in_a_sentence(served, query, status, said):
    reply = served.look(f"/search?{query}")
    assert (reply.status, said in reply.text) == (status, True)


def test_words_that_nothing_holds_are_told(served):
    reply = served.look("/search?q=zzzzzz")
    assert (reply.status, shown(reply)) == (200, [])
    assert "No image was found" in reply.text


def test_a_folder_without_words_says_what_to_give(own_page):
    reply = own_page.get("/search?q=dog")
    assert reply.status == 200
    assert "no words to find" in reply.text
    assert re.search(r'name="q"[^>]* disabled', reply.text)
    page = own_page.follow(brought(own_page, png(corners()), n="3"))
    assert len(shown(page)[-3:]) == 3


def test_a_missing_library_is_named(served, monkeypatch):
    def missing(*_, **__):
        from imgbatch.errors import UsageError

        raise UsageError("the library snowballstemmer is missing", "pip install 'imgbatch[text]'")

    monkeypatch.setattr("imgbatch.web.screens.search._learn", missing)
    served.site.read_again(refresh=False)  # forgets what was learned
    reply = served.get("/search?q=class1")
    assert (reply.status, "imgbatch[text]" in reply.text) == (400, True)


def test_only_the_last_pictures_are_kept(own_page, monkeypatch):
    monkeypatch.setattr("imgbatch.web.brought._KEPT", 2)
    for seed in range(4):
        brought(own_page, encode(photo(seed), "PNG"))
    kept = list((own_page.site.photos.index_directory / "brought").iterdir())
    assert len(kept) == 2


def test_hostile_words_and_names_are_text(own_page):
    folder = own_page.site.photos.folder
    name = '<b>caf\udce9 & "x".jpg'
    with open(f"{folder}/image001.jpg", "rb") as known, open(f"{folder}/{name}", "wb") as file:
        file.write(known.read())
    with open(f"{folder}/metadata.csv", "w", encoding="utf-8") as file:
        file.write("file_name,text\nimage001.jpg,<script>alert(1)</script> dog\n")
    own_page.site.read_again(refresh=True)
    reply = own_page.look(f"/search?q=%3Cscript%3E+dog&like={own_page.id_of(name)}&n=3")
    assert reply.status == 200
    assert "image001.jpg" in shown(reply)
    assert "<script>alert" not in reply.text
    assert "<b>caf" not in reply.text
    assert "caf\\xe9" in reply.text


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_a_picture_is_chosen_in_a_browser(served, open_tab, tmp_path, script):
    (tmp_path / "mine.jpg").write_bytes(jpeg(photo(3)))
    opened = open_tab(served, "/search", java_script_enabled=script)
    tab = opened.tab
    tab.get_by_label("Like a picture").set_input_files(tmp_path / "mine.jpg")
    tab.get_by_role("button", name="Search").click()
    tab.wait_for_url("**picture=*")
    assert tab.locator(".card").count() >= 20
    tab.get_by_role("button", name=re.compile("Put all")).click()
    assert "added to the basket" in tab.locator("#told").inner_text()
    assert opened.complaints == []


@pytest.mark.slow
def test_a_picture_that_is_dropped_is_searched_for(served, open_tab):
    opened = open_tab(served, "/search")
    opened.ask(
        """async (address) => {
            const blob = await (await fetch(address)).blob();
            const dropped = new DataTransfer();
            dropped.items.add(new File([blob], "a.jpg", { type: "image/jpeg" }));
            const options = { dataTransfer: dropped, bubbles: true };
            document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        f"/thumbnails/{served.site.id_of(2)}",
    )
    opened.tab.wait_for_url("**picture=*")
    assert opened.tab.locator(".card").count() >= 20
    assert opened.complaints == []


def test_a_search_without_hits_says_what_is_searched(served):
    reply = served.look("/search?q=xyzzyq&only=known")
    assert "No image was found. Looked for are words of texts" in reply.text
    assert 'href="/images?words=xyzzyq"' in reply.text
