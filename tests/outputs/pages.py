"""Pages of every kind, small ones, for tests."""

from dataclasses import replace

import numpy as np
from PIL import Image
from scipy.sparse import csr_array

from imgbatch.config import load_config
from imgbatch.evaluation.results import ClassFigure, Evaluation, Figure
from imgbatch.measures.tags import TagTable
from imgbatch.outputs.batches import BatchesResult, ShownBatch
from imgbatch.outputs.pages import (
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
    batches_page,
    evaluation_page,
    map_page,
    overview_page,
    selection_page,
)
from imgbatch.outputs.pages.asked import asked_page
from imgbatch.outputs.pages.captions import captions_page
from imgbatch.outputs.pages.explanation import description_page, explanation_page
from imgbatch.outputs.pages.labelled import labelled_page
from imgbatch.outputs.pages.search import search_page
from imgbatch.outputs.pages.tags import tags_page
from imgbatch.outputs.pages.training import training_page
from imgbatch.outputs.tags import TagsResult
from imgbatch.types import PickedImage, Selection, Skipped
from tests.drawing import jpeg, photo
from tests.outputs.small import (
    small_asked,
    small_captions,
    small_description,
    small_explanation,
    small_found,
    small_labels,
    small_map,
    small_overview,
    small_training,
)

CONFIG = load_config().config
SHARES = {"hsv": 0.25, "hog": 0.7, "phash": 0.05}
HOSTILE = (
    "</title><script>document.documentElement.dataset.ran = 'yes'</script>.jpg",
    "\" onerror=\"document.documentElement.dataset.ran = 'yes'\" '&amp;.jpg",
    "holiday\u202egnp.exe",
    "caf\udce9\n.jpg",
    "שלום/{{ 7 * 7 }}.jpg",
    "n" * 250 + ".jpg",
)
"""Names that would break out of a page, turn its text around, or widen it."""


def write_files(folder, count):
    """Photos of different shapes as files; returns their paths."""
    paths = []
    for number in range(count):
        width, height = (120, 90) if number % 3 else (70, 140)
        path = folder / f"{number}.jpg"
        path.write_bytes(jpeg(photo(number, width, height)))
        paths.append(str(path))
    return paths


def similar(folder):
    """Photos under hostile names, one unreadable file, an anchor."""
    files = [*write_files(folder, 9), str(folder / "none.jpg")]
    names = [*HOSTILE, "a/b/c.jpg", "8.jpg", "9.jpg", "none.jpg"]
    images = tuple(
        PickedImage(
            rank, file, name, (rank - 1) / 10, 120, 90, label="cats", note="cut off" * (rank == 3),
            anchor=rank == 1, shares=SHARES if rank > 1 else {},
        )
        for rank, (file, name) in enumerate(zip(files, names, strict=True), start=1)
    )  # fmt: skip
    skipped = (Skipped(HOSTILE[0], "damaged"),)
    selection = Selection("similar", 7, "/in/photos", images, skipped, 99, 1.5, ("a note",))
    return selection_page(selection, CONFIG, "imgbatch similar 'my photos' -n 10 --seed 7")


def batches(folder):
    files = write_files(folder, 8)
    shown = [ShownBatch(files[:4], files[:4], [0.9, 0.8, 0.8, 0.9])] * 2
    figures = {
        "leading_variance": 0.07, "variance": 0.4, "closest": 0.7, "mean_closest": 0.8,
        "near_duplicates": 0, "classes": float("nan"),
    }  # fmt: skip
    random = figures | {"leading_variance": 1.03, "closest": 0.5}
    result = BatchesResult(3, "/in/photos", 4, 1, 2, figures, random, None, None, (), None, 8, 0.5)
    close = [ShownBatch(files[4:], files[4:], [0.9, 0.5, 0.5, float("inf")])] * 2
    return batches_page(result, shown, close, CONFIG, "imgbatch batches photos --seed 3")


def evaluate(_folder):
    figures = tuple(
        Figure(name, value, value - 0.02, value + 0.02, random, "what it says")
        for name, value, random in (
            ("precision_at_10", 0.81, 0.1), ("similar_purity", 0.9, None),
            ("different_vendi_score", 9.6, 9.3), ("batches_mean_shift", 0.48, 1.01),
        )
    )  # fmt: skip
    classes = tuple(
        ClassFigure(name, 50, value, value - 0.1, value + 0.1, 0.1)
        for name, value in (("cats", 0.9), ("<b>dogs</b>", 0.4), ("n" * 90, 0.6))
    )
    measured = Evaluation("/in/photos", 150, 3, 0, 10, 20, 150, figures, ("a note",), classes)
    return evaluation_page(measured, CONFIG, "imgbatch evaluate photos")


def duplicates(folder):
    files = write_files(folder, 6)
    groups = tuple(
        ImageGrid(
            f"Group {number}: edited",
            "Kept: the largest.",
            images=tuple(
                PageImage(
                    file, file, score="" if first else "0.31", mark="keep" if first else "",
                    facts=("120 \u00d7 90", "4 kB"),
                )
                for first, file in zip((True, False, False), files[start : start + 3], strict=True)
            ),
            score_name="distance to the keeper",
        )
        for number, start in ((1, 0), (2, 3))
    )  # fmt: skip
    return Page("duplicates", "Two groups", sections=(ImageGroups("Groups", groups=groups),))


def tags(folder):
    files = write_files(folder, len(HOSTILE))
    scores = csr_array(np.tile(np.array([[0.5, 1, 0.75]], np.float32), (len(files), 1)))
    names = ("red", "<b>bold</b>", "n" * 90)
    table = TagTable(names, scores, ("measured", "given", "learned"))
    rules = {"red": "red >= 0.2"}
    result = TagsResult("/in/photos", files, HOSTILE, table, rules, notes=("a note",))
    return tags_page(result, CONFIG, "imgbatch tags photos")


def overview(folder):
    files = write_files(folder, 9)
    return overview_page(
        small_overview(HOSTILE[0], "/in/photos", tuple(files)), CONFIG, "imgbatch overview x"
    )


def training(folder):
    files = write_files(folder, 3)
    names = tuple(file.removeprefix(f"{folder}/") for file in files)
    return training_page(small_training(HOSTILE[0], str(folder), names), CONFIG, "imgbatch x")


def labels(folder):
    files = tuple(write_files(folder, 12))
    return labelled_page(small_labels(HOSTILE[0], str(folder), files), CONFIG, "imgbatch x")


def asked(folder, *, doubted=False):
    files = write_files(folder, 5)
    names = tuple(file.removeprefix(f"{folder}/") for file in files)
    shown = replace(small_asked(HOSTILE[0], str(folder), names), doubted=doubted)
    return asked_page(shown, CONFIG, "x")


def folder_map(folder):
    """A map of photos under hostile names, in groups of hostile names."""
    files = write_files(folder, 12)
    shown = small_map([number % 3 - 1 for number in range(12)], files, name=HOSTILE[0])
    names = [*HOSTILE, *(f"a/{number}.jpg" for number in range(6))]
    return map_page(replace(shown, names=names), CONFIG, "imgbatch map photos")


def search(folder):
    found = small_found(HOSTILE[0], tuple(write_files(folder, 3)))
    return search_page(found, CONFIG, "imgbatch search photos sea")


def caption(folder):
    captions = small_captions(HOSTILE[0], tuple(write_files(folder, 3)))
    return captions_page(captions, CONFIG, "imgbatch caption photos")


def explanation(folder):
    shown = small_explanation(HOSTILE[0], tuple(write_files(folder, 2)), 0.6)
    return explanation_page(shown, CONFIG, "imgbatch explain a.jpg b.jpg")


def description(folder):
    shown = small_description(HOSTILE[0], write_files(folder, 1)[0])
    return description_page(shown, CONFIG, "imgbatch explain a.jpg")


PAGES = {
    "map": folder_map,
    "overview": overview,
    "similar": similar,
    "batches": batches,
    "evaluate": evaluate,
    "duplicates": duplicates,
    "tags": tags,
    "label train": training,
    "label apply": labels,
    "label next": asked,
    "label check": lambda folder: asked(folder, doubted=True),
    "search": search,
    "caption": caption,
    "explain two": explanation,
    "explain one": description,
}


def plain(count, folder):
    """A page of so many equal images."""
    path = folder / "one.png"
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(path)
    images = tuple(PageImage(str(path), f"{number}.png") for number in range(count))
    return Page("test", "Plain", sections=(ImageGrid("Images", images=images),))
