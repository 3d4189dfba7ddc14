"""One picture of the new folder: read, checked, brought to its size, written in one step.

This is the work that is spread over processes. It knows neither the table nor the database.
"""

import contextlib
import errno
import hashlib
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

import cv2
import numpy as np

from imgbatch.errors import OutputError, UnreadableImage
from imgbatch.files.regular import TooLargeError, read_regular
from imgbatch.images.decode import decode
from imgbatch.images.formats import ENDINGS, HEAD_BYTES, format_of
from imgbatch.images.headers import read_header
from imgbatch.images.quiet import quiet_codecs
from imgbatch.intake.records import Fit, Reason
from imgbatch.intake.state import Outcome
from imgbatch.runners.clock import start_clock, stop_clock
from imgbatch.types import DecodeOptions, View

_CHECKED_PX = 128
"""A picture that is copied is decoded at this size, to know that it can be."""
_WHOLE_PX = 1 << 30
_GAP = 2
"""Pictures are decoded at this many times the size they get, at least, if they are larger."""
_NO_NAME = {
    errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
}  # fmt: skip
"""What a file system says to names that it does not take."""


@dataclass(frozen=True, slots=True)
class Form:
    """What pictures become.

    Attributes
    ----------
    size
        Width and height in pixels; None copies the files as they are.
    fit
        How pictures come to that size.
    jpeg_quality
        0 to 100.
    options
        Limits, and the background of transparent pictures.
    """

    size: tuple[int, int] | None
    fit: Fit
    jpeg_quality: int
    options: DecodeOptions


class Task(NamedTuple):
    """A picture to be made.

    Attributes
    ----------
    id
        Its number.
    source
        The path of the file it is made from.
    file
        Its path inside the folder of pictures; "" names it by its content.
    """

    id: int
    source: str
    file: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Several pictures for one worker.

    Attributes
    ----------
    tasks
        The pictures.
    form
        What they become.
    pictures, drafts
        The folder of pictures, and one beside it for files that are not finished.
    """

    tasks: tuple[Task, ...]
    form: Form
    pictures: str
    drafts: str

    def split(self) -> list["Chunk"]:
        """The same pictures, one in each chunk."""
        return [replace(self, tasks=(task,)) for task in self.tasks]

    def crashed(self) -> list[Outcome]:
        """The outcome of pictures that kill every worker, or take it too long."""
        seconds = self.form.options.max_seconds
        detail = f"decoding it crashed the decoder, or took over {seconds:g} seconds"
        return [
            Outcome(task.id, Reason.UNREADABLE, detail, stamp_of(task.source), task.file)
            for task in self.tasks
        ]


def make_pictures(chunk: Chunk) -> list[Outcome]:
    """Make the pictures of a chunk; what is wrong with one of them is its outcome.

    Deterministic: equal files and options give equal pictures.

    Raises
    ------
    OutputError
        The folder cannot be written; the disk may be full.
    """
    with quiet_codecs():
        drafts = [_draft(task, chunk) for task in chunk.tasks]
    downloaded = [task.source for task in chunk.tasks if not task.file]
    if downloaded:
        _sync([draft.path for draft in drafts if draft.path])
    outcomes = [_published(draft, chunk) for draft in drafts]
    for source in downloaded:
        with contextlib.suppress(OSError):
            os.unlink(source)
    return outcomes


class _Draft(NamedTuple):
    """A picture that is made but has no name yet; `path` is "" if it could not be made."""

    task: Task
    outcome: Outcome
    path: str = ""


def _draft(task: Task, chunk: Chunk) -> _Draft:
    form = chunk.form
    try:
        data, stamp = _read(task.source, form.options)
    except FileNotFoundError:
        return _failed(task, chunk, Reason.MISSING, "there is no such file")
    except TooLargeError as error:
        return _failed(task, chunk, Reason.TOO_LARGE, f"{error.size_bytes:,} bytes")
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "out of memory"
        return _failed(task, chunk, Reason.UNREADABLE, f"cannot be read: {reason}")
    try:
        picture = _picture(data, form)
    except UnreadableImage as error:
        return _failed(task, chunk, Reason.UNREADABLE, error.message, stamp)
    content = hashlib.sha256(data).digest()
    file = task.file or _file_of(content, data, form)
    draft = os.path.join(chunk.drafts, uuid.uuid4().hex)
    try:
        with open(draft, "xb") as target:
            target.write(picture)
    except OSError as error:
        raise _unwritten(draft, error) from None
    return _Draft(task, Outcome(task.id, "", "", stamp, file, len(picture), content), draft)


def _published(draft: _Draft, chunk: Chunk) -> Outcome:
    """Give a draft its name, in one step; a name that no file can have is a reason to drop it."""
    if not draft.path:
        return draft.outcome
    target = os.path.join(chunk.pictures, *draft.outcome.file.split("/"))
    try:
        try:
            os.replace(draft.path, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(draft.path, target)
    except OSError as error:
        os.unlink(draft.path)
        if error.errno not in _NO_NAME:
            raise _unwritten(target, error) from None
        detail, stamp = f"the file's name: {error.strerror}", draft.outcome.stamp
        return _failed(draft.task, chunk, Reason.BAD_NAME, detail, stamp).outcome
    return draft.outcome


def _sync(files: list[str]) -> None:
    """Bring files to the disk, at the same time, which takes a fraction of one after the other."""
    with ThreadPoolExecutor(max(1, len(files))) as pool:
        for _ in pool.map(_sync_one, files):
            pass


def _sync_one(file: str) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _unwritten(file, error) from None
    finally:
        os.close(descriptor)


def _unwritten(file: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write {file}: {error.strerror or error}; what was made is kept",
        "make room, and run the same command again",
    )


def _read(path: str, options: DecodeOptions) -> tuple[bytes, str]:
    """A file's bytes, and its stamp."""
    data, status = read_regular(path, int(options.max_file_megabytes * 1e6))
    return data, stamp(status)


def stamp(status: os.stat_result) -> str:
    """Size and time of change: equal for a file that nobody has written to."""
    return f"{status.st_size} {status.st_mtime_ns}"


def stamp_of(path: str) -> str:
    """The stamp of the file at a path; "" if there is none."""
    try:
        return stamp(os.stat(path))
    except OSError:
        return ""


def _failed(task: Task, chunk: Chunk, reason: Reason, detail: str, stamp: str = "") -> _Draft:
    """The outcome of a picture that cannot be made; one made before from this source goes."""
    if task.file:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(chunk.pictures, *task.file.split("/")))
    return _Draft(task, Outcome(task.id, reason, detail, stamp, task.file))


def _picture(data: bytes, form: Form) -> bytes:
    """The file's new bytes; raises `UnreadableImage`."""
    start_clock(form.options.max_seconds)
    try:
        if form.size is None:
            decode(data, form.options, view_px=_CHECKED_PX)
            return data
        view = decode(data, form.options, view_px=view_px_of(data, form.size)).view
        fitted = fit_picture(view, form.size, form.fit, form.options.background)
        return _as_jpeg(fitted, form.jpeg_quality)
    except MemoryError:
        raise UnreadableImage("decoding needs more memory than there is") from None
    finally:
        stop_clock()


def view_px_of(data: bytes, size: tuple[int, int]) -> int:
    """At which longer side to decode, so that enough pixels are left in both directions.

    EXIF may turn the picture, so both ways of laying it are thought of.
    """
    header = read_header(data)
    if header is None:
        return _WHOLE_PX
    shorter, longer = sorted(header.size)
    scale = max(max(size) / shorter, max(size) / longer)
    return max(_CHECKED_PX, ceil(_GAP * scale * longer))


def fit_picture(
    picture: View, size: tuple[int, int], fit: Fit, background: tuple[int, int, int]
) -> View:
    """Bring a picture to a size.

    It is shrunk by averaging areas and enlarged by Lanczos interpolation.

    Parameters
    ----------
    picture
        (h, w, 3) uint8 RGB.
    size
        Width and height in pixels.
    fit
        See `Fit`.
    background
        Red, green and blue of what a contained picture leaves free.

    Returns
    -------
    fitted
        (height, width, 3) uint8 RGB.

    Examples
    --------
    >>> wide = np.zeros((100, 200, 3), np.uint8)
    >>> fitted = fit_picture(wide, (50, 50), Fit.CONTAIN, (255, 255, 255))
    >>> fitted.shape, fitted[0, 0].tolist(), fitted[25, 25].tolist()
    ((50, 50, 3), [255, 255, 255], [0, 0, 0])
    """
    width, height = size
    if fit is Fit.COVER:
        return _resized(_cut(picture, width / height), size)
    if fit is Fit.STRETCH:
        return _resized(picture, size)
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (
        min(width, max(1, round(picture.shape[1] * scale))),
        min(height, max(1, round(picture.shape[0] * scale))),
    )
    fitted = np.full((height, width, 3), background, np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    fitted[top : top + inner[1], left : left + inner[0]] = _resized(picture, inner)
    return fitted


def _cut(picture: View, proportion: float) -> View:
    """The middle of a picture that has this width by height."""
    height, width = picture.shape[:2]
    kept_width = min(width, max(1, round(height * proportion)))
    kept_height = min(height, max(1, round(width / proportion)))
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return picture[top : top + kept_height, left : left + kept_width]


def _resized(picture: View, size: tuple[int, int]) -> View:
    """Shrink where the picture is too large, then enlarge where it is too small."""
    height, width = picture.shape[:2]
    smaller = (min(width, size[0]), min(height, size[1]))
    if smaller != (width, height):
        picture = cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)
    if smaller != size:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4)
    return picture


def _as_jpeg(picture: View, quality: int) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()


def _file_of(content: bytes, data: bytes, form: Form) -> str:
    """The name of a picture by its content: ``3f/3f79bb....jpg``."""
    kind = "JPEG" if form.size else format_of(data[:HEAD_BYTES])
    ending = ENDINGS[kind][0] if kind else ".img"
    name = content.hex()
    return f"{name[:2]}/{name}{ending}"
