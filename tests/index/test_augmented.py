"""Altered views of a folder's images: which ones, when they are described, what becomes of damage."""

import os
import shutil

import numpy as np
import pytest

import imgbatch
from imgbatch.config import load_config
from imgbatch.index import augmented
from imgbatch.index import views as describing
from imgbatch.index.augmented import AUGMENTED, Sample
from imgbatch.index.views import ViewsTask, content_hash_of, describe_views
from tests.drawing import jpeg, photo, settle, write_photos

COUNT = 110
WHITENED = {"hsv", "hog", "phash"}


def config(tmp_path, text=""):
    file = tmp_path / "settings.toml"
    file.write_text(f"[index]\nworkers = 1\n{text}", encoding="utf-8")
    return load_config(file).config


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views") / "photos"
    write_photos(folder, COUNT)
    settle(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    shutil.copytree(original, tmp_path / "photos")
    return tmp_path / "photos"


class Described(list):
    """Paths of images whose views were described, and names of the descriptors that did so."""

    def __init__(self):
        self.names = set()

    def clear(self):
        super().clear()
        self.names.clear()


@pytest.fixture
def described(monkeypatch):
    paths = Described()

    def counting(task):
        paths.extend(path for _, path, _ in task.images)
        paths.names.update(one.name for _, one in task.descriptors)
        return describe_views(task)

    monkeypatch.setattr(describing, "describe_views", counting)
    return paths


def open_folder(folder, tmp_path, text="", **given):
    return imgbatch.load(folder, index=tmp_path / "index", config=config(tmp_path, text), **given)


def whitens(collection):
    return all(block.whitening is not None for block in collection.projection.space.blocks.values())


def kept(collection):
    return sorted((collection.index_directory / AUGMENTED).iterdir())


def test_the_default_space_is_whitened(folder, tmp_path, described):
    photos = open_folder(folder, tmp_path)
    assert len(described) == COUNT
    assert whitens(photos)
    assert photos.notes == ()
    assert len(kept(photos)) == len(WHITENED)


def test_a_request_that_changes_nothing_describes_no_view(folder, tmp_path, described):
    before = open_folder(folder, tmp_path).points
    described.clear()
    again = open_folder(folder, tmp_path)
    assert again.points.tobytes() == before.tobytes()
    assert described == []


def test_other_weights_describe_nothing_and_another_descriptor_only_itself(
    folder, tmp_path, described
):
    open_folder(folder, tmp_path)
    described.clear()
    assert whitens(open_folder(folder, tmp_path, "[weights]\nhsv = 0.8\n[space]\nadapt = 0.5\n"))
    assert described == []
    assert whitens(open_folder(folder, tmp_path, "[weights]\nmoments = 0.2\n"))
    assert len(described) == COUNT
    assert described.names == {"moments"}


def test_the_sample_is_the_same_under_other_names_and_in_another_order(folder, tmp_path):
    first = open_folder(folder, tmp_path)
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for number, path in enumerate(sorted(folder.rglob("*.*"), reverse=True)):
        shutil.copy(path, renamed / f"{number:03}{path.suffix}")
    other = open_folder(renamed, tmp_path)
    names = [{file.name for file in kept(collection)} for collection in (first, other)]
    assert names[0] == names[1]


def test_a_sample_holds_the_smallest_hashes_once_each(folder, tmp_path):
    for number, path in enumerate(sorted(folder.rglob("*.*"))[:5]):
        shutil.copy(path, folder / f"copy-{number}{path.suffix}")
    catalogue = open_folder(folder, tmp_path)._opened.catalogue
    everything = catalogue.sample(1000).images
    assert [content for content, _, _ in everything] == sorted({file[0] for file in everything})
    assert len(everything) == COUNT
    assert catalogue.sample(100).images == everything[:100]
    for content, path, size in everything[:5]:
        data = (folder / path).read_bytes()
        assert content_hash_of(data) == content
        assert len(data) == size


def test_of_a_new_sample_only_new_images_are_described(folder, tmp_path, described):
    open_folder(folder, tmp_path, "[space]\naugmented_images = 100\n")
    described.clear()
    for number in range(40):
        (folder / f"new-{number}.jpg").write_bytes(jpeg(photo(5000 + number)))
    settle(folder)
    photos = open_folder(folder, tmp_path, "[space]\naugmented_images = 100\n")
    assert 0 < len(described) < 40
    assert all(path.startswith("new-") for path in described)
    assert whitens(photos)


@pytest.mark.parametrize("way", ["cut off", "one byte", "empty", "gone", "a folder"])
def test_damaged_views_are_described_anew(folder, tmp_path, described, way):
    before = open_folder(folder, tmp_path)
    points, files = before.points.tobytes(), kept(before)
    for file in files:
        data = bytearray(file.read_bytes())
        file.unlink()
        data[len(data) // 2] ^= 1
        if way == "a folder":
            file.mkdir()
        elif way != "gone":
            file.write_bytes({"cut off": data[:-1], "one byte": data, "empty": b""}[way])
    shutil.rmtree(before.index_directory / "spaces")
    described.clear()
    after = open_folder(folder, tmp_path)
    assert after.points.tobytes() == points
    assert len(described) == COUNT
    assert all(map(os.path.isfile, files))


def test_without_refresh_the_views_are_used_as_they_are(folder, tmp_path):
    points = open_folder(folder, tmp_path).points.tobytes()
    shutil.rmtree(folder)
    trusted = open_folder(folder, tmp_path, refresh=False)
    assert trusted.points.tobytes() == points
    assert trusted.notes == ()


def test_an_older_index_whose_folder_is_gone_is_not_whitened_and_says_so(folder, tmp_path):
    photos = open_folder(folder, tmp_path)
    shutil.rmtree(photos.index_directory / AUGMENTED)
    plain = open_folder(folder, tmp_path, "[space]\nwhitening = 0.0\n").points.tobytes()
    shutil.rmtree(folder)
    trusted = open_folder(folder, tmp_path, refresh=False)
    assert trusted.points.tobytes() == plain
    (note,) = trusted.notes
    assert "whitening is off" in note
    assert "`refresh=False`" in note


def test_an_older_index_is_completed_without_describing_its_images_anew(
    folder, tmp_path, described
):
    before = open_folder(folder, tmp_path)
    shutil.rmtree(before.index_directory / AUGMENTED)
    described.clear()
    after = open_folder(folder, tmp_path)
    assert after.report.read == after.report.described == 0
    assert len(described) == COUNT
    assert after.points.tobytes() == before.points.tobytes()


def test_too_few_images_are_told_once_and_have_todays_points(folder, tmp_path):
    for path in sorted(folder.rglob("*.*"))[99:]:
        path.unlink()
    first = open_folder(folder, tmp_path, "[space]\nadapt = 1.0\n")
    points = first.points
    assert first.notes == ("whitening is off: it takes 100 images, and there are 99",)
    again = open_folder(folder, tmp_path)
    _ = again.points
    assert again.notes == ()
    plain = open_folder(folder, tmp_path, "[space]\nwhitening = 0.0\n")
    assert plain.points.tobytes() == points.tobytes()
    assert not whitens(first)


def test_images_that_have_changed_or_cannot_be_read_are_left_out(folder, tmp_path):
    opened = open_folder(folder, tmp_path)._opened
    images = opened.catalogue.sample(6).images
    (folder / images[0][1]).write_bytes(b"other bytes")
    (folder / images[1][1]).unlink()
    descriptors = opened.indexed.descriptors
    task = ViewsTask(str(folder), images, descriptors, opened.indexed.options)
    answers = describe_views(task)
    assert list(answers) == [content for content, _, _ in images[2:]]
    for codes in answers.values():
        assert {len(codes[mark]) for mark, one in descriptors} == {
            3 * one.dim for _, one in descriptors
        }
    assert task.crashed() == {}
    assert [len(part.images) for part in task.split()] == [1] * 6


def test_a_sample_of_which_no_file_can_be_read_costs_whitening_and_is_tried_again(
    folder, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(describing, "describe_views", lambda _task: {})
        photos = open_folder(folder, tmp_path)
        assert not whitens(photos)
        assert any("lacks altered views" in note for note in photos.notes)
    assert whitens(open_folder(folder, tmp_path))


def test_the_first_of_the_views_is_the_image_itself(folder, tmp_path):
    opened = open_folder(folder, tmp_path)._opened
    image = opened.catalogue.sample(1).images
    (codes,) = describe_views(
        ViewsTask(str(folder), image, opened.indexed.descriptors, opened.indexed.options)
    ).values()
    row = opened.records.row_of(image[0][1])
    features = opened.features(np.array([row]))
    for mark, descriptor in opened.indexed.descriptors:
        first, *others = np.frombuffer(codes[mark], np.uint8).reshape(3, -1)
        assert (descriptor.features(first[None]) == features[descriptor.name]).all()
        assert all((first != other).any() for other in others)


def test_a_file_in_the_place_of_the_views_makes_room(folder, tmp_path):
    photos = open_folder(folder, tmp_path)
    shutil.rmtree(photos.index_directory / AUGMENTED)
    (photos.index_directory / AUGMENTED).write_text("a file in the folder's place")
    assert whitens(open_folder(folder, tmp_path))


def test_views_that_cannot_be_kept_cost_whitening_and_are_told(folder, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(augmented, "write_checked_arrays", refuse)
    photos = open_folder(folder, tmp_path)
    assert not whitens(photos)
    assert any("whitening is off" in note for note in photos.notes)


def test_the_samples_id_is_that_of_contents():
    one = Sample(((b"a" * 16, "x.jpg", 1), (b"b" * 16, "y.jpg", 2)))
    assert one.id == Sample(((b"a" * 16, "z.jpg", 9), (b"b" * 16, "q.jpg", 2))).id
    assert one.id != Sample(one.images[:1]).id
    assert len(one) == 2


@pytest.mark.slow
@pytest.mark.parametrize("shard_images", [30, 1000])
def test_shards_have_the_views_of_one_machine(folder, tmp_path, shard_images):
    text = f"[cluster]\nshard_images = {shard_images}\n"
    one = open_folder(folder, tmp_path, text)
    settings = config(tmp_path, text)
    other = imgbatch.load(folder, index=tmp_path / "shards", config=settings, cluster="local")
    assert whitens(other)
    assert np.asarray(other.points[:]).tobytes() == np.asarray(one.points).tobytes()
    trusted = imgbatch.load(
        folder, index=tmp_path / "shards", config=settings, cluster="local", refresh=False
    )
    assert np.asarray(trusted.points[:]).tobytes() == np.asarray(one.points).tobytes()
    shutil.rmtree(next((tmp_path / "shards").rglob(AUGMENTED)))
    assert whitens(
        imgbatch.load(folder, index=tmp_path / "shards", config=settings, cluster="local")
    )


def test_adapted_weights_are_those_that_explain_shows(folder, tmp_path):
    photos = open_folder(folder, tmp_path, "[space]\nadapt = 1.0\n")
    shares = photos.projection.space.shares
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["hsv"] != pytest.approx(0.40, abs=0.01)
    explained = photos.explain(photos.paths[0], photos.paths[1])
    assert {part.name: part.weight for part in explained.parts} == shares


def test_views_of_another_recipe_are_not_reused(folder, tmp_path, described, monkeypatch):
    before = open_folder(folder, tmp_path).points.tobytes()
    described.clear()
    monkeypatch.setattr(augmented, "VERSION", 1_000_000)
    after = open_folder(folder, tmp_path)
    assert after.points.tobytes() == before, "the views are the same, under another name"
    assert len(described) == COUNT
