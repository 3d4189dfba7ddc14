"""Tell the story of docs/LABELS.md anew: a folder from no label to checked ones.

Usage: python benchmarks/label_story.py FOLDER [--seed 1] [--wrong 5]

FOLDER holds images in class folders, such as Corel-1K. They are copied in random order under names
that say nothing. Then every `imgbatch label` command of the page is run in its order, and its
output takes the place of the old one. Between commands this script does what the person of the
story does: it fills the empty labels from the class folders, some of the third round wrong on
purpose, and corrects those that `label check` doubts. Tables of images are cut after six rows.
Lines that begin with STORY tell what nobody but the maker of the story can know.
"""

import argparse
import csv
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "LABELS.md"
_BLOCK = re.compile(r"(```console\n\$ (imgbatch label [^\n]*)\n)(.*?)(```\n)", re.DOTALL)
_SHOWN_ROWS = 6
_COLUMNS = "140"


class Story:
    """The folder of the story, and the person who labels it."""

    def __init__(self, work: Path, folder: Path, seed: int, wrong: int) -> None:
        self.work, self.wrong = work, wrong
        self.random = random.Random(seed)
        images = sorted(path for path in folder.glob("*/*") if path.is_file())
        self.random.shuffle(images)
        self.truth: dict[str, str] = {}
        (work / "photos").mkdir()
        for number, path in enumerate(images):
            name = f"img{number:04}{path.suffix.lower()}"
            shutil.copyfile(path, work / "photos" / name)
            self.truth[name] = path.parent.name
        self.misled: set[str] = set()

    def renewed(self, block: re.Match[str]) -> str:
        """A block of the page with the present output of its command."""
        out = self._output(block[2])
        for name in re.findall(r"-o (\S+\.csv)", block[2]):
            self._fill(self.work / name)
        return block[1] + out + block[4]

    def _output(self, command: str) -> str:
        own = {"COLUMNS": _COLUMNS, "NO_COLOR": "1", "IMGBATCH_CACHE_DIR": str(self.work / "index")}
        ended = subprocess.run(
            [sys.executable, "-m", *command.split()], cwd=self.work, text=True, check=False,
            env=os.environ | own | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if ended.returncode:
            sys.exit(f"{command}\n{ended.stdout}")
        print(ended.stdout, flush=True)
        # A title is broken before a long name.
        text = re.sub(rf"[ \n]+{self.work}/photos *\n", " photos\n", ended.stdout)
        lines = [line.rstrip() for line in text.replace(f"{self.work}/", "").splitlines()]
        return "".join(f"{line}\n" for line in _cut(lines) if not line.startswith("note: metadata"))

    def _fill(self, file: Path) -> None:
        """Write what the person knows into the empty labels of a table that asks for some."""
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        if file.name == "doubts.csv":
            found = self.misled & {row["file_name"] for row in rows}
            print(f"STORY: {len(found)} of {len(self.misled)} wrong labels are doubted\n")
            file = file.with_name("corrections.csv")
        elif file.name == "labels.csv":
            labelled = [row for row in rows if row["label"]]
            right = sum(row["label"] == self.truth[row["file_name"]] for row in labelled)
            print(f"STORY: {right} of {len(labelled)} labels are right\n")
            return
        elif file.name == "split.csv":
            return
        for row in rows:
            row["label"] = self.truth[row["file_name"]]
        if file.name == "round3.csv":
            for row in self.random.sample(rows, self.wrong):
                others = sorted({*self.truth.values()} - {row["label"]})
                row["label"] = self.random.choice(others)
                self.misled.add(row["file_name"])
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _cut(lines: list[str]) -> list[str]:
    """Lines of an output, of a table of images the first rows."""
    rows = [number for number, line in enumerate(lines) if re.match(r"│ +\d+ │ img", line)]
    if len(rows) <= _SHOWN_ROWS:
        return lines
    return [*lines[: rows[_SHOWN_ROWS]], "  ...", *lines[rows[-1] + 1 :]]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", type=int, default=5, help="labels that are wrong on purpose")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        story = Story(Path(name), given.folder, given.seed, given.wrong)
        page = _BLOCK.sub(story.renewed, PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
