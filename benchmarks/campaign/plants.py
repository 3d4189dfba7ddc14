"""Faults that `selfcheck` plants for each part.

A plant is Python source that every process under test runs first; it replaces a function of
imgbatch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from campaign.base import Limits

_PICTURES = 8
_LIMITS = Limits(stray_seconds=5.0, command_seconds=60.0)


@dataclass(frozen=True, slots=True)
class Plant:
    """A fault.

    Attributes
    ----------
    cases
        To try.
    expected
        Cases that must fail, each with a pattern that the kind of a failure must match. All other
        cases must survive.
    source
        What processes under test run first; ``{2}`` stands for the
        digest of the mutant of case 2.
    pictures
        In a folder that commands are tried on.
    """

    part: str
    cases: Sequence[int]
    expected: dict[int, str]
    source: str
    limits: Limits = field(default=_LIMITS)
    pictures: int = _PICTURES


_NUMBERED = """
def wrap(module, name, fault):
    import importlib
    module = importlib.import_module(module)
    whole = getattr(module, name)
    def planted(first, *rest, **more):
        fault(str(first))
        return whole(first, *rest, **more)
    setattr(module, name, planted)
"""
_SECOND = """
import os
def second(name):
    # Whether a real command does this for the second time; the first time is the undisturbed run.
    if "IMGBATCH_CAMPAIGN" not in os.environ:
        return False
    with open(f"{name}-calls", "a") as file:
        file.write("x")
    return os.path.getsize(f"{name}-calls") == 2
"""
PLANTS = {
    "a decoder that raises, one that dies, one that takes memory": Plant(
        "images",
        range(1, 5),
        {2: "raises ValueError", 3: "kills its process", 4: "too much memory"},
        """
import hashlib, os, signal
from imgbatch.index import extract
whole = extract.decode
def planted(data, *rest, **more):
    digest = hashlib.sha256(data).hexdigest()
    if digest == "{2}":
        raise ValueError("planted")
    if digest == "{3}":
        os.kill(os.getpid(), signal.SIGSEGV)
    if digest == "{4}":
        bytearray(b"x") * 500_000_000
    return whole(data, *rest, **more)
extract.decode = planted
""",
    ),
    "a decoder that hangs": Plant(
        "images",
        (1, 2),
        {2: "hangs"},
        """
import hashlib, time
from imgbatch.index import extract
whole = extract.decode
def planted(data, *rest, **more):
    if hashlib.sha256(data).hexdigest() == "{2}":
        time.sleep(60)
    return whole(data, *rest, **more)
extract.decode = planted
""",
        limits=replace(_LIMITS, hang_seconds=1.5),
    ),
    "a decoder that leaves pixels unwritten": Plant(
        "images",
        range(1, 4),
        {2: "another answer the second time"},
        """
import hashlib
import numpy as np
from dataclasses import replace
from imgbatch.images.view import Decoded
from imgbatch.index import extract
whole = extract.decode
def planted(data, *rest, **more):
    if hashlib.sha256(data).hexdigest() == "{2}":
        return Decoded(np.empty((90, 120, 3), np.uint8), 120, 90)
    return whole(data, *rest, **more)
extract.decode = planted
""",
    ),
    "a config that raises, one with an error that is too long": Plant(
        "configs",
        range(1, 9),
        {4: "raises TypeError", 6: "too long"},
        _NUMBERED
        + """
def fault(path):
    from imgbatch.errors import ConfigError
    if path.endswith("000004.toml"):
        raise TypeError("planted")
    if path.endswith("000006.toml"):
        raise ConfigError("planted " * 200)
wrap("imgbatch.config", "load_config", fault)
""",
    ),
    "a plan that raises": Plant(
        "plans",
        range(1, 9),
        {3: "raises KeyError"},
        _NUMBERED
        + """
def fault(path):
    if "/000003" in path:
        raise KeyError("planted")
wrap("imgbatch.batches.plan_files", "read_plan", fault)
""",
    ),
    "a model that raises, one with an error that is too long": Plant(
        "models",
        range(2, 8),
        {4: "raises ZeroDivisionError", 6: "too long"},
        """
from imgbatch.errors import UsageError
from imgbatch.learning.model import LabelModel
whole = LabelModel.load
def load(path):
    if "/000004" in path:
        raise ZeroDivisionError("planted")
    if "/000006" in path:
        raise UsageError("planted " * 200)
    return whole(path)
LabelModel.load = load
""",
        limits=Limits(),
    ),
    "a table that raises, a journal that loses a file": Plant(
        "tables",
        range(6, 13),
        {6: "raises IndexError", 11: "a file is lost"},
        """
from imgbatch.annotations import formats
from imgbatch.copies import journal
whole_table, whole_undo = formats.open_table, journal.undo
def open_table(file, misfits):
    if "/000006" in file:
        raise IndexError("planted")
    return whole_table(file, misfits)
def undo(file):
    for moved in file.with_name(file.name.split(".")[0] + ".files").rglob("0.jpg"):
        moved.unlink()
    return whole_undo(file)
from imgbatch.annotations import matching
matching.open_table = open_table
journal.undo = undo
""",
    ),
    "a page that fails at every request": Plant(
        "page",
        range(3),
        {0: "status 500", 1: "status 500", 2: "status 500"},
        """
from imgbatch.web.guard import Guard
async def planted(self, scope, receive, send):
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b""})
Guard.__call__ = planted
""",
    ),
    "an index that takes changed files for those it knows": Plant(
        "worlds",
        (0, 1),
        {1: "old content is answered"},
        """
from imgbatch.index.sqlite import refresh
refresh._is_other = lambda known, file: known.content_hash is None
""",
    ),
    "a full disk that nobody is told of": Plant(
        "disk",
        [12],
        {12: "exit code 0, and an output is not whole"},
        """
import contextlib
from imgbatch.cli import unwritten
unwritten.Unwritten._keep = lambda *_given, **_more: None
""",
    ),
    "a password in an error of the database": Plant(
        "database",
        [5],
        {5: "the password is told"},
        """
from imgbatch.exports import connection
connection.Address._first_line = lambda self, error: f"{self.secrets}"
""",
    ),
    "a picture from a link that loses a byte": Plant(
        "links",
        [0],
        {0: "another picture is kept"},
        """
from imgbatch.intake import pictures
whole = pictures._picture
pictures._picture = lambda data, form: whole(data, form)[:-1]
""",
    ),
    "a corruption that changes the answer in silence": Plant(
        "cache",
        [5],
        {5: "another answer"},
        """
import os
from imgbatch.selection import picker
whole = picker.checked_seed
picker.checked_seed = lambda seed: whole(seed + 1 if os.path.exists("found") else seed)
""",
        pictures=140,  # of fewer neither captions nor tags are learned
    ),
    "an output that is written under its final name": Plant(
        "kills",
        [3],
        {3: "plan plan.jsonl: half-written under a final name"},
        _SECOND
        + """
import contextlib, time
from imgbatch.files import atomic
whole = atomic.replacing
@contextlib.contextmanager
def planted(target):
    if target.suffix == ".jsonl" and second("replacing"):
        target.write_text("half")
        open("at-work", "w").close()
        time.sleep(60)
    with whole(target) as temporary:
        yield temporary
atomic.replacing = planted
""",
    ),
    "work that is done again by every run": Plant(
        "kills",
        [35],
        {35: "prepare copied: a run after the next one is not done"},
        """
from imgbatch.intake.prepare import _Run
_Run._is_stale = lambda *_: True
""",
    ),
    "a file whose old name goes before the new one is there": Plant(
        "moves",
        [1],
        {1: "a file is lost"},
        """
import os, time
from imgbatch.copies import moving
def planted(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, "rb") as file:
        data = file.read()
    os.unlink(source)
    if "IMGBATCH_CAMPAIGN" in os.environ and not os.path.exists("at-work"):
        open("at-work", "w").close()
        time.sleep(60)
    with open(target, "wb") as file:
        file.write(data)
moving._give_second_name = planted
""",
    ),
    "a Ctrl-C that prints a traceback": Plant(
        "interrupts",
        [138],
        {138: "a traceback"},
        _SECOND
        + """
import time, traceback
from imgbatch.cli import upkeep
whole = upkeep.open_folder
def planted(*given):
    if second("index"):
        try:
            open("at-work", "w").close()
            time.sleep(60)
        except KeyboardInterrupt:
            traceback.print_exc()
            raise
    return whole(*given)
upkeep.open_folder = planted
""",
    ),
    "a lost scheduler that is an unexpected error": Plant(
        "cluster",
        [0, 1],
        {0: "the scheduler is killed: no clear line: an unexpected"},
        """
import os, time
from imgbatch.runners import dask
whole = dask.DaskRunner._connect
def planted(runner):
    whole(runner)
    with open("connected", "a") as file:
        file.write("x")
    if os.path.getsize("connected") == 4:  # after three undisturbed runs
        open("at-work", "w").close()
        while runner._client.status == "running":
            time.sleep(0.02)
        raise ValueError("planted")
dask.DaskRunner._connect = planted
""",
    ),
    "a command that fails beside others": Plant(
        "concurrent",
        [2],
        {2: "index fails with an unexpected RuntimeError"},
        """
import os
from imgbatch.cli import upkeep
whole = upkeep.open_folder
def planted(*given):
    if "IMGBATCH_CAMPAIGN" in os.environ:
        raise RuntimeError("planted")
    return whole(*given)
upkeep.open_folder = planted
""",
    ),
}
"""A fault for each part, by what it is; a new part adds one."""
