"""The rules of the house: imports go down, files stay short, one place prints, nothing is pickled."""

import ast
from pathlib import Path

import pytest

import imgbatch

HOUSE = Path(imgbatch.__file__).parent
FILES = sorted(path for path in HOUSE.rglob("*.py"))
NAMES = [path.relative_to(HOUSE).as_posix() for path in FILES]
FLOORS = {
    room: floor
    for floor, room in enumerate((
        "errors", "types", "files", "config", "runners", "images", "annotations", "descriptors",
        "neighbours", "embedding", "copies", "batches", "index", "selection", "dealing",
        "collection", "evaluation", "sampler", "exports", "outputs", "cli", "__main__",
    ))
}  # fmt: skip
EXEMPT = "__init__.py"  # the package's front door imports lazily
EVERY = pytest.mark.parametrize("name", NAMES)


def tree(name: str) -> ast.Module:
    return ast.parse((HOUSE / name).read_text(encoding="utf-8"))


def room(name: str) -> str:
    """The file or folder of the house that a path belongs to."""
    return name.split("/", maxsplit=1)[0].removesuffix(".py")


def exists(module: str) -> bool:
    path = HOUSE.parent.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imports(name: str) -> set[str]:
    """Every module of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if room_of_module(alias.name)}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            base = node.module or ""
            for alias in node.names if base.split(".")[0] == "imgbatch" else ():
                inner = f"{base}.{alias.name}"
                found.add(inner if exists(inner) else base)
    return found


def room_of_module(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "imgbatch" and len(parts) > 1 else ""


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


def test_imports_make_no_circle():
    graph = {name: imported_files(name) - {EXEMPT} for name in NAMES if name != EXEMPT}

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        for beside in graph[name]:
            walk(beside, (*above, name))

    for name in graph:
        walk(name, ())


@EVERY
def test_a_file_has_at_most_350_lines(name):
    lines = len((HOUSE / name).read_text(encoding="utf-8").splitlines())
    assert lines <= 350


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
def test_only_the_command_line_and_the_outputs_print(name):
    if name.startswith(("outputs/", "cli/")):
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
    if name in ("images/decode.py", "images/opencv.py", "files/paths.py"):
        return
    if name.startswith("cli/"):
        return
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{name}:{node.lineno}"
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            kinds = [ast.unparse(kind) for kind in caught]
            ends_by_raising = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            assert "Exception" not in kinds, f"{name}:{node.lineno}"
            assert "BaseException" not in kinds or ends_by_raising, f"{name}:{node.lineno}"
