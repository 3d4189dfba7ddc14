"""The rules of the house: imports go down, files stay short, one place prints, nothing is pickled.

The house is the package, its rooms are the folders and files at its top, in order from the ground.
"""

import ast
import doctest
import inspect
import re
from dataclasses import astuple
from pathlib import Path

import pytest

import imgbatch
from imgbatch.config import default_config_path, load_config
from imgbatch.descriptors import DESCRIPTORS
from imgbatch.evaluation.metrics import METRICS
from imgbatch.selection.different import different
from imgbatch.selection.similar import similar

HOUSE = Path(imgbatch.__file__).parent
FILES = sorted(path for path in HOUSE.rglob("*.py"))
NAMES = [path.relative_to(HOUSE).as_posix() for path in FILES]
FLOORS = {
    room: floor
    for floor, room in enumerate((
        "printable", "errors", "version", "seeds", "shown", "types", "files", "config", "runners", "images", "annotations", "descriptors",
        "measures", "neighbours", "embedding", "copies", "batches", "index", "learning", "words", "selection",
        "overview", "collection", "loading", "intake", "evaluation", "sampler", "exports", "outputs", "web", "cli", "__main__",
    ))
}  # fmt: skip
EXEMPT = "__init__.py"  # the package's public names are imported lazily, from a table
EVERY = pytest.mark.parametrize("name", NAMES)
TESTS = Path(__file__).parent
NOT_OF_A_ROOM = {"house", "docs", "make_docs", "faults", "campaign", "golden"}
"""Tests of the repository, and the stored bytes of descriptors."""
WITHOUT_TESTS = {"types", "version", "seeds", "__main__"}
"""Records that every test uses, a number, what its doctests say, and one line that starts the command."""


def tree(name: str) -> ast.Module:
    return ast.parse((HOUSE / name).read_text(encoding="utf-8"))


def room(name: str) -> str:
    """The file or folder of the house that a path belongs to."""
    return name.split("/", maxsplit=1)[0].removesuffix(".py")


def exists(module: str) -> bool:
    """Whether there is a file or folder of this name, such as imgbatch.index.extract."""
    path = HOUSE.parent.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imports(name: str) -> set[str]:
    """Every module of the package that a file imports, wherever in it, also by a string."""
    modules = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names if room_of_module(alias.name)}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            base = node.module or ""
            for alias in node.names if base.split(".")[0] == "imgbatch" else ():
                inner = f"{base}.{alias.name}"
                modules.add(inner if exists(inner) else base)
        elif isinstance(node, ast.Constant) and names_a_module(node.value):
            modules.add(node.value)
    return modules


def names_a_module(value: object) -> bool:
    return isinstance(value, str) and bool(room_of_module(value)) and exists(value)


def room_of_module(module: str) -> str:
    return module.split(".")[1] if re.fullmatch(r"imgbatch(\.\w+)+", module) else ""


def imported_files(name: str) -> set[str]:
    paths = [m.removeprefix("imgbatch").removeprefix(".").replace(".", "/") for m in imports(name)]
    return {
        f"{path}.py" if (HOUSE / f"{path}.py").is_file() else f"{path}/__init__.py".lstrip("/")
        for path in paths
    }


@EVERY
def test_every_file_has_a_floor(name):
    assert name == EXEMPT or room(name) in FLOORS


@EVERY
def test_imports_go_down(name):
    if name == EXEMPT:
        return
    for module in imports(name):
        target = room_of_module(module)
        if not target:
            assert module == "imgbatch"  # the version
            assert FLOORS[room(name)] >= FLOORS["collection"]
        elif target != room(name):
            assert FLOORS[target] < FLOORS[room(name)], f"{name} imports {module}"


@EVERY
def test_names_of_modules_are_written_out(name):
    """A name put together, as f"imgbatch.{room}", hides where an import leads."""
    for node in ast.walk(tree(name)) if name != EXEMPT else ():
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            hidden = isinstance(first, ast.Constant) and str(first.value).startswith("imgbatch.")
            assert not hidden, f"{name}:{node.lineno}"


def test_a_module_named_in_a_string_counts_as_imported(tmp_path, monkeypatch):
    (tmp_path / "lazy.py").write_text(
        'import_module("imgbatch.cli.app")\nX = ("imgbatch.errors",)\n'
    )
    monkeypatch.setattr(
        "tests.test_house.tree", lambda name: ast.parse((tmp_path / name).read_text())
    )
    assert imports("lazy.py") == {"imgbatch.cli.app", "imgbatch.errors"}


def test_imports_make_no_circle():
    graph = {name: imported_files(name) - {EXEMPT} for name in NAMES if name != EXEMPT}
    free_of_circles: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in free_of_circles:
            for imported in graph[name]:
                walk(imported, (*above, name))
            free_of_circles.add(name)

    for name in graph:
        walk(name, ())


@EVERY
def test_a_private_name_stays_in_its_file_or_says_why_it_does_not(name):
    lines = (HOUSE / name).read_text(encoding="utf-8").splitlines()
    ours = {node.attr for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}}  # fmt: skip
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom):
            private = [alias.name for alias in node.names if re.match(r"_[^_]", alias.name)]
            assert not private, f"{name}:{node.lineno}: {private}"
        elif isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            explained = re.search(r"noqa: SLF001 - \w+", lines[node.lineno - 1])
            public = ast.unparse(node) == "os._exit"  # in spite of its name
            assert node.attr in ours or explained or public, f"{name}:{node.lineno}: {node.attr}"


def test_every_folder_and_file_of_tests_belongs_to_a_room():
    for path in sorted(TESTS.rglob("test_*.py")):
        folder = path.parent.relative_to(TESTS).as_posix()
        if folder == ".":
            stem = path.stem.removeprefix("test_")
            rooms = {room(name) for name in NAMES if "/" not in name} | NOT_OF_A_ROOM
            assert any(stem == room or stem.startswith(f"{room}_") for room in rooms), path.name
        else:
            assert folder in NOT_OF_A_ROOM or (HOUSE / folder).is_dir(), folder


@pytest.mark.parametrize("room", sorted({room(name) for name in NAMES} - {"__init__"}))
def test_every_room_has_tests(room):
    tests = [*(TESTS / room).rglob("test_*.py"), *TESTS.glob(f"test_{room}.py")]
    assert tests or room in WITHOUT_TESTS


# The library's front has a short method, with its example, for each thing that the program can do.
MOST_LINES = {"collection.py": 620}


@EVERY
def test_a_file_has_at_most_350_lines(name):
    lines = len((HOUSE / name).read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES.get(name, 350)


@EVERY
def test_a_function_has_at_most_50_lines_without_its_docstring(name):
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            first = body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            docstring = first.end_lineno - first.lineno + 1 if is_docstring else 0
            length = node.end_lineno - node.lineno + 1 - docstring
            assert length <= 50, f"{node.name} has {length} lines"


@EVERY
def test_only_the_command_line_the_page_and_the_outputs_print(name):
    if name.startswith(("outputs/", "web/", "cli/")):
        return
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Name):
            assert node.id != "print", f"{name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sys":
            assert node.attr not in ("stdout", "stderr"), f"{name}:{node.lineno}"


@EVERY
def test_nothing_is_pickled(name):
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            modules = []
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant)
                assert node.value.value is False
        for module in modules:
            root = module.split(".")[0]
            assert root not in ("pickle", "shelve", "marshal", "cloudpickle", "dill", "joblib")


@EVERY
def test_everything_is_caught_only_where_bad_bytes_or_bugs_end(name):
    if name in ("images/decode.py", "images/generations.py", "images/opencv.py", "files/paths.py"):
        return
    if name.startswith("cli/") or name in ("web/app.py", "web/jobs.py"):  # there, bugs are shown
        return
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{name}:{node.lineno}"
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            kinds = [ast.unparse(kind) for kind in caught]
            ends_by_raising = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            everything = {"Exception", "BaseException"} & {*kinds}
            assert not everything or ends_by_raising, f"{name}:{node.lineno}"


# ----- what a reader meets first ------------------------------------------------------------------

DEFAULTS = load_config(default_config_path()).config
OFFERS = {
    **{name: getattr(imgbatch, name) for name in imgbatch.__all__ if name != "__version__"},
    **{f"descriptor {name}": type(build(DEFAULTS)) for name, build in DESCRIPTORS.items()},
    **{
        f"metric {name}": next(filter(callable, astuple(metric)))
        for name, metric in METRICS.items()
    },
    "selector similar": similar,
    "selector different": different,
}
"""What the package and its registries offer, by name."""


@pytest.mark.parametrize("name", OFFERS)
def test_every_offer_has_an_example_that_runs(name):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(OFFERS[name]) or "")
    assert any(doctest.SKIP not in example.options for example in examples)


def test_the_package_shows_its_public_names_only():
    assert set(dir(imgbatch)) == set(imgbatch.__all__)


SPEAK_OPTIONS = {"cli", "outputs", "intake", "config", "measures"}
"""Rooms of commands; settings and vocabularies are looked for by an option's name."""


@EVERY
def test_errors_of_the_library_name_parameters_and_not_options(name):
    """The command line turns `like` into --like; Python code has no --like."""
    if room(name) in SPEAK_OPTIONS:
        return
    for node in ast.walk(tree(name)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id.endswith("Error"):
            texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            assert not [text for text in texts if re.search(r"(^|\s)--[a-z]", str(text))], (
                node.lineno
            )
