"""README, docs/ and their neighbours agree with the program, and with each other."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import imgbatch
from imgbatch.cli.app import app
from imgbatch.config import default_config_path, load_config
from imgbatch.measures.vocabulary import load_vocabulary
from tests.commands import environment
from tests.documents import (
    DOCUMENTS,
    ROOT,
    anchors,
    blocks,
    command_lines,
    inline_commands,
    prose,
    read,
)

README = read("README.md")
NOTEBOOK = "docs/from_folder_to_batches.ipynb"
COMMANDS = read("docs/COMMANDS.md")
ROOT_COMMAND = get_command(app)
INCOMPLETE = ("MissingParameter", "BadOptionUsage")
UsageError = typer.BadParameter.__bases__[0]  # of click, which typer may hold a copy of


def commands(group=ROOT_COMMAND, name="imgbatch"):
    """Every command that is no group, by its whole name."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def test_the_readme_names_every_command():
    for name in ROOT_COMMAND.commands:
        assert re.search(rf"imgbatch {name}\b", README), name


def test_the_readme_has_at_most_180_lines():
    assert len(README.splitlines()) <= 180


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_the_reference_shows_the_options_that_a_command_has(name, command):
    (shown,) = re.findall(rf"^#+ {name}\n\n```text\n(.*?)```", COMMANDS, re.DOTALL | re.MULTILINE)
    options = {word for one in command.params for word in one.opts if word.startswith("--")}
    lines = re.findall(r"^  ((?:--?[a-z-]+, )*--[a-z-]+)", shown, re.MULTILINE)
    listed = {word for line in lines for word in line.split(", ") if word.startswith("--")}
    assert listed - {"--help"} == options - {"--help"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_into_the_repository_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / document).parent.joinpath(path).resolve() if path else ROOT / document
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.relative_to(ROOT).as_posix()), target


def test_every_page_is_in_the_table_of_contents():
    contents = read("docs/README.md")
    for document in DOCUMENTS:
        if document.startswith("docs/") and document != "docs/README.md":
            assert f"]({document.removeprefix('docs/')})" in contents, document


def test_every_picture_is_shown_and_all_are_small():
    files = sorted((ROOT / "docs" / "pictures").iterdir())
    everything = "".join(map(read, DOCUMENTS))
    assert files
    for file in files:
        assert f"pictures/{file.name})" in everything, file.name
    assert sum(file.stat().st_size for file in files) < 2_000_000


def test_every_block_of_code_names_its_language():
    """So that no command line is overlooked."""
    assert [str(block) for block in blocks() if not block.language] == []


def test_every_command_line_of_imgbatch_has_options_that_exist():
    checked = 0
    for block, words in command_lines():
        if not words or words[0] != "imgbatch":
            continue
        checked += 1
        try:
            parse(words[1:])
        except UsageError as error:
            pytest.fail(f"{block}: {' '.join(words)}: {error.message}")
    assert checked > 100


def test_commands_named_in_a_sentence_have_options_that_exist():
    """A sentence may leave out the folder, or a value; that is no fault there."""
    checked = 0
    for document, words in inline_commands():
        checked += 1
        try:
            parse(words[1:])
        except UsageError as error:
            if type(error).__name__ not in INCOMPLETE:
                pytest.fail(f"{document}: {' '.join(words)}: {error.message}")
    assert checked > 50


def parse(words):
    """Read the arguments of a command line as the program does, without running it."""
    command, context = ROOT_COMMAND, typer.Context(ROOT_COMMAND, info_name="imgbatch")
    while hasattr(command, "commands"):
        if not words:
            return
        name, *words = words
        command = command.commands.get(name)
        if command is None:
            raise UsageError(f"no command {name}")
    command.make_context(command.name, list(words), parent=context)


def test_a_command_line_with_an_unknown_option_or_command_would_be_noticed():
    for line in ("similar photos --like-this a.jpg", "similiar photos", "similar photos -n many"):
        with pytest.raises(UsageError):
            parse(line.split())


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_in_documents_compiles_and_runs_where_it_is_whole(block, examples, monkeypatch):
    code = compile(block.text, str(block), "exec")
    if not block.text.startswith("import imgbatch\n"):
        return  # a part of something: it names what stands elsewhere
    Path("photos").symlink_to(examples.photos)
    monkeypatch.setenv("IMGBATCH_CACHE_DIR", str(examples.cache))
    exec(code, {"__name__": "example"})


def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path, monkeypatch):
    """Its cells are plain Python, so that no Jupyter is needed to run them."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    names = {"__name__": "notebook"}
    for cell in json.loads(read(NOTEBOOK))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert len(names["train"]) + len(names["test"]) == len(names["photos"])


def test_the_notebook_shows_outputs_and_no_paths_of_whoever_ran_it():
    cells = [cell for cell in json.loads(read(NOTEBOOK))["cells"] if cell["cell_type"] == "code"]
    assert any("image/" in str(cell["outputs"]) for cell in cells)
    assert set(re.findall(r"(/\S+?)/samples", json.dumps(cells))) == {"/home/someone"}


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    for module in ("furo", "myst_parser", "sphinx"):
        pytest.importorskip(module, reason="needs the extra docs")
    build = [
        "sphinx",
        "-b",
        "html",
        "-c",
        "docs/site",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
    ]
    finished = subprocess.run(
        [sys.executable, "-m", *build, "-d", tmp_path / "doctrees", ".", tmp_path / "site"],
        check=False,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    reference = (tmp_path / "site" / "docs" / "REFERENCE.html").read_text(encoding="utf-8")
    for name in [*imgbatch.__all__, "Collection.similar", "sampler.DiverseBatchSampler"]:
        assert f'id="imgbatch.{name}"' in reference or name == "__version__", name


def test_the_first_python_in_the_readme_is_run():
    (block,) = [block for block in blocks("python") if block.document == "README.md"]
    assert block.text.startswith("import imgbatch\n")


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_settings_in_documents_are_valid_and_change_something(block, tmp_path):
    file = tmp_path / "example.toml"
    file.write_text(block.text, encoding="utf-8")
    table = tomllib.loads(block.text)["imgbatch"]
    if "config_version" in table:
        assert load_config(file).config != load_config(default_config_path()).config
    else:
        assert load_vocabulary(file) != load_vocabulary()


def test_benchmarks_that_documents_name_exist():
    named = {
        name
        for document in DOCUMENTS
        if document != "CONTRIBUTING.md"  # its files are the reader's
        for name in re.findall(r"\b((?:benchmarks|tools)/[\w/]+\.py)", read(document))
    }
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).is_file(), name


def test_each_promise_under_faults_names_a_test_that_exists():
    text = read("docs/FAULTS.md").partition("## How it is tried")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    promises = [row for row in rows if "---" not in row and not row.endswith("| test |")]
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", "\n".join(promises))
    assert len(named) == len(promises) > 30
    for file, name in named:
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), (file, name)


def test_the_changelog_has_a_section_for_unreleased_changes():
    assert "## [Unreleased]" in read("CHANGELOG.md")


@pytest.mark.parametrize("name", imgbatch.__all__)
def test_every_public_name_is_there(name):
    assert getattr(imgbatch, name)
