"""The tool that puts faults into the code: every kind of change, the draw, and a run."""

import ast
import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

TOY = '''"""A docstring with 1 < 2."""
import logging
from typing import TYPE_CHECKING
__all__ = ["f"]
if TYPE_CHECKING:
    SIZE = 3
@cached(maxsize=4)
def f(a: Literal[5], b="x", *, c=None, d=6) -> tuple[7]:
    logging.info("a", stacklevel=8)
    """Some text: 9"""
    if a < 10 and not b or a not in c:
        g(a, key=11)
    with lock, open(b) as file, self.other:
        a += 1.5
    h(size=b)
    h(size=b, key=c)
    with lock:
        raise ValueError(f"ä {a:.2f} {b!r} {c}")
    while True:
        break
    return min(a // 2, *sorted(b), -d)
'''

CHANGES = {
    ("comparison", "<", "<="),
    ("comparison", "not in", "in"),
    ("and/or", "and", "or"),
    ("and/or", "or", "and"),
    ("sign dropped", "not b", "(b)"),
    ("sign dropped", "-d", "(d)"),
    ("arithmetic", "//", "*"),
    ("number", "10", "11"),
    ("number", "10", "0"),
    ("number", "11", "12"),
    ("number", "11", "0"),
    ("number", "1.5", "2.5"),
    ("number", "1.5", "0"),
    ("number", "2", "3"),
    ("number", "2", "0"),
    ("number", "6", "7"),
    ("number", "6", "0"),
    ("boolean", "True", "False"),
    ("default", '"x"', '""'),
    ("default", "None", '"fault"'),
    ("format dropped", ":.2f", ""),
    ("format dropped", "!r", ""),
    ("statement dropped", "g(a, key=11)", "pass"),
    ("statement dropped", "a += 1.5", "pass"),
    ("statement dropped", 'raise ValueError(f"ä {a:.2f} {b!r} {c}")', "pass"),
    ("statement dropped", "break", "pass"),
    ("return value dropped", "min(a // 2, *sorted(b), -d)", "None"),
    ("opposite", "min", "max"),
    ("reversed", ")", ", reverse=True)"),
    ("keyword dropped", ", key=11", ""),
    ("statement dropped", "h(size=b)", "pass"),
    ("statement dropped", "h(size=b, key=c)", "pass"),
    ("keyword dropped", "size=b", ""),
    ("keyword dropped", "size=b, ", ""),
    ("keyword dropped", ", key=c", ""),
    ("lock dropped", "lock, ", ""),
    ("lock dropped", ", self.other", ""),
    ("lock dropped", "with lock", "if True"),
}


@pytest.fixture(scope="module")
def faults():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        yield importlib.import_module("faults")
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_every_kind_of_change_is_offered_and_nothing_in_what_cannot_matter(faults):
    offered = faults.candidates("toy.py", TOY.encode())
    assert {(fault.kind, fault.before, fault.after) for fault in offered} == CHANGES


def test_each_change_makes_other_valid_python_and_leaves_the_rest_as_it_was(faults):
    source = TOY.encode()
    for fault in faults.candidates("toy.py", source):
        changed = faults.apply(fault, source)
        assert faults.valid(fault, source), fault
        assert changed[: fault.start] == source[: fault.start]
        assert changed.endswith(source[fault.end :])
        assert source[fault.start : fault.end].decode() == fault.before
        assert source[: fault.start].count(b"\n") + 1 == fault.line
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))


def test_a_change_that_is_no_python_or_changes_nothing_is_not_valid(faults):
    source = b"x = 1\n"
    fault = faults.candidates("toy.py", source)[0]
    assert faults.valid(fault, source)
    assert not faults.valid(replace(fault, after="("), source)
    assert not faults.valid(replace(fault, after=" 1"), source)


def test_the_same_seed_draws_the_same_faults_and_another_seed_others(faults):
    drawn = faults.draw(ROOT, 60, seed=1)
    assert drawn == faults.draw(ROOT, 60, seed=1)
    assert drawn != faults.draw(ROOT, 60, seed=2)
    assert len(drawn) == len({(fault.file, fault.line) for fault in drawn}) == 60


def test_rooms_get_their_share_of_the_faults_by_lines(faults):
    assert faults.shares({"a": 100, "b": 50, "c": 50}, 8) == {"a": 4, "b": 2, "c": 2}
    assert faults.shares({"a": 101, "b": 50, "c": 49}, 2) == {"a": 1, "b": 1, "c": 0}
    drawn = [faults.room_of(fault.file) for fault in faults.draw(ROOT, 200, seed=3)]
    folders = {path.parent.name for path in (ROOT / "imgbatch").glob("*/__init__.py")}
    assert folders <= set(drawn)


def test_tests_run_by_nearness_and_each_file_once(faults):
    stages = list(faults.stages(ROOT, "imgbatch/descriptors/hog.py"))
    assert stages[0] == ["imgbatch/descriptors/hog.py", "tests/descriptors/test_hog.py"]
    assert all(name.startswith("tests/descriptors/") for name in stages[1])
    *others, quick, slow = stages
    assert quick[:-2] == slow[:-2]
    assert (quick[-2:], slow[-2:]) == (["-m", "not slow"], ["-m", "slow"])
    together = [name for stage in [*others, quick[:-2]] for name in stage]
    everything = {*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("imgbatch/**/*.py")}
    everything -= {ROOT / "imgbatch" / "__main__.py"}  # to collect it would run the command
    assert sorted(together) == sorted(path.relative_to(ROOT).as_posix() for path in everything)


@pytest.fixture
def project(tmp_path):
    """A package of one room and a test of half of it."""
    (tmp_path / "imgbatch").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "imgbatch" / "__init__.py").write_text("")
    (tmp_path / "imgbatch" / "toy.py").write_text(
        "def noticed(a):\n    return a < 3\n\n\n"
        "def missed(a):\n    return a < 4\n\n\n"
        "def hangs(a):\n    while a < 5:\n        a += 1\n    return a\n"
    )
    (tmp_path / "tests" / "test_toy.py").write_text(
        "from imgbatch.toy import hangs, noticed\n\n"
        "def test_it():\n    assert not noticed(3)\n    assert hangs(1) == 5\n"
    )
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="runs tests in process groups")
def test_a_run_tells_which_faults_were_caught_survived_or_hung_and_changes_nothing(faults, project):
    source = (project / "imgbatch" / "toy.py").read_bytes()
    chosen = [
        fault
        for fault in faults.candidates("imgbatch/toy.py", source)
        if (fault.line, fault.kind)
        in {(2, "comparison"), (6, "comparison"), (11, "statement dropped")}
    ]
    results = list(faults.try_all(project, chosen, jobs=2, silence_seconds=5))
    assert [result.noticed_by for result in results] == [
        "tests/test_toy.py::test_it",
        "",
        "timeout",
    ]
    assert (project / "imgbatch" / "toy.py").read_bytes() == source


@pytest.mark.skipif(os.name != "posix", reason="runs tests in process groups")
def test_a_test_that_fails_without_any_fault_ends_the_run(faults, project):
    (project / "tests" / "test_toy.py").write_text("def test_it():\n    assert False\n")
    chosen = faults.draw(project, 1, seed=1)
    with pytest.raises(
        SystemExit, match=r"without any fault, too, tests/test_toy\.py::test_it fails"
    ):
        list(faults.try_all(project, chosen, jobs=1, silence_seconds=30))


def test_the_list_shows_the_faults_without_a_run(faults, project, capsys):
    assert faults.main(["--root", str(project), "--faults", "2", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("imgbatch/toy.py:") for line in lines)
