"""Renew the help texts in README.md: python tools/make_docs.py [--check].

With ``--check`` nothing is written; the exit status says whether the texts are up to date.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- help: (?P<command>.*?) -->\n```\n)(?P<text>.*?)(```\n)", re.DOTALL)


def help_text(command: str) -> str:
    """The output of ``COMMAND --help`` on a terminal of 88 columns."""
    environment = {
        **os.environ,
        "COLUMNS": "88",
        "TERMINAL_WIDTH": "88",
        "NO_COLOR": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    arguments = [sys.executable, "-m", *command.split(), "--help"]
    finished = subprocess.run(  # noqa: S603 - our own command
        arguments, env=environment, capture_output=True, check=True, encoding="utf-8"
    )
    return "\n".join(line.rstrip() for line in finished.stdout.strip("\n").splitlines()) + "\n"


def renewed(readme: str) -> str:
    """The README with the present output of the program in each help block."""
    return _BLOCK.sub(lambda m: m[1] + help_text(m["command"]) + m[4], readme)


def main() -> int:
    """Write the README, or compare it with ``--check``; return the exit status."""
    before = README.read_text(encoding="utf-8")
    after = renewed(before)
    if "--check" in sys.argv:
        print("up to date" if before == after else "out of date: run `make docs`")
        return int(before != after)
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
