"""Moving files by a journal: nothing is lost, nothing is overwritten, everything can be taken back."""

import errno
import json
import os
from pathlib import Path

import pytest

from imgbatch.copies import journal, moving
from imgbatch.copies.journal import finish_pending, move_files, undo
from imgbatch.errors import OutputError, UsageError

posix = pytest.mark.skipif(os.name != "posix", reason="needs links")


def files_in(folder):
    """Bytes by path, but for journals."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if not path.name.startswith(("imgbatch-moves-", ".imgbatch-"))
    }


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for name in ("a.jpg", "sub/b.jpg", "sub/c\udce9.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode("utf-8", "surrogateescape") * 9)
    return folder


def moves(folder, target):
    return [(str(folder / name), str(target / name)) for name in sorted(files_in(folder))]


def test_files_are_moved_and_moved_back(photos, tmp_path):
    before, aside = files_in(photos), tmp_path / "aside"
    moved = move_files(moves(photos, aside), aside)
    assert (moved.files, moved.left) == (3, ())
    assert files_in(photos) == {}
    assert files_in(aside) == before
    back = undo(moved.journal)
    assert (back.files, back.left) == (3, ())
    assert files_in(photos) == before
    assert files_in(aside) == {}
    assert back.journal.name == "imgbatch-moves-001.undone.jsonl"
    assert undo(back.journal).files == 0  # once more does no harm
    assert files_in(photos) == before


def test_undo_leaves_a_strangers_file_in_place_of_one_that_could_not_be_moved(photos, tmp_path):
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "a.jpg").write_bytes(b"a stranger's")
    moved = move_files(moves(photos, aside), aside)
    (photos / "a.jpg").unlink()
    assert undo(moved.journal).files == 2
    assert not (photos / "a.jpg").exists()
    assert (aside / "a.jpg").read_bytes() == b"a stranger's"


def interrupted(*_given):
    raise KeyboardInterrupt


def unlink_but_in(folder, error):
    """The function os.unlink, which raises an error for files of a folder."""
    unlink = os.unlink

    def refusing(path, **options):
        if str(path).startswith(str(folder)):
            raise error
        unlink(path, **options)

    return refusing


def test_a_pending_journal_takes_no_strangers_file_for_the_one_that_it_lists(
    photos, tmp_path, monkeypatch
):
    aside = tmp_path / "aside"
    with monkeypatch.context() as patched:
        patched.setattr(moving, "_give_second_name", interrupted)
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    (photos / "a.jpg").unlink()
    (aside / "a.jpg").write_bytes(b"a stranger's")
    (finished,) = finish_pending(aside)
    assert (finished.files, [Path(path).name for path, _ in finished.left]) == (2, ["a.jpg"])
    undo(finished.journal)
    assert (aside / "a.jpg").read_bytes() == b"a stranger's"


def test_a_file_that_a_kill_left_in_two_places_stays_in_the_journal_if_it_cannot_be_removed(
    photos, tmp_path, monkeypatch
):
    before, aside = files_in(photos), tmp_path / "aside"
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "unlink", unlink_but_in(photos, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    refused = PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "unlink", unlink_but_in(photos, refused))
        (finished,) = finish_pending(aside)
    assert (finished.files, len(finished.left)) == (0, 3)
    undo(finished.journal)
    assert (files_in(photos), files_in(aside)) == (before, {})


def test_times_that_a_file_system_keeps_coarsely_are_no_sign_of_another_file(
    photos, tmp_path, monkeypatch
):
    aside = tmp_path / "aside"
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "unlink", unlink_but_in(photos, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    time_ns = (aside / "a.jpg").stat().st_mtime_ns // 2_000_000_000 * 2_000_000_000
    (photos / "a.jpg").unlink()
    os.utime(aside / "a.jpg", ns=(time_ns, time_ns))
    (finished,) = finish_pending(aside)
    assert (finished.files, finished.left) == (3, ())


def test_a_file_that_cannot_leave_its_place_is_not_in_two(photos, tmp_path, monkeypatch):
    before, aside = files_in(photos), tmp_path / "aside"
    refused = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(journal.os, "unlink", unlink_but_in(photos, refused))
    moved = move_files(moves(photos, aside), aside)
    assert (moved.files, len(moved.left)) == (0, 3)
    assert files_in(photos) == before
    assert files_in(aside) == {}


def test_a_second_journal_gets_a_number_of_its_own(photos, tmp_path):
    first = move_files(moves(photos, tmp_path / "aside"), tmp_path / "aside").journal
    undo(first)
    second = move_files(moves(photos, tmp_path / "aside"), tmp_path / "aside").journal
    assert (first.name, second.name) == ("imgbatch-moves-001.jsonl", "imgbatch-moves-002.jsonl")


def test_nothing_is_written_over_another_file_in_either_direction(photos, tmp_path):
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "a.jpg").write_bytes(b"another one")
    moved = move_files(moves(photos, aside), aside)
    assert moved.files == 2
    assert [Path(path).name for path, _ in moved.left] == ["a.jpg"]
    assert (aside / "a.jpg").read_bytes() == b"another one"
    assert (photos / "a.jpg").read_bytes() == b"a.jpg" * 9
    (photos / "sub" / "b.jpg").write_bytes(b"new")
    back = undo(moved.journal)
    assert {Path(path).name for path, _ in back.left} == {"b.jpg"}
    assert (aside / "a.jpg").read_bytes() == b"another one"
    assert (photos / "sub" / "b.jpg").read_bytes() == b"new"
    assert (aside / "sub" / "b.jpg").read_bytes() == b"sub/b.jpg" * 9
    assert (photos / "a.jpg").read_bytes() == b"a.jpg" * 9


def test_where_links_are_impossible_files_are_copied(photos, tmp_path, monkeypatch):
    def no_link(*_args, **_options):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    before, aside = files_in(photos), tmp_path / "aside"
    os.utime(photos / "a.jpg", ns=(1_600_000_000_000_000_000,) * 2)
    monkeypatch.setattr(journal.os, "link", no_link)
    move_files(moves(photos, aside), aside)
    assert files_in(aside) == before
    assert (aside / "a.jpg").stat().st_mtime_ns == 1_600_000_000_000_000_000
    assert files_in(photos) == {}


@pytest.mark.parametrize("step", range(1, 7))
def test_a_kill_after_any_step_loses_nothing_and_the_next_run_finishes(
    photos, tmp_path, monkeypatch, step
):
    before, aside = files_in(photos), tmp_path / "aside"
    steps = []

    def dying(real):
        def call(*args, **options):
            if len(steps) == step:
                raise KeyboardInterrupt
            steps.append(real)
            return real(*args, **options)

        return call

    wanted = moves(photos, aside)
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "link", dying(os.link))
        patched.setattr(journal.os, "unlink", dying(os.unlink))
        with pytest.raises(KeyboardInterrupt):
            move_files(wanted, aside)
    assert set(files_in(photos)) | set(files_in(aside)) == set(before)
    assert {**files_in(photos), **files_in(aside)} == before
    assert [moved.files for moved in finish_pending(aside)] == [3]
    assert (files_in(photos), files_in(aside)) == ({}, before)
    assert finish_pending(aside) == []


def test_a_pending_journal_can_be_undone_at_once(photos, tmp_path, monkeypatch):
    before, aside = files_in(photos), tmp_path / "aside"
    with monkeypatch.context() as patched:
        patched.setattr(
            journal.os, "unlink", lambda _path: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    undo(aside / "imgbatch-moves-001.pending.jsonl")
    assert (files_in(photos), files_in(aside)) == (before, {})
    assert finish_pending(aside) == []


def test_a_link_stays_where_it_is(tmp_path):
    photos, aside = tmp_path / "photos", tmp_path / "aside"
    photos.mkdir()
    (tmp_path / "real.jpg").write_bytes(b"x")
    (photos / "a.jpg").symlink_to("../real.jpg")
    moved = move_files(moves(photos, aside), aside)
    assert moved.files == 0
    assert "link" in moved.left[0][1]
    assert (photos / "a.jpg").is_symlink()


@posix
def test_a_target_that_is_the_image_itself_loses_no_file_in_either_direction(photos, tmp_path):
    aside, before = tmp_path / "aside", files_in(photos)
    aside.mkdir()
    (aside / "sub").symlink_to(photos / "sub")
    moved = move_files(moves(photos, aside), aside)
    assert (moved.files, len(moved.left)) == (1, 2)
    assert all("is this very file" in reason for _, reason in moved.left)
    assert files_in(photos) | files_in(aside) == before

    (aside / "sub").unlink()
    moved = move_files(moves(photos, aside), aside)
    (photos / "sub").rmdir()
    (photos / "sub").symlink_to(aside / "sub")
    assert len(undo(moved.journal).left) == 2
    assert files_in(photos) | files_in(aside) == before


@posix
def test_a_second_name_that_a_kill_left_is_no_sign_of_one_entry(photos, tmp_path):
    aside, before = tmp_path / "aside", files_in(photos)
    aside.mkdir()
    os.link(photos / "a.jpg", aside / "a.jpg")
    assert move_files(moves(photos, aside), aside).files == 3
    assert (files_in(photos), files_in(aside)) == ({}, before)


def test_without_a_place_for_the_journal_nothing_is_moved(photos, tmp_path):
    (tmp_path / "aside").write_text("a file")
    before = files_in(photos)
    with pytest.raises(OutputError, match="no file was moved"):
        move_files(moves(photos, tmp_path / "aside"), tmp_path / "aside")
    assert files_in(photos) == before


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "nonsense", "\udcff", '{"kind": "imgbatch moves", "version": 4}\n',
        '{"kind": "imgbatch moves", "version": 2}\n{"from": "/a"}\n',
        '{"kind": "imgbatch moves", "version": 2}\n{"from": "a", "to": "b"}\n',
        '{"kind": "imgbatch moves", "version": 2}\n{"from": 1, "to": 2}\n',
        '{"kind": "imgbatch moves", "version": 2}\n[]\n',
        '{"kind": "imgbatch moves", "version": 2}\n{"from": "/a\\u0000", "to": "/b", "size": 1, "mtime_ns": 1}\n',
        '{"kind": "imgbatch moves", "version": 2}\n' + "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_journal_moves_nothing(tmp_path, text):
    file = tmp_path / "odd.jsonl"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match=r"no journal of moves|cannot be read|is of version 4"):
        undo(file)


def test_beside_what_is_no_journal_nothing_is_tidied(tmp_path):
    draft = tmp_path / ".imgbatch-0.tmp"  # another command may be writing it
    draft.write_bytes(b"half a pict")
    (tmp_path / "notes.jsonl").write_text("somebody's own")
    with pytest.raises(UsageError):
        undo(tmp_path / "notes.jsonl")
    assert draft.exists()


def test_a_missing_journal_is_one_clear_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        undo(tmp_path / "none.jsonl")


# ----- two commands at once -----------------------------------------------------------------------


def test_an_undo_beside_moves_that_still_run_is_refused_and_loses_nothing(
    photos, tmp_path, monkeypatch
):
    before, aside = files_in(photos), tmp_path / "aside"
    give, refused = moving._give_second_name, []

    def undone_meanwhile(source, target):
        give(source, target)  # the file has both names now, and an undo would take the new one
        with pytest.raises(OutputError, match="another command") as caught:
            undo(aside / "imgbatch-moves-001.pending.jsonl")
        refused.append(caught)

    monkeypatch.setattr(moving, "_give_second_name", undone_meanwhile)
    moved = move_files(moves(photos, aside), aside)
    assert (moved.files, len(refused)) == (3, 3)
    assert files_in(aside) == before


def test_moves_into_a_folder_to_which_another_command_moves_are_refused(
    photos, tmp_path, monkeypatch
):
    aside = tmp_path / "aside"
    give = moving._give_second_name

    def moved_meanwhile(source, target):
        give(source, target)
        for again in (lambda: move_files([], aside), lambda: finish_pending(aside)):
            with pytest.raises(OutputError, match="another command"):
                again()

    monkeypatch.setattr(moving, "_give_second_name", moved_meanwhile)
    assert move_files(moves(photos, aside), aside).files == 3
    assert len(files_in(aside)) == 3


def test_files_of_a_folder_are_moved_to_one_place_at_a_time(photos, tmp_path, monkeypatch):
    give = moving._give_second_name

    def moved_meanwhile(source, target):
        give(source, target)  # from here the file could get a third name
        with pytest.raises(OutputError, match=r"another command moves files to or from .*photos"):
            move_files(moves(photos, tmp_path / "other"), tmp_path / "other", photos)

    monkeypatch.setattr(moving, "_give_second_name", moved_meanwhile)
    assert move_files(moves(photos, tmp_path / "aside"), tmp_path / "aside", photos).files == 3
    assert files_in(tmp_path / "other") == {}


# ----- what a kill leaves behind ------------------------------------------------------------------


def test_drafts_that_a_kill_left_are_removed_in_both_directions(photos, tmp_path, monkeypatch):
    aside = tmp_path / "aside"
    with monkeypatch.context() as patched:
        patched.setattr(moving, "_give_second_name", interrupted)
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    drafts = [folder / ".imgbatch-0.tmp" for folder in (aside, aside / "sub", photos / "sub")]
    (aside / "sub").mkdir()
    for draft in drafts:
        draft.write_bytes(b"half a pict")
    (finished,) = finish_pending(aside)
    assert [draft for draft in drafts if draft.exists()] == []
    for draft in drafts:
        draft.write_bytes(b"half a pict")
    undo(finished.journal)
    assert [draft for draft in drafts if draft.exists()] == []


def test_drafts_of_a_killed_undo_are_removed_by_the_next_moves_to_the_folder(photos, tmp_path):
    aside = tmp_path / "aside"
    move_files(moves(photos, aside), aside)
    (aside / "imgbatch-moves-000.jsonl").write_text("somebody's own")
    draft = photos / "sub" / ".imgbatch-0.tmp"
    draft.write_bytes(b"half a pict")
    assert finish_pending(aside) == []
    assert not draft.exists()


def test_a_draft_of_a_journal_is_removed_though_nothing_is_pending(tmp_path):
    (tmp_path / ".imgbatch-0.tmp").write_text("half a jour")
    assert finish_pending(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def without_links(monkeypatch, replaced):
    """A file system without hard links, and what happens where a draft gets its final name."""

    def no_link(*_args, **_options):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(journal.os, "link", no_link)
    real = Path.replace

    def replace(self, target):
        replaced(target)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    unlink = Path.unlink  # a killed process takes nothing back
    monkeypatch.setattr(
        Path,
        "unlink",
        lambda self, **given: None if self.exists() else unlink(self, **given),
    )


@pytest.mark.parametrize("name", ["imgbatch-moves-001.pending.jsonl", "a.jpg"])
@pytest.mark.parametrize("goes_on", ["apply", "undo"])
def test_a_kill_before_a_draft_gets_its_name_loses_nothing_where_links_are_impossible(
    photos, tmp_path, monkeypatch, name, goes_on
):
    before, aside = files_in(photos), tmp_path / "aside"

    def kill(target):
        if Path(target).name == name:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        without_links(patched, kill)
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    assert (aside / name).stat().st_size == 0
    if goes_on == "undo":
        undo(aside / "imgbatch-moves-001.pending.jsonl")
        assert (files_in(photos), files_in(aside)) == (before, {})
    else:
        finish_pending(aside)
        move_files(moves(photos, aside), aside)
        assert (files_in(photos), files_in(aside)) == ({}, before)
    assert list(tmp_path.rglob(".imgbatch-*")) == []
    for kept in aside.glob("imgbatch-moves-*"):
        undo(kept)
    assert (files_in(photos), files_in(aside)) == (before, {})


def test_a_name_without_bytes_goes_though_the_file_has_moved_to_another_folder_since(
    photos, tmp_path, monkeypatch
):
    before, (aside, other) = files_in(photos), (tmp_path / "aside", tmp_path / "other")

    def kill(target):
        if Path(target).name == "a.jpg":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        without_links(patched, kill)
        with pytest.raises(KeyboardInterrupt):
            move_files(moves(photos, aside), aside)
    move_files(moves(photos, other), other)
    (aside / "sub").mkdir(exist_ok=True)
    (aside / "sub" / "b.jpg").touch()  # somebody's own: no draft of its size lies beside it
    finish_pending(aside)
    assert (files_in(aside), files_in(other)) == ({"sub/b.jpg": b""}, before)
    assert list(tmp_path.rglob(".imgbatch-*")) == []


def test_an_undo_that_was_killed_where_links_are_impossible_is_done_again(
    photos, tmp_path, monkeypatch
):
    before, aside = files_in(photos), tmp_path / "aside"
    moved = move_files(moves(photos, aside), aside)
    (photos / "a.jpg").touch()  # a kill came before the draft beside it got this name
    assert undo(moved.journal).left == ()
    assert (files_in(photos), files_in(aside)) == (before, {})


def listed(folder, *rows, version=2):
    file = folder / "imgbatch-moves-001.pending.jsonl"
    header = {"kind": "imgbatch moves", "version": version}
    file.write_text("".join(json.dumps(row) + "\n" for row in (header, *rows)))
    return file


@pytest.mark.parametrize(
    "odd",
    [
        {"size": "large"},
        {"size": None},
        {"mtime_ns": [1]},
        {"mtime_ns": 1.5},
        {"from": "/a\ud800.jpg"},
        {"to": "a.jpg"},
    ],
)
def test_a_journal_with_an_odd_row_moves_nothing(photos, tmp_path, odd):
    before = files_in(photos)
    good = {"from": str(photos / "a.jpg"), "to": str(tmp_path / "x.jpg"), "size": 9, "mtime_ns": 0}
    gone = {"from": str(photos / "gone.jpg"), "to": str(photos / "sub/b.jpg")}
    file = listed(tmp_path, good, good | gone | odd)
    for work in (lambda: undo(file), lambda: finish_pending(tmp_path)):
        with pytest.raises(UsageError, match="or is damaged: see its line 3; no file was moved"):
            work()
    assert files_in(photos) == before


def test_a_journal_of_a_newer_version_says_so(tmp_path):
    with pytest.raises(UsageError, match=r"is of version 4, and 3 is known .*the imgbatch that"):
        undo(listed(tmp_path, {"moved": "elsewhere"}, version=4))


@pytest.mark.parametrize("key", ["from", "to", "size", "mtime_ns", "crc32"])
@pytest.mark.parametrize("version", [2, 3])
def test_a_row_that_is_not_as_it_was_written_moves_nothing(photos, tmp_path, key, version):
    aside = tmp_path / "aside"
    journal = move_files(moves(photos, aside), aside).journal
    before = files_in(tmp_path)
    header, *rows = map(json.loads, journal.read_text().splitlines())
    changed = rows[1][key]
    rows[1][key] = changed + 1 if isinstance(changed, int) else changed.replace("photos", "photo")
    rows[1]["to"] = rows[1]["to"].replace("aside", "asid") if key == "to" else rows[1]["to"]
    lines = [header | {"version": version}, *rows]
    journal.write_text("".join(json.dumps(row) + "\n" for row in lines))
    with pytest.raises(UsageError, match="is damaged: see its line 3; no file was moved"):
        undo(journal)
    journal.write_text("".join(json.dumps(row) + "\n" for row in [lines[0], lines[1]]))
    assert undo(journal).files == 1
    assert len(files_in(tmp_path)) == len(before)


def test_a_journal_of_the_second_version_is_undone(photos, tmp_path):
    (tmp_path / "aside").mkdir()
    (photos / "a.jpg").rename(tmp_path / "aside" / "a.jpg")
    row = {"from": str(photos / "a.jpg"), "to": str(tmp_path / "aside" / "a.jpg")}
    assert undo(listed(tmp_path, row | {"size": 9, "mtime_ns": 0}, version=2)).files == 1
    assert (photos / "a.jpg").exists()


def test_a_journal_of_the_first_version_is_undone(photos, tmp_path):
    (tmp_path / "aside").mkdir()
    (photos / "a.jpg").rename(tmp_path / "aside" / "a.jpg")
    row = {"from": str(photos / "a.jpg"), "to": str(tmp_path / "aside" / "a.jpg")}
    assert undo(listed(tmp_path, row, version=1)).files == 1
    assert (photos / "a.jpg").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_no_journal_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(UsageError, match="not a regular file"):
        undo(tmp_path / "pipe.jsonl")
