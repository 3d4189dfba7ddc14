"""`imgbatch browse` in Chromium: milliseconds of clicks, and memory.

Usage: python benchmarks/browse.py FOLDER [--sizes 1000 100000 1000000] [--clicks 15] [--hours 0]

FOLDER is a folder of images to take descriptors and pictures from, see `synthetic.py`. A synthetic
folder holds links to its pictures, and texts of a few words, so that all screens have what they
need. The page is opened as a user would: the command is started, its first line is opened. Times
are the browser's own, from when it leaves the page before until the new one can be read, and until
all pictures in view are drawn. What is learned first (words, the map) is not part of them; the map
is timed apart. With --hours, clicks go on that long and memory is reported every minute.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright
from synthetic import write_catalogue

import imgbatch

_WORDS = ["dog", "snow", "beach", "child", "red", "car", "tree", "house", "water", "sky", "bird"]
_PAGES = 15
"""That the smallest folder has, and one more."""
_DRAWN = """() => document.querySelector("footer") && !document.querySelector("main progress") &&
    document.readyState !== "loading" && [...document.images].every((one) => {
    const box = one.getBoundingClientRect();
    return box.top > innerHeight || box.bottom < 0 || one.complete;
})"""


_SPENT = """() => [
    performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd, performance.now()
]"""
"""Milliseconds since the browser left the page before, by its own clock."""


def link_files(source: imgbatch.Collection, size: int, folder: Path) -> None:
    """Links to the pictures of `source` under the names of a synthetic index."""
    for number in range(size):
        name = folder / f"{number // 1000:05}" / f"{number:08}.jpg"
        if number % 1000 == 0:
            name.parent.mkdir(parents=True)
        os.symlink(source.paths[number % len(source)], name)


def write_texts(size: int, file: Path) -> None:
    random = np.random.default_rng(0)
    drawn = random.integers(len(_WORDS), size=(size, 4))
    with file.open("w") as opened:
        opened.write("file_name,label,text\n")
        for number, words in enumerate(drawn):
            text = " ".join(_WORDS[word] for word in words)
            opened.write(f"{number // 1000:05}/{number:08}.jpg,{_WORDS[words[0]]},{text}\n")


def memory_mb(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) / 1024


Spent = tuple[float, float]
"""Seconds until a page can be read, and until all pictures in view are drawn."""


def goto(tab: Page, address: str) -> Spent:
    """Open an address; work in the background counts."""
    tab.goto(address, wait_until="domcontentloaded")
    return drawn(tab)


def drawn(tab: Page) -> Spent:
    """Wait for work in the background, whose page loads itself anew, and for pictures in view."""
    while True:
        try:
            if tab.evaluate(_DRAWN):
                shown, whole = tab.evaluate(_SPENT)
                return shown / 1000, whole / 1000
        except PlaywrightError as error:
            if "navigation" not in str(error):
                raise
        tab.wait_for_timeout(2)


def click(tab: Page, selector: str) -> Spent:
    """Click on what leads to another page."""
    with tab.expect_navigation(wait_until="domcontentloaded"):
        tab.locator(selector).first.click()
    return drawn(tab)


def measured(tab: Page, base: str, clicks: int, first: int = 0) -> dict[str, list[Spent]]:
    """Seconds of each kind of click; another `first` leads to other sets, pages and words."""
    found: dict[str, list[Spent]] = {
        name: [] for name in ("another set", "more like", "different", "next page", "search")
    }
    for number in range(first, first + clicks):
        goto(tab, f"{base}/similar?seed={number}")
        found["another set"].append(click(tab, "[data-key=n]"))
        found["more like"].append(click(tab, ".card:nth-of-type(1) a.zoom >> nth=-1"))
        found["different"].append(goto(tab, f"{base}/different?seed={number}"))
        goto(tab, f"{base}/images?page={number % _PAGES + 1}")
        found["next page"].append(click(tab, "a:text-is('Next')"))
        word, other = number % len(_WORDS), number // len(_WORDS) % len(_WORDS)
        words = f"{_WORDS[word]}+{_WORDS[other]}"
        found["search"].append(goto(tab, f"{base}/search?q={words}"))
    return found


def frames(tab: Page, base: str, clicks: int) -> tuple[float, list[float]]:
    """Seconds until the map is there, and milliseconds of its frames while it is moved."""
    started = time.perf_counter()
    goto(tab, f"{base}/map")
    first = time.perf_counter() - started
    canvas = "document.querySelector('.field > canvas')"
    while not tab.evaluate(f"!!{canvas}?.dataset.frame"):
        tab.wait_for_timeout(20)
    tab.focus(".field > canvas")
    spent = []
    for number in range(clicks):
        tab.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        tab.wait_for_timeout(60)
        spent.append(float(tab.evaluate(f"{canvas}.dataset.frame")))
    return first, spent


def report(name: str, seconds: list[Spent]) -> str:
    shown, whole = (sorted(1000 * one for one in kind) for kind in zip(*seconds, strict=True))
    middle = len(seconds) // 2
    return (
        f"{name} {shown[middle]:.0f} ms, with pictures {whole[middle]:.0f}"
        f" ({whole[0]:.0f} to {whole[-1]:.0f})"
    )


def run(source: imgbatch.Collection, size: int, clicks: int, hours: float) -> None:
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        folder, metadata = base / "images", base / "texts.csv"
        write_catalogue(source, size, str(folder), base)
        link_files(source, size, folder)
        write_texts(size, metadata)
        program = [sys.executable, "-m", "imgbatch"]
        opened = [str(folder), "--index", str(base), "--no-refresh"]
        # The first request of a folder makes its points; what is measured comes after it.
        first = [*program, "similar", *opened, "--emphasis", "extended", "--no-sheet"]
        subprocess.run(first, check=True, capture_output=True)
        command = [*program, "browse", *opened, "--no-open", "--metadata", str(metadata)]
        command += ["--save", str(base / "out.csv")]
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
            assert server.stdout
            url = server.stdout.readline().decode().strip()
            listening = time.perf_counter() - started
            try:
                in_browser(url, size, clicks, hours, listening, server.pid)
            finally:
                server.kill()


def in_browser(
    url: str, size: int, clicks: int, hours: float, listening: float, server: int
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        _, first = goto(tab, url)
        before = memory_mb(server)
        base = url.partition("/?")[0]
        lines = [report(name, spent) for name, spent in measured(tab, base, clicks).items()]
        after = memory_mb(server)
        made, spent = frames(tab, base, 2 * clicks)
        print(
            f"{size:>9,} images: address after {listening:.2f} s, first page {first:.2f} s later;"
            f" {', '.join(lines)}; map {made:.1f} s, a frame {statistics.median(spent):.1f} ms;"
            f" memory {before:.0f} MB after the first page, {after:.0f} after {5 * clicks} clicks,"
            f" {memory_mb(server):.0f} with the map",
            flush=True,
        )
        end, minute, round_number = time.monotonic() + 3600 * hours, 0, clicks
        while time.monotonic() < end:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                measured(tab, base, 1, first=round_number)
                round_number += 1
            minute += 1
            done = 5 * round_number
            print(f"  minute {minute}: {done} clicks, {memory_mb(server):.0f} MB", flush=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--clicks", type=int, default=15)
    parser.add_argument("--hours", type=float, default=0)
    arguments = parser.parse_args()
    source = imgbatch.load(arguments.folder, emphasis="extended")
    for size in arguments.sizes:
        run(source, size, arguments.clicks, arguments.hours)


if __name__ == "__main__":
    main()
