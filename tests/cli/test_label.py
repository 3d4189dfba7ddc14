"""``imgbatch label``: train, apply, next, check, split, from the terminal."""

import csv
import io
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import imgbatch
import imgbatch.learning.model
from imgbatch.files.unpacked import unpacked_arrays
from imgbatch.learning.model import LabelModel
from tests.drawing import photo, png, settle, write_photos
from tests.events import logged

COLORS = {"blue": (30, 60, 200), "green": (30, 170, 60), "red": (200, 40, 40)}


def draw(target, color, seed):
    """A noisy picture of one colour with shapes in it."""
    noise = np.random.default_rng(seed).integers(-25, 26, (60, 80, 3))
    shapes = np.asarray(photo(seed, 80, 60)).astype(int)
    pixels = (0.6 * np.array(color) + 0.4 * shapes + noise).clip(0, 255).astype(np.uint8)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(png(Image.fromarray(pixels)))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Thirty pictures of each of three colours, in a folder for each; nobody changes them."""
    folder = tmp_path_factory.mktemp("label") / "photos"
    for number, (name, color) in enumerate(COLORS.items()):
        for image in range(30):
            draw(folder / name / f"{image:02}.png", color, 100 * number + image)
    settle(folder)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def label(cli, cache, tmp_path, monkeypatch):
    """Run ``imgbatch label`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: cli("label", *arguments, "--index", cache)


@pytest.fixture(scope="module")
def model(drawn, cache):
    """A model of the three colours."""
    photos = imgbatch.load(drawn, emphasis="extended", index=cache)
    target = cache / "model.npz"
    photos.train_labels().save(target)
    return target


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def flat(drawn, tmp_path):
    """The same pictures without their classes, and the class of each."""
    folder, classes = tmp_path / "flat", {}
    folder.mkdir()
    for path in drawn.rglob("*.png"):
        name = f"{len(classes):03}.png"
        shutil.copy(path, folder / name)
        classes[name] = path.parent.name
    settle(folder)
    return folder, classes


# ----- train --------------------------------------------------------------------------------------


def test_train_measures_on_images_that_the_model_did_not_see(label, drawn, tmp_path):
    answer = label("train", drawn, "-o", "model.npz", "--test", "0.3", "--json")
    document = answer.json
    assert document["classes"] == 3
    assert (document["trained_on"], document["tested_on"]) == (63, 27)
    assert document["test"]["balanced_accuracy"] > 0.8
    assert document["baselines"]["majority"]["accuracy"] == pytest.approx(1 / 3)
    low, high = document["intervals"]["accuracy"]
    assert low <= document["test"]["accuracy"] <= high
    assert {one["name"] for one in document["by_class"]} == set(COLORS)
    assert [point["labels"] for point in document["curve"]] == sorted(
        point["labels"] for point in document["curve"]
    )
    assert LabelModel.load(tmp_path / "model.npz").classes == tuple(COLORS)


def test_few_labels_are_cross_validated_and_all_are_trained_on(label, drawn):
    document = label("train", drawn, "-o", "model.npz", "--json").json
    assert (document["trained_on"], document["tested_on"]) == (90, 90)
    assert "5 folds" in document["protocol"]


def test_train_is_repeatable_to_the_byte(label, drawn, tmp_path):
    for name in ("a.npz", "b.npz"):
        label("train", drawn, "-o", name, "--seed", "3")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_train_prints_a_table_and_writes_a_page_and_a_matrix(label, drawn, tmp_path):
    answer = label("train", drawn, "-o", "m.npz", "--report", "r.html", "--confusion", "c.png")
    assert "balanced accuracy" in answer.out
    assert "imgbatch label train" in (tmp_path / "r.html").read_text()
    with Image.open(tmp_path / "c.png") as matrix:
        assert min(matrix.size) > 100


def test_a_log_holds_the_figures_by_number_of_labels(label, drawn, tmp_path):
    pytest.importorskip("tensorboardX")
    document = label("train", drawn, "-o", "m.npz", "--log", "logs", "--json").json
    scalars = logged(next((tmp_path / "logs").glob("events.*")))
    assert scalars["test/accuracy"] == [(90, pytest.approx(document["test"]["accuracy"]))]
    curve = [(point["labels"], pytest.approx(point["value"])) for point in document["curve"]]
    assert scalars["labels/balanced_accuracy"] == curve
    assert "confusion_matrix" in scalars


def test_a_split_of_the_metadata_wins_and_divided_copies_are_told(label, drawn, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(drawn, copied)
    for number in range(5):
        shutil.copy(copied / "red" / f"{number:02}.png", copied / "red" / f"copy{number}.png")
    settle(copied)
    lines = ["file_name,label,split"]
    for path in sorted(copied.rglob("*.png")):
        part = "test" if path.name.startswith("copy") or path.name >= "25" else "train"
        lines.append(f"{path.relative_to(copied).as_posix()},{path.parent.name},{part}")
    (tmp_path / "known.csv").write_text("\n".join(lines))
    answer = label("train", copied, "-o", "m.npz", "--metadata", "known.csv", "--json")
    assert answer.json["tested_on"] == 20
    assert "split calls test" in answer.json["protocol"]
    assert "5 test images are copies" in answer.err


def test_rounds_say_what_the_last_file_gained(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    names = sorted(classes)
    for number, chosen in enumerate((names[::6], names[1::2]), start=1):
        lines = ["file_name,label", *(f"{name},{classes[name]}" for name in chosen)]
        (tmp_path / f"{number}.csv").write_text("\n".join(lines))
    given = ("--metadata", "1.csv", "--metadata", "2.csv")
    document = label("train", folder, "-o", "m.npz", *given, "--json").json
    first, second = document["rounds"]
    assert (first["labels"], second["labels"]) == (15, 60)
    assert second["value"] >= first["value"] > 0.3
    answer = label("train", folder, "-o", "m.npz", *given)
    assert "+45 labels of 2.csv" in answer.out
    assert "no random sample" in answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "model.pt"), ("model.pt", ".npz")),
        (("-o", "m.npz", "--test", "1"), ("test is 1", "below 1")),
        (("-o", "m.npz", "--confusion", "c.txt"), ("c.txt", ".png")),
        (("-o", "m.npz", "--report", "r.png"), ("r.png", ".html")),
    ],
)
def test_outputs_that_cannot_be_are_told_before_any_work(label, drawn, arguments, words):
    label("train", drawn, *arguments).assert_one_clear_line(2, *words)


def test_one_class_or_none_is_one_clear_error(label, drawn, tmp_path):
    folder, _ = flat(drawn, tmp_path)
    label("train", folder, "-o", "m.npz").assert_one_clear_line(2, "no image has a label")
    (tmp_path / "one.csv").write_text("file_name,label\n000.png,cat\n001.png,cat\n")
    answer = label("train", folder, "-o", "m.npz", "--metadata", "one.csv")
    answer.assert_one_clear_line(2, "2 labelled images are of the class 'cat'", "another class")


def test_labels_that_the_program_wrote_are_not_learned_from(label, drawn, tmp_path, model):
    folder, _ = flat(drawn, tmp_path)
    assert label("apply", model, folder, "-o", "labels.csv").code == 0
    answer = label("train", folder, "-o", "m.npz", "--metadata", "labels.csv")
    answer.assert_one_clear_line(2, "no image has a label")


def test_predictions_are_learned_from_if_they_are_trusted(label, drawn, tmp_path, model):
    folder, _ = flat(drawn, tmp_path)
    label("apply", model, folder, "-o", "labels.csv")
    given = ("--metadata", "labels.csv", "--trust-predicted")
    assert label("train", folder, "-o", "m.npz", *given, "--json").json["labelled"] == 90


# ----- apply --------------------------------------------------------------------------------------


def test_a_folder_that_the_model_never_saw_is_labelled(label, drawn, tmp_path, model):
    folder, classes = flat(drawn, tmp_path)
    assert label("apply", model, folder, "-o", "labels.csv", "-o", "page.html").code == 0
    rows = rows_of(tmp_path / "labels.csv")
    assert list(rows[0]) == ["file_name", "label", "probability", "source"]
    assert np.mean([row["label"] == classes[row["file_name"]] for row in rows]) > 0.9
    assert {row["source"] for row in rows} == {"imgbatch"}
    assert "label apply" in (tmp_path / "page.html").read_text()


def test_the_folder_trained_on_and_another_place_of_it_get_the_same_labels(
    label, drawn, tmp_path, model
):
    moved = tmp_path / "moved"
    shutil.copytree(drawn, moved)
    settle(moved)
    here = label("apply", model, drawn, "--json").json["images"]
    there = label("apply", model, moved, "--json").json["images"]
    assert [image["label"] for image in here] == [image["label"] for image in there]
    differences = [
        abs(a["probability"] - b["probability"]) for a, b in zip(here, there, strict=True)
    ]
    assert max(differences) < 1e-3


def test_one_image_is_labelled_as_in_its_folder(label, drawn, model):
    of_folder = {
        image["relative"]: image for image in label("apply", model, drawn, "--json").json["images"]
    }
    one = label("apply", model, drawn / "red" / "07.png", "--json").json["images"][0]
    assert one["label"] == of_folder["red/07.png"]["label"]
    assert one["probability"] == pytest.approx(of_folder["red/07.png"]["probability"], abs=1e-3)
    assert one["label"] in label("apply", model, drawn / "red" / "07.png").out


def test_only_sure_images_get_a_label_if_a_precision_is_asked_for(label, drawn, model):
    everything = label("apply", model, drawn, "--min-precision", "0", "--json").json
    assert everything["labelled"] == 90
    held = LabelModel.load(model)
    threshold = held.threshold(1.0)
    strict = label("apply", model, drawn, "--min-precision", "1", "--json").json
    assert strict["least_probability"] == pytest.approx(threshold)
    for image in strict["images"]:
        assert bool(image["label"]) == (image["probability"] >= threshold - 1e-6)
        assert image["suggested"]


def test_a_precision_that_was_never_reached_labels_nothing_and_says_so(drawn, model, label):
    trained = LabelModel.load(model)
    trained.held_right[:] = False
    trained.save("hopeless.npz")
    answer = label("apply", "hopeless.npz", drawn, "--min-precision", "0.9", "--json")
    assert answer.json["labelled"] == 0
    assert answer.json["least_probability"] is None
    assert "nothing is labelled" in answer.err


def test_labelled_images_are_copied_by_class_once(label, drawn, tmp_path, model):
    assert "90 images copied" in label("apply", model, drawn, "--copy-to", "sorted").err
    copied = [
        path.relative_to(tmp_path / "sorted") for path in (tmp_path / "sorted").rglob("*.png")
    ]
    assert {path.parts[0] for path in copied} <= set(COLORS)
    again = label("apply", model, drawn, "--copy-to", "sorted").err
    assert "0 images copied" in again
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == len(copied) == 90


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[: len(data) // 2], ("no label model, or damaged",)),
        (lambda data: data[:5000] + b"\0" * 64 + data[5064:], ("damaged",)),
        (lambda _: b"", ("no label model",)),
        (lambda _: b"something else entirely", ("no label model",)),
    ],
    ids=["cut off", "a hole", "empty", "no archive"],
)
def test_a_damaged_model_is_one_clear_error(label, drawn, tmp_path, model, spoil, words):
    (tmp_path / "bad.npz").write_bytes(spoil(model.read_bytes()))
    label("apply", "bad.npz", drawn).assert_one_clear_line(2, "bad.npz", *words)


def with_settings(header, _arrays):
    header["settings"] = None


def with_space(change):
    """Another space of the same form inside the model."""

    def changed(_header, arrays):
        stored = unpacked_arrays(io.BytesIO(arrays["space"].tobytes()))
        change(stored)
        file = io.BytesIO()
        np.savez(file, **stored)
        arrays["space"] = np.frombuffer(file.getvalue(), np.uint8)

    return changed


@pytest.mark.parametrize(
    "change",
    [
        lambda _header, arrays: arrays["weights"].fill(np.nan),
        lambda _header, arrays: arrays.update(held_right=np.zeros(3, "S3")),
        lambda _header, arrays: arrays.update(bias=np.zeros((2, 2))),
        lambda header, _arrays: header.update(classes=[["a"], None]),
        lambda header, _arrays: header.update(steepness=float("nan")),
        lambda header, _arrays: header.update(facts=None),
        lambda header, _arrays: header.update(fingerprint="a" * 100_000 + "\n", settings=3),
        lambda header, _arrays: header["settings"].update(descriptors=[None]),
        lambda header, _arrays: header["settings"].update(descriptors=2),
        with_settings,
        with_space(lambda stored: stored.update({"hsv.mean": stored["hsv.mean"][:5]})),
        with_space(lambda stored: stored["hsv.axes"].fill(np.inf)),
        with_space(lambda stored: stored.pop("hsv.offset")),
        with_space(lambda stored: stored.update(names=stored["names"][:0])),
    ],
)
def test_a_whole_file_that_makes_no_model_is_one_clear_error(label, drawn, tmp_path, model, change):
    kind = imgbatch.learning.model._FILE
    header, arrays = kind.read(model)
    change(header, arrays)
    del header["kind"], header["version"]
    kind.write(tmp_path / "odd.npz", header, arrays)
    answer = label("apply", "odd.npz", drawn)
    assert answer.code in (1, 2)
    answer.assert_one_clear_line(answer.code, "damaged")
    assert len(answer.err) < 700


def test_a_model_that_claims_to_be_huge_takes_no_memory(label, drawn, tmp_path, model):
    with zipfile.ZipFile(model) as whole, zipfile.ZipFile(tmp_path / "huge.npz", "w") as huge:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "bias.npy":
                at = data.index(b"(")
                claim = b"(99999999999,), }"
                data = data[:at] + claim + data[at + len(claim) :]
            huge.writestr(name, data)
    label("apply", "huge.npz", drawn).assert_one_clear_line(2, "huge.npz", "damaged")


def test_an_archive_of_other_arrays_is_no_model(label, drawn, tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    label("apply", "other.npz", drawn).assert_one_clear_line(2, "other.npz", "no label model")


def test_a_model_of_a_newer_form_is_refused(label, drawn, tmp_path, model, monkeypatch):
    newer = replace(imgbatch.learning.model._FILE, version=99)
    monkeypatch.setattr("imgbatch.learning.model._FILE", newer)
    LabelModel.load(model).save(tmp_path / "newer.npz")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    label("apply", "newer.npz", drawn).assert_one_clear_line(2, "version 99")


def test_a_model_of_other_descriptors_is_refused(drawn, cache, model):
    photos = imgbatch.load(drawn, index=cache)
    with pytest.raises(imgbatch.ImgbatchError, match=r"other descriptors.*fisher_gradient"):
        LabelModel.load(model).predict(photos)


def test_pictures_in_memory_are_labelled_as_files_are(drawn, model):
    trained, file = LabelModel.load(model), drawn / "green" / "03.png"
    with Image.open(file) as picture:
        loaded = picture.convert("RGB")
    given = [file, str(file), loaded, np.asarray(loaded)]
    together = trained.predict(given)
    assert len(set(together.probabilities.tolist())) == 1
    assert set(together.labels) == {"green"}
    for one in given:
        assert trained.predict(one).labels == ["green"]
    for wrong in (np.zeros((4, 4)), 7, np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(imgbatch.ImgbatchError, match="picture 1 is"):
            trained.predict([wrong])


# ----- next, check, split -------------------------------------------------------------------------


def test_next_begins_with_no_label_at_all_and_ends_when_all_have_one(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    first = label("next", folder, "-n", "6", "-o", "1.csv", "-o", "1.html", "-o", "1.png", "--json")
    images = first.json["images"]
    assert len({classes[image["relative"]] for image in images}) == 3
    assert {(image["label"], image["suggested"]) for image in images} == {("", "")}
    rows = rows_of(tmp_path / "1.csv")
    assert [row["label"] for row in rows] == [""] * 6
    given = []
    for number in (1, 2):
        asked = rows_of(tmp_path / f"{number}.csv")
        fill_in(tmp_path / f"{number}.csv", asked, classes)
        given += ["--metadata", f"{number}.csv"]
        answer = label("next", folder, "-n", "20", *given, "-o", f"{number + 1}.csv", "--json")
        names = {image["relative"] for image in answer.json["images"]}
        assert len(names) == 20
        assert not names & {row["file_name"] for row in asked}
    assert answer.json["labelled"] == 26
    assert all(image["suggested"] in COLORS for image in answer.json["images"])


def test_a_random_sample_is_what_train_measures_on(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    label("next", folder, "-n", "18", "--random", "-o", "test.csv")
    # It is not asked for before it is filled in, nor afterwards.
    early = label("next", folder, "-n", "90", "--metadata", "test.csv", "--json").json["images"]
    assert len(early) == 72
    fill_in(tmp_path / "test.csv", rows_of(tmp_path / "test.csv"), classes)
    label("next", folder, "-n", "12", "--metadata", "test.csv", "-o", "1.csv")
    fill_in(tmp_path / "1.csv", rows_of(tmp_path / "1.csv"), classes)
    given = ("--metadata", "test.csv", "--metadata", "1.csv")
    answer = label("train", folder, "-o", "m.npz", *given, "--json")
    assert (answer.json["trained_on"], answer.json["tested_on"]) == (12, 18)
    assert "no random sample" not in answer.err
    # What is kept for measuring is not asked for again, and as unknown as if it had no label.
    sample = {row["file_name"] for row in rows_of(tmp_path / "test.csv")}
    asked = rows_of(tmp_path / "1.csv")
    assert not {row["file_name"] for row in asked} & sample
    assert {row["suggested"] for row in asked} == {""}


def fill_in(path, rows, classes):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"label": classes[row["file_name"]]} for row in rows)


def test_next_says_what_to_do_if_every_image_has_a_label(label, drawn):
    label("next", drawn).assert_one_clear_line(2, "all 90 images have a label", "--metadata")


def test_next_asks_for_one_of_several_copies(label, drawn, tmp_path):
    folder, _ = flat(drawn, tmp_path)
    for number in range(10):
        shutil.copy(folder / "000.png", folder / f"copy{number}.png")
    settle(folder)
    images = label("next", folder, "-n", "100", "--json").json["images"]
    names = [image["relative"] for image in images]
    assert len(names) == 90
    assert sum(name.startswith("copy") or name == "000.png" for name in names) == 1


def test_check_lists_wrong_labels_first_with_evidence(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    wrong = sorted(classes)[::20]
    colors = list(COLORS)
    lines = ["file_name,label"]
    for name, color in classes.items():
        other = colors[(colors.index(color) + 1) % 3]
        lines.append(f"{name},{other if name in wrong else color}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    outputs = ("-o", "c.csv", "-o", "c.html", "-o", "c.jpg")
    answer = label("check", folder, "--metadata", "labels.csv", "-n", "8", *outputs, "--json")
    images = answer.json["images"]
    first = [image["relative"] for image in images[: len(wrong)]]
    assert len(set(first) & set(wrong)) >= len(wrong) - 1
    for image in images[:3]:
        assert image["suggested"] != image["label"]
        assert set(image["evidence"]) == {image["label"], image["suggested"]}
        assert all(image["relative"] not in shown for shown in image["evidence"].values())
    rows = rows_of(tmp_path / "c.csv")
    assert {row["label"] for row in rows} == {""}
    assert rows[0]["was"] == images[0]["label"]


def test_check_does_not_judge_an_image_whose_class_has_no_others(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    shutil.copy(folder / "000.png", folder / "copy.png")
    settle(folder)
    alone = {"000.png": "odd", "copy.png": "odd", "001.png": "strange"}
    lines = ["file_name,label", *(f"{name},{color}" for name, color in (classes | alone).items())]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    answer = label("check", folder, "--metadata", "labels.csv", "--json").json
    assert not {image["relative"] for image in answer["images"]} & set(alone)
    assert any("not judged: 3 images" in note for note in answer["notes"])


def test_check_writes_no_sheet_where_nothing_is_doubted(label, tmp_path):
    names = write_photos(tmp_path / "photos", 4)
    lines = ["file_name,label", *(f"{name},of {name}" for name in names)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    asked = ("check", tmp_path / "photos", "--metadata", "labels.csv")
    answer = label(*asked, "-o", "c.png", "-o", "c.csv", "-o", "c.html", "--json").json
    assert answer["images"] == []
    assert [file["kind"] for file in answer["files"]] == ["rows", "page"]
    assert not (tmp_path / "c.png").exists()
    answer = label(*asked, "-o", "c.png")
    assert "0 doubted labels" in answer.out
    assert "c.png is not made, as there is nothing to draw" in answer.err


def test_check_puts_copies_with_different_labels_first(label, drawn, tmp_path):
    folder, classes = flat(drawn, tmp_path)
    shutil.copy(folder / "000.png", folder / "copy.png")
    settle(folder)
    other = "red" if classes["000.png"] != "red" else "blue"
    lines = ["file_name,label", *(f"{name},{color}" for name, color in classes.items())]
    (tmp_path / "labels.csv").write_text("\n".join([*lines, f"copy.png,{other}"]))
    images = label("check", folder, "--metadata", "labels.csv", "--json").json["images"]
    assert {image["relative"] for image in images[:2]} == {"000.png", "copy.png"}
    assert all("copy of" in image["reason"] for image in images[:2])


def test_split_writes_metadata_that_train_reads(label, drawn, tmp_path):
    answer = label("split", drawn, "-o", "split.csv", "--shares", "70,30", "--json")
    assert answer.json["counts"] == {"train": 63, "test": 27}
    rows = rows_of(tmp_path / "split.csv")
    assert list(rows[0]) == ["file_name", "split"]
    assert len(rows) == 90
    trained = label("train", drawn, "-o", "m.npz", "--metadata", "split.csv", "--json").json
    assert (trained["trained_on"], trained["tested_on"]) == (63, 27)


def test_split_keeps_copies_together(label, drawn, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(drawn, copied)
    for path in list(copied.rglob("0*.png")):
        shutil.copy(path, path.with_name(f"again-{path.name}"))
    settle(copied)
    images = label("split", copied, "--shares", "0.5,0.5", "--json").json["images"]
    parts = {image["relative"]: image["split"] for image in images}
    pairs = [(name, name.replace("again-", "")) for name in parts if "again-" in name]
    assert len(pairs) == 30
    assert all(parts[one] == parts[other] for one, other in pairs)


@pytest.mark.parametrize(
    "shares", ["", "1", "0.1,0.9", "a,b", "0.5,0.5,-1", "1,1,1,1", "nan,1", "1,0,0", "0,0"]
)
def test_shares_that_make_no_sense_are_refused(label, drawn, shares):
    label("split", drawn, "--shares", shares).assert_one_clear_line(2, "the shares are")


def test_the_image_folder_is_never_written_to(label, drawn, model):
    for arguments in (
        ("train", drawn, "-o", drawn / "m.npz"),
        ("train", drawn, "-o", "m.npz", "--log", drawn / "logs"),
        ("train", drawn, "-o", "m.npz", "--confusion", drawn / "c.png"),
        ("apply", model, drawn, "-o", drawn / "l.csv"),
        ("apply", model, drawn, "--copy-to", drawn / "sorted"),
        ("next", drawn, "-o", drawn / "n.csv"),
        ("check", drawn, "-o", drawn / "c.csv"),
        ("split", drawn, "-o", drawn / "s.csv"),
    ):
        label(*arguments).assert_one_clear_line(2, "inside the image folder")


@pytest.mark.slow
def test_a_folder_in_shards_is_learned_and_labelled_as_one_in_sqlite(cli, drawn, cache, tmp_path):
    pytest.importorskip("distributed")
    labels = {}
    for kind, given in (("sqlite", ()), ("shards", ("--cluster", "local"))):
        place = ("--index", cache / kind, *given)
        trained = cli("label", "train", drawn, "-o", tmp_path / f"{kind}.npz", "--json", *place)
        assert trained.json["labelled"] == 90
        applied = cli("label", "apply", tmp_path / f"{kind}.npz", drawn, "--json", *place).json
        labels[kind] = [(image["relative"], image["label"]) for image in applied["images"]]
    assert labels["sqlite"] == labels["shards"]


@pytest.mark.parametrize("command", ["train", "next", "check", "split"])
def test_a_negative_seed_is_one_clear_error(label, drawn, command):
    output = ("-o", "m.npz") if command == "train" else ()
    label(command, drawn, *output, "--seed", "-1").assert_one_clear_line(2, "the seed is -1")


def test_a_file_that_cannot_be_written_costs_neither_the_answer_nor_the_notes(
    label, drawn, tmp_path, monkeypatch
):
    folder, _ = flat(drawn, tmp_path)

    def refuse(*_given, **_options):
        raise imgbatch.ImgbatchError("no room for a sheet", "make room")

    monkeypatch.setattr("imgbatch.outputs.asked.write_asked_sheet", refuse)
    answer = label("next", folder, "-n", "500", "-o", "n.png")
    assert answer.code == 1
    assert "images to label next" in answer.out
    assert "no room for a sheet" in answer.err
    assert "500 images were asked for" in answer.err


@pytest.mark.parametrize(
    ("shares", "parts"),
    [("0.8,0.2,0", {"train", "validation"}), ("0.8,0,0.2", {"train", "test"})],
)
def test_a_share_of_0_leaves_a_part_out(label, drawn, shares, parts):
    answer = label("split", drawn, "--shares", shares, "--json").json
    assert set(answer["counts"]) == parts
    assert answer["counts"]["train"] == 72


def test_labels_of_apply_that_are_left_out_are_told_where_none_are_left(
    label, drawn, tmp_path, model
):
    folder, _ = flat(drawn, tmp_path)
    label("apply", model, folder, "-o", "labels.csv")
    trained = label("train", folder, "--metadata", "labels.csv", "-o", "m.npz")
    trained.assert_one_clear_line(2, "90 rows", "predictions", "--trust-predicted")
    split = label("split", folder, "--metadata", "labels.csv")
    assert "no image has a class" in split.err
    assert "--trust-predicted" in split.err
    assert (
        "no image has a class"
        not in label("split", folder, "--metadata", "labels.csv", "--trust-predicted").err
    )
