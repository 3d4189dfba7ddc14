"""Sets by tags beside the usual ones: purity, classes, overlap, and whether reasons hold.

Usage: python benchmarks/by_tags.py FOLDER [FOLDER ...] [-n 10] [--sets 300] [--sheets DIR]

A folder needs classes as subfolders. Purity is the share of a similar set's other images that are
of the anchor's class, as `imgbatch evaluate` reports it; in brackets the half-width of its 95%
interval. With --sheets, twenty sheets of each kind by tags are written to be looked at.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

import imgbatch
from imgbatch import Collection, Selection
from imgbatch.annotations.labels import class_numbers
from imgbatch.evaluation import metrics
from imgbatch.evaluation.intervals import interval
from imgbatch.evaluation.metrics import LabelledPoints
from imgbatch.outputs import Pictures, Result, write_sheet

_SHEETS = 20
Figure = Callable[[LabelledPoints, np.ndarray], np.ndarray]
_FIGURES: dict[str, dict[str, Figure]] = {
    "similar": {
        "purity": metrics.purity,
        "classes reached": metrics.classes_reached,
        "images reached": metrics.images_reached,
        "near-duplicates": metrics.near_duplicates,
    },
    "different": {
        "classes": metrics.classes,
        "least distance": metrics.min_distance,
        "overlap": metrics.overlap,
        "images reached": metrics.images_reached,
        "near-duplicates": metrics.near_duplicates,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("-n", type=int, default=10)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--sheets", type=Path)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        photos = imgbatch.load(folder)
        images = LabelledPoints(
            np.asarray(photos.points), photos.copy_groups, class_numbers(photos.labels), 0
        )
        row_of = {record.path: row for row, record in enumerate(photos.records)}
        print(
            f"\n{Path(folder).name}: {len(photos):,} images, {arguments.sets} sets of {arguments.n}"
        )
        for mode, figures in _FIGURES.items():
            drawn = {
                by: [
                    getattr(photos, mode)(arguments.n, seed=seed, by=by)
                    for seed in range(arguments.sets)
                ]
                for by in (None, "tags")
            }
            rows = {
                by: np.array([[row_of[image.relative] for image in one.images] for one in sets])
                for by, sets in drawn.items()
            }
            for name, figure in figures.items():
                shown = [_shown(figure(images, rows[by])) for by in (None, "tags")]
                print(f"  {mode:>9} {name:<16} usual {shown[0]:<18} by tags {shown[1]}")
            broken = sum(not _holds(one) for one in drawn["tags"])
            print(f"  {mode:>9} sets whose reason does not hold: {broken} of {arguments.sets}")
            if arguments.sheets is not None:
                _write_sheets(photos, mode, drawn["tags"][:_SHEETS], arguments.sheets)


def _shown(values: np.ndarray) -> str:
    low, high = interval(values, np.random.default_rng(0))
    return f"{values.mean():.3f} (+-{(high - low) / 2:.3f})"


def _holds(selection: Selection) -> bool:
    """Whether the pairs agree, or are all different, and are the images' two strongest tags."""
    pairs = [frozenset(image.pair) for image in selection.images]
    strongest = [frozenset(tag.tag for tag in image.all_tags[:2]) for image in selection.images]
    wanted = 1 if selection.mode == "similar" else len(pairs)
    return pairs == strongest and len(set(pairs)) == wanted


def _write_sheets(photos: Collection, mode: str, sets: list[Selection], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for selection in sets:
        pictures = Pictures([image.path for image in selection.images], photos.config)
        target = directory / f"{Path(photos.folder).name}-{mode}-{selection.seed:02}.jpg"
        write_sheet(Result(selection, pictures), target, photos.config.sheet)


if __name__ == "__main__":
    main()
