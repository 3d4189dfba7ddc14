"""The index rate with measured quantities and without, beside each other.

``python benchmarks/tags_speed.py caltech101 --pairs 7`` describes the folder anew in alternating
pairs, each in a process of its own, and prints the median ratio of times: without / with. With
``--megapixels 12`` it does so on copies of the first images, enlarged to that size.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

_ONE = """
import sys, time
from imgbatch.index.sqlite import refresh
from imgbatch.loading import load
if sys.argv[3] == "without":
    refresh.SqliteFolder.stored = property(lambda self: self.descriptors)
from imgbatch.config import load_config
from imgbatch.index.sqlite.refresh import SqliteFolder, refresh_index
from imgbatch.index.sqlite.store import Catalogue
from pathlib import Path
folder, directory = sys.argv[1], Path(sys.argv[2])
started = time.perf_counter()
with Catalogue.open(directory, folder) as catalogue:
    done = refresh_index(catalogue, SqliteFolder(folder, directory, load_config().config))
print(time.perf_counter() - started, done.described)
"""
"""Indexes a folder; points are not computed, as they do not depend on quantities."""


def enlarged(folder: Path, target: Path, megapixels: float, count: int) -> None:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".png"})
    for number, file in enumerate(files[:count]):
        picture = cv2.imread(str(file))
        scale = (megapixels * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5
        large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(target / f"{number:05}.jpg"), large)


def seconds(folder: Path, kind: str) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as place:
        line = [sys.executable, "-c", _ONE, str(folder), f"{place}/index", kind]
        answer = subprocess.run(line, capture_output=True, text=True, check=True, env=os.environ)
    took, described = answer.stdout.split()
    return float(took), int(described)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--megapixels", type=float)
    parser.add_argument("--images", type=int, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder.absolute()
        if options.megapixels:
            enlarged(folder, Path(place), options.megapixels, options.images)
            folder = Path(place)
        seconds(folder, "without")  # fills the cache of the file system
        ratios, rates = [], []
        for number in range(options.pairs):
            kinds = ("without", "with") if number % 2 else ("with", "without")
            took = {kind: seconds(folder, kind) for kind in kinds}
            ratios.append(took["without"][0] / took["with"][0])
            rates.append(took["with"][1] / took["with"][0])
    print(f"{statistics.median(ratios):.3f} of the rate without (each: ", end="")
    print(", ".join(f"{ratio:.3f}" for ratio in sorted(ratios)), end="); ")
    print(f"{statistics.median(rates):,.0f} images/s with quantities")


if __name__ == "__main__":
    main()
