"""How much memory decoding takes: the peak of a fresh process for each large file.

    python benchmarks/memory.py [--only WORD ...] [--megapixels 40 99] [--files FOLDER]
                                [--before FILE] [--save FILE] [--markdown FILE]

The files are drawn in a temporary folder, or once in FOLDER. Each is read and decoded as a worker
does, in a process of its own with the modules of a worker; shown is its peak of resident memory
(VmHWM of Linux), interpreter and libraries included, beside the bound. --save keeps the figures,
--before shows kept ones beside the new ones. Equal views have equal digests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from large_files import CASES, forget

HERE = Path(__file__).parent
SIZES = {40: (7999, 5000), 99: (11003, 8997)}
"""Megapixels -> a size that no power of two divides."""
CHILD = r"""
import hashlib, json, re, sys, time
import cv2
from imgbatch.errors import UnreadableImage
from imgbatch.files.regular import TooLargeError, read_regular
from imgbatch.images.decode import decode
from imgbatch.index import extract
from imgbatch import descriptors
from imgbatch.types import DecodeOptions

cv2.setNumThreads(1)
options = DecodeOptions()
answer = {"seconds": 0.0}
start = time.perf_counter()
try:
    data, _ = read_regular(sys.argv[1], int(options.max_file_megabytes * 1e6))
    decoded = decode(data, options)
except TooLargeError:
    answer["refused"] = "larger than images.max_file_megabytes"
except UnreadableImage as error:
    answer["refused"] = error.message
else:
    answer["view"] = hashlib.sha256(decoded.view.tobytes()).hexdigest()[:8]
    answer["size"] = [decoded.width, decoded.height, *decoded.view.shape]
    answer["note"] = decoded.note
answer["seconds"] = time.perf_counter() - start
status = open("/proc/self/status").read()
answer["peak_mb"] = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6
print(json.dumps(answer))
"""


def bound_mb(width: int, height: int) -> float:
    return max(400.0, 150 + 6 * width * height / 1e6)


def measure(path: Path) -> dict[str, Any]:
    """What a fresh process says of decoding the file."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return {"refused": f"died: {last}", "peak_mb": 0.0, "seconds": 0.0}
    return json.loads(done.stdout)


def row(name: str, megapixels: int, file_mb: float, one: dict[str, Any]) -> dict[str, Any]:
    width, height = SIZES[megapixels]
    bound = bound_mb(width, height)
    per_pixel = (one["peak_mb"] * 1e6) / (width * height)
    return {
        "name": name,
        "megapixels": megapixels,
        "file_mb": file_mb,
        "bound_mb": bound,
        "bytes_a_pixel": per_pixel,
        "within": one["peak_mb"] <= bound,
        **one,
    }


def outcome(one: dict[str, Any]) -> str:
    verdict = "" if one["within"] else "**over**, "
    return verdict + (one.get("refused") or f"view {one['view']}")


def table(rows: list[dict[str, Any]], before: dict[str, dict[str, Any]]) -> str:
    """A Markdown table; with kept figures, those stand beside the new ones."""
    head = ["file", "MP", "file MB", "bound MB", "peak MB", "bytes/px", "s", "outcome"]
    if before:
        head[4:4] = ["peak MB before", "s before"]
    lines = [head, ["---"] * len(head)]
    for one in rows:
        cells = [
            one["name"],
            str(one["megapixels"]),
            f"{one['file_mb']:.0f}",
            f"{one['bound_mb']:.0f}",
            f"{one['peak_mb']:.0f}",
            f"{one['bytes_a_pixel']:.1f}",
            f"{one['seconds']:.1f}",
            outcome(one),
        ]
        if before:
            old = before.get(f"{one['name']} {one['megapixels']}")
            cells[4:4] = [f"{old['peak_mb']:.0f}", f"{old['seconds']:.1f}"] if old else ["", ""]
            if old and old.get("view") != one.get("view"):
                cells[-1] += f" (before: {outcome(old)})"
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""], help="words of the names")
    parser.add_argument("--megapixels", nargs="*", type=int, default=[*SIZES], choices=[*SIZES])
    parser.add_argument("--files", type=Path, help="keeps the files that are drawn")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.files or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for megapixels in options.megapixels:
            forget()
            for name, write in CASES.items():
                if not any(word in name for word in options.only):
                    continue
                path = folder / f"{name} {megapixels}".replace(" ", "_").replace(":", "")
                if not path.exists():
                    write(path, *SIZES[megapixels])
                one = row(name, megapixels, path.stat().st_size / 1e6, measure(path))
                print(f"{name:30} {one['peak_mb']:6.0f} MB {outcome(one)}", flush=True)
                rows.append(one)
                if options.files is None:
                    path.unlink()
    before = json.loads(options.before.read_text()) if options.before else []
    text = table(rows, {f"{one['name']} {one['megapixels']}": one for one in before})
    print(text)
    if options.save:
        options.save.write_text(json.dumps(rows))
    if options.markdown:
        options.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
