"""Draw the screens of `imgbatch browse` for the docs, from samples/: python tools/make_screens.py.

Needs Chromium and the extras `browse`, `text` and `test`. With `--all DIR` every screen is drawn at
1280 and 390 pixels, light and dark, to be looked at.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SHOWN = {
    "similar": "/similar?n=10&seed=4",
    "images": "/images?sort=path",
    "map": "/map",
    "duplicates": "/duplicates?level=scene",
    "label": "/label",
}
"""Screens of the docs, with addresses that give the same each time."""
MORE = {
    "different": "/different?n=10&seed=4",
    "search": "/search?q=sunset",
    "batches": "/batches?size=8&seed=1",
    "overview": "/overview",
    "evaluate": "/evaluate",
    "check": "/check",
    "basket": "/basket",
    "explain": "/explain",
    "tags": "/tags",
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


def main() -> None:
    """Start the page of samples/, draw its screens."""
    everything = Path(sys.argv[2]) if sys.argv[1:2] == ["--all"] else None
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        command = [sys.executable, "-m", "imgbatch", "browse", "samples", "--no-open"]
        command += ["--index", directory, "--save", f"{directory}/labels.csv"]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as server:
            url = (server.stdout.readline() if server.stdout else b"").decode().strip()
            try:
                if everything is None:
                    PICTURES.mkdir(exist_ok=True)
                    for name, path in SHOWN.items():
                        tab = drawn(browser, url, path, 1280, "light")
                        save(tab.screenshot(), PICTURES / f"browse-{name}.jpg")
                else:
                    draw_all(browser, url, everything)
            finally:
                server.kill()


def draw_all(browser: Browser, url: str, folder: Path) -> None:
    """Every screen in both widths and schemes, whole pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in {**SHOWN, **MORE}.items():
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                tab = drawn(browser, url, path, width, scheme)
                tab.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                tab.context.close()


if __name__ == "__main__":
    main()
