"""What is known of a folder: where it comes from, and that it is read once."""

import os

import numpy as np
import pytest

from imgbatch.annotations import kept, matching
from imgbatch.annotations.misfits import Misfit
from tests.annotations.tables import IMAGES, known_by_path, metadata_of


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    return tmp_path / "photos"


# ----- where it comes from ------------------------------------------------------------------------


def test_without_files_labels_are_subfolders_and_texts_are_files_beside_images(folder):
    (folder / "a" / "1.txt").write_text("one\n\n  two \n", encoding="utf-8-sig")
    (folder / "a" / "other.txt").write_text("of no image")
    metadata = metadata_of(folder)
    known = known_by_path(metadata)
    assert known["a/1.jpg"] == {"labels": ("a",), "texts": ("one", "two")}
    assert known["ü.jpg"] == {}
    assert metadata.notes == ("metadata: .txt files beside images: 1 of 5 images have texts (2)",)
    assert metadata.of_image(0).texts == ("one", "two")


def test_found_files_replace_what_they_speak_of_column_by_column(folder):
    (folder / "a" / "1.txt").write_text("beside")
    (folder / "metadata.csv").write_text("file_name,tags\na/1.jpg,sea;sky\n")
    known = known_by_path(metadata_of(folder))
    assert known["a/1.jpg"] == {"labels": ("a",), "tags": ("sea", "sky"), "texts": ("beside",)}
    (folder / "captions.csv").write_text("file_name,caption\na/2.jpg,told\n")
    known = known_by_path(metadata_of(folder))
    assert known["a/1.jpg"] == {"labels": ("a",), "tags": ("sea", "sky")}
    assert known["a/2.jpg"] == {"labels": ("a",), "texts": ("told",)}


def test_a_file_given_by_hand_replaces_all_that_would_be_found(folder, tmp_path):
    (folder / "a" / "1.txt").write_text("beside")
    (folder / "metadata.csv").write_text("file_name,tags\na/1.jpg,sea;sky\n")
    (tmp_path / "mine.csv").write_text("file_name,group\na/1.jpg,g\n")
    known = known_by_path(metadata_of(folder, tmp_path / "mine.csv"))
    assert known["a/1.jpg"] == {"labels": ("a",), "groups": ("g",)}


def test_the_programs_own_table_stands_beside_what_is_found_and_asks_for_nothing(folder, tmp_path):
    (folder / "a" / "1.txt").write_text("beside")
    (folder / "metadata.csv").write_text("file_name,tags\nnone.jpg,sea\n")
    own = tmp_path / "own.csv"
    for rows, labels in (
        ("a/1.jpg,cat\n", ("cat",)),
        ("a/1.jpg,cat\na/1.jpg,dog\n", ("cat",)),
        ("gone.jpg,cat\n", ("a",)),
    ):
        own.write_text("file_name,label\n" + rows)
        metadata = metadata_of(folder, own=(str(own),))
        assert known_by_path(metadata)["a/1.jpg"] == {"labels": labels, "texts": ("beside",)}
        assert metadata.files == ()
    (folder / "metadata.csv").write_text("file_name,tags\na/1.jpg,sea\n")
    assert metadata_of(folder, own=(str(own),)).files == (str(folder / "metadata.csv"),)


def test_the_programs_own_table_asks_for_nothing_where_the_user_names_it_too(folder, tmp_path):
    (tmp_path / "own.csv").write_text("file_name,label\ngone.jpg,cat\n")
    (tmp_path / "mine.csv").write_text("file_name,label\na/1.jpg,dog\n")
    given = (tmp_path / "mine.csv", tmp_path / "own.csv")
    metadata = metadata_of(folder, *given, own=(str(tmp_path / "own.csv"),))
    assert known_by_path(metadata)["a/1.jpg"] == {"labels": ("dog",)}
    assert metadata.files == (str(tmp_path / "mine.csv"),)


def test_a_url_has_no_files_of_its_own():
    metadata = metadata_of("memory://photos")
    assert not metadata.has("texts")
    assert len(metadata.column("texts")) == len(IMAGES)
    assert metadata.of_image(0).texts == ()


def test_text_files_that_cannot_be_read_are_listed(folder):
    (folder / "a" / "1.txt").write_bytes(b"x" * (1 << 21))
    (folder / "a" / "2.txt").write_bytes(b"caf\xe9?")
    (folder / "b" / "3.txt").mkdir()
    metadata = metadata_of(folder)
    assert list(metadata.column("texts"))[:3] == [(), ("caf??",), ()]
    assert f"{Misfit.NOT_READ}: 2" in metadata.notes[-1]
    assert f"{Misfit.NOT_TEXT}: 1" in metadata.notes[-1]


def test_a_text_file_that_is_a_link_to_nothing_costs_no_other_text(folder):
    for name in ("0", "1", "9"):  # a folder is listed in any order
        (folder / "a" / f"{name}.txt").symlink_to("/nowhere/at/all")
    (folder / "a" / "2.txt").write_text("told")
    metadata = metadata_of(folder)
    assert list(metadata.column("texts"))[:2] == [(), ("told",)]
    assert f"{Misfit.NOT_READ}: 1" in metadata.notes[-1]


def test_some_of_the_images_know_what_all_of_them_do(folder):
    whole = metadata_of(folder)
    some = whole.subset(np.array([1, 3, 4])).subset(np.array([0, 2]))
    assert len(some) == 2
    assert list(some.column("labels")) == [("a",), ()]
    assert [some.of_image(row).label for row in (0, 1)] == ["a", ""]


# ----- kept ---------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch):
    """The files that were read, row by row."""
    read = []

    def reading(file, *arguments):
        read.append(os.path.basename(file))
        return matching.read_file(file, *arguments)

    monkeypatch.setattr(kept, "read_file", reading)
    return read


@pytest.fixture
def table(folder):
    file = folder / "metadata.csv"
    file.write_text("file_name,label\na/1.jpg,cat\ngone.jpg,dog\n")
    return file


def test_rows_are_read_once(folder, tmp_path, table, reads):
    first = metadata_of(folder, directory=tmp_path)
    again = metadata_of(folder, directory=tmp_path)
    assert known_by_path(first) == known_by_path(again)
    assert first.notes == again.notes
    assert reads == ["metadata.csv"]


@pytest.mark.parametrize("change", ["content", "time", "inode", "images", "trust", "by hand"])
def test_they_are_read_again_when_something_changes(folder, tmp_path, table, reads, change):
    known_by_path(metadata_of(folder, directory=tmp_path, generation="1"))
    more = {"generation": "1"}
    given = ()
    if change == "content":
        table.write_text(table.read_text().replace("cat", "cow"))
    elif change == "time":
        os.utime(table, ns=(1, 1))
    elif change == "inode":
        times = table.stat().st_atime_ns, table.stat().st_mtime_ns
        table.rename(tmp_path / "old")
        table.write_bytes((tmp_path / "old").read_bytes())
        os.utime(table, ns=times)
    elif change == "images":
        more["generation"] = "2"
    elif change == "trust":
        more["trust_predicted"] = True
    else:
        given = (table,)
    known = known_by_path(metadata_of(folder, *given, directory=tmp_path, **more))
    assert known["a/1.jpg"]["labels"] == ("cow" if change == "content" else "cat",)
    assert len(reads) == 2


def test_a_file_that_changes_while_it_is_read_is_not_kept(folder, tmp_path, table, monkeypatch):
    def reading(*arguments):
        read = matching.read_file(*arguments)
        table.write_text("file_name,label\na/1.jpg,changed\n")
        return read

    monkeypatch.setattr(kept, "read_file", reading)
    assert known_by_path(metadata_of(folder, directory=tmp_path))["a/1.jpg"]["labels"] == ("cat",)
    known = known_by_path(metadata_of(folder, directory=tmp_path))
    assert known["a/1.jpg"]["labels"] == ("changed",)


def test_damage_to_what_is_kept_is_noticed_and_mended(folder, tmp_path, table):
    whole = known_by_path(metadata_of(folder, directory=tmp_path))
    for file in sorted((tmp_path / "metadata").rglob("*.npy")):
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        metadata = metadata_of(folder, directory=tmp_path)
        assert known_by_path(metadata) == whole
        assert any("is damaged; the metadata were read anew" in note for note in metadata.notes)
    assert not any("damaged" in note for note in metadata_of(folder, directory=tmp_path).notes)


@pytest.mark.parametrize("killed_at", range(1, 8))
def test_a_run_killed_while_it_keeps_metadata_costs_the_next_one_nothing(
    folder, tmp_path, table, killed_at
):
    """The process ends without any cleaning up, at one of the files that it writes."""
    if os.name != "posix":
        pytest.skip("needs fork")
    child = os.fork()
    if child == 0:
        left = killed_at

        def counting(*arguments, **options):
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(9)
            return save(*arguments, **options)

        save, np.save = np.save, counting
        if killed_at > 4:
            kept.seal = lambda *_: os._exit(9)
        known_by_path(metadata_of(folder, directory=tmp_path))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    metadata = metadata_of(folder, directory=tmp_path)
    assert known_by_path(metadata)["a/1.jpg"] == {"labels": ("cat",)}
    assert known_by_path(metadata_of(folder, directory=tmp_path)) == known_by_path(metadata)


def test_nothing_is_kept_where_nothing_can_be_written(folder, tmp_path, table):
    (tmp_path / "index").write_text("a file in the place of the folder")
    metadata = metadata_of(folder, directory=tmp_path / "index")
    assert known_by_path(metadata)["a/1.jpg"] == {"labels": ("cat",)}
    assert not any("list: " in note for note in metadata.notes)
    assert str(Misfit.NO_IMAGE) in metadata.notes[-1]


def test_texts_beside_images_are_read_again_when_one_changes(folder, tmp_path):
    (folder / "a" / "1.txt").write_text("one")
    assert metadata_of(folder, directory=tmp_path).column("texts")[0] == ("one",)
    (folder / "a" / "2.txt").write_text("two")
    assert metadata_of(folder, directory=tmp_path).column("texts")[1] == ("two",)
    assert metadata_of(folder, directory=tmp_path).column("texts")[:2] == [("one",), ("two",)]
