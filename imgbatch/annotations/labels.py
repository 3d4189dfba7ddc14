"""The class of each image, for whatever measures or balances classes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.annotations.columns import First
from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import MetadataSource
from imgbatch.errors import LabelError
from imgbatch.types import ImageRecord, Rows

UNLABELLED = -1
"""The class number of an image without a label."""

HOW_TO_LABEL = (
    "put each class into a subfolder of its own, "
    "or give `metadata` a file with the columns file_name and label"
)


@dataclass(frozen=True, slots=True)
class Labels:
    """The classes of a folder's images.

    Attributes
    ----------
    names
        The class of each image, in the order of rows; "" for an image without a label.
    notes
        Remarks for the user.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> list[str]:
        """The names of all classes, sorted."""
        return sorted(set(self.names) - {""})


def find_labels(
    records: Sequence[ImageRecord], folder: str, file: str | os.PathLike[str]
) -> Labels:
    r"""Find the class of each image in a file.

    Parameters
    ----------
    records
        The folder's images.
    folder
        Absolute path of the image folder.
    file
        A metadata file with the columns ``path`` (or ``file_name``) and ``label``, in UTF-8; other
        columns are ignored. A path is relative to the image folder, or absolute.

    Raises
    ------
    LabelError
        The file cannot be read, lacks a column, gives an image two different labels, or names
        none of the folder's images.

    Examples
    --------
    >>> with open("labels.csv", "w") as file:
    ...     _ = file.write("path,label\n1.jpg,cat\n2.jpg,dog\n")
    >>> records = [ImageRecord("1.jpg", 640, 480), ImageRecord("2.jpg", 640, 480)]
    >>> find_labels(records, "/photos", "labels.csv").names
    ('cat', 'dog')
    """
    metadata = Metadata.of(_Listed(records), MetadataSource(folder, given=(os.fspath(file),)))
    if not metadata.has("labels"):
        raise LabelError(f"{file} gives no image a label", "name a column label, and fill it")
    found = labels_of(metadata)
    return Labels(found.names, (*metadata.notes, *found.notes))


def labels_of(metadata: Metadata) -> Labels:
    """The class of each image, with a note if only a part of the images has one.

    Examples
    --------
    >>> import imgbatch
    >>> labels_of(imgbatch.load("photos").metadata).classes
    ['class0', 'class1', 'class2']
    """
    names = tuple(First(metadata.column("labels")))
    unlabelled = names.count("")
    if not 0 < unlabelled < len(names):
        return Labels(names)
    note = f"{unlabelled:,} of {len(names):,} images have no label; they belong to no class"
    return Labels(names, (note,))


class _Listed(list[ImageRecord]):
    """Records in a list, as `Images`."""

    def all_paths(self) -> Iterator[str]:
        """See `Images`."""
        return (record.path for record in self)

    @property
    def top_folder(self) -> str:
        """See `Images`."""
        tops = {record.label for record in self}
        return tops.pop() if len(tops) == 1 else ""


def class_numbers(names: Sequence[str]) -> Rows:
    """Number the classes 0, 1, ... in the order of their sorted names.

    Parameters
    ----------
    names
        The class of each of n images; "" for an image without a label.

    Returns
    -------
    (n,) int64; `UNLABELLED` (-1) for "".

    Examples
    --------
    >>> class_numbers(["dogs", "", "cats", "dogs"])
    array([ 1, -1,  0,  1])
    """
    classes = sorted(set(names) - {""})
    number = {name: position for position, name in enumerate(classes)} | {"": UNLABELLED}
    return np.array([number[name] for name in names], np.int64)
