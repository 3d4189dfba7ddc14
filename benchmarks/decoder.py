"""A picture back from its point: PSNR and SSIM on held-out images.

Usage: python benchmarks/decoder.py FOLDER [--emphasis extended] [--splits 3] [--sheet FILE.png]

FOLDER is split in two at random. Space and decoder are made of one half, as for any folder; images
of the other half are files that neither has seen. Beside the decoder stand the mean image of the
first half and its image nearest in the space. SSIM is scikit-image's, windows of 7 pixels, mean of
the colours; figures are means over images. The sheet shows twelve held-out images at 32 x 32
pixels, what their points keep, and their nearest.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

import imgbatch
from imgbatch.files import paths
from imgbatch.index.decoder import in_little
from imgbatch.outputs.pictures import load_picture
from imgbatch.selection.describe import psnr


def split(folder: str, seed: int, target: Path) -> tuple[Path, list[str]]:
    """Copy a random half of the images to a folder; also the files of the other half."""
    images = imgbatch.load(folder, index=target / "index")
    chosen = np.random.default_rng(seed).permutation(len(images)) < len(images) // 2
    half = target / "half"
    for path, inside in zip(images.records.all_paths(), chosen, strict=True):
        if inside:
            (half / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths.join(images.folder, path), half / path)
    return half, [path for path, inside in zip(images.paths, chosen, strict=True) if not inside]


def measure(folder: str, emphasis: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Figures (3 ways, 2 measures), and rows of examples."""
    with tempfile.TemporaryDirectory() as directory:
        half, held_out = split(folder, seed, Path(directory))
        photos = imgbatch.load(half, emphasis=emphasis, index=Path(directory) / "index")
        known = np.stack(
            [in_little(load_picture(path, photos.config, 64)) for path in photos.paths]
        )
        mean = np.rint(known.mean(axis=0)).astype(np.uint8)
        made, scores = [], []
        for path in held_out:
            seen = photos.describe(path)
            nearest = photos.similar(1, like=path, seed=0, keep_duplicates=True).images[-1]
            near = known[photos.records.row_of(nearest.relative)]
            made.append((seen.little, seen.kept, near))
            scores.append(
                [
                    (
                        psnr(one, seen.little),
                        structural_similarity(one, seen.little, channel_axis=2),
                    )
                    for one in (seen.kept, mean, near)
                ]
            )
    return np.array(scores).mean(axis=0), np.array(made[:: max(1, len(made) // 12)][:12])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--emphasis", default="extended")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    measured = [measure(options.folder, options.emphasis, seed) for seed in range(options.splits)]
    figures = np.array([scores for scores, _ in measured])
    for way, name in enumerate(("decoder", "mean image", "nearest image")):
        values, spread = figures[:, way].mean(axis=0), np.ptp(figures[:, way], axis=0)
        print(
            f"{options.emphasis}, {name}: {values[0]:.2f} dB, SSIM {values[1]:.3f} (ranges over "
            f"{options.splits} splits {spread[0]:.2f}, {spread[1]:.3f})"
        )
    if options.sheet:
        rows = [
            np.concatenate(list(examples), axis=1) for examples in measured[0][1].swapaxes(0, 1)
        ]
        sheet = Image.fromarray(np.concatenate(rows))
        sheet.resize((sheet.width * 4, sheet.height * 4), Image.Resampling.BICUBIC).save(
            options.sheet
        )


if __name__ == "__main__":
    main()
