"""The class of each image: its first-level subfolder, or what a CSV file says."""

import csv
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgbatch.errors import LabelError
from imgbatch.files.regular import only_regular
from imgbatch.types import ImageRecord, Rows

UNLABELLED = -1
"""The class number of an image without a label."""

HOW_TO_LABEL = (
    "put each class into a subfolder of its own, "
    "or give --labels FILE.csv with the columns path and label"
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
    records: Sequence[ImageRecord], folder: str, file: str | os.PathLike[str] | None = None
) -> Labels:
    """Find the class of each image of a folder.

    Parameters
    ----------
    records
        The folder's images.
    folder
        Absolute path of the image folder.
    file
        A CSV file in UTF-8 whose header names the columns ``path`` and ``label``; other columns
        are ignored. A path is relative to the image folder, or absolute. None takes the
        first-level subfolder of each image; images directly in the folder have no label.

    Raises
    ------
    LabelError
        The file cannot be read, lacks a column, gives an image two different labels, or names
        none of the folder's images.

    Examples
    --------
    >>> records = [ImageRecord("cats/1.jpg", 640, 480), ImageRecord("dogs/2.jpg", 640, 480)]
    >>> find_labels(records, "/photos").names
    ('cats', 'dogs')
    """
    if file is None:
        return _with_note(tuple(record.label for record in records), [])
    given = _read_csv(Path(file), folder)
    names = tuple(given.get(record.path, "") for record in records)
    if not any(names):
        first = next(iter(given), "none")
        raise LabelError(
            f"{file} names none of the {len(records)} images of {folder} (its first path: {first})",
            "write paths relative to the image folder, or absolute ones",
        )
    unknown = len(given.keys() - {record.path for record in records})
    notes = [f"{unknown} paths of {file} are not readable images of the folder"] if unknown else []
    return _with_note(names, notes)


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


def _with_note(names: tuple[str, ...], notes: list[str]) -> Labels:
    """Labels, with one more note if only a part of the images has one."""
    unlabelled = names.count("")
    if 0 < unlabelled < len(names):
        notes.append(f"{unlabelled} of {len(names)} images have no label; they belong to no class")
    return Labels(names, tuple(notes))


def _read_csv(file: Path, folder: str) -> dict[str, str]:
    """Label by relative path, as the file gives them."""
    given: dict[str, str] = {}
    line_number = 1
    try:
        with open(
            file, encoding="utf-8-sig", errors="surrogateescape", newline="", opener=only_regular
        ) as text:
            table = csv.DictReader(text, skipinitialspace=True, strict=True)
            columns = table.fieldnames or []
            if not {"path", "label"} <= set(columns):
                raise LabelError(
                    f"{file} has the columns {', '.join(columns) or 'none'}, not path and label",
                    "begin it with the line path,label",
                )
            line_number = table.line_num + 1
            for line in table:
                path = _relative(line["path"] or "", folder)
                label = (line["label"] or "").strip()
                if given.setdefault(path, label) != label:
                    raise LabelError(
                        f"{file}, line {line_number}: {path} is {label!r} here, "
                        f"but {given[path]!r} above",
                        "give each image only one label",
                    )
                line_number = table.line_num + 1
    except csv.Error as error:
        reason = str(error).replace("unexpected end of data", "a quote is never closed")
        raise LabelError(
            f"the labels {file} cannot be read: line {line_number}: {reason}",
            'close every quote ", and write one inside quotes twice',
        ) from None
    except OSError as error:
        raise LabelError(
            f"the labels {file} cannot be read: {error.strerror or error}",
            "give --labels a CSV file",
        ) from None
    return given


def _relative(path: str, folder: str) -> str:
    """The path as the index writes it: relative to the folder, with ``/`` between its parts."""
    if os.path.isabs(path):
        path = os.path.relpath(path, folder)
    return posixpath.normpath(path.replace(os.sep, "/"))
