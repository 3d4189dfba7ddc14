"""How many edited copies are found, and what sets and batches hold of them.

Usage: python benchmarks/copies.py FOLDER [--photos 150] [--seed 0] [--only kept]

Takes photographs of the folder at random, makes 14 edits of each, and looks for them among all
images of the folder: each edit alone, then all edits in one folder with similar sets and epochs of
batches. Nothing in imgbatch was tuned on these edits or their parameters. Last comes how often the
picture that an edit was made of is kept, where both have as many pixels: rule and threshold were
chosen on 40 images each of Corel-1K, Caltech-101 and Flickr8k. `--only kept` measures nothing else.
"""

import argparse
import io
import os
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

import imgbatch
from imgbatch.copies.candidates import find_candidates
from imgbatch.copies.match import matched
from imgbatch.runners.maps import ThreadMap
from imgbatch.selection.keeping import Keeping

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

SAVED: dict[str, Callable[[Image.Image], bytes]] = {
    **{
        f"{name}, quality 92": lambda image, edit=edit: _saved(edit(image), 92)
        for name, (_, edit) in EDITS.items()
    },
    **{f"quality {q}": lambda image, q=q: _saved(image, q) for q in (40, 60, 80, 95)},
    "turned by 90 degrees, quality 75": lambda image: _saved(image.rotate(90, expand=True), 75),
    "turned by 90 degrees, quality 95": lambda image: _saved(image.rotate(90, expand=True), 95),
    "brighter by 15%, quality 75": lambda image: _saved(
        ImageEnhance.Brightness(image).enhance(1.15), 75
    ),
    "blurred, quality 92": lambda image: _saved(image.filter(ImageFilter.GaussianBlur(2)), 92),
    "PNG": lambda image: _saved(image, None),
    "mirrored, PNG": lambda image: _saved(ImageOps.mirror(image), None),
}
"""Edits as files; a quality of None makes a PNG."""
FORMER = ("largest", "sharpest", "largest file")
"""What decided before pictures were asked how often they had been saved."""


def _saved(image: Image.Image, quality: int | None) -> bytes:
    buffer = io.BytesIO()
    if quality is None:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["kept"])
    arguments = parser.parse_args()
    if arguments.only is None:
        _report_found(arguments)
    _report_kept(arguments.folder, arguments.photos, arguments.seed)


def _report_found(arguments: argparse.Namespace) -> None:
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


def _report_kept(folder: Path, count: int, seed: int) -> None:
    """How often the picture is kept that an edit of as many pixels was made of, by rule."""
    given = imgbatch.load(folder)
    rows = np.random.default_rng(seed).choice(len(given), min(count, len(given)), replace=False)
    sources = [os.path.join(given.folder, given.records[row].path) for row in rows.tolist()]
    kept: dict[str, list[float]] = {}
    print("\n| edit | kept is the original | by the former rule | by size of file |")
    print("| --- | --- | --- | --- |")
    for name, save in SAVED.items():
        with tempfile.TemporaryDirectory() as directory:
            images = Path(directory) / "images"
            images.mkdir()
            for number, source in enumerate(sources):
                with Image.open(source) as image:
                    edited = save(ImageOps.exif_transpose(image).convert("RGB"))
                (images / f"{number:04}a").write_bytes(Path(source).read_bytes())
                (images / f"{number:04}b").write_bytes(edited)
            shares = _shares_kept(imgbatch.load(images, index=Path(directory) / "index"))
        if shares is not None:
            kept[name] = shares
            print(f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)
    means = np.mean(list(kept.values()), axis=0)
    print(f"| mean | {' | '.join(f'{share:.1%}' for share in means)} |")


def _shares_kept(photos: imgbatch.Collection) -> list[float] | None:
    """Of pairs of rows, original and edit: which leads, by three rules; a draw counts as a half."""
    known = dict.fromkeys(range(len(photos)), 0)
    keeping = Keeping(photos._picker.duplicates, known.__getitem__)  # noqa: SLF001
    records, won = photos.records, list[list[float]]()
    for row in range(0, len(records), 2):
        if records[row].width * records[row].height != records[row + 1].width * (
            records[row + 1].height
        ):
            continue
        leads = keeping.leads([row, row + 1])
        rules = [leads, {name: leads[name] for name in FORMER}, {"": leads["largest file"]}]
        ranks = [
            [[lead(one) for lead in rule.values()] for one in (row, row + 1)] for rule in rules
        ]
        won.append([float(a > b) + (a == b) / 2 for a, b in ranks])
    return np.mean(won, axis=0).tolist() if won else None


def _absolute(photos: imgbatch.Collection, path: str | None) -> str | None:
    return None if path is None else os.path.join(photos.folder, path)


if __name__ == "__main__":
    main()
