"""Which class each image is of: its first-level subfolder, or a line of a CSV file."""

import csv
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imgbatch.errors import LabelError
from imgbatch.types import ImageRecord

HOW_TO_LABEL = (
    "put each class into a subfolder of its own, "
    "or give --labels FILE.csv with the columns path and label"
)


@dataclass(frozen=True, slots=True)
class Labels:
    """The class of each row, "" where it has none, and remarks for the user."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> list[str]:
        """Every class, sorted."""
        return sorted(set(self.names) - {""})


def find_labels(
    records: Sequence[ImageRecord], folder: str, file: str | os.PathLike[str] | None = None
) -> Labels:
    """Label the images of a folder.

    Parameters
    ----------
    records
        The folder's images.
    folder
        Absolute path of the image folder.
    file
        A CSV file in UTF-8 whose header names the columns ``path`` and ``label`` (others may
        follow); a path is relative to the image folder, or absolute. None takes the first-level
        subfolders; images that lie in none have no label.

    Raises
    ------
    LabelError
        The file cannot be read, lacks a column, names an image twice with different labels, or
        none of the folder's images.
    """
    if file is None:
        return _noted(tuple(record.label for record in records), [])
    given = _read(Path(file), folder)
    names = tuple(given.get(record.path, "") for record in records)
    if not any(names):
        some = next(iter(given), "none")
        raise LabelError(
            f"{file} names none of the {len(records)} images of {folder} (its first path: {some})",
            "write paths relative to the image folder, or absolute ones",
        )
    unknown = len(given.keys() - {record.path for record in records})
    notes = [f"{unknown} paths of {file} are no readable image of the folder"] if unknown else []
    return _noted(names, notes)


def _noted(names: tuple[str, ...], notes: list[str]) -> Labels:
    without = names.count("")
    if 0 < without < len(names):
        notes.append(f"{without} of {len(names)} images have no label; they count as no class")
    return Labels(names, tuple(notes))


def _read(file: Path, folder: str) -> dict[str, str]:
    given: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            table = csv.DictReader(text, skipinitialspace=True)
            columns = table.fieldnames or []
            if not {"path", "label"} <= set(columns):
                raise LabelError(
                    f"{file} has the columns {', '.join(columns) or 'none'}, not path and label",
                    "begin it with the line path,label",
                )
            for line in table:
                path = _inside(line["path"] or "", folder)
                label = (line["label"] or "").strip()
                if given.setdefault(path, label) != label:
                    raise LabelError(
                        f"{file}, line {table.line_num}: {path} is {label!r} here, "
                        f"but {given[path]!r} above",
                        "give each image one label",
                    )
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LabelError(
            f"the labels {file} cannot be read: {reason}", "give --labels a CSV file"
        ) from None
    return given


def _inside(path: str, folder: str) -> str:
    """The path as the index writes it: relative to the folder, with ``/`` between its parts."""
    if os.path.isabs(path):
        path = os.path.relpath(path, folder)
    return posixpath.normpath(path.replace(os.sep, "/"))
