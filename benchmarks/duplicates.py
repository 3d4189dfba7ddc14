"""How long near-duplicates take in a large folder, and how many of the planted ones are found.

Usage: python benchmarks/duplicates.py FOLDER [--images 1000000] [--levels copies edited]

The folder is synthetic (see `benchmarks/synthetic.py`): 1% of its images have a twin, half of them
mirrored. It has no files, so that miniatures alone decide. Each level is a whole process with an
index that is there, and nothing kept from before.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from synthetic import CHUNK, TWINS, write_catalogue

import imgbatch
from imgbatch.files.cache import index_directory
from imgbatch.index.duplicates import COPIES

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--levels", nargs="+", default=["copies", "edited"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache, folder = Path(temporary) / "index", str(Path(temporary) / "images")
        source = imgbatch.load(given.folder, index=Path(temporary) / "source")
        write_catalogue(source, given.images, folder, cache)
        first = "similar", folder, "--no-sheet", "--no-refresh", "--index", str(cache)
        subprocess.run([sys.executable, "-m", "imgbatch", *first], env=ENVIRONMENT, check=True)
        print("| level | seconds | MB | groups | twins found |\n| --- | --- | --- | --- | --- |")
        for level in given.levels:
            shutil.rmtree(index_directory(folder, cache) / COPIES, ignore_errors=True)
            print(_measured(level, folder, cache, given.images), flush=True)


def _measured(level: str, folder: str, cache: Path, images: int) -> str:
    arguments = "duplicates", folder, "--level", level, "--no-refresh", "--index", str(cache)
    started = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-m", "imgbatch", *arguments, "--json"],
        env=ENVIRONMENT,
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds = time.perf_counter() - started
    groups = [
        {int(Path(image["path"]).stem) for image in group["images"]}
        for group in json.loads(answer.stdout)["groups"]
    ]
    group_of = {number: place for place, group in enumerate(groups) for number in group}
    mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    twins = _twins(images, mirrored=level != "copies")
    found = sum(a in group_of and group_of[a] == group_of.get(b) for a, b in twins)
    share = f"{found / len(twins):.1%} of {len(twins):,}"
    return f"| {level} | {seconds:.0f} | {mb:.0f} | {len(groups):,} | {share} |"


def _twins(images: int, *, mirrored: bool) -> list[tuple[int, int]]:
    """Pairs of numbers; every other twin is mirrored, see `benchmarks/synthetic.py`."""
    ends = [*range(0, images, CHUNK), images]
    return [
        (start + twin, end - TWINS + twin)
        for start, end in pairwise(ends)
        for twin in range(0 if mirrored else 1, TWINS, 1 if mirrored else 2)
    ]


if __name__ == "__main__":
    main()
