"""The map: trustworthiness, seconds and memory by size; size of its page and time of a frame.

Usage:

    python benchmarks/map.py FOLDER [--sizes 1000 10000 100000 1000000] [--index DIR]
    python benchmarks/map.py FOLDER --page 100000 [--index DIR]

A folder of another size than FOLDER's is made of its points: each new one lies between an image and
one of its five nearest, at random. Each size runs in a process of its own; its memory is the peak
above that of the process before, the memory-mapped points included. A page of another size repeats
FOLDER's images. It is opened in headless Chromium (playwright), 900 pixels wide: a frame is what
the page's script takes to draw, the median of 30 steps of zooming in.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import imgbatch
from imgbatch.embedding.map2d import map_of
from imgbatch.embedding.projection import Projection
from imgbatch.embedding.space import FeatureSpace
from imgbatch.neighbours.parts import MemoryPart
from imgbatch.neighbours.search import neighbour_lists
from imgbatch.outputs.pages import map_page, write_page

_EMPHASIS = "extended"


def enlarged(points: np.ndarray, count: int, file: Path) -> None:
    """Write `count` points like these."""
    random = np.random.default_rng(0)
    near, _ = neighbour_lists(points, np.arange(len(points)), 5)
    out = np.lib.format.open_memmap(file, "w+", np.float32, (count, points.shape[1]))
    for start in range(0, count, 4096):
        size = min(4096, count - start)
        row = random.integers(len(points), size=size)
        other = near[row, random.integers(5, size=size)]
        share = random.random((size, 1), dtype=np.float32)
        out[start : start + size] = points[row] + share * (points[other] - points[row])
    out.flush()


def measure(file: Path) -> None:
    """Map points and print a line."""
    before = peak_megabytes()
    points = np.load(file, mmap_mode="r")
    projection = Projection(FeatureSpace({}), (MemoryPart.of(points),))
    started, busy = time.perf_counter(), time.process_time()
    laid_out = map_of(projection)
    seconds = f"{time.perf_counter() - started:.1f} s ({time.process_time() - busy:.1f} of CPU)"
    trust = f"trustworthiness {laid_out.trust:.3f} (PCA {laid_out.principal_trust:.3f})"
    memory = f"{peak_megabytes() - before:,.0f} MB above {before:,.0f}"
    kept = f"points {points.nbytes / 1e6:,.0f} MB"
    print(f"{len(points):>9,} images: {trust}, {seconds}, {memory}, {kept}", flush=True)


def peak_megabytes() -> float:
    """The most memory that this process has had (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


def by_size(photos: imgbatch.Collection, sizes: list[int]) -> None:
    """A process for each size."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            file = Path(folder) / f"{size}.npy"
            if size == len(photos):
                np.save(file, np.asarray(photos.points))
            else:
                enlarged(np.asarray(photos.points), size, file)
            subprocess.run([sys.executable, __file__, "--points", file], check=True)
            file.unlink()


def page(photos: imgbatch.Collection, count: int) -> None:
    """Write a page of so many images, open it, zoom in."""
    from playwright.sync_api import sync_playwright

    shown = photos.map()
    rows = np.arange(count) % len(photos)
    random = np.random.default_rng(0)
    moved = shown.positions[rows] + random.normal(0, 0.01, (count, 2)).astype(np.float32)
    shown = replace(
        shown,
        files=[shown.files[row] for row in rows],
        names=[f"{row // len(photos)}/{shown.names[row % len(photos)]}" for row in range(count)],
        labels=[shown.labels[row] for row in rows],
        positions=moved.clip(0, 1),
        groups=shown.groups[rows],
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        started = time.perf_counter()
        written = write_page(map_page(shown, photos.config), Path(folder) / "m.html", photos.config)
        seconds = time.perf_counter() - started
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 1000})
        started = time.perf_counter()
        tab.goto(written.path.as_uri())
        canvas = tab.locator(".field > canvas")
        tab.wait_for_function("document.querySelector('.field > canvas').dataset.frame")
        opened = time.perf_counter() - started
        box = canvas.bounding_box() or {}
        frames = [float(canvas.get_attribute("data-frame") or "nan")]
        tab.evaluate("document.querySelector('.field').scrollIntoView()")
        tab.mouse.move(box["x"] + box["width"] / 2, 400)
        for _ in range(30):
            tab.mouse.wheel(0, -60)
            tab.wait_for_timeout(80)
            frames.append(float(canvas.get_attribute("data-frame") or "nan"))
        pictures = canvas.get_attribute("data-pictures")
        browser.close()
    print(
        f"{count:,} images: {written.size_bytes / 1e6:.1f} MB, written in {seconds:.0f} s, first "
        f"drawn after {opened:.1f} s; a frame: first {frames[0]:.1f} ms, median of 30 "
        f"{statistics.median(frames[1:]):.1f} ms, most {max(frames):.1f} ms, at the end with "
        f"{pictures} pictures"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--sizes", type=int, nargs="+", default=[])
    parser.add_argument("--page", type=int)
    parser.add_argument("--index")
    parser.add_argument("--points", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.points:
        measure(options.points)
        return
    photos = imgbatch.load(options.folder, emphasis=_EMPHASIS, index=options.index)
    if options.page:
        page(photos, options.page)
    else:
        by_size(photos, options.sizes or [len(photos)])


if __name__ == "__main__":
    main()
