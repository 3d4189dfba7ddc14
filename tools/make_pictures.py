"""Make the pictures of README.md and docs/ from samples/: python tools/make_pictures.py [NAME ...].

Each picture is what a command of imgbatch draws, made small: a sheet, a page in Chromium, or a
terminal. NAME, such as ``map``, makes one of them alone. Needs Chromium on the PATH and the
extra ``test``; a terminal needs Linux or macOS.
"""

import io
import os
import pty
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
_IMGBATCH = [sys.executable, "-m", "imgbatch"]
SHOWN_AS = "/home/someone"
"""What stands in a terminal in place of the temporary folder."""
_COLUMNS = 100
_ERASED = "\x1b[2K"
"""How a terminal is told to erase a line; the progress bar ends so."""
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Surroundings:
    """A folder with a copy of the samples, and the variables of the commands that run in it."""

    work: Path
    variables: dict[str, str]

    def command(self, line: str) -> None:
        """Run a line of imgbatch."""
        arguments = [*_IMGBATCH, *line.split()]
        run(arguments, cwd=self.work, env=self.variables, check=True, capture_output=True)  # noqa: S603


def sheet(line: str, file: str = "drawn.jpg") -> Callable[[Surroundings], Image.Image]:
    """The picture that a command writes to `file`."""

    def draw(surroundings: Surroundings) -> Image.Image:
        surroundings.command(line)
        (path,) = surroundings.work.glob(file)
        return Image.open(path).convert("RGB")

    return draw


def page(line: str, height: int) -> Callable[[Surroundings], Image.Image]:
    """The top of the page that a command writes to drawn.html, 1,200 pixels wide."""

    def draw(surroundings: Surroundings) -> Image.Image:
        surroundings.command(line)
        return _seen_in_browser(surroundings.work / "drawn.html", height)

    return draw


def terminal(line: str, height: int) -> Callable[[Surroundings], Image.Image]:
    """The top of what a command prints on a terminal with colours."""

    def draw(surroundings: Surroundings) -> Image.Image:
        surroundings.command("index samples")
        printed = _on_terminal(surroundings, line).rpartition(_ERASED)[2].replace("\r\n", "\n")
        printed = printed.replace(str(surroundings.work), SHOWN_AS)
        console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(Text.from_ansi(f"$ imgbatch {line}\n{printed}"))
        html = surroundings.work / "drawn.html"
        style = "<style>body {margin: 24px; font-size: 17px} a {color: inherit}</style>"
        text = console.export_html(theme=MONOKAI, inline_styles=True)
        html.write_text(text.replace("</head>", f"{style}</head>"), encoding="utf-8")
        return _seen_in_browser(html, height)

    return draw


_TWO = ("samples/sunsets/sunsets-01.jpg", "samples/coffee/coffee-01.jpg")
PICTURES_MADE: dict[str, tuple[int, Callable[[Surroundings], Image.Image]]] = {
    "similar": (720, sheet("similar samples -n 12 --seed 7 -o drawn.jpg")),
    "different": (720, sheet("different samples -n 12 --seed 7 -o drawn.jpg")),
    "map": (760, sheet("map samples -o drawn.jpg")),
    "explain": (800, sheet(f"explain {' '.join(_TWO)} --folder samples -o drawn.jpg")),
    "batches": (800, sheet(
        "batches samples --batch-size 10 --seed 7 --preview 3", "imgbatch-out/*.jpg"
    )),
    "tags": (800, sheet("tags samples --rank blue -o drawn.jpg")),
    "overview": (800, page("overview samples -o drawn.html", 1400)),
    "duplicates": (800, page("duplicates samples -o drawn.html", 760)),
    "terminal": (800, terminal("similar samples --seed 7 -n 3 --show --no-sheet", 540)),
}  # fmt: skip
"""The width of each picture in pixels, and how it is drawn."""


def _on_terminal(surroundings: Surroundings, line: str) -> str:
    """All that a command writes to a terminal of its own."""
    child, terminal_file = pty.fork()
    if child == 0:
        os.chdir(surroundings.work)
        colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(_COLUMNS)}
        os.execve(sys.executable, [*_IMGBATCH, *line.split()], surroundings.variables | colours)  # noqa: S606
    pieces = list(_read_to_end(terminal_file))
    os.waitpid(child, 0)
    return b"".join(pieces).decode()


def _read_to_end(terminal_file: int) -> Iterator[bytes]:
    """The pieces that can be read; Linux ends a closed terminal by an error."""
    try:
        while piece := os.read(terminal_file, 65_536):
            yield piece
    except OSError:
        return


def _seen_in_browser(html: Path, height: int) -> Image.Image:
    """The top of a page in light Chromium."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, _CHROMIUM)))
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        view = browser.new_page(viewport={"width": 1200, "height": height}, color_scheme="light")
        view.goto(html.as_uri())
        shot = view.screenshot()
        browser.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


@contextmanager
def _surroundings() -> Iterator[Surroundings]:
    """A folder for one run, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(
            ROOT / "samples", f"{folder}/samples", ignore=shutil.ignore_patterns("*.md")
        )
        hidden = ("NO_COLOR", "COLUMNS")
        variables = {name: value for name, value in os.environ.items() if name not in hidden}
        yield Surroundings(Path(folder), variables | {"HOME": folder, "PYTHONPATH": str(ROOT)})


def main() -> None:
    """Make the pictures that are named, or all."""
    PICTURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PICTURES_MADE:
        width, draw = PICTURES_MADE[name]
        with _surroundings() as surroundings:
            picture = draw(surroundings)
        picture.thumbnail((width, picture.height))
        target = PICTURES / f"{name}.jpg"
        picture.save(target, quality=82, optimize=True, progressive=True)
        print(f"{target.relative_to(ROOT)}, {target.stat().st_size // 1000} kB, {picture.size}")


if __name__ == "__main__":
    main()
