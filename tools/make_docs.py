"""Renew what the documentation shows of the program.

Usage: python tools/make_docs.py [--check | PAGE ...]

``docs/COMMANDS.md`` holds the help of every command. Blocks below ``<!-- run -->`` in README.md and
docs/ hold commands with their output. The commands of a page are run one after the other in a
folder with a copy of ``samples``. ``<!-- run: 12 lines -->`` keeps the first lines of each output.
The notebook is run, too (extra ``docs``).

PAGE, such as docs/PICK.md, renews this one alone. With ``--check`` nothing is written or run; the
exit status says whether the help texts are up to date. Outputs are not compared: they hold figures
that differ between versions of NumPy or OpenCV.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, run

from typer import Context
from typer.main import get_command

from imgbatch.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "docs" / "COMMANDS.md"
NOTEBOOK = ROOT / "docs" / "from_folder_to_batches.ipynb"
WORK, SHOWN_AS = Path("/tmp/imgbatch"), "/home/someone"  # noqa: S108 - see below
"""The folder in which commands run, always the same as names of indexes hold it; what outputs show
in its place, which is as long, so that tables stay straight."""
_INTRODUCTION = """# Commands

Every command with its options, as `--help` prints them. `make docs` writes this page.

"""
_RUN = re.compile(
    r"(?P<head><!-- run(?:: (?P<lines>\d+) lines)? -->\n```console\n)(?P<body>.*?)(?P<tail>```\n)",
    re.DOTALL,
)
_HELP_COLUMNS = 78
_OUTPUT_COLUMNS = 100


def commands_page() -> str:
    """The help of every command, in the groups of ``imgbatch --help``."""
    root = get_command(app)
    context = Context(root, info_name="imgbatch", **root.context_settings)
    groups: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        below = Context(command, parent=context, info_name=name)
        pieces = groups.setdefault(command.rich_help_panel, [])
        pieces.append(f"### imgbatch {name}\n\n{_block(below)}")
        for word, inner in getattr(command, "commands", {}).items():
            innermost = Context(inner, parent=below, info_name=word)
            pieces.append(f"#### imgbatch {name} {word}\n\n{_block(innermost)}")
    parts = [_INTRODUCTION + _block(context)]
    for group, pieces in groups.items():
        parts += [f"## {group}\n", *pieces]
    return "\n".join(parts)


def _block(context: Context) -> str:
    """The help of a command as a fenced block."""
    context.terminal_width = _HELP_COLUMNS
    lines = context.get_help().strip("\n").splitlines()
    return "```text\n" + "".join(f"{line.rstrip()}\n" for line in lines) + "```\n"


@contextmanager
def _in_work_folder() -> Iterator[None]:
    """The folder in which commands run, with a copy of the samples."""
    WORK.mkdir()
    try:
        shutil.copytree(ROOT / "samples", WORK / "samples", ignore=shutil.ignore_patterns("*.md"))
        yield
    finally:
        shutil.rmtree(WORK)


def with_outputs(page: str) -> str:
    """A page with the present output of the commands in each block to be run."""
    if not _RUN.search(page):
        return page
    with _in_work_folder():
        return _RUN.sub(_renewed, page)


def notebook_with_outputs() -> str:
    """The notebook with the present outputs of its cells."""
    with _in_work_folder():
        copy = WORK / "docs" / NOTEBOOK.name
        copy.parent.mkdir()
        shutil.copy(NOTEBOOK, copy)
        execute = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
        run([sys.executable, "-m", *execute, copy], env=_environment(), check=True)  # noqa: S603
        cells = json.loads(copy.read_text(encoding="utf-8").replace(str(WORK), SHOWN_AS))
    for cell in cells["cells"]:
        cell["metadata"] = {}  # the times of the run
    return json.dumps(cells, indent=1, ensure_ascii=False) + "\n"


def _renewed(block: re.Match[str]) -> str:
    """A block with the present output of its commands."""
    kept = int(block["lines"]) if block["lines"] else None
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)", block["body"], re.MULTILINE)
    pieces = [f"$ {command}\n{_output(command, kept)}" for command in commands]
    return block["head"] + "\n".join(pieces) + block["tail"]


def _output(command: str, kept: int | None) -> str:
    """What a shell prints for a command, at most `kept` lines of it."""
    script = f'imgbatch() {{ "{sys.executable}" -m imgbatch "$@"; }}\n{command}'
    finished = run(  # noqa: S603 - commands of our own pages
        ["bash", "-c", script],  # noqa: S607 - any bash will do
        cwd=WORK,
        env=_environment(),
        stdout=PIPE,
        stderr=STDOUT,
        encoding="utf-8",
        check=False,
    )
    if finished.returncode:
        sys.exit(f"a command of the documentation failed: {command}\n{finished.stdout}")
    text = finished.stdout.replace(str(WORK), SHOWN_AS)
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    if kept is not None and len(lines) > kept:
        lines = [*lines[:kept], "  ..."]
    return "".join(f"{line}\n" for line in lines)


def _environment() -> dict[str, str]:
    """The variables of what runs in the work folder: none that says where things of a user lie."""
    personal = ("IMGBATCH_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(personal)}
    return kept | {
        "COLUMNS": str(_OUTPUT_COLUMNS),
        "NO_COLOR": "1",
        "HOME": str(WORK),
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }


def main() -> int:
    """Renew the pages, or compare the help with ``--check``; return the exit status."""
    if "--check" in sys.argv:
        same = COMMANDS.read_text(encoding="utf-8") == commands_page()
        print("up to date" if same else "docs/COMMANDS.md is out of date: run `make docs`")
        return int(not same)
    COMMANDS.write_text(commands_page(), encoding="utf-8")
    given = [Path(name).resolve() for name in sys.argv[1:]]
    for page in given or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), NOTEBOOK]:
        if page == NOTEBOOK:
            new = notebook_with_outputs()
        else:
            new = with_outputs(page.read_text(encoding="utf-8"))
        page.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
