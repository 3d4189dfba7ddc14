"""What part `cache` asks of a folder, and which of it reads a kind of file that is kept.

The folder has copies, captions and metadata, so that every command leaves its files beside the
index. What the local page keeps is read as its server reads it.
"""

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from campaign.folders import copy_pictures, dated_back, write_unreadable

_PICK = ("-n", 5, "--seed", 5, "--json", "--no-sheet")
_FAST = ("--emphasis", "color", "--json")
"""Fewer descriptors than what such commands take without it."""
_TEXTS, _COPIES = 40, 3
VOCABULARY = "learned-tags.toml"
_BASKET = ("sea/1.jpg", "sea/caf\udce9.jpg", "2.jpg")
_LEARNED = '[tags.taught]\nexamples = {label = "balloons"}\n'


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: the command's words around the folder, or a task of this package.

    Attributes
    ----------
    before, after
        Words before and after the folder.
    task
        Asked instead of a command: a function, ``module:function``, which takes the folder.
    """

    before: tuple[object, ...] = ()
    after: tuple[object, ...] = ()
    task: str = ""


ASKS = {
    "similar": Ask(("similar",), _PICK),
    "different": Ask(("different",), _PICK),
    "overview": Ask(("overview",), ("--blur", *_FAST)),
    "tags": Ask(("tags",), ("--vocabulary", VOCABULARY, "--json")),
    "duplicates": Ask(("duplicates",), ("--json",)),
    "map": Ask(("map",), ("--no-sheet", *_FAST)),
    "search": Ask(("search",), ("clocks", *_FAST)),
    "caption": Ask(("caption",), _FAST),
    "next": Ask(("label", "next"), ("-n", 3, *_FAST)),
    "page": Ask(task="campaign.asked:page"),
}
PLAIN = ("similar", "different")
"""Asked of every index, those in shards, too."""
_READ_BY = {
    "copies": ("duplicates", "overview"),
    "decoders": ("page",),
    "maps": ("map",),
    "metadata": ("next", "tags", "search"),
    "pages": ("page",),
    "sharpness": ("overview", "tags", "duplicates"),
    "tags": ("tags", "overview"),
    "words": ("search", "caption"),
}
"""By the room of a file (see `rot.room_of`); what is in no room here, all pictures depend on."""
_GROWN = frozenset({*PLAIN, "duplicates", "overview"})
"""Asked again once an image is added; of the others all is made anew then."""


def asks_for(room: str, random: Random) -> list[tuple[str, bool]]:
    """What to ask after a file of a room was damaged, and whether an image is added before.

    What is asked twice shows what the first answer has left behind.
    """
    names = random.sample(_READ_BY.get(room, PLAIN), min(2, len(_READ_BY.get(room, PLAIN))))
    grown = [name for name in names if name in _GROWN]
    again = [(names[0], False)] if not grown else []
    return [*((name, False) for name in names), *again, *((name, True) for name in grown)]


def make_folder(folder: Path, count: int) -> list[Path]:
    """Pictures with copies, captions, metadata and a file that is no picture."""
    made = copy_pictures(folder, count)
    write_unreadable(folder)
    for number, picture in enumerate(made[:_COPIES]):
        shutil.copy2(picture, picture.with_name(f"copy-{number}{picture.suffix}"))
    names = [picture.relative_to(folder).as_posix() for picture in made]
    texts = [[name, f"{Path(name).parent} in picture {number}"]
             for number, name in enumerate(names[:_TEXTS])]  # fmt: skip
    labels = [[name, Path(name).parent.name, "odd;seen" if number % 2 else "even"]
              for number, name in enumerate(names[: len(names) * 2 // 3])]  # fmt: skip
    _write_table(folder / "captions.csv", ["file_name", "text"], texts)
    _write_table(folder / "metadata.csv", ["file_name", "label", "tags"], labels)
    folder.with_name(VOCABULARY).write_text(_LEARNED, encoding="utf-8")
    return made


def _write_table(file: Path, heading: list[str], rows: list[list[str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([heading, *rows])
    dated_back(file)


# ----- in the process that reads ------------------------------------------------------------------


def page(folder: str) -> None:
    """Print what the local page has of a folder: small pictures, the basket, a picture of a point.

    An empty basket is filled, as a person does who begins.
    """
    import hashlib

    import imgbatch
    from imgbatch.web.basket import Basket
    from imgbatch.web.thumbnails import Thumbnails, version_of
    from imgbatch.web.turns import Turns

    photos = imgbatch.load(folder)
    directory = photos.index_directory
    basket = Basket(directory / "basket.json", Turns(directory / "turns.sqlite"))
    if not (directory / "basket.json").exists():
        basket.add(_BASKET)
    small = Thumbnails(directory / "thumbnails.sqlite", photos.config)
    digests = [hashlib.sha256(small.get(path, version_of(path))[0]).hexdigest()
               for path in photos.paths[:12]]  # fmt: skip
    drawn = photos.picture_of(photos.points[0])
    told: dict[str, Any] = {
        "small": digests,
        "basket": basket.paths,
        "point": hashlib.sha256(drawn.tobytes()).hexdigest(),
        "notes": [*photos.notes, *basket.notes],
    }
    print(json.dumps(told))
