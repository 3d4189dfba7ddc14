"""The peak of memory of a new process that reads and decodes files as a worker does."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import environment

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
_DECODE = r"""
import json, re, sys
import cv2
from imgbatch import descriptors
from imgbatch.errors import UnreadableImage
from imgbatch.images.decode import decode
from imgbatch.index import extract
from imgbatch.types import DecodeOptions

def megabytes(what):  # ru_maxrss begins with the size of the process that started this one
    status = open("/proc/self/status").read()
    return int(re.search(what + r":\s+(\d+)", status)[1]) * 1024 / 1e6

cv2.setNumThreads(1)
reasons = []
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    try:
        decode(data, DecodeOptions())
    except UnreadableImage as error:
        reasons.append(error.message)
    else:
        reasons.append("")
    del data
print(json.dumps([megabytes("VmHWM"), megabytes("VmRSS"), reasons]))
"""


@dataclass(frozen=True)
class Peak:
    """The peak, what is held in the end, and why files could not be read ("" if they could)."""

    peak_mb: float
    held_mb: float
    reasons: list[str]


def peak_of_decoding(*files: Path, env: Mapping[str, str] | None = None) -> Peak:
    command = [sys.executable, "-c", _DECODE, *map(str, files)]
    done = subprocess.run(
        command, env=environment(env), capture_output=True, timeout=300, check=True
    )
    return Peak(*json.loads(done.stdout))
