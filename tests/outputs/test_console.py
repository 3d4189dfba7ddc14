"""Whatever is printed to standard output: any name is shown as it is, and a reader may leave."""

import ast
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

import imgbatch
from imgbatch.config import load_config
from imgbatch.evaluation.results import Evaluation, Figure, Gain, Learned
from imgbatch.learning.metric import Mixture
from imgbatch.learning.tags import NO_TRUST
from imgbatch.measures.tags import TagTable
from imgbatch.outputs.asked import write_asked
from imgbatch.outputs.base import Result, WrittenFile
from imgbatch.outputs.batches import BatchesResult, write_batches_table
from imgbatch.outputs.captions import write_captions
from imgbatch.outputs.describe import write_description
from imgbatch.outputs.duplicates import MoveReport, write_duplicates, write_undone
from imgbatch.outputs.evaluation import write_evaluation
from imgbatch.outputs.explain import write_explanation
from imgbatch.outputs.labelled import write_labelled
from imgbatch.outputs.map import write_map
from imgbatch.outputs.overview import write_overview
from imgbatch.outputs.pictures import Pictures
from imgbatch.outputs.search import write_found
from imgbatch.outputs.splitting import write_split
from imgbatch.outputs.summaries import write_facts, write_rows, write_settings, write_shares
from imgbatch.outputs.table import write_table
from imgbatch.outputs.tags import TagsResult, write_tags
from imgbatch.outputs.terminal import write_pictures
from imgbatch.outputs.training import write_training
from imgbatch.outputs.tuning import write_gains, write_learned
from imgbatch.selection.learned import LearnedTag
from imgbatch.types import (
    DuplicateGroup,
    DuplicateImage,
    Duplicates,
    PickedImage,
    Selection,
    Skipped,
)
from tests.outputs.small import (
    small_asked,
    small_captions,
    small_description,
    small_explanation,
    small_found,
    small_labels,
    small_map,
    small_overview,
    small_split,
    small_training,
)

HOUSE = Path(imgbatch.__file__).parent
NAME = "x[/y] [red]:smile:"
"""A name in which Rich would read a closing tag that was never opened, a colour and an emoji."""


FILES = (WrittenFile("page", Path(f"/{NAME}.html"), 1_000, 8, 12),)


def print_duplicates() -> None:
    images = tuple(
        DuplicateImage(f"/{NAME}", NAME, keep, "copy", 0.9, 4, 3, 12, NAME * keep)
        for keep in (True, False)
    )
    found = Duplicates(f"/{NAME}", "edited", (DuplicateGroup("copy", images),), 2)
    write_duplicates(found, (), MoveReport(NAME, 1, 12, NAME), json=False)


def print_selection() -> None:
    image = PickedImage(
        1, f"/{NAME}/1.jpg", f"{NAME}/1.jpg", 0.0, 8, 6, label=NAME, note=NAME, anchor=True
    )
    selection = Selection("similar", 7, f"/{NAME}", (image,), (Skipped(NAME, "damaged"),), 1)
    pictures = Pictures([image.path], load_config().config)
    files = tuple(
        WrittenFile(kind, Path(f"/{NAME}.{kind}"), 1_000, 1, 1)
        for kind in ("sheet", "page", "rows")
    )
    write_table(Result(selection, pictures, files, Path(f"/{NAME}.tsv")))


def print_batches() -> None:
    names = ("leading_variance", "variance", "closest", "mean_closest", "near_duplicates")
    figures = dict.fromkeys((*names, "classes"), 1.0)
    write_batches_table(
        BatchesResult(
            1, f"/{NAME}", 4, 1, 3, figures, figures, Path(f"/{NAME}.csv"), Path(f"/{NAME}.png"),
            (Skipped(NAME, "damaged"),), Path(f"/{NAME}.tsv"), 12, 0.5,
            WrittenFile("page", Path(f"/{NAME}.html"), 1_000, 8, 12),
        )
    )  # fmt: skip


def print_evaluation() -> None:
    figure = Figure(NAME, 0.5, 0.4, 0.6, 0.1, NAME)
    report = WrittenFile("page", Path(f"/{NAME}.html"), 1_000, 0, 0)
    measured = Evaluation(f"/{NAME}", 9, 3, 0, 4, 5, 9, (figure,))
    write_evaluation(measured, json=False, report=report)


def print_explained() -> None:
    write_explanation(small_explanation(NAME), FILES, json=False)


def print_described() -> None:
    write_description(small_description(NAME), FILES, json=False)


def print_tags(shown: str = "") -> None:
    table = TagTable((NAME, "x"), csr_array(np.ones((1, 2), np.float32)), ("given", "learned"))
    learned = LearnedTag(NAME, 5, np.array([0]), np.ones(1, np.float32), NO_TRUST)
    result = TagsResult(f"/{NAME}", [f"/{NAME}"], [NAME], table, {NAME: NAME}, shown, 0.5)
    write_tags(replace(result, learned=(learned,)), [], json=False)


def print_by_tags() -> None:
    image = PickedImage(1, f"/{NAME}", NAME, 0.0, 8, 6, pair=(NAME, NAME))
    selection = Selection("similar", 7, f"/{NAME}", (image,), by="tags")
    write_table(Result(selection, Pictures([image.path], load_config().config)))


PRINTED = {
    "selection": print_selection,
    "batches": print_batches,
    "evaluation": print_evaluation,
    "gains": lambda: write_gains([Gain(NAME, 0.5, 0.6, 0.05, 0.15, NAME)]),
    "learned": lambda: write_learned(
        Learned(None, Mixture(0.5, 0.3), (Gain(NAME, 0.5, 0.6, 0.05, 0.15, NAME),) * 2, 8)
    ),
    "explanation": print_explained,
    "description": print_described,
    "facts": lambda: write_facts({NAME: NAME}),
    "settings": lambda: write_settings({NAME: {NAME: NAME}}, {f"{NAME}.{NAME}": NAME}),
    "shares": lambda: write_shares({NAME: 1.0}),
    "rows": lambda: write_rows(NAME, [NAME, NAME], [[NAME, NAME]]),
    "duplicates": print_duplicates,
    "tags": print_tags,
    "overview": lambda: write_overview(
        small_overview(NAME),
        (WrittenFile("page", Path(f"/{NAME}.html"), 1_000, 8, 12),),
        json=False,
    ),
    "map": lambda: write_map(
        small_map([0, 1], name=NAME),
        (WrittenFile("picture", Path(f"/{NAME}.png"), 1_000, 1, 2),),
        json=False,
    ),
    "by tags": print_by_tags,
    "pictures": lambda: write_pictures(
        [PickedImage(1, f"/{NAME}", NAME, 0.0, 8, 6)], load_config().config
    ),
    "training": lambda: write_training(
        small_training(NAME), Path(f"/{NAME}.npz"), FILES, json=False
    ),
    "labels": lambda: write_labelled(small_labels(NAME, f"/{NAME}"), FILES, json=False),
    "label": lambda: write_labelled(small_labels(NAME, "", (NAME,)), FILES, json=False),
    "asked": lambda: write_asked(
        replace(small_asked(NAME, f"/{NAME}"), doubted=True), FILES, json=False
    ),
    "split": lambda: write_split(small_split(NAME), FILES, json=False),
    "search": lambda: write_found(small_found(NAME), (), json=False),
    "captions": lambda: write_captions(small_captions(NAME), (), json=False),
    "undone": lambda: write_undone(Path(NAME), 1, [(NAME, NAME)], json=False),
}
EACH = pytest.mark.parametrize("kind", PRINTED)


@EACH
@pytest.mark.parametrize("columns", ["40", "79", "120", "400"])
def test_a_name_with_brackets_and_colons_is_printed_as_it_is(kind, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    PRINTED[kind]()
    out, err = capsys.readouterr()
    assert "\N{SMILING FACE WITH OPEN MOUTH}" not in out
    assert "[/" in out  # a narrow column may wrap the rest
    if columns == "400":
        assert NAME in out
    assert err == ""


class LeftReader(io.StringIO):
    """Standard output into a pipe whose reader has left."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


@EACH
def test_a_reader_that_leaves_is_a_broken_pipe_and_not_an_exit_with_1(kind, monkeypatch):
    monkeypatch.setattr(sys, "stdout", LeftReader())
    with pytest.raises(BrokenPipeError):
        PRINTED[kind]()


@pytest.mark.parametrize(
    "file",
    [*(HOUSE / "outputs").rglob("*.py"), *(HOUSE / "cli").rglob("*.py")],
    ids=lambda file: file.name,
)
def test_only_standard_output_writes_to_stdout_with_rich(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Console":
            given = {keyword.arg for keyword in node.keywords}
            assert given & {"file", "stderr"}, f"line {node.lineno}: use StandardOutput"
        if isinstance(node, ast.ImportFrom) and node.module == "rich":
            assert "print" not in {alias.name for alias in node.names}, f"line {node.lineno}"


def test_every_function_that_prints_to_standard_output_is_tried_above():
    """A new output that builds a `StandardOutput` belongs into `PRINTED`."""
    makers = {
        f"{file.stem}.{function.name}"
        for file in (HOUSE / "outputs").rglob("*.py")
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "StandardOutput"
    }
    assert makers == {
        "table.write_table", "batches.write_batches_table", "evaluation.write_evaluation",
        "tuning._write_table", "explain.write_explanation", "summaries.write_facts",
        "summaries.write_settings", "summaries.write_shares", "summaries.write_rows",
        "duplicates.write_duplicates", "duplicates.write_undone", "tags.write_tags",
        "overview.write_overview", "training.write_training", "labelled.write_labelled",
        "asked.write_asked", "splitting.write_split", "map.write_map",
        "describe.write_description",
        "search.write_found", "captions.write_captions", "terminal.write_pictures",
    }  # fmt: skip


def test_the_shipped_settings_are_printed_with_their_sources(capsys):
    loaded = load_config()
    write_settings(loaded.config.model_dump(mode="json"), loaded.sources)
    out = capsys.readouterr().out
    assert "[descriptors.hog]\n" in out
    assert out.count("# default") == len(loaded.sources)


TITLED = ("print_selection", "print_batches", "print_evaluation", "print_explained")


@pytest.mark.parametrize("printing", TITLED)
def test_the_title_of_a_table_is_bold_and_stands_at_the_left_where_there_are_colours(
    printing, capsys, monkeypatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    globals()[printing]()
    assert capsys.readouterr().out.startswith("\x1b[1m")
