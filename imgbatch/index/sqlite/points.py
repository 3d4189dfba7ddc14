"""The points of an index in SQLite: computed once, kept beside it in ``spaces/KEY``.

The key changes with the index's generation, the descriptors and the settings of the space, so that
any change of these leads to another computation.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.embedding.projection import (
    ARRAYS,
    BATCH_ROWS,
    SPACES_KEPT,
    UNUSABLE,
    Descriptors,
    Projection,
    fitted_descriptors,
    fitted_rows,
    learned_space_key,
    load_part,
    projected,
    space_key,
    space_options,
    wants_views,
    write_arrays,
)
from imgbatch.embedding.space import FeatureSpace
from imgbatch.embedding.whitening import Augmented
from imgbatch.files.atomic import publishing, remove
from imgbatch.files.seals import BrokenSealError, check_seal, seal
from imgbatch.index.augmented import AUGMENTED, AugmentedViews, missing_views
from imgbatch.index.sqlite.store import Catalogue
from imgbatch.neighbours.parts import MemoryPart
from imgbatch.types import Floats, Hashes, Rows, View

_SPACE, _SEAL = "space.npz", "seal.json"


def project(catalogue: Catalogue, descriptors: Descriptors, config: Config) -> Projection:
    """The projection of an up-to-date index: read from the disk if it is there, else computed."""
    generation, spaces = catalogue.generation(), catalogue.directory / "spaces"
    if config.space.learned:
        from imgbatch.index.learned import learned_space  # of no use to most requests

        space, fingerprint = learned_space(config, descriptors)
        directory = spaces / learned_space_key(generation, descriptors, fingerprint)
        return _kept(catalogue, directory) or _compute(catalogue, descriptors, space, directory)
    if (views := views_of(catalogue, config)) is not None:
        directory = spaces / space_key(generation, descriptors, config, views.sample.id)
        if (kept := _kept(catalogue, directory)) is not None:
            return kept
        augmented = views.load(fitted_descriptors(descriptors, config), config)
        if augmented is not None:
            space = _fit(catalogue, descriptors, config, augmented)
            return _compute(catalogue, descriptors, space, directory)
        catalogue.notes.extend(missing_views(views.sample))
    directory = spaces / space_key(generation, descriptors, config)
    if (kept := _kept(catalogue, directory)) is not None:
        return kept
    space = _fit(catalogue, descriptors, config)
    return _compute(catalogue, descriptors, space, directory)


def _kept(catalogue: Catalogue, directory: Path) -> Projection | None:
    """The projection in a directory; None if there is none. A damaged one is removed, and noted."""
    try:
        return _load(directory)
    except BrokenSealError as error:
        catalogue.notes.append(f"{error}; the points were computed anew")
    except UNUSABLE:  # missing, or kept by a version that did not seal
        pass
    remove(directory)
    return None


def views_of(catalogue: Catalogue, config: Config) -> AugmentedViews | None:
    """Where altered views of the index's images are kept; None if the settings want none."""
    if not wants_views(config):
        return None
    sample = catalogue.sample(config.space.augmented_images)
    return AugmentedViews(str(catalogue.directory / AUGMENTED), sample)


def features_of(catalogue: Catalogue, descriptors: Descriptors, rows: Rows) -> dict[str, Floats]:
    """Features of some rows, in the order given, by descriptor name."""
    return _features(catalogue, descriptors, catalogue.contents()[rows])


def _features(catalogue: Catalogue, descriptors: Descriptors, contents: Rows) -> dict[str, Floats]:
    return {
        descriptor.name: descriptor.features(
            catalogue.codes_of(fingerprint, descriptor.dim, contents)
        )
        for fingerprint, descriptor in descriptors
    }


def _load(directory: Path) -> Projection:
    space_file, *arrays = files = _files(directory)
    check_seal(directory / _SEAL, files)
    projection = Projection(FeatureSpace.load(space_file), (load_part(*arrays),))
    with contextlib.suppress(OSError):  # in a place that is read-only
        os.utime(directory)  # the newest are kept
    return projection


def _files(directory: Path) -> list[Path]:
    """All that is kept of a space and its points."""
    return [directory / _SPACE, *(directory / f"{name}.npy" for name in ARRAYS)]


def _fit(
    catalogue: Catalogue,
    descriptors: Descriptors,
    config: Config,
    augmented: Augmented | None = None,
) -> FeatureSpace:
    contents = catalogue.contents()
    rows = fitted_rows(len(contents), config)
    fitted = fitted_descriptors(descriptors, config)
    features = _features(catalogue, fitted, contents[rows])
    return FeatureSpace.fit(features, space_options(config), augmented)


def _compute(
    catalogue: Catalogue, descriptors: Descriptors, space: FeatureSpace, directory: Path
) -> Projection:
    """Compute into files and map these; where they cannot be written, compute in memory."""
    with contextlib.suppress(OSError), publishing(directory, SPACES_KEPT) as made:
        space.save(made / _SPACE)
        write_arrays(_batches(catalogue, descriptors, space), len(catalogue.contents()), made)
        seal(made / _SEAL, _files(made))
    with contextlib.suppress(*UNUSABLE):
        return _load(directory)
    batches = list(_batches(catalogue, descriptors, space))
    whole = MemoryPart(*(np.concatenate(arrays) for arrays in zip(*batches, strict=True)))
    return Projection(space, (whole,))


def _batches(
    catalogue: Catalogue, descriptors: Descriptors, space: FeatureSpace
) -> Iterator[tuple[Floats, Floats, Hashes, View, View]]:
    streams = [
        catalogue.codes(fingerprint, descriptor.dim, BATCH_ROWS)
        for fingerprint, descriptor in descriptors
    ]
    return projected(streams, descriptors, space)
