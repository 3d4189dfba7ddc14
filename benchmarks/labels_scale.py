"""`label train` and `label apply` on synthetic indexes: seconds and memory.

Usage: python benchmarks/labels_scale.py FOLDER [--images 100000] [--classes 1000] [--apply 1000000]

FOLDER is a folder of images to take descriptors from, see `synthetic.py`. Classes are groups of
images that descend from neighbouring images of FOLDER, so that they can be learned. Copies are
looked for before the clock starts, since what is found is kept beside the index; how long that took
is printed, too. Each step runs in a process of its own, so that its memory is its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from synthetic import write_catalogue

import imgbatch
from imgbatch.learning.model import LabelModel
from imgbatch.learning.training import train_labels

_KILOBYTES = 1024 if sys.platform != "darwin" else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--apply", type=int, default=1_000_000)
    parser.add_argument("--index")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        return _step(*arguments.step, arguments.classes)
    source = imgbatch.load(arguments.folder, emphasis="extended", index=arguments.index)
    with tempfile.TemporaryDirectory() as directory:
        for size, step in ((arguments.images, "train"), (arguments.apply, "apply")):
            if size:
                written = write_catalogue(source, size, f"{directory}/{size}", Path(directory))
                print(f"{size:,} images: index written in {written:.0f} s", flush=True)
                line = [sys.executable, __file__, arguments.folder]
                line += ["--classes", str(arguments.classes)]
                subprocess.run([*line, "--step", step, directory, str(size)], check=True)
    return None


def _step(step: str, directory: str, size: str, classes: int) -> None:
    folder, cache = f"{directory}/{size}", Path(directory)
    table = cache / f"labels-{size}.csv"
    started = time.perf_counter()
    photos = imgbatch.load(folder, index=cache, refresh=False, emphasis="extended")
    points = np.asarray(photos.points[:20_000])
    print(f"  points in {time.perf_counter() - started:.0f} s", flush=True)
    if step == "apply":
        model = LabelModel.load(cache / "model.npz")
        for way, config in (("another space", None), ("mapped points", photos.projection.space)):
            if config is not None:
                model.space.space.blocks.update(config.blocks)
            started = time.perf_counter()
            said = model.predict(photos)
            print(f"  labels by {way} in {time.perf_counter() - started:.1f} s ({len(said):,})")
        return _memory()
    groups = MiniBatchKMeans(classes, n_init=1, random_state=0).fit(points[:, :64])
    rows = np.concatenate(
        [
            groups.predict(np.asarray(photos.points[start : start + 10_000])[:, :64])
            for start in range(0, len(photos), 10_000)
        ]
    )
    names = photos.records.all_paths()
    lines = [f"{name},class{number:04}" for name, number in zip(names, rows, strict=True)]
    table.write_text("\n".join(["file_name,label", *lines]))
    photos = imgbatch.load(folder, index=cache, refresh=False, emphasis="extended", metadata=table)
    started = time.perf_counter()
    _ = photos.copy_groups, photos.points
    print(f"  copies found in {time.perf_counter() - started:.0f} s", flush=True)
    trained = train_labels(photos.labelling)
    trained.model.save(cache / "model.npz")
    print(
        f"  {len(trained.model.classes):,} classes trained and measured in {trained.seconds:.1f} s,"
        f" {trained.model.facts['learner']}, balanced accuracy"
        f" {trained.test['balanced_accuracy'].value:.1%}"
    )
    return _memory()


def _memory() -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTES / 1e9
    print(f"  at most {peak:.1f} GB", flush=True)


if __name__ == "__main__":
    main()
