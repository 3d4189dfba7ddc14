"""What a user of the library gets, from the folder to the selection."""

import contextlib
import io
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

import imgbatch
from imgbatch.batches.tally import Tally
from imgbatch.config import load_config
from imgbatch.errors import CatalogueError, ConfigError, FolderError, ImgbatchError, SelectionError
from imgbatch.evaluation.evaluate import evaluate
from imgbatch.learning.asking import check_labels
from tests.commands import ROOT, environment
from tests.drawing import jpeg, photo, png, settle, write_photos

SAMPLES = ROOT / "samples"


def config_of(tmp_path, text="", workers=1):
    """The defaults with some lines laid over them."""
    file = tmp_path / f"settings-{workers}.toml"
    file.write_text(f"[index]\nworkers = {workers}\n{text}", encoding="utf-8")
    return load_config(file).config


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    base = tmp_path_factory.mktemp("samples")
    return imgbatch.load(SAMPLES, config=config_of(base), index=base / "index")


@pytest.fixture
def mine(photos, tmp_path):
    return imgbatch.load(photos, config=config_of(tmp_path))


def paths(selection):
    return [image.path for image in selection.images]


def copies(folder, count, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"copy{number}.jpg").write_bytes(jpeg(photo(seed)))


@pytest.mark.slow
def test_the_number_of_blas_threads_changes_no_bit_of_what_is_measured_or_learned(samples):
    answers = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            tally = Tally(samples.population, 10)
            tally.add(samples.batches(10, seed=1))
            model = samples.train_labels(test=0.3, seed=1)
            measured = evaluate(samples, n=5, sets=20).figures
            doubted = check_labels(samples.labelling, 9).images
            answers.append(
                (
                    tally.figures(),
                    [(figure.name, figure.value, figure.random) for figure in measured],
                    {name: fact for name, fact in model.facts.items() if "seconds" not in name},
                    model.predict(samples).probabilities.tolist(),
                    [(image.path, image.probability) for image in doubted],
                )
            )
    for first, second in zip(*answers, strict=True):
        assert first == second


# ----- paths --------------------------------------------------------------------------------------


def test_paths_are_absolute_exist_and_keep_their_order(samples):
    assert len(samples) == len(samples.paths) == 160
    assert samples.paths == sorted(samples.paths, key=os.fsencode)
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in samples.paths)
    assert samples.paths == samples.paths


def test_a_folder_given_relative_or_with_a_slash_is_the_same_folder(photos, tmp_path, monkeypatch):
    config = config_of(tmp_path)
    absolute = imgbatch.load(photos, config=config)
    monkeypatch.chdir(photos.parent)
    for given in ("photos", "photos/", Path("photos"), "./photos/../photos"):
        again = imgbatch.load(given, config=config)
        assert again.paths == absolute.paths
        assert again.report.read == 0


def test_rows_are_those_of_the_points(mine):
    assert len(mine.points) == len(mine.paths)
    assert "12 images" in repr(mine)


# ----- seeds --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["similar", "different"])
def test_the_same_seed_gives_the_same_set_from_two_fresh_indexes_and_any_number_of_workers(
    tmp_path, mode
):
    answers = []
    for name, workers in [("one", 1), ("two", 2), ("again", 1)]:
        collection = imgbatch.load(
            SAMPLES, config=config_of(tmp_path, workers=workers), index=tmp_path / name
        )
        answers.append([getattr(collection, mode)(10, seed=s).images for s in (0, 7, 2**31 - 1)])
    for other in answers[1:]:
        for one, again in zip(answers[0], other, strict=True):
            assert [image.path for image in one] == [image.path for image in again]
            # The last digit is the linear algebra library's, which adds by number of threads.
            scores = [image.score for image in again]
            assert [image.score for image in one] == pytest.approx(scores, abs=1e-5)


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_without_a_seed_each_set_is_new_and_its_seed_repeats_it(samples, mode):
    pick = getattr(samples, mode)
    drawn = [
        pick(10) for _ in range(20)
    ]  # Few sets can be drawn: six were equal once in a thousand.
    assert len({one.seed for one in drawn}) == 20
    assert len({tuple(sorted(paths(one))) for one in drawn}) > 1
    for one in drawn:
        again = pick(10, seed=one.seed)
        assert again.images == one.images
        assert again.seed == one.seed
        assert again.mode == mode


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_a_set_does_not_depend_on_what_was_asked_before(samples, tmp_path, mode):
    fresh = imgbatch.load(SAMPLES, config=config_of(tmp_path))
    expected = getattr(fresh, mode)(8, seed=5).images
    samples.similar(20, seed=1)
    samples.different(30, seed=2)
    assert getattr(samples, mode)(8, seed=5).images == expected


def test_moving_the_folder_keeps_the_sets(photos, tmp_path):
    config = config_of(tmp_path)
    before = imgbatch.load(photos, config=config)
    shutil.copytree(photos, tmp_path / "elsewhere")
    after = imgbatch.load(tmp_path / "elsewhere", config=config)
    for mode in ("similar", "different"):
        one, other = (getattr(c, mode)(6, seed=3).images for c in (before, after))
        assert [i.relative for i in one] == [i.relative for i in other]
        assert [i.score for i in one] == [i.score for i in other]


# ----- what a selection holds ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["similar", "different"])
@pytest.mark.parametrize("n", [1, 2, 11, 12])
def test_a_selection_holds_n_different_images_with_their_facts(mine, mode, n):
    selection = getattr(mine, mode)(n, seed=4)
    assert len(set(paths(selection))) == n
    assert [image.rank for image in selection.images] == list(range(1, n + 1))
    assert selection.indexed == 12
    assert selection.folder == mine.folder
    assert selection.seconds > 0
    for image in selection.images:
        assert image.path == os.path.join(mine.folder, image.relative)
        assert (image.width, image.height) == (120, 90)
        assert math.isfinite(image.score)
        assert image.score >= 0
    assert sum(image.anchor for image in selection.images) == (mode == "similar")


def test_similar_begins_with_its_anchor_and_its_scores_rise(samples):
    for seed in range(10):
        images = samples.similar(10, seed=seed).images
        scores = [image.score for image in images]
        assert images[0].anchor
        assert scores[0] == 0
        assert scores == sorted(scores)


def test_scores_are_distances_of_the_points(samples):
    row_of = {path: row for row, path in enumerate(samples.paths)}
    similar = samples.similar(10, seed=1).images
    anchor = samples.points[row_of[similar[0].path]]
    for image in similar:
        expected = np.linalg.norm(samples.points[row_of[image.path]] - anchor)
        assert image.score == pytest.approx(expected, abs=1e-4)
    different = samples.different(10, seed=1).images
    points = samples.points[[row_of[image.path] for image in different]]
    for rank in range(1, 10):
        expected = np.linalg.norm(points[:rank] - points[rank], axis=1).min()
        assert different[rank].score == pytest.approx(expected, abs=1e-4)
    assert different[0].score == different[1].score


# ----- like ---------------------------------------------------------------------------------------


def test_an_anchor_inside_is_named_absolutely_from_here_or_from_inside_the_folder(
    samples, monkeypatch
):
    relative = "coffee/coffee-03.jpeg"
    inside = SAMPLES / relative
    expected = samples.similar(10, like=inside, seed=1)
    assert expected.images[0].relative == relative
    assert expected.images[0].anchor
    assert expected.images[0].rank == 1
    assert len(expected.images) == 10
    monkeypatch.chdir(SAMPLES.parent)
    for given in (str(inside), relative, f"samples/{relative}", f"./samples/clocks/../{relative}"):
        assert samples.similar(10, like=given, seed=1).images == expected.images


def test_the_seed_does_not_change_the_set_of_a_given_anchor(samples):
    like = SAMPLES / "clocks" / "clocks-01.jpg"
    assert samples.similar(10, like=like, seed=1).images == samples.similar(10, like=like).images


def test_an_anchor_from_outside_is_rank_0_and_not_counted(samples, tmp_path):
    outside = tmp_path / "mine.jpg"
    outside.write_bytes(jpeg(photo(5, 300, 200)))
    for n in (1, 10, 160):
        images = samples.similar(n, like=outside, seed=1).images
        assert len(images) == n + 1
        assert images[0].rank == 0
        assert images[0].anchor
        assert images[0].path == images[0].relative == str(outside)
        assert (images[0].width, images[0].height) == (300, 200)
        assert [image.rank for image in images[1:]] == list(range(1, n + 1))
        assert not any(image.anchor for image in images[1:])
        assert len(set(paths(samples.similar(n, like=outside, seed=1)))) == n + 1


def test_a_copy_of_an_image_inside_as_anchor_from_outside_finds_its_kind_but_not_its_original(
    samples, tmp_path
):
    outside = tmp_path / "copy.jpg"
    shutil.copy(SAMPLES / "galaxies" / "galaxies-01.jpg", outside)
    images = samples.similar(9, like=outside, seed=1).images
    assert "galaxies/galaxies-01.jpg" not in [image.relative for image in images]
    with_copies = samples.similar(9, like=outside, seed=1, keep_duplicates=True).images
    assert with_copies[1].relative == "galaxies/galaxies-01.jpg"
    assert with_copies[1].score == pytest.approx(0, abs=1e-4)


def test_an_anchor_that_cannot_be_used_is_a_selection_error_that_names_it(samples, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    for given in ("missing.jpg", tmp_path / "text.jpg", tmp_path / "empty.png", tmp_path):
        with pytest.raises(SelectionError) as caught:
            samples.similar(3, like=given)
        assert str(given) in caught.value.message
        assert "like" in caught.value.hint


# ----- what cannot be asked for -------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["similar", "different"])
@pytest.mark.parametrize("n", [0, -1, 13, 10**9])
def test_an_n_out_of_range_is_a_selection_error_that_names_the_range(mine, mode, n):
    with pytest.raises(SelectionError) as caught:
        getattr(mine, mode)(n)
    assert str(n) in caught.value.message
    assert "12" in caught.value.message
    assert "1 to 12" in caught.value.hint


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_a_negative_seed_is_a_selection_error(mine, mode):
    with pytest.raises(SelectionError) as caught:
        getattr(mine, mode)(3, seed=-1)
    assert "-1" in caught.value.message
    assert caught.value.hint


def test_a_missing_folder_an_empty_one_and_one_without_images_are_folder_errors(tmp_path):
    config = config_of(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_text("no picture")
    (tmp_path / "file").write_text("no folder")
    for name in ("missing", "empty", "broken", "file"):
        with pytest.raises(FolderError) as caught:
            imgbatch.load(tmp_path / name, config=config)
        assert str(tmp_path / name) in caught.value.message


def test_a_config_can_be_a_file_and_a_wrong_one_is_a_config_error(photos, tmp_path):
    config_of(tmp_path)
    assert len(imgbatch.load(photos, config=tmp_path / "settings-1.toml")) == 12
    (tmp_path / "wrong.toml").write_text("[weights]\nhue = 1")
    with pytest.raises(ConfigError):
        imgbatch.load(photos, config=tmp_path / "wrong.toml")


# ----- quality, with wide margins -----------------------------------------------------------------


def labels(selection):
    return [image.label for image in selection.images]


def test_similar_sets_are_far_purer_than_random_ones(samples):
    # Sixteen kinds of ten: a random set shares its first image's kind in 6% of the others.
    shares = []
    for seed in range(25):
        found = labels(samples.similar(8, seed=seed))
        shares.append(np.mean([label == found[0] for label in found[1:]]))
    assert np.mean(shares) > 0.5


def test_anchors_come_from_many_kinds(samples):
    # The tournament favours kinds that hold together, but must not settle on a few.
    kinds = {labels(samples.similar(1, seed=seed))[0] for seed in range(60)}
    assert len(kinds) >= 6


def test_different_sets_cover_more_kinds_than_random_ones(samples):
    ours = [len(set(labels(samples.different(10, seed=seed)))) for seed in range(40)]
    kinds = [Path(path).parent.name for path in samples.paths]
    random = np.random.default_rng(0)
    theirs = [
        len({kinds[row] for row in random.choice(160, 10, replace=False)}) for _ in range(400)
    ]
    assert np.mean(ours) > np.mean(theirs) + 0.5


def test_successive_different_sets_share_few_images(samples):
    sets = [set(paths(samples.different(10, seed=seed))) for seed in range(10)]
    shared = [len(a & b) for a in sets for b in sets if a is not b]
    assert np.mean(shared) < 3


# ----- the index ----------------------------------------------------------------------------------


def test_a_second_load_reads_nothing_and_gives_identical_points(photos, tmp_path):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)
    assert (first.report.read, first.report.described) == (12, 12)
    expected = first.points.tobytes()
    again = imgbatch.load(photos, config=config)
    assert (again.report.read, again.report.described, again.report.removed) == (0, 0, 0)
    assert again.points.tobytes() == expected


def test_a_changed_weight_decodes_nothing_but_changes_the_points(photos, tmp_path):
    first = imgbatch.load(photos, config=config_of(tmp_path))
    before = first.points.tobytes()
    again = imgbatch.load(photos, config=config_of(tmp_path, "[weights]\nhsv = 0.1"))
    assert (again.report.read, again.report.described) == (0, 0)
    assert again.points.tobytes() != before


def test_a_changed_descriptor_describes_anew_and_going_back_does_not(photos, tmp_path):
    first = imgbatch.load(photos, config=config_of(tmp_path))
    before = first.points.tobytes()
    other = imgbatch.load(photos, config=config_of(tmp_path, "[descriptors.hsv]\ngrid = 2"))
    assert other.report.described == 12
    back = imgbatch.load(photos, config=config_of(tmp_path))
    assert back.report.described == 0
    assert back.points.tobytes() == before


def test_a_descriptor_switched_off_is_not_part_of_the_points(photos, tmp_path):
    text = "[weights]\nhsv = 0.0\nphash = 0.0"
    collection = imgbatch.load(photos, config=config_of(tmp_path, text))
    assert list(collection.projection.space.columns) == ["hog"]
    assert len(collection.similar(5, seed=1).images) == 5
    assert len(collection.different(5, seed=1).images) == 5


def test_the_image_folder_is_never_written_to(photos, tmp_path):
    def state():
        return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(photos.rglob("*"))}

    before = state()
    collection = imgbatch.load(photos, config=config_of(tmp_path))
    collection.similar(5)
    collection.different(5)
    assert state() == before


def test_progress_is_reported_up_to_the_last_file(photos, tmp_path):
    reported = []
    config = config_of(tmp_path)
    imgbatch.load(
        photos, config=config, progress=lambda done, total: reported.append((done, total))
    )
    assert reported[0] == (0, 12)
    assert reported[-1] == (12, 12)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


def test_a_collection_never_answers_with_wrong_images_after_its_folder_was_indexed_anew(
    photos, tmp_path
):
    config = config_of(tmp_path)
    early = imgbatch.load(photos, config=config, index=tmp_path / "early")
    late = imgbatch.load(photos, config=config)  # its points are computed on first use only
    expected = [early.similar(4, like=path, seed=1).images for path in early.paths]
    (photos / "a-new-one.jpg").write_bytes(jpeg(photo(500)))
    _ = imgbatch.load(photos, config=config).points
    found = []
    with contextlib.suppress(CatalogueError):  # "load the folder again" is an honest answer, too
        found = [late.similar(4, like=path, seed=1).images for path in late.paths]
    assert found in ([], expected)


def test_a_collection_goes_on_with_its_own_images_once_its_points_are_there(photos, tmp_path):
    config = config_of(tmp_path)
    collection = imgbatch.load(photos, config=config)
    expected = collection.similar(5, seed=1).images
    (photos / "a-new-one.jpg").write_bytes(jpeg(photo(500)))
    assert len(imgbatch.load(photos, config=config).points) == 13
    assert collection.similar(5, seed=1).images == expected


def test_a_folder_reached_through_a_link_shares_the_index(photos, tmp_path):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)
    link = tmp_path / "link"
    try:
        link.symlink_to(photos, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    again = imgbatch.load(link, config=config)
    assert again.report.read == 0
    assert again.index_directory == first.index_directory
    assert again.paths[0] == str(link / "image000.jpg")


# ----- small and odd folders ----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_folders_work_in_both_modes(tmp_path, count):
    write_photos(tmp_path / "few", count)
    collection = imgbatch.load(tmp_path / "few", config=config_of(tmp_path))
    assert np.isfinite(collection.points).all()
    for n in range(1, count + 1):
        for mode in ("similar", "different"):
            selection = getattr(collection, mode)(n, seed=n)
            assert len(set(paths(selection))) == n
            assert all(math.isfinite(image.score) for image in selection.images)
        outside = collection.similar(n, like=SAMPLES / "clocks" / "clocks-01.jpg", seed=1)
        assert len(outside.images) == n + 1


def test_a_folder_of_ten_identical_copies_works_in_both_modes(tmp_path):
    copies(tmp_path / "same", 10)
    settle(tmp_path / "same")
    collection = imgbatch.load(tmp_path / "same", config=config_of(tmp_path))
    assert len(collection) == 10
    assert np.isfinite(collection.points).all()
    for mode in ("similar", "different"):
        for n in (1, 4, 10):
            selection = getattr(collection, mode)(n, seed=1)
            assert len(set(paths(selection))) == n
            assert all(image.score == 0 for image in selection.images)


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_of_ten_copies_among_others_one_is_chosen_while_others_are_left(tmp_path, mode):
    folder = tmp_path / "mixed"
    copies(folder, 10, seed=99)
    write_photos(folder, 6)
    collection = imgbatch.load(folder, config=config_of(tmp_path))
    for seed in range(20):
        selection = getattr(collection, mode)(6, seed=seed)
        assert sum("copy" in image.relative for image in selection.images) <= 1
    everyone = getattr(collection, mode)(16, seed=1)
    assert len(set(paths(everyone))) == 16
    kept = [getattr(collection, mode)(6, seed=s, keep_duplicates=True) for s in range(20)]
    assert any(sum("copy" in image.relative for image in one.images) > 1 for one in kept)


def test_flat_tiny_and_thin_pictures_live_beside_photographs(tmp_path):
    from PIL import Image

    folder = tmp_path / "odd"
    write_photos(folder, 5)
    sizes = [(1, 1), (1, 187), (187, 1), (64, 64)]
    for number, size in enumerate(sizes):
        for level in (0, 128, 255):
            data = png(Image.new("RGB", size, (level, level, level)))
            (folder / f"flat{number}-{level}.png").write_bytes(data)
    collection = imgbatch.load(folder, config=config_of(tmp_path))
    assert len(collection) == 17
    assert np.isfinite(collection.points).all()
    for mode in ("similar", "different"):
        for n in (1, 10, 17):
            images = getattr(collection, mode)(n, seed=2).images
            assert len({image.path for image in images}) == n


def test_a_file_that_cannot_be_read_is_skipped_and_named(photos, tmp_path):
    (photos / "broken.jpg").write_text("no picture")
    collection = imgbatch.load(photos, config=config_of(tmp_path))
    assert len(collection) == 12
    assert [one.path for one in collection.skipped] == ["broken.jpg"]
    selection = collection.similar(12, seed=1)
    assert [one.path for one in selection.skipped] == ["broken.jpg"]
    assert "broken.jpg" not in [image.relative for image in selection.images]


# ----- importing ----------------------------------------------------------------------------------

HEAVY = (
    "numpy",
    "scipy",
    "sklearn",
    "skimage",
    "cv2",
    "PIL",
    "imagehash",
    "torch",
    "dask",
    "jinja2",
)


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there_and_known_to_dir():
    for name in imgbatch.__all__:
        assert getattr(imgbatch, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = imgbatch.no_such_name


def test_importing_the_package_imports_nothing_heavy():
    code = f"import imgbatch, sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["similar", "--help"], ["--version"]], ids=str)
def test_help_imports_nothing_heavy(arguments):
    code = f"""
import sys
sys.argv = ["imgbatch", *{arguments!r}]
from imgbatch.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code
print([m for m in {HEAVY} if m in sys.modules])
"""
    assert run_python(code).strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_a_warm_request_imports_neither_scikit_learn_nor_scipy(mode, samples):
    code = f"""
import sys
import imgbatch
collection = imgbatch.load({str(SAMPLES)!r}, index={str(samples.index_directory)!r})
collection.{mode}(3, seed=1)
print([m for m in ("sklearn", "scipy", "skimage", "imagehash") if m in sys.modules])
"""
    run_python(code)  # keeps the feature space
    assert run_python(code).strip().splitlines()[-1] == "[]"


def test_a_public_name_is_imported_on_first_use_only():
    code = """
import sys
import imgbatch
assert "imgbatch.collection" not in sys.modules
assert callable(imgbatch.load_config)
assert "cv2" not in sys.modules
assert callable(imgbatch.load)
assert "imgbatch.collection" in sys.modules
print("done")
"""
    assert run_python(code).strip() == "done"


def test_a_url_needs_a_cluster(tmp_path):
    for options in ({}, {"index": "s3://bucket/index"}):
        folder = "s3://bucket/photos" if not options else tmp_path
        with pytest.raises(imgbatch.ImgbatchError, match="takes a cluster to read"):
            imgbatch.load(folder, **options)


def closed(picture):
    picture.close()
    return picture


def cut(photos):
    whole = jpeg(photo(1))
    return Image.open(io.BytesIO(whole[: len(whole) // 2]))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda photos: photos.similar(3, seed=1.5), "the seed is 1.5"),
        (lambda photos: photos.similar(3, seed="7"), "the seed is '7'"),
        (lambda photos: photos.similar(3, seed=-1), "the seed is -1"),
        (lambda photos: photos.similar(2.5), "n is 2.5"),
        (lambda photos: photos.different("3"), "n is '3'"),
        (lambda photos: photos.batches(3, seed=1.5), "seed 1.5"),
        (lambda photos: photos.batches(3, seed="1"), "seed '1'"),
        (lambda photos: photos.batches(3, seed=1, epoch=1.5), "epoch 1.5"),
        (lambda photos: evaluate(photos, seed="1"), "seed '1'"),
        (lambda photos: photos.similar(3, like="a\0b.jpg"), "null byte"),
        (lambda photos: photos.explain("a\0b.jpg", photos.paths[0]), "null byte"),
        (lambda photos: photos.describe("a\0b.jpg"), "null byte"),
        (lambda photos: photos.caption(["a\0b.jpg"]), "null byte"),
        (lambda photos: photos.similar(3, like=cut(photos)), "truncated"),
        (lambda photos: photos.similar(3, like=closed(cut(photos))), "closed"),
        (lambda photos: photos.similar(3, like=Image.new("RGB", (0, 0))), "0 x 0"),
    ],
)
def test_what_no_request_can_use_is_an_error_of_the_family(samples, asked, told):
    with pytest.raises(ImgbatchError) as caught:
        asked(samples)
    assert told in str(caught.value)


def test_whole_numbers_of_numpy_are_whole_numbers(samples):
    plain = paths(samples.similar(3, seed=7))
    assert paths(samples.similar(np.int64(3), seed=np.int64(7))) == plain
