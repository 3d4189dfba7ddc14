"""Draw the screens of `imgbatch browse` for the docs, from samples/: python tools/make_screens.py.

Needs Chromium and the extras `browse`, `text` and `test`. With `--all DIR` every screen is drawn at
1280 and 390 pixels, light and dark, to be looked at.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SHOWN = {
    "similar": "/similar?n=10&seed=4",
    "map": "/map",
    "duplicates": "/duplicates?level=scene",
    "label": "/label",
}
"""Screens of the docs, with addresses that give the same each time."""
MORE = {
    "images": "/images?sort=path",
    "different": "/different?n=10&seed=4",
    "search": "/search?q=sunset",
    "batches": "/batches?size=8&seed=1",
    "overview": "/overview",
    "evaluate": "/evaluate",
    "check": "/check",
    "basket": "/basket",
    "explain": "/explain",
    "error": "/nothing",
}


def drawn(browser: Browser, url: str, path: str, width: int, scheme: str) -> Page:
    """A tab that shows a screen, complete."""
    height = 860 if width > 500 else 844
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1,
    )
    tab = context.new_page()
    tab.goto(url)
    tab.goto(url.partition("/?")[0] + path)
    tab.wait_for_selector("main:not(:has(progress))", timeout=120_000)
    tab.wait_for_load_state("networkidle")
    return tab


def save(picture: bytes, file: Path) -> None:
    """A screenshot as a small JPEG."""
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").save(file, quality=82, optimize=True)


@contextlib.contextmanager
def page_of(*more: str) -> Iterator[str]:
    """The address of a page of samples/, with an index and labels of its own."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "imgbatch", "browse", str(ROOT / "samples"), "--no-open"]
        command += ["--index", directory, "--save", f"{directory}/labels.csv", *more]
        with subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as server:
            try:
                yield (server.stdout.readline() if server.stdout else b"").decode().strip()
            finally:
                server.kill()


def few_labels(file: Path) -> str:
    """A table with labels of some of the samples, as after the first minutes of labelling."""
    kinds = sorted(path for path in (ROOT / "samples").iterdir() if path.is_dir())[:6]
    rows = [
        f"{kind.name}/{path.name},{kind.name}"
        for kind in kinds
        for path in sorted(kind.iterdir())[:4]
    ]
    file.write_text("\n".join(["file_name,label", *rows, ""]))
    return str(file)


def main() -> None:
    """Start the pages, draw their screens."""
    everything = Path(sys.argv[2]) if sys.argv[1:2] == ["--all"] else None
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        labels = few_labels(Path(directory) / "labels.csv")
        with page_of() as url, page_of("--metadata", labels) as labelled:
            screens = SHOWN if everything is None else {**SHOWN, **MORE}
            for name, path in screens.items():
                of = labelled if name == "label" else url
                if everything is None:
                    tab = drawn(browser, of, path, 1280, "light")
                    save(tab.screenshot(), PICTURES / f"browse-{name}.jpg")
                else:
                    draw_all(browser, of, path, everything / name)


def draw_all(browser: Browser, url: str, path: str, file: Path) -> None:
    """A screen in both widths and schemes, whole pages."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            tab = drawn(browser, url, path, width, scheme)
            tab.screenshot(path=f"{file}-{width}-{scheme}.png", full_page=True)
            tab.context.close()


if __name__ == "__main__":
    main()
