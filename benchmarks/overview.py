"""`imgbatch overview` on synthetic indexes of many images: seconds of its parts, and memory.

Usage: python benchmarks/overview.py FOLDER [--sizes 10000 100000 1000000]

FOLDER is a folder of images to take descriptors from, see `synthetic.py`. The images of a synthetic
index have no files, so that only what the index holds is looked at; copies are equal files.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from synthetic import write_catalogue

import imgbatch

_KILOBYTES = 1024 if sys.platform != "darwin" else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    arguments = parser.parse_args()
    source = imgbatch.load(arguments.folder)
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as directory:
            cache = Path(directory)
            folder = str(cache / "images")
            written = write_catalogue(source, size, folder, cache)
            started = time.perf_counter()
            photos = imgbatch.load(folder, index=cache, refresh=False)
            _ = photos.points
            ready = time.perf_counter() - started
            seconds = []
            for _again in range(2):
                started = time.perf_counter()
                seen = photos.overview()
                seconds.append(time.perf_counter() - started)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTES / 1e9
            print(
                f"{size:>9,} images: index written in {written:.0f} s, points in {ready:.1f} s,"
                f" overview in {seconds[0]:.1f} s, again {seconds[1]:.1f} s, at most"
                f" {memory:.1f} GB; {len(seen.grouping.groups)} groups of {seen.looked_at:,} images"
            )


if __name__ == "__main__":
    main()
