"""Keep what image codecs write to standard error, and what Pillow warns of, off the screen."""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator

from PIL import Image

_lock = threading.Lock()
"""Held while the count below and the process's file descriptor 2 are changed."""
_depth = 0
_saved = -1
_pillow = threading.Lock()
"""Held while `Image.MAX_IMAGE_PIXELS` and the filters of warnings, the process's, are changed."""


@contextlib.contextmanager
def quiet_codecs() -> Iterator[None]:
    """Point file descriptor 2 at the null device inside a ``with`` block.

    libjpeg, libpng and libtiff write to the descriptor themselves, past `sys.stderr`; what is
    wrong with a file is reported by `decode` instead. Blocks may be nested and run in several
    threads; the last one to end restores the descriptor.

    >>> import os
    >>> with quiet_codecs():
    ...     _ = os.write(2, b"nobody sees this")
    """
    global _depth, _saved  # noqa: PLW0603 - the descriptor belongs to the process, too
    with _lock:
        _depth += 1
        if _depth == 1:
            _saved = _point_stderr_at_null()
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _saved >= 0:
                os.dup2(_saved, 2)
                os.close(_saved)


def _point_stderr_at_null() -> int:
    """Return a copy of the old descriptor 2, or -1 if the process has none."""
    try:
        saved = os.dup(2)
    except OSError:
        return -1
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    return saved


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Let Pillow open any picture without a warning, one picture at a time.

    Its limit of pixels is lifted: ours is checked before any pixel is decoded.

    >>> with quiet_pillow():
    ...     warnings.warn("Corrupt EXIF data", stacklevel=1)
    """
    with _pillow, warnings.catch_warnings():
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
