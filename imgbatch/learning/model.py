"""A trained label model: a file of arrays that labels images of any folder, and single pictures."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import numpy as np
import numpy.typing as npt

from imgbatch.embedding.projection import Projection
from imgbatch.errors import ImgbatchError, SelectionError, UsageError
from imgbatch.files.headed import DAMAGED, HeadedKind
from imgbatch.files.unpacked import numbers
from imgbatch.index.portable import PortableSpace, space_bytes
from imgbatch.index.vectors import VECTORS
from imgbatch.learning.classify import Classifier
from imgbatch.learning.examples import PointRows
from imgbatch.learning.kernel import KernelMap
from imgbatch.learning.linear import Linear
from imgbatch.learning.predictions import Labelled, Predictions, labelled, lowest_threshold
from imgbatch.runners.blas import one_blas_thread
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.index.outside import Picture

_FILE = HeadedKind(
    "imgbatch label model",
    "label model",
    version=1,
    hint="give a file that `imgbatch label train` has written",
)
_BATCH_ROWS = 4096


class Described(Protocol):
    """A folder's images as a collection offers them."""

    @property
    def projection(self) -> Projection:
        """Their points in the folder's own space."""
        ...

    def features(self, rows: Rows) -> dict[str, Floats]:
        """What descriptors say of some rows, given in rising order."""
        ...

    def fingerprints(self) -> set[str]:
        """Of the descriptors that `features` has."""
        ...

    def __len__(self) -> int:
        """How many images."""
        ...


@dataclass(frozen=True, eq=False)
class LabelModel:
    """Gives images one of the classes that it was trained on, with a probability.

    Attributes
    ----------
    classes
        Their names, sorted.
    classifier
        From points to probabilities.
    space
        The feature space of the points; it places images of any folder.
    held_confidence, held_right
        (h,) float32 and bool: how sure the model was of images that it had not been trained on,
        the surest first, and whether it was right.
    facts
        JSON-able: what it was trained on, and its figures.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> model = photos.train_labels()
    >>> model.predict(photos.paths[0]).labels
    ['class0']
    >>> model.save("model.npz")
    >>> LabelModel.load("model.npz").classes
    ('class0', 'class1', 'class2')
    """

    classes: tuple[str, ...]
    classifier: Classifier
    space: PortableSpace
    held_confidence: Floats
    held_right: npt.NDArray[np.bool_]
    facts: Mapping[str, Any]

    @one_blas_thread()  # more would change the last bits
    def predict(self, images: "Described | Picture | Sequence[Picture]") -> Predictions:
        """Label a collection, a picture, or several.

        Parameters
        ----------
        images
            A `Collection` whose descriptors are the model's (``load(folder, config=model.config)``
            makes it), a path, a Pillow picture, an array (h, w, 3) RGB or (h, w) grey of uint8, or
            a list of these.

        Raises
        ------
        UsageError
            The collection has other descriptors.
        SelectionError
            A picture cannot be read.
        """
        if hasattr(images, "features"):
            return self._of_folder(cast("Described", images))
        single = isinstance(images, str | os.PathLike | np.ndarray) or hasattr(images, "convert")
        pictures = cast("Sequence[Picture]", [images] if single else images)
        reader = self.space.reader()
        points = [
            reader.read_picture(picture, f"picture {number}").point(self.space.space)
            for number, picture in enumerate(pictures, start=1)
        ]
        if not points:
            raise SelectionError("no pictures were given", "give one or more")
        return Predictions(self.classes, *labelled(np.stack(points), self.classifier))

    @property
    def config(self) -> "Config":
        """The `Config` under which a folder has the descriptors that the model needs."""
        return self.space.config()

    def threshold(self, precision: float) -> float:
        """The lowest confidence from which on held-out images were right often enough.

        Parameters
        ----------
        precision
            0..1: the share of right labels among all images at or above the threshold.

        Returns
        -------
        Infinite if no threshold reaches it.
        """
        return lowest_threshold(self.held_confidence, self.held_right, precision)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model in one step; nothing is pickled.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        kernel = self.classifier.kernel
        header = {
            "classes": self.classes,
            "steepness": self.classifier.steepness,
            "gamma": None if kernel is None else kernel.gamma,
            "fingerprint": self.space.fingerprint,
            "settings": self.space.settings,
            "facts": self.facts,
        }
        arrays: dict[str, Any] = {
            "weights": self.classifier.linear.weights,
            "bias": self.classifier.linear.bias,
            "held_confidence": self.held_confidence,
            "held_right": self.held_right,
            "space": np.frombuffer(self.space.arrays(), np.uint8),
        }
        if kernel is not None:
            arrays |= {"landmarks": kernel.landmarks, "mixing": kernel.mixing}
        _FILE.write(Path(path), header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        UsageError
            The file is missing, damaged, no label model, or one of a newer version.
        """
        header, arrays = _FILE.read(path)
        try:
            return cls._restored(header, arrays)
        except (ImgbatchError, *DAMAGED) as error:
            reason = error.message if isinstance(error, ImgbatchError) else error
            raise UsageError(
                f"the label model {path} is damaged: {reason}", "train it anew"
            ) from None

    @classmethod
    def _restored(cls, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        space = PortableSpace.restore(
            header["fingerprint"], header["settings"], arrays["space"].tobytes()
        )
        columns, kernel = space.dimensions, None
        if header["gamma"] is not None:
            landmarks = numbers(arrays, "landmarks", (None, columns))
            mixing = numbers(arrays, "mixing", (len(landmarks), None))
            kernel = KernelMap(landmarks, mixing, _number(header, "gamma"))
            columns = mixing.shape[1]
        classes = header["classes"]
        if not classes or not all(isinstance(name, str) and name for name in classes):
            raise ValueError("its classes are no names")
        confidence, right = numbers(arrays, "held_confidence", (None,)), arrays["held_right"]
        if right.shape != confidence.shape or right.dtype.kind != "b":
            raise ValueError("its held-out images do not fit each other")
        if not isinstance(header["facts"], dict):
            raise TypeError("it tells nothing of its training")
        linear = Linear(
            numbers(arrays, "weights", (columns, len(classes))),
            numbers(arrays, "bias", (len(classes),)),
        )
        classifier = Classifier(kernel, linear, _number(header, "steepness"))
        return cls(tuple(classes), classifier, space, confidence, right, header["facts"])

    def _of_folder(self, photos: Described) -> Predictions:
        missing = self.space.fingerprints - photos.fingerprints()
        if missing:
            needed = ", ".join(
                described["name"]
                for described in self.space.settings["descriptors"]
                if described["fingerprint"] in missing
            )
            raise UsageError(
                f"the model needs other descriptors than the folder was loaded with: {needed}",
                "give a collection of vectors of the same length"
                if needed == VECTORS
                else "load the folder with config=model.config",
            )
        parts = self._parts(photos)
        predictions = Predictions.empty(self.classes, len(photos))
        for positions, batch in parts:
            predictions.put(positions, batch)
        return predictions

    def _parts(self, photos: Described) -> "Iterable[tuple[Rows, Labelled]]":
        """Labels of batches of rows, and the rows."""
        rows = np.arange(len(photos))
        if space_bytes(self.space.space) == space_bytes(photos.projection.space):
            run = photos.projection.run_tasks
            several = len(photos.projection.parts) > 1
            images = PointRows(photos.projection.parts, rows, run if several else ThreadMap())
            yield from images.map(labelled, with_all=(self.classifier,))
            return
        for start in range(0, len(rows), _BATCH_ROWS):
            batch = rows[start : start + _BATCH_ROWS]
            points = self.space.space.transform(photos.features(batch))
            yield batch, labelled(points, self.classifier)


def _number(header: Mapping[str, Any], name: str) -> float:
    """A finite number of the header; raises `ValueError` for anything else."""
    value = header[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"its {name} is no number")
    return float(value)
