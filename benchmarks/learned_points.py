"""Points learned from labels: precision at 10 on images and on classes that were not learned from.

Usage: python benchmarks/learned_points.py FOLDER [--emphasis extended] [--splits 5] [--index DIR]

For each split, the images of every class are halved, and then the classes; each half is learned
from, and the other is ranked and measured. The space is fitted, and the mixture chosen, on the half
that is learned from, as `imgbatch tune --learn` does; weights are the preset's. Beside stand the
points without the learned map, in the same space. In brackets are 95% intervals of the gain within
a split, over images and over classes.
"""

import argparse
import time

import numpy as np

import imgbatch
from imgbatch.evaluation.labelled import LabelledRows, trial_images
from imgbatch.evaluation.learn import Judged, halved_classes, halved_images, learning_gains
from imgbatch.evaluation.mixtures import try_mixtures
from imgbatch.evaluation.trials import Setting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--emphasis", default="extended")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--index", metavar="DIR", help="where indexes are kept")
    options = parser.parse_args()
    photos = imgbatch.load(options.folder, emphasis=options.emphasis, index=options.index)
    names = [name for name, weight in photos.config.weights.items() if weight > 0]
    images = trial_images(photos, LabelledRows.of(photos, None), names)
    setting = Setting.of(photos.config, images.shares(photos.config))
    found = []
    for seed in range(options.splits):
        started = time.perf_counter()
        by_images, by_classes = (
            [Judged.of(trial, seed) for trial in halved(images, setting, seed)]
            for halved in (halved_images, halved_classes)
        )
        gains = learning_gains(by_images, by_classes, seed)
        found.append([(gain.before, gain.after) for gain in gains])
        told = "   ".join(
            f"{gain.name} {gain.before:.3f} -> {gain.after:.3f}"
            f" [{100 * gain.low:+.1f} to {100 * gain.high:+.1f}]"
            for gain in gains
        )
        print(f"split {seed}: {told}   {time.perf_counter() - started:.0f} s", flush=True)
    for name, values in zip(
        ("unseen images", "unseen classes"), np.array(found).swapaxes(0, 1), strict=True
    ):
        before, after = values.T
        gain = after - before
        print(
            f"{name}: {before.mean():.3f} -> {after.mean():.3f}, gain {100 * gain.mean():+.1f}"
            f" points, worst split {100 * gain.min():+.1f}"
        )
    mixture = try_mixtures(images.placed(images.space(setting)), images.labels, 0).best
    print(f"chosen on all images: {mixture}")


if __name__ == "__main__":
    main()
