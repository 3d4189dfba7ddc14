"""Names that are hard to write and to read: what is written of images finds exactly these again."""

import csv
import os
from pathlib import Path

import pytest

from tests.drawing import write_photos

NAMES = (
    "a.jpg", " a.jpg", "b\rc.jpg", "b\nc.jpg", "A.JPG", "caf\u00e9.jpg", "cafe\u0301.jpg",
    '"q",;.jpg', "=1+1.jpg", "\udcff.jpg", "\u202egpj.jpg", "-n.jpg",
)  # fmt: skip


@pytest.fixture
def odd(tmp_path):
    """Twelve photos under such names, by their old ones."""
    folder = tmp_path / "odd"
    for name, old in zip(NAMES, write_photos(folder, len(NAMES)), strict=True):
        os.rename(folder / old, folder / name)
    return folder


def rows_of(file):
    with Path(file).open(encoding="utf-8", errors="surrogateescape", newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize("command", ["tags", "map", "similar -n 12 --keep-duplicates"])
def test_rows_name_exactly_the_images_they_are_about(cli, odd, tmp_path, command):
    name, *options = command.split()
    assert cli(name, odd, *options, "-o", tmp_path / "rows.csv").code == 0
    rows = rows_of(tmp_path / "rows.csv")
    column = "file_name" if name == "tags" else "path"
    assert sorted(row[column] for row in rows) == sorted(NAMES)


def test_what_tags_writes_is_read_as_metadata_of_the_same_images(cli, odd, tmp_path):
    assert cli("tags", odd, "-o", tmp_path / "tags.csv").code == 0
    answer = cli("different", odd, "-n", 12, "--metadata", tmp_path / "tags.csv", "--trust-predicted",
                 "--keep-duplicates", "--json", "--no-sheet")  # fmt: skip
    assert answer.code == 0
    rows = rows_of(tmp_path / "tags.csv")
    written = {row["file_name"]: set(row["tags"].split(";")) for row in rows}
    given = {image["relative"]: set(image["tags"]) for image in answer.json["images"]}
    assert given == written
