"""From chosen rows to the answer that a request returns.

A folder on this machine and a folder's export in a database answer requests in the same way: both
check the request here, name their images here, and count the time here.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imgbatch.errors import SelectionError
from imgbatch.files import paths
from imgbatch.images.view import Decoded
from imgbatch.seeds import is_whole
from imgbatch.types import Floats, ImageRecord, ImageTag, Known, PickedImage


def check_count(n: int, total: int, holder: str) -> None:
    """Raise `SelectionError` unless 1 <= n <= total; `holder` says who holds how many images."""
    if not is_whole(n, 1) or n > total:
        raise SelectionError(f"n is {n!r:.40}, but {holder}", f"give 1 to {total}")


class RequestClock:
    """Wall time of requests; that of the first request includes the loading, but no pause after it.

    Parameters
    ----------
    loading_seconds
        How long loading took.
    """

    def __init__(self, loading_seconds: float) -> None:
        self._loading_seconds = loading_seconds

    def start(self) -> float:
        """The moment, in seconds of `time.perf_counter`, from which this request is timed."""
        loading_seconds, self._loading_seconds = self._loading_seconds, 0.0
        return time.perf_counter() - loading_seconds


def names_inside(folder: str, given: str) -> Iterator[str]:
    """Paths inside a folder that a user may mean by `given`, the likeliest first.

    A relative name is read from the working directory if a file of that name exists, else from
    inside the folder; first as it is written, then with links resolved. Its parts are separated by
    ``/``.

    Raises
    ------
    SelectionError
        No file can have this name.
    """
    if "\0" in given:
        raise SelectionError("the image's name holds a null byte", "no file has such a name")
    whole = paths.is_url(given) or os.path.isabs(given) or os.path.exists(given)
    path = given if whole else paths.join(folder, given)
    for resolve in (os.path.abspath, os.path.realpath):
        yield paths.inside(resolve(path), resolve(folder))


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen images in their order, with what is said of each.

    Attributes
    ----------
    records
        The n images.
    distances
        (n,) float32: the distance that ranks each image.
    shares
        For each image, the share of every descriptor in its squared distance.
    known
        What people know of each image.
    anchor_first
        Whether the first image is the anchor.
    tags
        All tags of each image; empty if nobody measured any.
    """

    records: Sequence[ImageRecord]
    distances: Floats
    shares: Sequence[Mapping[str, float]]
    known: Sequence[Known]
    anchor_first: bool = False
    tags: Sequence[tuple[ImageTag, ...]] = ()

    def images(self, folder: str) -> tuple[PickedImage, ...]:
        """The images as a `Selection` holds them, ranked from 1 in their order."""
        tags_of = self.tags or [()] * len(self.records)
        rows = zip(self.records, self.known, tags_of, self.distances, self.shares, strict=True)
        return tuple(
            PickedImage(
                rank=position + 1,
                path=paths.join(folder, record.path),
                relative=record.path,
                score=round(float(distance), 4),
                width=record.width,
                height=record.height,
                label=known.label,
                note=record.note,
                anchor=self.anchor_first and position == 0,
                shares=dict(shares),
                tags=known.tags,
                texts=known.texts,
                all_tags=tags,
            )
            for position, (record, known, tags, distance, shares) in enumerate(rows)
        )


def outside_anchor(path: str, decoded: Decoded) -> PickedImage:
    """An anchor that is not an image of the folder: it has rank 0 and does not count in n."""
    path = paths.absolute(path)
    width, height = decoded.width, decoded.height
    return PickedImage(0, path, path, 0.0, width, height, note=decoded.note, anchor=True)
