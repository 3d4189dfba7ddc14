"""``imgbatch duplicates``: groups, outputs, moves that can be taken back, real kills."""

import json
import os
import random
import signal
import time

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tests.copies.drawing import scene
from tests.copies.test_journal import files_in
from tests.drawing import OLD, jpeg, png

posix = pytest.mark.skipif(os.name != "posix", reason="needs links")


@pytest.fixture
def folder(tmp_path):
    """Six pictures; of the first there are an equal file, a small one, a crop and a mirrored one."""
    images = tmp_path / "photos"
    images.mkdir()
    for seed in range(6):
        (images / f"{seed}.jpg").write_bytes(jpeg(scene(seed)))
    (images / "again.jpg").write_bytes(jpeg(scene(0)))
    (images / "small.jpg").write_bytes(jpeg(scene(0).resize((160, 120))))
    (images / "crop.jpg").write_bytes(jpeg(scene(0).crop((30, 20, 290, 220))))
    (images / "mirrored.jpg").write_bytes(jpeg(ImageOps.mirror(scene(0))))
    return images


def groups_of(answer):
    document = json.loads(answer.out)
    return [
        (group["kind"], [(image["relative"], image["keep"]) for image in group["images"]])
        for group in document["groups"]
    ]


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("exact", {"again.jpg"}),
        ("copies", {"again.jpg", "small.jpg"}),
        ("edited", {"again.jpg", "small.jpg", "crop.jpg", "mirrored.jpg"}),
        ("scene", {"again.jpg", "small.jpg", "crop.jpg", "mirrored.jpg"}),
    ],
)
def test_each_level_finds_its_kinds_and_those_before_it(cli, folder, level, names):
    (group,) = groups_of(cli("duplicates", folder, "--level", level, "--json"))
    assert group[1][0] == ("0.jpg", True)
    assert {name for name, keep in group[1][1:]} == names
    assert not any(keep for _, keep in group[1][1:])


def test_the_kind_of_a_group_is_that_of_its_weakest_member_and_scores_say_how_sure(cli, folder):
    document = json.loads(cli("duplicates", folder, "--json").out)
    (group,) = document["groups"]
    assert group["kind"] == "edited"
    kinds = {image["relative"]: image["kind"] for image in group["images"]}
    assert kinds["again.jpg"] == "exact"
    assert kinds["small.jpg"] == "copy"
    assert kinds["mirrored.jpg"] == "edited"
    assert all(0 < image["score"] <= 1 for image in group["images"])
    assert group["images"][0]["reason"]
    assert document["extra"] == 4


def test_of_equal_pictures_the_one_about_which_most_is_known_is_kept(cli, tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    for name in "abc":
        (images / f"{name}.jpg").write_bytes(jpeg(scene(0)))
    (images / "metadata.csv").write_text("file_name,tags,text\nb.jpg,sea;sky,waves\nc.jpg,sea,\n")
    document = json.loads(cli("duplicates", images, "--json").out)
    ((keeper, *_),) = [group["images"] for group in document["groups"]]
    assert (keeper["relative"], keeper["reason"]) == ("b.jpg", "most known about it")


def test_what_another_folder_has_too_is_found_and_that_folder_is_kept(cli, folder, tmp_path):
    test = tmp_path / "test"
    test.mkdir()
    (test / "x.jpg").write_bytes(jpeg(ImageOps.mirror(scene(3)), quality=50))
    (test / "y.jpg").write_bytes(jpeg(scene(77)))
    (test / "y2.jpg").write_bytes(jpeg(scene(77).resize((200, 150))))
    document = json.loads(cli("duplicates", folder, "--against", test, "--json").out)
    ((keeper, member),) = [group["images"] for group in document["groups"]]
    assert keeper["path"] == str(test / "x.jpg")
    assert (member["relative"], member["keep"]) == ("3.jpg", False)
    assert document["against"] == str(test)


def test_without_apply_nothing_is_moved(cli, folder, tmp_path):
    before = files_in(folder)
    answer = cli("duplicates", folder, "--move-to", tmp_path / "aside")
    assert "4 files" in answer.out
    assert "--apply moves them" in answer.out
    assert files_in(folder) == before
    assert not (tmp_path / "aside").exists()


def test_apply_moves_all_but_the_kept_image_and_undo_brings_them_back(cli, folder, tmp_path):
    before, aside = files_in(folder), tmp_path / "aside"
    document = json.loads(cli("duplicates", folder, "--move-to", aside, "--apply", "--json").out)
    assert sorted(files_in(aside)) == sorted(name for name in before if not name[0].isdigit())
    assert {**files_in(folder), **files_in(aside)} == before
    assert groups_of(cli("duplicates", folder, "--json")) == []
    cli("duplicates", "--undo", document["moved"]["journal"])
    assert files_in(folder) == before
    assert files_in(aside) == {}


def test_folders_that_share_files_are_not_compared(cli, folder):
    (folder / "sub").mkdir()
    for first, second in ((folder, folder / "sub"), (folder / "sub", folder)):
        answer = cli("duplicates", first, "--against", second)
        answer.assert_one_clear_line(2, "one lies in the other", "no files in common")


def test_if_no_file_can_be_moved_the_command_fails_and_leaves_no_journal(cli, folder, tmp_path):
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("again.jpg", "small.jpg", "crop.jpg", "mirrored.jpg"):
        (aside / name).write_bytes(b"another")
    answer = cli("duplicates", folder, "--move-to", aside, "--apply")
    assert answer.code == 1
    assert "nothing was moved; 4 left" in answer.out
    assert "undo" not in answer.out
    assert list(aside.glob("*.jsonl")) == []


def test_where_there_is_nothing_to_move_nothing_is_moved(cli, tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    (images / "0.jpg").write_bytes(jpeg(scene(0)))
    answer = cli("duplicates", images, "--move-to", tmp_path / "aside", "--apply")
    assert (answer.code, "nothing was moved" in answer.out) == (0, True)


def test_scenes_are_never_moved(cli, folder, tmp_path, monkeypatch):
    from imgbatch.index import scenes

    monkeypatch.setattr(scenes, "LEAST_INLIERS", 0)  # everything is one scene
    aside = tmp_path / "aside"
    document = json.loads(
        cli("duplicates", folder, "--level", "scene", "--move-to", aside, "--apply", "--json").out
    )
    assert any(group["kind"] == "scene" for group in document["groups"])
    assert {f"{number}.jpg" for number in range(6)} <= set(files_in(folder))


def test_the_groups_are_written_as_page_sheet_and_rows(cli, folder, tmp_path):
    targets = [tmp_path / name for name in ("a.html", "a.png", "a.csv")]
    cli("duplicates", folder, *(word for path in targets for word in ("-o", path)))
    page, sheet, rows = (path.read_bytes() for path in targets)
    assert page.count(b"data:image/jpeg") == 5
    assert sheet.startswith(b"\x89PNG")
    header, *lines = rows.decode().splitlines()
    assert header.startswith("group,group_kind,path,keep,kind,score")
    assert len(lines) == 5


def test_a_folder_without_duplicates_says_so(cli, tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    for seed in range(3):
        (images / f"{seed}.jpg").write_bytes(jpeg(scene(seed)))
    answer = cli("duplicates", images, "-o", tmp_path / "a.png")
    assert "no near-duplicates" in answer.out
    assert f"{tmp_path / 'a.png'} is not made" in answer.err
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no folder was given"),
        (("{folder}", "--level", "some"), "the level 'some'"),
        (("{folder}", "--apply"), "without --move-to"),
        (("{folder}", "--move-to", "{folder}/aside"), "lies inside the image folder"),
        (("{folder}", "--against", "{folder}"), "is FOLDER itself"),
        (("{folder}", "-o", "a.bmp"), "ending '.bmp'"),
        (("--undo", "none.jsonl"), "cannot be read"),
        (("{folder}", "--against", "{folder}/none"), "none"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(cli, folder, words, said):
    answer = cli("duplicates", *(word.format(folder=folder) for word in words))
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""


def test_sets_and_batches_hold_no_pair_of_an_image_and_its_edits(cli, folder):
    import imgbatch

    photos = imgbatch.load(folder)
    copies = {"0.jpg", *(f"{name}.jpg" for name in ("again", "small", "crop", "mirrored"))}

    def pairs(rows):
        return sum(photos.records[row].path in copies for row in rows) > 1

    for seed in range(4):
        for like in (None, str(folder / "crop.jpg")):
            picked = photos.similar(5, seed=seed, like=like)
            assert sum(image.relative in copies for image in picked.images) <= 1
        picked = photos.different(4, seed=seed)
        assert sum(image.relative in copies for image in picked.images) <= 1
        batches = photos.batches(2, seed=seed)
        assert not any(pairs(rows.tolist()) for rows in batches)


def test_an_edited_copy_from_outside_is_left_out_of_its_set(cli, folder, tmp_path):
    import imgbatch

    outside = tmp_path / "outside.jpg"
    outside.write_bytes(jpeg(scene(4).crop((20, 20, 300, 225))))
    picked = imgbatch.load(folder).similar(3, like=outside, seed=1)
    assert "4.jpg" not in [image.relative for image in picked.images]
    kept = imgbatch.load(folder).similar(3, like=outside, seed=1, keep_duplicates=True)
    assert "4.jpg" in [image.relative for image in kept.images]


def test_kept_pairs_that_are_damaged_are_found_anew(folder, tmp_path):
    import imgbatch

    photos = imgbatch.load(folder, index=tmp_path / "index")
    groups = photos.copy_groups
    (kept,) = photos.index_directory.glob("copies/*.npz")
    kept.write_bytes(kept.read_bytes()[:-3])
    again = imgbatch.load(folder, index=tmp_path / "index").copy_groups
    assert (again == groups).all()
    assert len(np.unique(groups)) == 6


@pytest.mark.slow
def test_kills_at_random_moments_lose_no_file_and_every_rerun_finishes(start, command, tmp_path):
    folder, aside = tmp_path / "photos", tmp_path / "aside"
    folder.mkdir()
    for number in range(120):
        (folder / f"{number:03}.jpg").write_bytes(jpeg(scene(number // 60)) + b"x" * number)
    before = files_in(folder)
    command("index", folder)
    chance = random.Random(OLD)
    for _ in range(6):
        words = ["duplicates", folder, "--move-to", aside, "--apply"]
        for _ in range(2):
            process = start(*words)
            time.sleep(chance.uniform(0.8, 2.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert {**files_in(folder), **files_in(aside)} == before
            journals = sorted(aside.glob("*.jsonl")) if aside.exists() else []
            words = ["duplicates", "--undo", journals[-1]] if journals else words
        for journal in aside.glob("imgbatch-moves-*.jsonl") if aside.exists() else ():
            command("duplicates", "--undo", journal)
        assert files_in(folder) == before


def brighter(image):
    return ImageEnhance.Brightness(image).enhance(1.15)


@pytest.mark.parametrize(
    ("name", "edit", "save"),
    [
        ("700 copy.jpg", lambda image: image, lambda image: jpeg(image, quality=60)),
        ("0.jpg", brighter, lambda image: jpeg(image, quality=95)),
        ("0.jpg", lambda image: image.rotate(180), lambda image: jpeg(image, quality=95)),
        ("0.png", ImageOps.mirror, png),
    ],
)
def test_the_original_is_kept_and_not_what_was_made_of_it(cli, tmp_path, name, edit, save):
    images = tmp_path / "photos"
    images.mkdir()
    (images / "700.jpg").write_bytes(jpeg(scene(0), quality=85))
    with Image.open(images / "700.jpg") as original:
        (images / name).write_bytes(save(edit(original)))
    (group,) = json.loads(cli("duplicates", images, "--json").out)["groups"]
    assert group["images"][0]["relative"] == "700.jpg"
    assert group["images"][0]["reason"] in ("not saved again", "least compressed")


def test_of_equal_files_the_one_of_the_shortest_name_is_kept(cli, tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    for name in ("700 copy.jpg", "700 (1).jpg", "700.jpg"):
        (images / name).write_bytes(jpeg(scene(0)))
    (group,) = json.loads(cli("duplicates", images, "--json").out)["groups"]
    kept = group["images"][0]
    assert (kept["relative"], kept["reason"]) == ("700.jpg", "shortest name")


def test_a_blurred_copy_of_finer_compression_is_not_kept(cli, tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    (images / "sharp.jpg").write_bytes(jpeg(scene(0), quality=75))
    blurred = scene(0).filter(ImageFilter.GaussianBlur(3))
    (images / "b.jpg").write_bytes(jpeg(blurred, quality=95))
    (group,) = json.loads(cli("duplicates", images, "--json").out)["groups"]
    kept = group["images"][0]
    assert (kept["relative"], kept["reason"]) == ("sharp.jpg", "not blurred")


def test_paths_names_what_was_moved_and_says_on_stderr_how_to_undo_it(cli, folder, tmp_path):
    before, aside = files_in(folder), tmp_path / "aside"
    asked = cli("duplicates", folder, "--paths", "--move-to", aside)
    answer = cli("duplicates", folder, "--paths", "--move-to", aside, "--apply")
    assert answer.code == 0
    assert answer.out == asked.out
    assert sorted(answer.out.splitlines()) == sorted(
        str(folder / name) for name in before if not name[0].isdigit()
    )
    assert f"duplicates --undo {aside / 'imgbatch-moves-001.jsonl'}" in answer.err
    assert "4 files moved" in answer.err
    assert "No such file" not in answer.err


def test_a_journal_that_was_undone_says_so_when_it_is_undone_again(cli, folder, tmp_path):
    moved = cli("duplicates", folder, "--move-to", tmp_path / "aside", "--apply", "--json")
    cli("duplicates", "--undo", json.loads(moved.out)["moved"]["journal"])
    answer = cli("duplicates", "--undo", tmp_path / "aside" / "imgbatch-moves-001.undone.jsonl")
    assert (answer.code, "undone before" in answer.out) == (0, True)


def test_images_of_the_other_folder_are_not_counted_among_those_that_could_go(
    cli, folder, tmp_path
):
    test = tmp_path / "test"
    test.mkdir()
    (test / "kept.jpg").write_bytes((folder / "3.jpg").read_bytes())
    answer = cli("duplicates", folder, "--against", test)
    assert "1 of 10 images could go" in answer.out


def test_a_target_inside_the_folder_is_refused_without_a_word_on_what_is_never_written(cli, folder):
    answer = cli("duplicates", folder, "--move-to", folder / "aside")
    answer.assert_one_clear_line(2, "--move-to", "lies inside the image folder", "outside it")
    assert "never written" not in answer.err


@posix
@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_a_target_that_leads_back_into_the_folder_is_refused(cli, folder, tmp_path, apply):
    (folder / "sub").mkdir()
    (folder / "small.jpg").rename(folder / "sub" / "small.jpg")
    before, aside = files_in(folder), tmp_path / "aside"
    aside.mkdir()
    (aside / "sub").symlink_to(folder / "sub")
    answer = cli("duplicates", folder, "--move-to", aside, *apply)
    assert answer.code == 2
    assert f"{aside / 'sub'} lies inside the image folder {folder}; take the link" in answer.err
    assert files_in(folder) == before
