"""Memory that is kept between calls."""

import threading

import numpy as np

from imgbatch.types import View

_of_thread = threading.local()


def scratch(size_bytes: int) -> View:
    """(size_bytes,) uint8 to write to; each thread keeps its array for the next call.

    An array allocated anew for each group of pictures would be returned to the system and faulted
    in again, which costs more than describing in groups gains. The array is free again once a
    descriptor has returned.

    >>> scratch(5).shape
    (5,)
    """
    if getattr(_of_thread, "scratch", np.empty(0)).size < size_bytes:
        _of_thread.scratch = np.empty(size_bytes, np.uint8)
    kept: View = _of_thread.scratch[:size_bytes]
    return kept
