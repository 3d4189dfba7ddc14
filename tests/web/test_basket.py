"""What the basket is for: files, rows, tags, labels, a report."""

import csv
import errno
import io
import os
from pathlib import Path

import pytest

from imgbatch.errors import CatalogueError
from imgbatch.web.basket import Basket
from imgbatch.web.turns import Turns
from tests.drawing import jpeg, photo, settle
from tests.web.conftest import CONFIG
from tests.web.serving import Served

HOSTILE = ('<b>&".jpg', "caf\udce9.jpg")


@pytest.fixture
def page(photos, tmp_path):
    """Twelve photos and two of hostile names; these two and one more are in the basket."""
    for number, name in enumerate(HOSTILE):
        (photos / name).write_bytes(jpeg(photo(90 + number, 120, 90)))
    settle(photos)
    served = Served(photos, tmp_path / "index", tmp_path / "out" / "saved.csv", CONFIG)
    ids = [served.id_of(name) for name in (*HOSTILE, "image003.jpg")]
    served.post("/basket/change", {"add": ids})
    yield served
    served.stop()


def test_all_images_of_a_page_are_put_in_by_a_form(page):
    text = page.look("/different?n=5&seed=1").text
    form = text.partition('<form id="put-all"')[2].partition("</form>")[0]
    ids = [part.partition('"')[0] for part in form.split('name="add" value="')[1:]]
    assert len(ids) == 5
    page.post("/basket/change", {"clear": "1"})
    reply = page.post("/basket/change", {"add": ids, "back": "/different?n=5&seed=1"})
    assert reply.headers["Location"].startswith("/different?n=5&seed=1&did=5+added")
    assert len(page.site.basket) == 5


@pytest.mark.parametrize("how", ["copy", "link"])
def test_files_are_copied_or_linked_and_none_is_overwritten(page, tmp_path, how):
    target = tmp_path / "picked"
    target.mkdir()
    (target / "03-image003.jpg").write_bytes(b"mine")
    told = page.follow(page.post("/basket/copy", {"folder": str(target), "how": how})).text
    assert "3 images" in told
    assert (target / "03-image003.jpg").read_bytes() == b"mine"
    made = sorted(os.listdir(target))
    assert len(made) == 4
    assert all((target / name).is_symlink() for name in made if name != "03-image003.jpg") == (
        how == "link"
    )


@pytest.mark.parametrize(
    "folder",
    ["", "picked", "{images}", "{images}/new", "{images}/../photos/new", "a\0b", "/proc/none/x"],
)
def test_a_folder_that_will_not_do_is_refused_with_a_sentence(page, folder):
    before = sorted(os.listdir(page.source.folder))
    given = folder.format(images=page.source.folder)
    reply = page.post("/basket/copy", {"folder": given, "how": "copy"})
    assert reply.status == 400
    assert "Traceback" not in reply.text
    assert sorted(os.listdir(page.source.folder)) == before


def test_a_link_into_the_image_folder_is_refused(page, tmp_path):
    (tmp_path / "way").symlink_to(page.source.folder)
    reply = page.post("/basket/copy", {"folder": str(tmp_path / "way"), "how": "copy"})
    assert reply.status == 400
    assert "inside the image folder" in reply.text


def test_rows_keep_the_bytes_of_names(page):
    reply = page.get("/basket/rows.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="basket.csv"'
    text = reply.body.decode(errors="surrogateescape")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["file_name"] for row in rows] == [*HOSTILE, "image003.jpg"]


def test_the_report_is_one_file_that_escapes_names(page):
    reply = page.get("/basket/report.html")
    assert reply.status == 200
    assert reply.text.count("data:image/jpeg") == 3
    assert "<b>" not in reply.text.partition("<main")[2].partition("</main>")[0]


def test_tags_join_those_that_are_there_and_are_taken_back(page):
    for name in ("red", "old; rusty", "red", "blue"):
        reply = page.post("/basket/give", {"what": "tag", "name": name})
        assert reply.status == (400 if ";" in name else 303)
    with page.site.asking() as photos:
        row = photos.records.row_of(HOSTILE[1])
        assert photos.tags[row] == ("red", "blue")
    page.post("/basket/undo-given", {})
    with page.site.asking() as photos:
        assert photos.tags[row] == ("red",)


def test_all_get_a_class(page):
    page.post("/basket/give", {"what": "label", "name": "sea"})
    assert page.site.labels == {"sea": 3}
    assert "image003.jpg,sea" in page.get("/basket/rows.csv").body.decode(errors="replace")


def test_what_is_no_image_of_the_index_is_never_handed_out(page, tmp_path):
    page.site.basket.add(["../../etc/passwd", "/etc/passwd", "gone.jpg"])
    text = page.get("/basket").text
    assert "3 more are not" in text
    assert "passwd" not in text
    page.post("/basket/copy", {"folder": str(tmp_path / "picked"), "how": "copy"})
    assert len(os.listdir(tmp_path / "picked")) == 3


def test_an_empty_basket_offers_nothing_to_do(page):
    page.post("/basket/change", {"clear": "1"})
    text = page.get("/basket").text
    assert "Copy the files" not in text
    assert page.follow(page.post("/basket/change", {"undo": "1", "back": "/basket"})).status == 200
    assert len(page.site.basket) == 3


@pytest.mark.slow
def test_paths_are_copied_and_nothing_is_complained_of(page, open_tab):
    tab = open_tab(page, "/basket", permissions=["clipboard-read", "clipboard-write"])
    tab.tab.get_by_text("All paths").click()
    tab.tab.get_by_role("button", name="Copy paths").click()
    tab.tab.wait_for_function("() => document.getElementById('told').innerText !== ''")
    assert tab.complaints == []


def test_a_field_that_was_left_empty_is_told_as_such_and_the_page_leads_back(own_page):
    path = own_page.site.photos.records[0].path
    own_page.post("/basket/change", {"add": own_page.id_of(path)})
    for address, form, told in (
        ("/basket/give", {"name": " ", "what": "tag"}, "no tag or class was given"),
        ("/basket/copy", {"folder": "", "how": "copy"}, "no folder was given"),
    ):
        reply = own_page.post(address, form)
        assert reply.status == 400
        assert told in reply.text
        assert '<a class="button" href="/basket">Go on with Basket</a>' in reply.text
    done = own_page.follow(own_page.post("/basket/give", {"name": "sea", "what": "tag"}))
    assert "1 image tagged sea" in done.text


@pytest.mark.parametrize("data", [b"", b"{", b"[1, 2]", b'{"a": 1}', b"\xff\xfe", b"[" * 90_000])
def test_a_damaged_basket_is_kept_aside_and_told_of(tmp_path, data):
    file = tmp_path / "basket.json"
    file.write_bytes(data)
    basket = Basket(file, Turns(tmp_path / "turns.sqlite"))
    assert basket.paths == ()
    basket.add(["a.jpg"])
    (aside,) = tmp_path.glob("basket.json.damaged-*")
    assert aside.read_bytes() == data
    assert len(basket.notes) == 1
    assert str(aside) in basket.notes[0]
    assert Basket(file, Turns(tmp_path / "turns.sqlite")).paths == ("a.jpg",)


@pytest.mark.parametrize("old", [b"a", b"[", b'"', b", ", b"]", b"\n"])
def test_a_changed_byte_of_the_basket_is_noticed(tmp_path, old):
    file = tmp_path / "basket.json"
    turns = Turns(tmp_path / "turns.sqlite")
    Basket(file, turns).add(["a.jpg", "b.jpg"])
    data = file.read_bytes()
    file.write_bytes(data.replace(old, bytes([old[0] ^ 2]), 1))
    basket = Basket(file, turns)
    assert basket.paths == ()
    assert "damaged" in basket.notes[0]


def test_a_basket_of_an_older_version_is_read(tmp_path):
    (tmp_path / "basket.json").write_bytes(b'["a.jpg"]')
    basket = Basket(tmp_path / "basket.json", Turns(tmp_path / "turns.sqlite"))
    assert (basket.paths, basket.notes) == (("a.jpg",), ())


def test_a_basket_that_could_not_be_read_and_is_gone_begins_anew(tmp_path, monkeypatch):
    one, other = baskets_of(tmp_path)
    one.add(["a.jpg"])
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refusing(errno.EACCES))
        assert other.notes
    (tmp_path / "basket.json").unlink()
    assert other.notes == ()
    other.add(["b.jpg"])
    assert other.paths == ("b.jpg",)


def test_a_basket_of_which_nothing_can_be_learned_for_a_moment_is_not_empty(tmp_path, monkeypatch):
    one, _ = baskets_of(tmp_path)
    one.add(["a.jpg", "b.jpg"])
    with monkeypatch.context() as patched:
        patched.setattr("imgbatch.web.basket.os.stat", refusing(errno.EIO))
        with pytest.raises(CatalogueError, match="cannot be read"):
            one.add(["c.jpg"])
    assert one.add(["c.jpg"]) == 1
    assert one.paths == ("a.jpg", "b.jpg", "c.jpg")


def refusing(refusal):
    """What every call of is refused."""

    def refuse(*_, **__):
        raise OSError(refusal, os.strerror(refusal))

    return refuse


@pytest.mark.parametrize("refusal", [errno.EACCES, errno.EMFILE, errno.EIO])
def test_a_basket_that_cannot_be_read_now_stays_and_is_read_later(tmp_path, monkeypatch, refusal):
    one, other = baskets_of(tmp_path)
    one.add(["a.jpg"])
    before = (tmp_path / "basket.json").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refusing(refusal))
        assert os.strerror(refusal) in " ".join(other.notes)
        with pytest.raises(CatalogueError, match="cannot be read"):
            other.add(["b.jpg"])
        with pytest.raises(CatalogueError, match="cannot be read"):
            other.clear()
    assert (tmp_path / "basket.json").read_bytes() == before
    assert other.paths == ("a.jpg",)
    assert other.notes == ()


def test_a_folder_in_the_place_of_the_basket_bars_nobody(tmp_path):
    (tmp_path / "basket.json").mkdir()
    basket = Basket(tmp_path / "basket.json", Turns(tmp_path / "turns.sqlite"))
    basket.add(["a.jpg"])
    assert basket.paths == ("a.jpg",)
    assert len(basket.notes) == 1


def test_the_page_tells_of_a_damaged_basket(page):
    file = page.site.photos.index_directory / "basket.json"
    file.write_bytes(b"[")
    os.utime(file, (1, 1))
    assert "moved to" in page.look("/basket").text


def baskets_of(folder):
    """The baskets of two servers of one folder."""
    return [Basket(folder / "basket.json", Turns(folder / "turns.sqlite")) for _ in range(2)]


def test_an_undo_leaves_what_another_page_put_in_since(tmp_path):
    one, other = baskets_of(tmp_path)
    one.add(["a.jpg"])
    other.add(["b.jpg", "c.jpg"])
    assert one.undo()
    assert other.paths == ("b.jpg", "c.jpg")


def test_an_undo_leaves_out_what_another_page_took_out_since(tmp_path):
    one, other = baskets_of(tmp_path)
    one.add(["a.jpg", "b.jpg", "c.jpg"])
    one.remove(["b.jpg"])
    other.remove(["a.jpg"])
    assert one.undo()
    assert other.paths == ("b.jpg", "c.jpg")


def test_an_undone_removal_brings_images_back_to_their_places(tmp_path):
    one, other = baskets_of(tmp_path)
    one.add(["a.jpg", "b.jpg", "c.jpg"])
    one.add(["d.jpg"], without=["a.jpg", "b.jpg"])
    other.add(["e.jpg"])
    assert one.undo()
    assert other.paths == ("a.jpg", "b.jpg", "c.jpg", "e.jpg")


def test_a_change_that_cannot_be_written_leaves_the_basket_as_it_was(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    one, other = baskets_of(tmp_path)
    one.add(["a.jpg"])
    monkeypatch.setattr("imgbatch.web.basket.write_bytes", full)
    for change in (lambda: one.add(["b.jpg"]), one.clear, one.undo):
        with pytest.raises(OSError, match="No space"):
            change()
        assert one.paths == other.paths == ("a.jpg",)
    monkeypatch.undo()
    assert one.undo()
    assert (one.paths, one.can_undo) == ((), False)
