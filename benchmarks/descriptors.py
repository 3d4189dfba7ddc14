"""What does describing an image cost? Milliseconds on one core, of each descriptor and preset.

    python benchmarks/descriptors.py path/to/folder --repeats 7

All descriptors see the same views, in groups as workers do it, one after the other in each round.
Figures are medians of the rounds with the smallest and largest; ratios are formed in each round.
"""

import argparse
import os
import statistics
import time
from collections.abc import Mapping, Sequence

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2

import imgbatch
from imgbatch.config import default_config_path
from imgbatch.config.schema import Config
from imgbatch.descriptors import Descriptor, build_descriptors
from imgbatch.images.decode import decode
from imgbatch.images.scan import scan
from imgbatch.types import View

_GROUP = 16


def views_of(folder: str, most: int, config: Config) -> tuple[list[View], float]:
    """Views of images spread over a folder, and the milliseconds that decoding one took."""
    files = scan(folder).files
    chosen = files[:: max(1, len(files) // most)][:most]
    contents = []
    for file in chosen:
        with open(os.path.join(folder, file.path), "rb") as opened:
            contents.append(opened.read())
    started = time.perf_counter()
    views = [decode(content, config.images.as_options()).view for content in contents]
    return views, 1000 * (time.perf_counter() - started) / len(views)


def milliseconds(descriptor: Descriptor, views: Sequence[View]) -> float:
    """Of one image, described in groups."""
    started = time.perf_counter()
    for start in range(0, len(views), _GROUP):
        descriptor.describe_many(views[start : start + _GROUP])
    return 1000 * (time.perf_counter() - started) / len(views)


def row(name: str, rounds: Sequence[float], hog: Sequence[float], size: int) -> str:
    """A line of the table."""
    ratios = [one / other for one, other in zip(rounds, hog, strict=True)]
    return (
        f"| {name} | {statistics.median(rounds):.3f} ({min(rounds):.3f} to {max(rounds):.3f}) "
        f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {size:,} |"
    )


def used_by(config: Config, preset: str, by_name: Mapping[str, Descriptor]) -> list[str]:
    """The descriptors that a preset gives a weight."""
    weights = config.with_emphasis(preset).weights
    return [name for name in by_name if weights[name] > 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    config = imgbatch.load_config(default_config_path()).config
    by_name = {one.name: one for one in build_descriptors(config, list(config.weights))}
    views, decoding = views_of(given.folder, given.images, config)
    rounds: dict[str, list[float]] = {name: [] for name in by_name}
    for _ in range(given.repeats):
        for name, descriptor in by_name.items():
            rounds[name].append(milliseconds(descriptor, views))
    print(f"{len(views)} images; decoding one takes {decoding:.2f} ms\n")
    print("| | ms an image | times HOG | bytes |\n|---|---:|---:|---:|")
    for name, descriptor in by_name.items():
        print(row(name, rounds[name], rounds["hog"], descriptor.dim))
    groups = {f"preset {name}": used_by(config, name, by_name) for name in config.presets}
    groups["fisher_gradient and fisher_color"] = ["fisher_gradient", "fisher_color"]
    for title, names in groups.items():
        sums = [sum(parts) for parts in zip(*(rounds[name] for name in names), strict=True)]
        print(row(title, sums, rounds["hog"], sum(by_name[name].dim for name in names)))


if __name__ == "__main__":
    main()
