"""Make the dictionaries of the Fisher vectors: python tools/make_dictionary.py [--out FOLDER].

Each dictionary (see imgbatch/descriptors/fisher.py) is learned from the sample images: each picture
as it is and in changed versions, of which random local descriptors are taken. The same machine and
library versions give the same bytes. Elsewhere sums may round differently, and the clusters follow;
so the files are kept in the repository. A dictionary whose values change gives other codes: the
fingerprint of its descriptor changes by itself, and the golden files must be written anew.
"""

import argparse
import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from imgbatch.descriptors.fisher import ARRAYS, FisherVector
from imgbatch.descriptors.fisher_color import FisherColor
from imgbatch.descriptors.fisher_gradient import FisherGradient, FisherSift
from imgbatch.files.atomic import replacing
from imgbatch.images.augment import altered
from imgbatch.images.decode import decode
from imgbatch.images.view import shrink, shrink_factor
from imgbatch.types import DecodeOptions, View

KEPT: dict[FisherVector, int] = {FisherGradient(): 32, FisherSift(): 40, FisherColor(): 24}
"""Principal components of local descriptors."""
COMPONENTS = 32
"""Of the mixture."""
VERSIONS = 3
"""Of each picture, of which the first is the picture itself."""
LOCAL_DESCRIPTORS = 60_000
"""Drawn at random, of all pictures, for the mixture."""
STEPS = 15
"""Of expectation and maximisation."""
SIDE_DEVIATION = 0.29
"""Standard deviation of a place along one side, if all places are equally likely."""
SEED = 7

Doubles = npt.NDArray[np.float64]


def views(samples: Path) -> list[View]:
    """The views of all sample images and of their changed versions."""
    random = np.random.default_rng(SEED)
    options = DecodeOptions()
    found = []
    for path in sorted(samples.glob("*/*")):
        picture = decode(path.read_bytes(), options, view_px=512).view
        found.append(_as_view(picture, options))
        found += [altered(picture, options.view_px, random) for _ in range(VERSIONS - 1)]
    return found


def _as_view(picture: View, options: DecodeOptions) -> View:
    return shrink(picture, shrink_factor(max(picture.shape[:2]), options.view_px))


def learn(descriptor: FisherVector, pictures: list[View]) -> dict[str, npt.NDArray[np.float16]]:
    """Principal axes of local descriptors, and a mixture of Gaussians of what they leave."""
    random = np.random.default_rng(SEED)
    local = np.concatenate([descriptor.local_descriptors(view).T for view in pictures])
    places = np.tile(descriptor.places.T, (len(pictures), 1))
    mean = local.mean(axis=0, dtype=np.float64)
    axes = _principal_axes(local - mean, KEPT[descriptor])
    drawn = random.choice(len(local), min(LOCAL_DESCRIPTORS, len(local)), replace=False)
    reduced = (local[drawn] - mean) @ axes.T
    spread = np.array([reduced.std() / SIDE_DEVIATION])
    mixture = GaussianMixture(
        COMPONENTS, covariance_type="diag", tol=0, max_iter=STEPS, random_state=SEED
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged: the number of steps is fixed
        mixture.fit(np.concatenate([reduced, places[drawn] * spread], axis=1))
    deviations = np.sqrt(mixture.covariances_)
    arrays = (mean, axes, spread, mixture.weights_, mixture.means_, deviations)
    return {name: array.astype(np.float16) for name, array in zip(ARRAYS, arrays, strict=True)}


def _principal_axes(centred: Doubles, kept: int) -> Doubles:
    """(n, d) -> (kept, d), the largest entry of each above 0."""
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes: Doubles = vectors.T[::-1][:kept]
    largest = np.abs(axes).argmax(axis=1)
    return axes * np.sign(axes[np.arange(kept), largest])[:, None]


def main() -> None:
    """Read the command line and write all dictionaries."""
    root = Path(__file__).resolve().parent.parent
    default = root / "imgbatch" / "descriptors" / "dictionaries"
    parser = argparse.ArgumentParser(description="Make the dictionaries of the Fisher vectors.")
    parser.add_argument("--samples", type=Path, default=root / "samples", help="folder of images")
    parser.add_argument("--out", type=Path, default=default, help=f"default: {default}")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # the order of sums must not depend on the machine
    with threadpool_limits(limits=1):
        pictures = views(given.samples)
        for descriptor in KEPT:
            arrays = learn(descriptor, pictures)
            target = given.out / f"{descriptor.name}.npz"
            with replacing(target) as temporary:
                np.savez(temporary, **arrays)
            print(f"{target}: {target.stat().st_size / 1000:.1f} kB, {len(pictures)} pictures")


if __name__ == "__main__":
    main()
