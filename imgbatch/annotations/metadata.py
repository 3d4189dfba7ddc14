"""What people know of their images: labels, tags, texts and more, by row.

A request pays for what it asks: no file is looked for, opened or read before the first question.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from imgbatch.annotations.source import SIDECAR_ENDING, Images, MetadataSource, sidecar_of
from imgbatch.files.paths import is_url, join
from imgbatch.types import Known, Rows

if TYPE_CHECKING:
    from imgbatch.annotations.columns import Column
    from imgbatch.annotations.kept import FilesKnown

_ENDINGS = ("csv", "tsv", "jsonl", "parquet", "json")
METADATA_ENDINGS = frozenset({SIDECAR_ENDING, *(f".{ending}" for ending in _ENDINGS)})
"""Endings of files that tell something of images."""
FOUND = ("captions.csv", *(f"metadata.{ending}" for ending in _ENDINGS))
"""Files at the folder's top that are read unless files are given; later ones win."""


class Metadata:
    """What is known of a folder's images, or of some of them.

    Each kind comes from the metadata files, if one of them says anything of this kind. Otherwise
    labels are the first-level subfolders, unless a single one holds all images; and texts are the
    lines of ``a.txt`` beside ``a.jpg``, if the folder is on this machine and no file was given.
    The program's own tables say more of the images, and replace neither files nor texts.

    Parameters
    ----------
    whole
        The folder's metadata.
    rows
        Only these images; None for all.

    Examples
    --------
    >>> import imgbatch
    >>> metadata = imgbatch.load("photos").metadata
    >>> metadata.of_image(0).label, metadata.column("labels").counts()
    ('class0', {'class0': 8, 'class1': 8, 'class2': 8})
    """

    def __init__(self, whole: "FolderMetadata", rows: Rows | None = None) -> None:
        self._whole, self._rows = whole, rows

    @classmethod
    def of(cls, images: Images, source: MetadataSource) -> "Metadata":
        """The metadata of all images of a folder, read when they are asked for."""
        return cls(FolderMetadata(images, source))

    @classmethod
    def read(cls, images: Images, source: MetadataSource) -> "Metadata":
        """The same; files that were given are read now, as `read_files` does."""
        metadata = cls.of(images, source)
        if source.given:
            metadata.read_files()
        return metadata

    def subset(self, rows: Rows) -> "Metadata":
        """What is known of some of these images; what was read is shared."""
        return Metadata(self._whole, rows if self._rows is None else self._rows[rows])

    @property
    def of_folder(self) -> "Metadata":
        """The metadata of all images of the folder."""
        return Metadata(self._whole)

    def __len__(self) -> int:
        return len(self._whole.images) if self._rows is None else len(self._rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has been read so far, and what did not fit."""
        return self._whole.notes()

    def read_files(self) -> None:
        """Read the metadata files now.

        Raises
        ------
        LabelError
            A file that was given cannot be read or does not fit; see `kept.known_of_files`.
        """
        _ = self._whole.of_files

    def rounds(self) -> Iterator[tuple[str, "Metadata"]]:
        """After each of several given files: its path, and what was known by then."""
        files = self._whole.source.given
        for number, file in enumerate(files[:-1], start=1):
            earlier = replace(self._whole.source, given=files[:number], directory=None)
            yield file, Metadata(FolderMetadata(self._whole.images, earlier), self._rows)
        if len(files) > 1:
            yield files[-1], self

    def without_predicted(self) -> "Metadata":
        """What is known without what this program had predicted, even where that is trusted."""
        doubtful = replace(self._whole.source, trust_predicted=False)
        return Metadata(FolderMetadata(self._whole.images, doubtful), self._rows)

    @property
    def files(self) -> tuple[str, ...]:
        """The metadata files that say something of the images; the program's own left out."""
        whole = self._whole
        telling = () if whole.of_files is None else whole.of_files.telling
        read = zip(whole.files, telling, strict=True)
        return tuple(file for file, says in read if says and file not in whole.source.own)

    def has(self, kind: str) -> bool:
        """Whether a metadata file says anything of this kind; files beside images do not count."""
        return self._whole.in_files(kind) is not None

    def column(self, kind: str) -> "Column":
        """Labels, tags, texts, splits, groups or sources: some strings for each image."""
        column = self._whole.column(kind)
        return column if self._rows is None else column.take(self._rows)

    def of_image(self, row: int) -> Known:
        """What is known of one image; no file beside another image is read."""
        row = row if self._rows is None else int(self._rows[row])
        label, tags, texts = (
            self._whole.strings(kind, row) for kind in ("labels", "tags", "texts")
        )
        return Known(next(iter(label), ""), tags, texts)


class FolderMetadata:
    """What is known of all images of a folder; read when it is first asked for."""

    def __init__(self, images: Images, source: MetadataSource) -> None:
        self.images, self.source = images, source

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The metadata files, later ones last."""
        return (*(self.source.given or self._found()), *self.source.own)

    @cached_property
    def of_files(self) -> "FilesKnown | None":
        """What the metadata files say; None if there are none."""
        if not self.files:
            return None
        from imgbatch.annotations.kept import known_of_files

        return known_of_files(self.images, self.source, self.files)

    @cached_property
    def _of_sidecars(self) -> "FilesKnown":
        from imgbatch.annotations.kept import known_of_sidecars

        return known_of_sidecars(self.images, self.source)

    @cached_property
    def _subfolders(self) -> "Column":
        from imgbatch.annotations.columns import Column

        if self._single_top_folder:
            return Column.empty(len(self.images))
        parts = (path.partition("/") for path in self.images.all_paths())
        classes = (_class_of(top) if slash else "" for top, slash, _ in parts)
        return Column.of([(name,) if name else () for name in classes])

    @cached_property
    def _single_top_folder(self) -> bool:
        """Whether one folder holds all images: then it is no class."""
        return bool(self.images.top_folder)

    @property
    def _may_have_sidecars(self) -> bool:
        return not self.source.given and not is_url(self.source.folder)

    def notes(self) -> tuple[str, ...]:
        """What was read so far, and what did not fit."""
        read: list[FilesKnown | None] = [
            vars(self).get(name) for name in ("of_files", "_of_sidecars")
        ]
        return tuple(note for known in read if known is not None for note in known.remarks)

    def column(self, kind: str) -> "Column":
        """What is known of all images."""
        column = self.in_files(kind)
        if column is None and kind == "labels":
            column = self._subfolders
        elif column is None and kind == "texts" and self._may_have_sidecars:
            column = self._of_sidecars.columns.get(kind)
        if column is not None:
            return column
        from imgbatch.annotations.columns import Column

        return Column.empty(len(self.images))

    def strings(self, kind: str, row: int) -> tuple[str, ...]:
        """What is known of one image, at the cost of one."""
        column = self.in_files(kind)
        if column is not None:
            return column[row]
        if kind == "labels" and not self._single_top_folder:
            label = _class_of(self.images[row].label)
            return (label,) if label else ()
        if kind == "texts" and self._may_have_sidecars:
            sidecar = sidecar_of(self.images[row].path)
            if os.path.isfile(join(self.source.folder, sidecar)):
                from imgbatch.annotations.misfits import Misfits
                from imgbatch.annotations.sidecars import texts_in

                return tuple(texts_in(self.source.folder, sidecar, Misfits()))
        return ()

    def in_files(self, kind: str) -> "Column | None":
        """What the metadata files say of a kind; None if they say nothing of it."""
        return None if self.of_files is None else self.of_files.columns.get(kind)

    def _found(self) -> Iterator[str]:
        """The metadata files at the folder's top."""
        if not is_url(self.source.folder):
            for name in FOUND:
                file = join(self.source.folder, name)
                if os.path.isfile(file):
                    yield file


def _class_of(folder: str) -> str:
    r"""The class that a folder's name gives: text as a metadata file can say it.

    Bytes that are no text are written out, so that names stay different; spaces around it count
    no more than around a label in a file.

    >>> print(_class_of("caf\udce9 "))
    caf\xe9
    """
    return os.fsencode(folder).decode(errors="backslashreplace").strip()
