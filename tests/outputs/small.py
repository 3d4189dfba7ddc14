"""Small results for tests of what shows them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from imgbatch.learning.applying import GivenLabels
from imgbatch.learning.classify import Tried
from imgbatch.learning.curve import CurvePoint
from imgbatch.learning.figures import FIGURES, ClassFigures, Figure
from imgbatch.learning.judged import Judged
from imgbatch.learning.predictions import Predictions
from imgbatch.learning.results import Asked, AskedImage, MixedUp, Round, Training
from imgbatch.learning.splitting import Split
from imgbatch.overview.map import FolderMap, MapQuality
from imgbatch.overview.results import (
    Classes,
    Count,
    Cover,
    Group,
    Grouping,
    NamedImage,
    Overview,
    Problem,
    Repetition,
    Spread,
)
from imgbatch.selection.describe import Description
from imgbatch.selection.explain import DescribedImage, DescriptorShare, Explanation
from imgbatch.types import ImageRecord
from imgbatch.words.results import CaptionedImage, Captions, Found, FoundImage, ImageCaption


def small_found(name: str, files: tuple[str, ...] = ()) -> Found:
    """Hits of a search in which everything has this name, of some files."""
    images = tuple(
        FoundImage(
            rank, file, name, 1 / rank, "visual" if rank % 2 else "text", (name,), (name,),
            ImageRecord(name, 3, 4),
        )
        for rank, file in enumerate(files or (f"/{name}",), start=1)
    )  # fmt: skip
    return Found(name, "/in/photos", images, "english", {name: (name,)}, 12, 3, 0.5, (name,))


def small_captions(name: str, files: tuple[str, ...] = ()) -> Captions:
    """Captions in which everything has this name, of some files."""
    caption = ImageCaption(name, 0.5, (name, name))
    images = tuple(
        CaptionedImage(file, name, (caption, caption), (name,)) for file in files or (f"/{name}",)
    )
    return Captions("/in/photos", images, 12, "english", 0.5, (name,))


def small_overview(name: str, folder: str = "/photos", files: tuple[str, ...] = ()) -> Overview:
    """An overview in which everything has this name, of some files."""
    files = files or (f"/{name}",)
    counts = (Count(name, 3, 0.75), Count(f"other {name}", 1, 0.25))
    images = tuple(NamedImage(file, name, f"3 x 4 pixels of {name}") for file in files)
    group = Group(4, 1.0, images, images[:1], counts, counts)
    spread = Spread(1, 2, 3, 4, 5)
    return Overview(
        folder, 4, 1, 5000, 4, 0, counts,
        dict.fromkeys(("width", "height", "megapixels", "bytes", "aspect"), spread), counts,
        Classes(counts, 1, 0.8), counts, Grouping((group,), 0.1, ((6, 0.1),)),
        Repetition("edited", 1, 1, counts, 0.7, (Cover(0.5, 3, 0.75, 0.5),)),
        (Problem(name, name, len(files), 4, images),), ((name, name),), 0.5, (name,),
    )  # fmt: skip


def small_training(name: str, folder: str = "/photos", files: tuple[str, ...] = ()) -> Training:
    """A training in which classes and files have this name."""
    figures = {figure: Figure(0.8, 0.7, 0.9) for figure in FIGURES}
    classes = (name, f"other {name}")
    sure = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    judged = Judged(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), sure, sure)
    model = SimpleNamespace(classes=classes, facts={"learner": name})
    return Training(
        model, folder, 5, 4, name, 3, 4, figures, figures,
        {"knn": figures, "majority": figures},
        (ClassFigures(name, 2, 0.5, float("nan"), 0.5), ClassFigures(f"2 {name}", 2, 1, 1, 1)),
        judged, np.arange(4), (MixedUp(name, f"other {name}", 1, 0.5, files or (name,)),),
        (CurvePoint(2, 0.5, 0.4, 0.6), CurvePoint(4, 0.8, 0.8, 0.8)), (Tried(name, 0.5, 0.8),),
        (Round(name, 2, float("nan")), Round(f"2 {name}", 4, 0.8)), 0, 0.5, (name,),
    )  # fmt: skip


def small_labels(name: str, folder: str = "/photos", files: tuple[str, ...] = ()) -> GivenLabels:
    """Labels of files, all but one of them sure enough."""
    files = files or (f"/{name}/1", f"/{name}/2")
    sure = np.linspace(0.3, 0.9, len(files), dtype=np.float32)
    said = Predictions((name, f"2 {name}"), np.arange(len(files)) % 2, sure, sure, sure)
    return GivenLabels(folder, files, [name] * len(files), said, 0.4, 0.95, 20, 19, (name,))


def small_asked(name: str, folder: str = "/photos", files: tuple[str, ...] = ()) -> Asked:
    """Images to look at, with evidence."""
    files = files or (name,)
    images = tuple(
        AskedImage(row, f"{folder}/{file}", file, name, f"2 {name}", 0.9, name, {name: files[:2]})
        for row, file in enumerate(files)
    )
    return Asked(folder, images, 3, 5, 0, 0.5, (name,))


def small_split(name: str) -> Split:
    """Two images in two parts."""
    return Split(
        f"/{name}", (f"/{name}/1", f"/{name}/2"), (name, name), ("train", "test"),
        np.array([0, 1]), (name, ""), 1, 0, 0.5, (name,),
    )  # fmt: skip


def small_seen(name: str, path: str = "") -> DescribedImage:
    """An image of 4 x 3 pixels in which descriptors saw a little of everything."""
    bits = np.zeros((8, 8), bool)
    bits[0] = True
    colors = np.full((2, 2, 3), 90, np.uint8)
    return DescribedImage(
        path or f"/{name}", name, 4, 3, colors, np.array([[0.5, 0.25], [0.25, 0]], np.float32),
        np.ones((2, 2, 4), np.float32), bits, {"fisher_sift": np.eye(16, dtype=np.float32)},
    )  # fmt: skip


def small_explanation(
    name: str, files: tuple[str, str] = ("", ""), unlearned: float | None = None
) -> Explanation:
    """Why two images of this name are near, of some files; their hashes differ in 3 bits."""
    first, second = (small_seen(name, file) for file in files)
    other = first.hash_bits.copy()
    other[7, :3] = True
    parts = (
        DescriptorShare("hog", 0.57, 0.36, 0.36 / 0.37),
        DescriptorShare(name, 0.43, 0.01, 0.01 / 0.37),
    )
    images = (first, replace(second, hash_bits=other))
    distance = 0.37**0.5 if unlearned is None else 0.25
    return Explanation("/in/photos", images, distance, parts, 3, unlearned)


def small_description(name: str, file: str = "") -> Description:
    """What is known of an image: its point keeps it but for one grey level."""
    little = np.full((32, 32, 3), 90, np.uint8)
    return Description("/in/photos", small_seen(name, file), little + 1, little)


def small_map(groups, files=(), positions=None, color="label", name="x"):
    """A map of images of these groups."""
    groups = np.array(groups)
    count, names = len(groups), [f"{name}{row}" for row in range(len(groups))]
    if positions is None:
        positions = np.random.default_rng(0).random((count, 2)).astype(np.float32)
    quality = MapQuality("map", 0.97, 0.9), MapQuality("PCA", float("nan"), float("nan"))
    group_names = tuple(f"{name} group {number}" for number in range(groups.max() + 1))
    return FolderMap(
        f"/{name}", list(files) or names, names, [""] * count, positions, color, group_names,
        groups, quality, count, count, 0, 0.5, (name,),
    )  # fmt: skip
