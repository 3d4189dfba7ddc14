"""Search by words in an export in PostgreSQL gives what the folder gives."""

import csv

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.errors import DatabaseError, LabelError, SelectionError, UsageError
from imgbatch.exports import run as exporting
from imgbatch.exports import words as exported_words
from imgbatch.exports.remote import RemoteImages
from tests.drawing import settle
from tests.exports.asking import ask

for library in ("psycopg", "pgvector", "bm25s", "regex", "snowballstemmer"):
    pytest.importorskip(library, reason=f"needs {library}")

pytestmark = pytest.mark.slow
COLORS = {"red": (205, 25, 30), "blue": (40, 90, 200), "green": (50, 160, 60)}
SUBJECTS = ("barn on a hill", "wave of the sea", "tree in the park", "door", "small boats")
QUERIES = (
    "red", "barns", "blue waves of the sea", "a green tree", "two small red boats", "door hill",
    "farm", "shiny", "zebra", "barm", "the zebra of the blue sea", "the", "tree tree tree",
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Ninety pictures in three colours; two of three have texts, some tags, some a class."""
    base = tmp_path_factory.mktemp("worded")
    (base / "photos").mkdir()
    random, rows = np.random.default_rng(3), [("file_name", "text", "tags", "label")]
    for number in range(90):
        name, (color, rgb) = f"{number:02}.png", list(COLORS.items())[number % 3]
        noise = random.integers(-40, 41, (40, 50, 3))
        Image.fromarray((np.array(rgb) + noise).clip(0, 255).astype(np.uint8)).save(
            base / "photos" / name
        )
        if number < 60:
            said = f"Two {color} {SUBJECTS[random.integers(5)]}"
            rows.append((name, said, "shiny" * (number % 7 == 0), "farm" * (number % 11 == 0)))
            if number % 4 == 0:
                rows.append((name, f"It is {color}; {SUBJECTS[random.integers(5)]}", "", ""))
    settle(base / "photos")
    return write(base, rows)


def write(base, rows, name="known.csv"):
    with (base / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return base


def load(base, name="known.csv"):
    return imgbatch.load(base / "photos", metadata=base / name, index=base / "index")


@pytest.fixture
def exported(base, url):
    photos = load(base)
    exporting.export(photos, url)
    return photos


def facts(found):
    """All that both must agree in; tags come back in the order of the alphabet."""
    images = [
        (image.relative, image.relevance, image.source, image.words, sorted(image.texts),
         image.record) for image in found.images
    ]  # fmt: skip
    return images, found.unknown, found.language, found.indexed, found.with_text


@pytest.mark.parametrize("only", [None, "known", "unknown"])
def test_images_order_relevance_and_reasons_are_those_of_the_folder(exported, url, only):
    remote, sources = RemoteImages(url), set()
    for query in QUERIES:
        for n in (3, 90):
            there, here = (one.search(query, n, only=only) for one in (remote, exported))
            assert facts(there) == facts(here), query
            assert set(here.notes) - set(exported.notes) <= set(there.notes)
            sources |= {image.source for image in there.images}
    assert sources == {None: {"text", "visual"}, "known": {"text"}, "unknown": {"visual"}}[only]


def test_an_image_to_be_like_counts_as_in_the_folder(exported, url, base, tmp_path):
    outside = tmp_path / "outside.png"
    outside.write_bytes((base / "photos" / "07.png").read_bytes())
    for like in ("07.png", base / "photos" / "65.png", outside):
        there, here = (
            one.search("red sea", 40, like=like) for one in (RemoteImages(url), exported)
        )
        assert facts(there) == facts(here)


def test_an_unknown_word_is_named_with_known_ones_near_it(exported, url):
    found = RemoteImages(url).search("barm")
    assert found.images == ()
    assert found.unknown == {"barm": ("farm", "barn")}


def test_what_has_not_changed_is_not_sent_again_and_what_has_is_renewed_whole(base, exported, url):
    ask(url, "UPDATE image_stems SET form = 'marked'")
    exporting.export(exported, url)
    assert ask(url, "SELECT DISTINCT form FROM image_stems") == [("marked",)]
    write(base, [("file_name", "text"), *((f"{n:02}.png", "a walrus") for n in range(30))], "w.csv")
    other = load(base, "w.csv")
    exporting.export(other, url)
    assert {form for (form,) in ask(url, "SELECT form FROM image_stems")} == {"a", "walrus"}
    assert facts(RemoteImages(url).search("walrus")) == facts(other.search("walrus"))
    assert RemoteImages(url).search("barn").images == ()


def test_an_export_that_is_stopped_leaves_the_words_that_were_there(
    base, exported, url, monkeypatch
):
    before = facts(RemoteImages(url).search("barn"))
    copy = exported_words._copy

    def stopped(db, name, rows):
        if name == "image_looks":
            raise InterruptedError
        copy(db, name, rows)

    monkeypatch.setattr(exported_words, "_copy", stopped)
    write(base, [("file_name", "text"), *((f"{n:02}.png", "a walrus") for n in range(30))], "w.csv")
    with pytest.raises(InterruptedError):
        exporting.export(load(base, "w.csv"), url)
    after = facts(RemoteImages(url).search("barn"))
    # The texts that are shown stand in a table of their own, and are new already.
    assert [image[:4] for image in after[0]] == [image[:4] for image in before[0]]


@pytest.mark.parametrize(
    "older",
    [
        "DROP TABLE image_words, image_stems, image_looks, image_word_maps",
        "UPDATE image_word_maps SET version = 0",
        "DELETE FROM image_word_maps",
    ],
)
def test_an_export_without_words_of_this_version_is_one_clear_error_until_it_is_renewed(
    exported, url, older
):
    ask(url, older)
    with pytest.raises(DatabaseError, match="no words to search") as caught:
        RemoteImages(url).search("barn")
    assert "export the folder again" in caught.value.hint
    assert RemoteImages(url).similar(3, like="07.png").images
    exporting.exporter_of(url).check(url)
    exporting.export(exported, url)
    assert facts(RemoteImages(url).search("barn")) == facts(exported.search("barn"))


def test_damaged_maps_are_one_clear_error_and_go_with_their_row(exported, url):
    ask(url, "UPDATE image_word_maps SET arrays = substr(arrays, 1, 200)")
    with pytest.raises(DatabaseError, match="damaged") as caught:
        RemoteImages(url).search("barn")
    assert "image_word_maps" in caught.value.hint
    ask(url, "DELETE FROM image_word_maps")
    exporting.export(exported, url)
    assert facts(RemoteImages(url).search("barn")) == facts(exported.search("barn"))


def test_a_word_too_long_for_an_index_does_not_stop_an_export(base, url):
    random = np.random.default_rng(0)
    endless = "".join(random.choice(list("abcdefgh"), 9000).tolist())
    rows = [("file_name", "text"), *((f"{n:02}.png", f"a barn {endless}") for n in range(30))]
    write(base, rows, "long.csv")
    photos = load(base, "long.csv")
    exporting.export(photos, url)
    assert facts(RemoteImages(url).search("barn")) == facts(photos.search("barn"))
    assert RemoteImages(url).search(endless).images == ()


def test_a_folder_of_which_nothing_is_known_says_so(base, url):
    write(base, [("file_name", "group"), ("00.png", "a")], "nothing.csv")
    exporting.export(load(base, "nothing.csv"), url)
    with pytest.raises(LabelError, match="no image of the export") as caught:
        RemoteImages(url).search("barn")
    assert "`metadata`" in caught.value.hint


def test_without_the_library_nothing_of_words_stays_in_the_database(exported, url, monkeypatch):
    def missing():
        raise UsageError("bm25s is not installed", "install it")

    monkeypatch.setattr(exporting, "check_libraries", missing)
    (note,) = exporting.export(exported, url).notes
    assert "bm25s is not installed" in note
    with pytest.raises(DatabaseError, match="no words to search"):
        RemoteImages(url).search("barn")


def test_known_texts_are_found_and_the_lack_said_where_too_few_teach_looks(base, url):
    rows = [("file_name", "text"), ("03.png", "a barn"), ("04.png", "two barns")]
    write(base, rows, "few.csv")
    photos = load(base, "few.csv")
    exporting.export(photos, url)
    there = RemoteImages(url).search("barns")
    assert facts(there) == facts(photos.search("barns"))
    assert any("only 2 images have texts" in note for note in there.notes)


def test_images_that_came_and_went_have_words_of_the_new_space_only(base, exported, url, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for file in sorted((base / "photos").iterdir()):
        (folder / file.name).write_bytes(file.read_bytes())
    settle(folder)

    def export():
        photos = imgbatch.load(folder, metadata=base / "known.csv", index=tmp_path / "index")
        exporting.export(photos, url)
        return photos

    export()
    (folder / "00.png").unlink()
    (folder / "01.png").rename(folder / "99.png")
    photos = export()
    remote = RemoteImages(url, folder)
    assert facts(remote.search("red barn", 90)) == facts(photos.search("red barn", 90))
    marks = {mark for (mark,) in ask(url, "SELECT fingerprint FROM image_words")}
    assert marks == {remote.space.fingerprint, RemoteImages(url, base / "photos").space.fingerprint}


def test_weights_of_words_add_up_to_the_order_in_plain_sql(exported, url):
    rows = ask(
        url,
        "SELECT path, sum(weight) FROM image_words JOIN images ON id = image_id"
        " WHERE stem IN ('red', 'barn') GROUP BY path ORDER BY 2 DESC, 1",
    )
    index = exported.words.texts
    scores = index.by_word(index.query("red barn")).sum(1)
    assert len(rows) == (scores > 0).sum()
    for path, weight in rows:
        row = exported.records.row_of(path)
        assert weight == pytest.approx(scores[row], rel=1e-5)


def test_what_cannot_be_searched_is_one_clear_error(exported, url):
    remote = RemoteImages(url)
    for query, options in (("barn", {"n": 0}), ("...", {}), ("barn", {"only": "some"})):
        with pytest.raises(SelectionError):
            remote.search(query, **options)
    with pytest.raises(SelectionError, match="cannot be read"):
        remote.search("barn", like="nothing.png")


# ----- the command --------------------------------------------------------------------------------


def test_the_command_answers_from_the_database_as_from_the_folder(
    cli, exported, url, base, tmp_path
):
    of_folder = (
        "--index",
        base / "index",
        "--metadata",
        base / "known.csv",
        "--emphasis",
        "balanced",
    )
    here = cli("search", base / "photos", "red barn", "--json", *of_folder)
    secret = url.replace("postgres:@", "postgres:secret@")
    page = tmp_path / "a.html"
    there = cli(
        "search", "red barn", "--from", secret, "--folder", base / "photos", "--json", "-o", page
    )
    assert there.code == 0, there.err
    for name in ("images", "query", "folder", "language", "unknown", "indexed", "with_text"):
        assert there.json[name] == here.json[name], name
    shown = page.read_text(encoding="utf-8")
    assert "imgbatch search" in shown
    assert "secret" not in there.out + there.err + shown


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("photos", "barn", "--from", "postgresql://h/d"), "--folder NAME"),
        (("barn", "--from", ""), "--from is empty"),
        (("barn", "--from", "postgresql://h/d", "--language", "none"), "--language"),
        (("barn", "--from", "postgresql://h/d", "--label", "a"), "--label"),
        (("barn", "--from", "postgresql://h/d", "--metadata", "a.csv"), "--metadata"),
        (("photos",), "the words are missing"),
        (("photos", "barn", "--folder", "x"), "--folder was given without --from"),
    ],
)
def test_arguments_that_make_no_sense_together_are_usage_errors(cli, given, word):
    cli("search", *given).assert_one_clear_line(2, word)


def test_a_file_among_the_images_is_refused(cli, exported, url, base):
    target = base / "photos" / "a.html"
    cli("search", "barn", "--from", url, "-o", target).assert_one_clear_line(2, "never written to")
