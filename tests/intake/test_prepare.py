"""`prepare` as a whole: reruns, changes, places that are refused, kills."""

import os
import signal
import time

import pytest

import imgbatch
from imgbatch.errors import FolderError, OutputError, UsageError
from imgbatch.files.atomic import replacing
from tests.drawing import jpeg, photo, write_photos
from tests.intake.making import CONFIG, dropped_rows, kept_rows, made, pictures_in, write_table


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    return folder


@pytest.fixture
def table(tmp_path):
    rows = [{"path": f"{number}.jpg", "label": f"c{number % 2}"} for number in range(6)]
    return write_table(tmp_path / "table.csv", rows)


def test_a_rerun_makes_nothing_and_writes_nothing(table, images, tmp_path):
    to = tmp_path / "to"
    assert made(table, to, images, size=(32, 32)).made == 6
    before = {path: path.stat().st_mtime_ns for path in to.rglob("*.*") if path.is_file()}
    again = made(table, to, images, size=(32, 32))
    assert (again.kept, again.made, again.images, again.rows) == (6, 0, 6, 6)
    for path in (to / "metadata.csv", to / "dropped.csv", *(to / "images").iterdir()):
        assert path.stat().st_mtime_ns == before[path]


def test_a_rerun_makes_what_is_missing_or_changed_and_nothing_else(table, images, tmp_path):
    to = tmp_path / "to"
    made(table, to, images)
    (to / "images" / "0.jpg").unlink()
    (to / "images" / "1.jpg").write_bytes(b"shorter")
    (images / "2.jpg").write_bytes(jpeg(photo(22, 130, 90)))
    (to / "metadata.csv").unlink()
    assert made(table, to, images).made == 3
    assert pictures_in(to)["images/2.jpg"] == (images / "2.jpg").read_bytes()
    assert len(kept_rows(to)) == 6


def test_a_source_that_comes_later_is_taken_and_one_that_goes_is_no_loss(table, images, tmp_path):
    to = tmp_path / "to"
    late = (images / "3.jpg").read_bytes()
    (images / "3.jpg").unlink()
    assert made(table, to, images).dropped == {"missing": 1}
    (images / "3.jpg").write_bytes(late)
    (images / "4.jpg").unlink()
    done = made(table, to, images)
    assert (done.kept, done.made, done.dropped) == (6, 1, {})


def test_a_source_that_breaks_takes_its_picture_along(table, images, tmp_path):
    to = tmp_path / "to"
    made(table, to, images)
    (images / "3.jpg").write_bytes(b"broken")
    assert made(table, to, images).dropped == {"unreadable": 1}
    assert "images/3.jpg" not in pictures_in(to)


def test_a_higher_limit_gives_pictures_another_try(table, images, tmp_path):
    to = tmp_path / "to"
    (images / "3.jpg").write_bytes(jpeg(photo(3, 500, 400)))
    low = CONFIG.images.model_copy(update={"max_megapixels": 0.1})
    config = CONFIG.model_copy(update={"images": low})
    assert made(table, to, images, config=config).dropped == {"unreadable": 1}
    assert made(table, to, images, config=config).made == 0
    assert made(table, to, images).made == 1


def test_rows_that_leave_the_table_take_their_pictures_along(table, images, tmp_path):
    to = tmp_path / "to"
    made(table, to, images)
    rows = [{"path": f"{number}.jpg", "label": "new"} for number in (5, 1)]
    write_table(table, rows)
    done = made(table, to, images)
    assert (done.kept, done.made) == (2, 0)
    assert sorted(pictures_in(to)) == ["images/1.jpg", "images/5.jpg"]
    assert [row["label"] for row in kept_rows(to)] == ["new", "new"]


def test_equal_pictures_are_kept_once_for_the_first_row(table, images, tmp_path):
    to = tmp_path / "to"
    (images / "1.jpg").write_bytes((images / "4.jpg").read_bytes())
    done = made(table, to, images, size=(32, 32))
    assert (done.kept, done.images, done.dropped) == (5, 5, {"same-picture": 1})
    assert dropped_rows(to) == [(6, "same-picture")]
    assert "images/4.jpg" not in pictures_in(to)
    assert made(table, to, images, size=(32, 32)).made == 0
    (images / "1.jpg").write_bytes(jpeg(photo(99)))
    assert made(table, to, images, size=(32, 32)).kept == 6
    assert "images/4.jpg" in pictures_in(to)


@pytest.mark.parametrize(
    ("changed", "word"),
    [({"size": (64, 64)}, "--size 32x32, and now it is 64x64"), ({"size": None}, "--size"),
     ({"require": ("label",)}, "--require"), ({"pattern": "./{id}"}, "--pattern")],
)  # fmt: skip
def test_other_settings_into_the_same_folder_are_refused(changed, word, table, images, tmp_path):
    to = tmp_path / "to"
    made(table, to, images, size=(32, 32))
    before = pictures_in(to)
    with pytest.raises(UsageError, match=word):
        made(table, to, images, **({"size": (32, 32)} | changed))
    assert pictures_in(to) == before


def test_nothing_is_written_where_pictures_are_read(table, images, tmp_path):
    before = sorted(images.iterdir())
    for to in (images, images / "new", tmp_path):
        source = images if to != tmp_path else tmp_path / "images"
        source.mkdir(exist_ok=True)
        with pytest.raises(UsageError):
            made(table, to, source)
    (tmp_path / "link").symlink_to(images)
    with pytest.raises(UsageError, match="never written to"):
        made(table, tmp_path / "link" / "new", images)
    assert sorted(images.iterdir()) == before


def test_a_folder_with_strangers_files_is_refused(table, images, tmp_path):
    to = tmp_path / "to"
    to.mkdir()
    (to / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="not made"):
        made(table, to, images)
    assert [path.name for path in to.iterdir()] == ["note.txt"]


def test_a_run_that_was_killed_before_its_first_picture_can_go_on(table, images, tmp_path):
    (tmp_path / "to" / ".imgbatch").mkdir(parents=True)
    assert made(table, tmp_path / "to", images).kept == 6


def test_a_run_that_was_killed_while_it_wrote_tables_leaves_nothing_behind(table, images, tmp_path):
    to = tmp_path / "to"
    made(table, to, images)
    names = sorted(path.name for path in to.iterdir())
    with replacing(to / "metadata.csv") as draft:
        draft.write_text("a row")
    draft.write_text("half a row")  # as after a kill, which runs nothing that cleans up
    made(table, to, images)
    assert sorted(path.name for path in to.iterdir()) == names


def test_a_damaged_state_is_one_clear_error(table, images, tmp_path):
    made(table, tmp_path / "to", images)
    (tmp_path / "to" / ".imgbatch" / "prepare.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(OutputError, match="not a database"):
        made(table, tmp_path / "to", images)


def test_no_note_on_links_is_made_for_local_pictures(table, images, tmp_path):
    (images / "3.jpg").write_bytes(b"broken")
    assert made(table, tmp_path / "to", images).notes == ()


def test_a_folder_of_pictures_that_is_not_there_is_an_error(table, tmp_path):
    with pytest.raises(FolderError, match="no folder"):
        made(table, tmp_path / "to", tmp_path / "nowhere")


def test_other_commands_read_the_folder_as_it_is(tmp_path):
    names = write_photos(tmp_path / "photos", 12, classes=3)
    rows = [{"path": name, "label": f"l{n % 2}", "caption": name} for n, name in enumerate(names)]
    to = tmp_path / "to"
    made(write_table(tmp_path / "table.csv", rows), to, tmp_path / "photos")
    photos = imgbatch.load(to, index=tmp_path / "index")
    by_path = {path.split("images/")[1]: row for row, path in enumerate(photos.paths)}
    for row in rows:
        at = by_path[row["path"]]
        assert photos.labels[at] == row["label"]
        assert photos.texts[at] == (row["caption"],)


# ----- the command --------------------------------------------------------------------------------


def test_the_command_ends_with_counts(cli, table, images, tmp_path):
    (images / "0.jpg").unlink()
    answer = cli(
        "prepare", table, "--to", tmp_path / "to", "--images", images, "--size", "32x32", "--json"
    )
    assert answer.code == 0
    assert answer.json["kept"] == 5
    assert answer.json["dropped"] == {"missing": 1}
    shown = cli("prepare", table, "--to", tmp_path / "to", "--images", images, "--size", "32x32")
    assert "missing 1" in shown.out
    assert "--pattern" not in shown.err


def test_where_hardly_any_picture_is_found_it_is_told_where_they_were_looked_for(
    cli, table, images, tmp_path
):
    answer = cli(
        "prepare", table, "--to", tmp_path / "to", "--images", images, "--pattern", "x{id}"
    )
    assert answer.code == 0
    assert "kept  0" in answer.out
    assert "/x{id}; if they lie elsewhere" in answer.err


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--size", "0x9"), "such as 384x384"), (("--fit", "squeeze"), "cover, contain, stretch"),
     (("--pattern", "x.jpg"), "{id}"), (("-o", "a.txt"), ".parquet")],
)  # fmt: skip
def test_a_wrong_option_is_one_clear_line(options, words, cli, table, images, tmp_path):
    to = tmp_path / "to"
    answer = cli("prepare", table, "--to", to, "--images", images, *options, cwd=tmp_path)
    answer.assert_one_clear_line(2, words)
    assert not to.exists()


def test_two_runs_at_once_on_one_folder_are_refused(cli, table, images, tmp_path):
    from imgbatch.intake.state import State

    (tmp_path / "to").mkdir()
    state = State(tmp_path / "to", {})
    answer = cli("prepare", table, "--to", tmp_path / "to", "--images", images)
    answer.assert_one_clear_line(2, "another imgbatch prepare is at work")
    state.close()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("after_files", [0, 1, 30, 100])
def test_a_kill_loses_and_doubles_nothing(after_files, start, cli, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    data = [jpeg(photo(number, 400, 300)) for number in range(4)]
    rows = [{"path": f"{number}.jpg"} for number in range(160)]
    for number, row in enumerate(rows):
        (folder / row["path"]).write_bytes(data[number % 4] + str(number).encode())
    table = write_table(tmp_path / "table.csv", rows)
    to, images = tmp_path / "to", tmp_path / "to" / "images"
    arguments = ("prepare", table, "--to", to, "--images", folder, "--size", "64x64")
    process = start(*arguments)
    while not (images.is_dir() and len(list(images.iterdir())) >= after_files):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    answer = cli(*arguments, "--json")
    assert answer.code == 0, answer.err
    done = answer.json
    assert (done["kept"], done["dropped"], len(pictures_in(to))) == (160, {}, 160)
    reference = tmp_path / "reference"
    made(table, reference, folder, size=(64, 64))
    assert pictures_in(to) == pictures_in(reference)
    assert kept_rows(to) == kept_rows(reference)
    assert sorted(path.name for path in (to / ".imgbatch").iterdir()) == ["prepare.sqlite"]
