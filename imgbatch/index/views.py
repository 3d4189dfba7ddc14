"""Describe altered views of images: work that runners spread beside that of `index.extract`.

Workers import this module, so it imports little.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.descriptors.base import Descriptor
from imgbatch.errors import UnreadableImage
from imgbatch.files import paths
from imgbatch.images.augment import LARGER, altered
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import (
    READ_ERRORS,
    Chunk,
    check_version,
    content_hash_of,
    read_chunk,
    read_file,
)
from imgbatch.types import DecodeOptions, ReadFile, View

VIEWS = 2
"""Altered views of an image."""
ImageCodes = Mapping[str, bytes]
"""Fingerprint -> codes of an image and its altered views, one after the other."""


@dataclass(frozen=True, slots=True)
class ViewsTask:
    """Some images of a sample to alter and describe."""

    folder: str
    images: tuple[tuple[bytes, str, int], ...]
    descriptors: tuple[tuple[str, Descriptor], ...]
    options: DecodeOptions

    def split(self) -> list["ViewsTask"]:
        """The same images, one in each task."""
        return [replace(self, images=(image,)) for image in self.images]

    def crashed(self) -> dict[bytes, ImageCodes]:
        """The answer for an image that kills its worker: it is left out."""
        return {}


def describe_views(task: ViewsTask) -> dict[bytes, ImageCodes]:
    """Describe images with their altered views, by content hash.

    Deterministic: the content decides how it is altered. Images that cannot be read, or have
    changed, are left out.

    Raises
    ------
    ClusterError
        This process has another version of imgbatch than the one that asks.
    """
    check_version(task.descriptors, task.options)
    contents, views = list[bytes](), list[View]()
    with quiet_codecs():
        for content, path, _ in task.images:
            with contextlib.suppress(*READ_ERRORS, UnreadableImage):
                views += _views(content, paths.join(task.folder, path), task.options)
                contents.append(content)
    if not contents:
        return {}
    codes = {
        fingerprint: descriptor.describe_many(views).reshape(len(contents), -1)
        for fingerprint, descriptor in task.descriptors
    }
    return {
        content: {fingerprint: rows[number].tobytes() for fingerprint, rows in codes.items()}
        for number, content in enumerate(contents)
    }


def _views(content: bytes, path: str, options: DecodeOptions) -> list[View]:
    """The view of a file, as the index describes it, and altered views.

    Raises
    ------
    OSError, MemoryError, TooLargeError, UnreadableImage
        It cannot be read, or is another file now.
    """
    data = read_file(path, options)
    if content_hash_of(data) != content:
        raise UnreadableImage("the file has changed")
    view = decode(data, options).view
    picture = decode(data, options, view_px=LARGER * options.view_px).view
    random = np.random.default_rng(int.from_bytes(content, "big"))
    return [view, *(altered(picture, options.view_px, random) for _ in range(VIEWS))]


def describe(task: Chunk | ViewsTask) -> list[ReadFile] | dict[bytes, ImageCodes]:
    """What `read_chunk` or `describe_views` says of a task."""
    return read_chunk(task) if isinstance(task, Chunk) else describe_views(task)


def describe_quietly(task: Chunk | ViewsTask) -> list[ReadFile] | dict[bytes, ImageCodes]:
    """The same in a process whose codecs would talk to the user."""
    with quiet_codecs():
        return describe(task)
