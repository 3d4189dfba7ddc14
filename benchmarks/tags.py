"""Sheets to judge tags by eye, and recall on images that were tagged by hand.

``python benchmarks/tags.py caltech101 flickr3k --sheets DIR`` draws 50 random images of each tag
(all where there are fewer), and prints recall on ``tags_by_hand.csv``: 50 random images of each
folder, tagged by looking at them before any rule was tuned. ``tags_judged.csv`` holds what was
counted on such sheets; with ``--table`` both become the table of docs/TAGS.md.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

import imgbatch
from imgbatch.measures.tags import TagTable
from imgbatch.measures.vocabulary import load_vocabulary

_HERE = Path(__file__).parent
_LOOKED_AT, _COLUMNS, _CELL_PX = 50, 8, 136
_ARITHMETIC = ("landscape", "portrait", "square", "panorama")


def draw_sheet(files: list[str], target: Path) -> None:
    rows = -(-len(files) // _COLUMNS)
    page = Image.new("RGB", (_COLUMNS * _CELL_PX, rows * _CELL_PX), "#c0a0c0")
    draw = ImageDraw.Draw(page)
    for number, file in enumerate(files):
        with Image.open(file) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((_CELL_PX - 4, _CELL_PX - 4))
        x, y = number % _COLUMNS * _CELL_PX, number // _COLUMNS * _CELL_PX
        page.paste(picture, (x, y))
        draw.rectangle((x, y, x + 15, y + 10), fill="black")
        draw.text((x + 1, y), str(number + 1), fill="white")
    page.save(target)


def draw_sheets(photos: imgbatch.Collection, table: TagTable, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in table.names:
        rows = np.random.default_rng(14).permutation(np.sort(table.clearest(name)))[:_LOOKED_AT]
        if len(rows):
            files = [photos.paths[row] for row in rows]
            draw_sheet(files, directory / f"{Path(photos.folder).name}-{name}.png")


def recalls(photos: imgbatch.Collection, table: TagTable) -> dict[str, tuple[int, int]]:
    """Tag -> how many of the images tagged so by hand carry it, and how many there are."""
    folder = Path(photos.folder).name
    with (_HERE / "tags_by_hand.csv").open(encoding="utf-8") as file:
        by_hand = [row for row in csv.DictReader(file) if row["folder"] == folder]
    found: dict[str, tuple[int, int]] = {}
    for row in by_hand:
        number = photos.records.row_of(row["file_name"])
        carried = table.of_image(number)
        for name in filter(None, row["tags"].split(";")):
            hits, total = found.get(name, (0, 0))
            found[name] = hits + (name in carried), total + 1
    return found


def judged() -> dict[tuple[str, str], tuple[int, int]]:
    """(folder, tag) -> right ones, and how many were looked at."""
    with (_HERE / "tags_judged.csv").open(encoding="utf-8") as file:
        return {
            (row["folder"], row["tag"]): (
                int(row["looked_at"]) - int(row["wrong"]),
                int(row["looked_at"]),
            )
            for row in csv.DictReader(file)
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--index")
    parser.add_argument("--vocabulary")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for folder in options.folders:
        photos = imgbatch.load(folder, index=options.index, vocabulary=options.vocabulary)
        table = photos.tag_table()
        found[Path(folder).name] = recalls(photos, table)
        if options.sheets:
            draw_sheets(photos, table, options.sheets)
        counts = table.counts()
        for name, (hits, total) in found[Path(folder).name].items():
            tagged = f"{counts.get(name, 0):6} tagged"
            print(f"{Path(folder).name:12}{name:18}{tagged}, recall {hits}/{total}")
    if options.table:
        right = judged()
        folders = [Path(folder).name for folder in options.folders]
        for tag in load_vocabulary(options.vocabulary).measured:
            if tag.name in _ARITHMETIC:
                continue
            cells = [
                "{}/{}".format(*right[name, tag.name]) if (name, tag.name) in right else "-"
                for name in folders
            ]
            sums = np.sum([found[name].get(tag.name, (0, 0)) for name in folders], axis=0)
            print(f"| {tag.name} | {' | '.join(cells)} | {sums[0]}/{sums[1]} |")


if __name__ == "__main__":
    main()
