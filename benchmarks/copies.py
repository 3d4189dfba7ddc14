"""How many edited copies are found, and what sets and batches hold of them.

Usage: python benchmarks/copies.py FOLDER [--photos 150] [--seed 0]

Takes photographs of the folder at random, makes 14 edits of each, and looks for them among all
images of the folder: each edit alone, then all edits in one folder with similar sets and epochs of
batches. Nothing in imgbatch was tuned on these edits or their parameters.
"""

import argparse
import io
import os
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

import imgbatch
from imgbatch.copies.candidates import find_candidates
from imgbatch.copies.match import matched
from imgbatch.runners.maps import ThreadMap

Edit = Callable[[Image.Image], Image.Image]
SETS, EPOCHS, BATCH_SIZE = 300, 20, 32


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = [max(16, round(side * factor)) for side in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _cropped(
    image: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    width, height = image.size
    box = left * width, top * height, (1 - right) * width, (1 - bottom) * height
    return image.crop(tuple(map(round, box)))  # type: ignore[arg-type]


def _watermarked(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    size = max(8, image.height // 9)
    ImageDraw.Draw(layer).text(
        (image.width * 0.08, image.height * 0.45),
        "(c) example.org",
        (255, 255, 255, 150),
        font_size=size,
    )
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


EDITS: dict[str, tuple[str, Edit]] = {
    "resized to 45%": ("copies", lambda image: _scaled(image, 0.45)),
    "JPEG quality 25": ("copies", lambda image: _jpeg(image, 25)),
    "grey": ("copies", lambda image: ImageOps.grayscale(image).convert("RGB")),
    "gamma 0.65": (
        "copies",
        lambda image: image.point([round(255 * (v / 255) ** 0.65) for v in range(256)] * 3),
    ),
    "brighter by 25%": ("copies", lambda image: ImageEnhance.Brightness(image).enhance(1.25)),
    "contrast 70%": ("copies", lambda image: ImageEnhance.Contrast(image).enhance(0.7)),
    "5% off each side": ("edited", lambda image: _cropped(image, 0.05, 0.05, 0.05, 0.05)),
    "10% off each side": ("edited", lambda image: _cropped(image, 0.1, 0.1, 0.1, 0.1)),
    "20% off each side": ("edited", lambda image: _cropped(image, 0.2, 0.2, 0.2, 0.2)),
    "25% off the left": ("edited", lambda image: _cropped(image, 0.25, 0, 0, 0)),
    "mirrored": ("edited", ImageOps.mirror),
    "turned by 5 degrees": (
        "edited",
        lambda image: image.rotate(5, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128)),
    ),
    "watermark": ("edited", _watermarked),
    "white border of 8%": (
        "edited",
        lambda image: ImageOps.expand(image, round(0.08 * min(image.size)), (255, 255, 255)),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        images = Path(directory) / "images"
        sources = _make_folder(arguments.folder, images, arguments.photos, arguments.seed)
        photos = imgbatch.load(images, index=Path(directory) / "index")
        _report_recall(photos, sources)
        _report_groups(photos, sources)
        _report_sets(photos, sources)


def _make_folder(folder: Path, images: Path, count: int, seed: int) -> list[str]:
    """All images of a folder as links, and the edits of some; returns the paths of these some."""
    given = imgbatch.load(folder)
    rows = np.random.default_rng(seed).choice(len(given), min(count, len(given)), replace=False)
    for record in given.records:
        target = images / "all" / record.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.path.join(given.folder, record.path))
    sources = [given.records[row].path for row in sorted(rows.tolist())]
    for name, (_, edit) in EDITS.items():
        for path in sources:
            image = ImageOps.exif_transpose(Image.open(os.path.join(given.folder, path)))
            target = images / name / f"{path}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            edit(image.convert("RGB")).save(target, quality=92)
    return sources


def _report_recall(photos: imgbatch.Collection, sources: list[str]) -> None:
    """Each edit alone among all images of the folder."""
    row_of = {record.path: row for row, record in enumerate(photos.records)}
    everyone = [row for path, row in row_of.items() if path.startswith("all/")]
    finder = photos._picker.duplicates  # noqa: SLF001 - the pairs of some rows only
    recalls: dict[str, list[float]] = {"copies": [], "edited": []}
    print("| edit | level | found |\n| --- | --- | --- |")
    for name, (level, _) in EDITS.items():
        made = [row_of[f"{name}/{path}.jpg"] for path in sources]
        rows = np.array(sorted([*everyone, *made]))
        small = finder.miniatures(rows)
        run = ThreadMap()
        found = matched(
            small,
            find_candidates(small, run_tasks=run),
            lambda positions, rows=rows: finder.views(rows[list(positions)].tolist()),
            run_tasks=run,
        )
        pairs = {tuple(pair) for pair in np.sort(rows[found.rows], axis=1).tolist()}
        hits = [
            (min(a, b), max(a, b)) in pairs
            for a, b in zip(made, (row_of[f"all/{path}"] for path in sources), strict=True)
        ]
        recalls[level].append(float(np.mean(hits)))
        print(f"| {name} | {level} | {np.mean(hits):.1%} |", flush=True)
    for level, shares in recalls.items():
        print(f"| mean of {level} | | {np.mean(shares):.1%} |", flush=True)


def _source_of(path: str) -> str:
    """The photograph that an image was made of."""
    folder, name = path.split("/", 1)
    return name if folder == "all" else name.removesuffix(".jpg")


def _report_groups(photos: imgbatch.Collection, sources: list[str]) -> None:
    """All edits in one folder: how many stand in a group with others of their photograph."""
    found = photos.duplicates("edited")
    wanted, together = set(sources), 0
    for group in found.groups:
        names = [_source_of(image.relative) for image in group.images]
        counts = [names.count(name) for name in set(names) & wanted]
        together += max(counts, default=1) - 1
    made = len(sources) * len(EDITS)
    print(f"\nall in one folder: {len(found.groups):,} groups, {found.seconds:.1f} s;", end=" ")
    print(f"{together:,} of {made:,} copies beside the kept image of their photograph", flush=True)


def _report_sets(photos: imgbatch.Collection, sources: list[str]) -> None:
    wanted = set(sources)
    source_of = [_source_of(record.path) for record in photos.records]

    def pairs(rows: list[int]) -> int:
        names = [source_of[row] for row in rows if source_of[row] in wanted]
        return sum(a == b for a, b in combinations(names, 2))

    row_of = {record.path: row for row, record in enumerate(photos.records)}
    made = np.random.default_rng(1).choice([f"all/{path}" for path in sources], SETS)
    for what, like in (("random anchors", [None] * SETS), ("anchors with copies", made)):
        held = []
        for seed, path in enumerate(like):
            picked = photos.similar(10, like=_absolute(photos, path), seed=seed)
            held.append(pairs([row_of[image.relative] for image in picked.images]))
        found = f"{sum(map(bool, held))} of {SETS} hold a pair, {sum(held)} pairs"
        print(f"similar sets, {what}: {found}", flush=True)
    held = [
        pairs(rows.tolist())
        for epoch in range(EPOCHS)
        for rows in photos.batches(BATCH_SIZE, seed=1, epoch=epoch)
    ]
    found = f"{sum(map(bool, held))} of {len(held):,} hold a pair, {sum(held)} pairs"
    print(f"batches of {BATCH_SIZE}, {EPOCHS} epochs: {found}")


def _absolute(photos: imgbatch.Collection, path: str | None) -> str | None:
    return None if path is None else os.path.join(photos.folder, path)


if __name__ == "__main__":
    main()
