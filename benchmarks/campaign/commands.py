"""The commands that are killed and interrupted: a table."""

from dataclasses import dataclass

MODEL = "GIVEN/model.npz"
"""Made by a command when it is first asked for."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A command, with ``PHOTOS``, ``IMAGE``, ``OTHER``, ``GIVEN/...`` and ``OUT/...`` for places.

    Attributes
    ----------
    output
        Its output's name in ``OUT``; empty if it has none. A name without a dot is a folder that
        the command completes, one that ends with ``/`` a folder that it replaces.
    answers
        Whether it prints a document that depends on the folder alone.
    needs_index
        Whether it does nothing without an index.
    left_to_do
        The figure of its document that says how much of its work was left to do. It depends on what
        was done before, and must be 0 when all is done.
    """

    name: str
    arguments: str
    output: str = ""
    answers: bool = True
    needs_index: bool = False
    left_to_do: str = ""


_PICK = "PHOTOS -n 5 --seed 5 --json"
_TEXTS = "--metadata GIVEN/captions.csv"
CHECK = Deed("check", f"different {_PICK} --no-sheet")
"""What must be answered alike whatever happened to the index."""


def _writing(command: str, output: str, option: str = "-o") -> Deed:
    """A deed that is known by its command's first words and its output."""
    words = command.split()
    name = " ".join(words[: 2 if words[0] == "label" else 1])
    return Deed(f"{name} {output}", f"{command} --json {option} OUT/{output}", output)


WRITERS = (
    Deed("index", "index PHOTOS --json"),
    Deed("similar", f"similar {_PICK} -o OUT/sheet.png", "sheet.png"),
    Deed(
        "copies", "similar PHOTOS -n 20 --seed 5 --json --no-sheet --copy-to OUT/picked", "picked"
    ),
    *(
        Deed(f"plan {name}", f"batches PHOTOS --batch-size 6 --seed 5 --json -o OUT/{name}", name)
        for name in ("plan.jsonl", "plan.csv", "plan.parquet", "plan/")
    ),
    *(
        Deed(f"export {name}", f"export PHOTOS --json --to OUT/{name}", name)
        for name in ("points.npz", "points.csv", "points.parquet")
    ),
    Deed("tune", "tune GIVEN/few --trials 2 --enabled-only --json -o OUT/tuned.toml", "tuned.toml"),
    Deed("clean", "cache clean PHOTOS", answers=False, needs_index=True),
    _writing("duplicates PHOTOS", "twice.csv"),
    _writing("duplicates PHOTOS", "twice.html"),
    _writing("tags PHOTOS", "tags.csv"),
    _writing("tags PHOTOS", "tags.html"),
    _writing("overview PHOTOS", "overview.html"),
    _writing("overview PHOTOS --blur", "problems.csv"),
    _writing("map PHOTOS", "map.html"),
    _writing("map PHOTOS --color cluster", "map.csv"),
    _writing("label next PHOTOS --metadata GIVEN/labels.csv", "next.csv"),
    _writing("label train PHOTOS", "model.npz"),
    _writing("label check PHOTOS", "doubts.html"),
    _writing(f"label apply {MODEL} PHOTOS", "applied.csv"),
    _writing(f"label apply {MODEL} PHOTOS", "sorted", "--copy-to"),
    _writing("label split PHOTOS", "parts.csv"),
    _writing(f"search PHOTOS red {_TEXTS}", "found.csv"),
    _writing(f"search PHOTOS red --only unknown {_TEXTS}", "unknown.html"),
    _writing(f"caption PHOTOS {_TEXTS}", "captions.csv"),
    _writing(f"evaluate PHOTOS --sets 2 -n 3 {_TEXTS}", "report.html", "--report"),
    _writing("explain IMAGE OTHER --folder PHOTOS", "pair.html"),
    _writing("similar PHOTOS -n 5 --seed 5", "set.html"),
    _writing("different PHOTOS -n 5 --seed 5", "set.csv"),
    _writing("batches PHOTOS --batch-size 6 --seed 5", "batches.html", "--report"),
    Deed("learn", "tune GIVEN/few --trials 1 --enabled-only --learn --json -o OUT/learned.toml",
         "learned.toml"),
    *(
        Deed(f"prepare {name}",
             f"prepare GIVEN/table.csv --images PHOTOS --to OUT/{name} --json{size}", name,
             left_to_do="made")
        for name, size in (("copied", ""), ("resized", " --size 64x48"))
    ),
    Deed("index on a cluster", "index PHOTOS --json --cluster local"),
    Deed("similar on a cluster", f"similar {_PICK} --cluster local -o OUT/set.csv", "set.csv"),
)  # fmt: skip
OTHERS = (
    Deed("different", f"different {_PICK} -o OUT/sheet.jpg", "sheet.jpg"),
    Deed("explain", "explain IMAGE OTHER --folder PHOTOS --json -o OUT/pair.png", "pair.png"),
    Deed("evaluate", "evaluate PHOTOS --sets 2 -n 3 --json"),
    Deed("preview", "batches PHOTOS --batch-size 6 --seed 5 --json --preview 2"),
    Deed("config", "config --json"),
    Deed("cache list", "cache list --json", answers=False),
    Deed("cache dir", "cache dir", answers=False),
)
