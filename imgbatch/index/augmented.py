"""Altered views of some of a folder's images, described and kept beside the index.

A feature space is whitened by them, see `imgbatch.embedding.whitening`. The sample is the readable
images with the smallest content hashes: it does not depend on names, and hardly changes when some
images are added. A file ``FINGERPRINT-RECIPE-SAMPLE.views`` holds one descriptor's codes of one
sample: the SHA-256 of what follows, then arrays in the .npz form. So a change of weights decodes
nothing, and damage is noticed.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.descriptors import Codes
from imgbatch.embedding.projection import Descriptors
from imgbatch.embedding.whitening import LEAST_IMAGES, Augmented
from imgbatch.files import paths
from imgbatch.files.arrays import read_checked_arrays, write_checked_arrays
from imgbatch.files.atomic import keep_newest, remove
from imgbatch.files.seals import read_checked
from imgbatch.images.augment import VERSION
from imgbatch.index.opened import REFRESH_HINT
from imgbatch.index.views import VIEWS, ImageCodes, ViewsTask
from imgbatch.types import DecodeOptions

AUGMENTED = "augmented"
"""The folder of these files, beside the index."""
_TASK_IMAGES = 10
_ENDING = ".views"
_KEPT = 2
"""Samples of a descriptor that are kept, so that two settings in turn describe nothing anew."""


@dataclass(frozen=True)
class Sample:
    """Images of a folder whose altered views are described.

    Attributes
    ----------
    images
        (content hash, path inside the folder, size in bytes) of each; hashes rise and are unique.

    Examples
    --------
    >>> Sample(((b"hash", "sea.jpg", 9),)).id == Sample(((b"hash", "copy.jpg", 9),)).id
    True
    """

    images: tuple[tuple[bytes, str, int], ...]

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def id(self) -> str:
        """16 hex digits that change with the contents and the way they are altered."""
        text = _recipe().encode() + b"".join(content for content, _, _ in self.images)
        return hashlib.sha256(text).hexdigest()[:16]


def _recipe() -> str:
    """Text that changes with the way images are altered; codes of another recipe are not reused."""
    return f"{VERSION}.{VIEWS}"


TasksRunner = Callable[[Sequence[ViewsTask]], Iterable[dict[bytes, ImageCodes]]]
"""Does `describe_views` on tasks; the answers come in any order."""


# ----- what is kept -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AugmentedViews:
    """The altered views of a folder's sample, at a path or URL.

    Parameters
    ----------
    root
        The folder of their files, which need not exist.
    sample
        The images.
    """

    root: str
    sample: Sample

    def complete(
        self,
        folder: str,
        descriptors: Descriptors,
        options: DecodeOptions,
        run: TasksRunner,
        early: Mapping[bytes, ImageCodes] | None = None,
    ) -> None:
        """Describe what is missing and keep it; nothing is done for too small a sample.

        What cannot be written is left out: the next run tries again. `early` holds answers to tasks
        of an earlier sample of this folder.
        """
        lacking = self._lacking(descriptors)
        known = {fingerprint: self._former(fingerprint) for fingerprint, _ in lacking}
        _add(known, early or {})
        tasks = self._tasks(folder, lacking, options, known)
        for answer in run(tasks) if tasks else ():  # workers need not start for nothing
            _add(known, answer)
        for fingerprint, descriptor in lacking:
            self._write(fingerprint, descriptor.dim, known[fingerprint])

    def tasks(
        self, folder: str, descriptors: Descriptors, options: DecodeOptions
    ) -> list[ViewsTask]:
        """What `complete` would have done; none for too small a sample."""
        lacking = self._lacking(descriptors)
        known = {fingerprint: self._former(fingerprint) for fingerprint, _ in lacking}
        return self._tasks(folder, lacking, options, known)

    def _lacking(self, descriptors: Descriptors) -> Descriptors:
        if len(self.sample) < LEAST_IMAGES:
            return ()
        return tuple(pair for pair in descriptors if read_checked(self._file(pair[0])) is None)

    def _tasks(
        self,
        folder: str,
        lacking: Descriptors,
        options: DecodeOptions,
        known: Mapping[str, Mapping[bytes, bytes]],
    ) -> list[ViewsTask]:
        wanted = tuple(
            image
            for image in self.sample.images
            if any(image[0] not in of_descriptor for of_descriptor in known.values())
        )
        return [
            ViewsTask(folder, wanted[start : start + _TASK_IMAGES], lacking, options)
            for start in range(0, len(wanted), _TASK_IMAGES)
        ]

    def load(self, descriptors: Descriptors, config: Config) -> Augmented | None:
        """What the descriptors say of the views, for `FeatureSpace.fit`.

        None if views of some descriptor are missing, damaged, or too few.
        """
        features = {}
        for fingerprint, descriptor in descriptors:
            stored = _read(self._file(fingerprint))
            if stored is None or len(stored[0]) < LEAST_IMAGES:
                return None
            codes = stored[1]
            rows = descriptor.features(codes.reshape(-1, descriptor.dim))
            features[descriptor.name] = rows.reshape(*codes.shape[:2], -1)
        return Augmented(features, config.space.whitening, config.space.adapt)

    def _file(self, fingerprint: str) -> str:
        return paths.join(self.root, f"{fingerprint}-{_recipe()}-{self.sample.id}{_ENDING}")

    def _former(self, fingerprint: str) -> dict[bytes, bytes]:
        """Codes of other samples of this folder, by content hash; none of a remote place."""
        known: dict[bytes, bytes] = {}
        if not paths.is_url(self.root):
            for file in Path(self.root).glob(f"{fingerprint}-{_recipe()}-*{_ENDING}"):
                if (stored := _read(str(file))) is not None:
                    known |= {
                        content: codes.tobytes() for content, codes in zip(*stored, strict=True)
                    }
        return {content: known[content] for content, _, _ in self.sample.images if content in known}

    def _write(self, fingerprint: str, dim: int, known: Mapping[bytes, bytes]) -> None:
        contents = [content for content, _, _ in self.sample.images if content in known]
        if not contents:  # no file could be read
            return
        codes = np.frombuffer(b"".join(known[content] for content in contents), np.uint8)
        codes = codes.reshape(len(contents), 1 + VIEWS, dim)
        hashes = np.frombuffer(b"".join(contents), np.uint8).reshape(len(contents), -1)
        with contextlib.suppress(OSError):
            self._make_room(fingerprint)
            write_checked_arrays(self._file(fingerprint), hashes=hashes, codes=codes)
            self._remove_old(fingerprint)

    def _make_room(self, fingerprint: str) -> None:
        """Remove a file where a folder belongs, and a folder where a file does."""
        if not paths.is_url(self.root):
            root, file = Path(self.root), Path(self._file(fingerprint))
            for place, wrong in ((root, root.is_file()), (file, file.is_dir())):
                if wrong:
                    remove(place)

    def _remove_old(self, fingerprint: str) -> None:
        if not paths.is_url(self.root):
            keep_newest(Path(self.root).glob(f"{fingerprint}-*{_ENDING}"), _KEPT)


def _add(known: Mapping[str, dict[bytes, bytes]], answer: Mapping[bytes, ImageCodes]) -> None:
    """Sort codes of images by descriptor; those of other descriptors are left out."""
    for content, codes in answer.items():
        for fingerprint, of_descriptor in known.items():
            if fingerprint in codes:
                of_descriptor[content] = codes[fingerprint]


def _read(file: str) -> tuple[list[bytes], Codes] | None:
    """Content hashes, and codes (m, 1 + v, dim); None if the file is missing or damaged."""
    if (stored := read_checked_arrays(file)) is None:
        return None
    return [row.tobytes() for row in stored["hashes"]], stored["codes"]


def too_few(sample: Sample) -> tuple[str, ...]:
    """A note if there are too few images for whitening, for whoever describes a folder."""
    if len(sample) >= LEAST_IMAGES:
        return ()
    return (f"whitening is off: it takes {LEAST_IMAGES} images, and there are {len(sample)}",)


def missing_views(sample: Sample) -> tuple[str, ...]:
    """A note that altered views are missing, unless there are too few images for any."""
    if too_few(sample):
        return ()
    text = "whitening is off: the index lacks altered views of its images"
    return (f"{text}; {REFRESH_HINT} and the index can be written",)
