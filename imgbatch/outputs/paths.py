"""Paths alone, for other programs."""

import os
import sys
from collections.abc import Sequence


def write_paths(paths: Sequence[str], *, null: bool) -> None:
    """Print paths, the bytes of each as they are on the disk, with a newline or NUL after each."""
    end = b"\0" if null else b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(os.fsencode(path) + end for path in paths))
