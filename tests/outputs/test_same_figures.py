"""A result's figures read alike on the terminal and on its page, and are those of its JSON."""

import json as json_format
import re
from dataclasses import dataclass, replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

import imgbatch
from imgbatch.evaluation.results import ClassFigure, Evaluation, Figure
from imgbatch.learning.classify import Tried
from imgbatch.learning.figures import FIGURES, ClassFigures
from imgbatch.learning.figures import Figure as Measured
from imgbatch.measures.tags import TagTable
from imgbatch.outputs import OUTPUTS, Pictures, Result, print_json
from imgbatch.outputs.answers import ANSWERS
from imgbatch.outputs.asked import write_asked
from imgbatch.outputs.batches import BatchesResult, batches_document, write_batches_table
from imgbatch.outputs.captions import write_captions
from imgbatch.outputs.describe import write_description
from imgbatch.outputs.duplicates import write_duplicates
from imgbatch.outputs.evaluation import write_evaluation
from imgbatch.outputs.explain import write_explanation
from imgbatch.outputs.labelled import write_labelled
from imgbatch.outputs.map import write_map
from imgbatch.outputs.overview import write_overview
from imgbatch.outputs.pages import batches_page, write_page
from imgbatch.outputs.search import write_found
from imgbatch.outputs.tags import TagsResult, write_tags
from imgbatch.outputs.training import write_training
from imgbatch.types import DuplicateGroup, DuplicateImage, Duplicates
from tests.outputs.pages import CONFIG
from tests.outputs.small import (
    small_asked,
    small_captions,
    small_description,
    small_explanation,
    small_found,
    small_labels,
    small_map,
    small_overview,
    small_training,
)

NUMBER = re.compile(r"(?<![\w.,#])\d[\d,]*(?:\.\d+)?%?(?!\.\d)")


class Words(HTMLParser):
    """The text of a page, without its style, its scripts and the command that it shows."""

    def __init__(self, html):
        super().__init__()
        self.hidden, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, _attributes):
        if tag in {"style", "script", "pre", "footer"}:
            self.hidden.append(tag)

    def handle_endtag(self, tag):
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()

    def handle_data(self, data):
        self.text += "" if self.hidden else f" {data} "


def numbers(value):
    """All fractions of a JSON document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {number for one in value for number in numbers(one)}
    return {value} if isinstance(value, float) and value % 1 else set()


def readings(value):
    """The ways in which a fraction may be written for people."""
    plain = {f"{value:,.{digits}f}" for digits in ((1, 2, 3, 4) if value > 1 else (2, 3, 4))}
    return plain | {f"{value:.{digits}%}" for digits in (0, 1, 2)}


def differences(terminal, page, document):
    """Figures that stand in all three and are written in two ways; and how many were compared."""
    on_terminal, on_page = (set(NUMBER.findall(text)) for text in (terminal, page))
    differing, compared = [], 0
    for value in sorted(numbers(document)):
        here, there = readings(value) & on_terminal, readings(value) & on_page
        if here and there:
            compared += 1
            if max(here, key=len) != max(there, key=len):  # a short one may be another figure's
                differing.append((value, here, there))
    return differing, compared


def test_the_comparison_notices_a_figure_that_is_rounded_in_two_ways():
    document = {"a": [0.81234], "b": {"c": 0.4567}}
    assert differences("0.812 and 46%", "0.812, 46%", document) == ([], 2)
    assert differences("0.812 and 46%", "81.2%, 46%", document) == (
        [(0.81234, {"0.812"}, {"81.2%"})],
        2,
    )


@dataclass
class Kind:
    """A small result: what prints it, with json or without, and what its page is made of."""

    show: object
    answer: object
    least: int


def evaluation():
    figures = (
        Figure("precision_at_10", 0.8137, 0.7931, 0.8343, 0.1019, "x"),
        Figure("different_vendi_score", 9.6371, 9.2411, 9.8893, 9.3127, "x"),
    )
    classes = (ClassFigure("cats", 50, 0.9173, 0.8771, 0.9573, 0.1019),)
    return Evaluation("/in/photos", 150, 3, 0, 10, 20, 150, figures, (), classes)


def training():
    def measured(start):
        return {
            name: Measured(start + 0.0131 * place, start - 0.0473, start + 0.0891)
            for place, name in enumerate(FIGURES)
        }

    small, test = small_training("x"), measured(0.7313)
    hardest = ClassFigures("x", 2, 0.5179, 0.3391, 0.4127)
    baselines = {"knn": measured(0.6137), "majority": measured(0.1129)}
    mixed = replace(small.mixed_up[0], share=0.4717)
    return replace(
        small, test=test, train=measured(0.8717), baselines=baselines, by_class=(hardest,),
        mixed_up=(mixed,), tried=(Tried("x", 0.7391, 0.6817),),
    )  # fmt: skip


def duplicates():
    images = tuple(
        DuplicateImage(f"/{name}", name, keep, "copy", score, 4, 3, size, "x" * keep)
        for name, keep, score, size in (
            ("a.jpg", True, 1.0, 2_345_678),
            ("b.jpg", False, 0.9137, 1_234_567),
        )
    )
    return Duplicates("/in/photos", "edited", (DuplicateGroup("copy", images),), 2)


def tags():
    table = TagTable(
        ("x", "y"), csr_array(np.array([[0.6173, 0.8317]], np.float32)), ("given",) * 2
    )
    return TagsResult("/in/photos", ["/x.jpg"], ["x.jpg"], table, {}, "x")


def labels():
    given = small_labels("x")
    sure = np.array([0.4137, 0.8731], np.float32)
    return replace(given, predictions=replace(given.predictions, probabilities=sure))


def found():
    return replace(small_found("x"), images=tuple(
        replace(image, relevance=0.6173) for image in small_found("x").images
    ))  # fmt: skip


def folder_map():
    shown = small_map([0, 1])
    quality = (replace(shown.quality[0], trustworthiness=0.9671, accuracy=0.8713),)
    return replace(shown, quality=quality)


def overview():
    seen = small_overview("x")
    grouping = replace(seen.grouping, silhouette=0.1473, tried=((6, 0.1473),))
    return replace(seen, grouping=grouping, repetition=replace(seen.repetition, nearest=0.7319))


def selection(photos):
    picked = photos.similar(5, seed=3)

    def show(*, json):
        OUTPUTS["json" if json else "table"](Result(picked, Pictures(picked.paths, photos.config)))

    return Kind(show, picked, 3)


def batches():
    figures = {
        "leading_variance": 0.0713, "variance": 0.4179, "closest": 0.7131, "mean_closest": 0.8371,
        "near_duplicates": 0, "classes": 3.7193,
    }  # fmt: skip
    random = {name: 0.9137 * value for name, value in figures.items()}
    return BatchesResult(3, "/in/photos", 4, 1, 2, figures, random, None, None, (), None, 8, 0.5)


KINDS = {
    "Selection": selection,
    "Found": lambda _: Kind(partial(write_found, found(), ()), found(), 1),
    "Captions": lambda _: Kind(partial(write_captions, small_captions("x"), ()), small_captions("x"), 1),
    "TagsResult": lambda _: Kind(partial(write_tags, tags(), ()), tags(), 1),
    "Duplicates": lambda _: Kind(partial(write_duplicates, duplicates(), (), None), duplicates(), 1),
    "Asked": lambda _: Kind(partial(write_asked, small_asked("x"), ()), small_asked("x"), 1),
    "GivenLabels": lambda _: Kind(partial(write_labelled, labels(), ()), labels(), 1),
    "Training": lambda _: Kind(partial(write_training, training(), Path("/m.npz"), ()), training(), 10),
    "Overview": lambda _: Kind(partial(write_overview, overview(), ()), overview(), 3),
    "FolderMap": lambda _: Kind(partial(write_map, folder_map(), ()), folder_map(), 2),
    "Explanation": lambda _: Kind(
        partial(write_explanation, small_explanation("x", unlearned=0.6083), ()),
        small_explanation("x", unlearned=0.6083), 4,
    ),
    "Description": lambda _: Kind(
        partial(write_description, small_description("x"), ()), small_description("x"), 2
    ),
    "Evaluation": lambda _: Kind(partial(write_evaluation, evaluation()), evaluation(), 8),
}  # fmt: skip


@pytest.fixture
def photos(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def text_of(page, tmp_path):
    write_page(page, tmp_path / "page.html", CONFIG)
    return Words((tmp_path / "page.html").read_text(encoding="utf-8")).text


def printed(show, capsys, monkeypatch, *, json):
    monkeypatch.setenv("COLUMNS", "400")
    show(json=json)
    return capsys.readouterr().out


@pytest.mark.parametrize("name", KINDS)
def test_terminal_and_page_write_the_figures_of_the_json_alike(
    name, photos, tmp_path, capsys, monkeypatch
):
    kind = KINDS[name](photos)
    assert type(kind.answer).__name__ == name
    terminal, document = (
        printed(kind.show, capsys, monkeypatch, json=one) for one in (False, True)
    )
    page = text_of(ANSWERS[name].page(kind.answer, CONFIG, ""), tmp_path)
    differing, compared = differences(terminal, page, json_format.loads(document))
    assert differing == []
    assert compared >= kind.least


def test_figures_of_batches_are_written_alike(tmp_path, capsys, monkeypatch):
    def show(*, json):
        print_json(batches_document(batches())) if json else write_batches_table(batches())

    terminal, document = (printed(show, capsys, monkeypatch, json=one) for one in (False, True))
    page = text_of(batches_page(batches(), [], [], CONFIG), tmp_path)
    assert differences(terminal, page, json_format.loads(document)) == ([], 10)


def test_sizes_of_duplicates_are_written_alike(tmp_path, capsys, monkeypatch):
    shown = partial(write_duplicates, duplicates(), (), None)
    terminal = printed(shown, capsys, monkeypatch, json=False)
    page = text_of(ANSWERS["Duplicates"].page(duplicates(), CONFIG, ""), tmp_path)
    for size in ("2.3 MB", "1.2 MB"):
        assert size in terminal
        assert size in page


def test_every_type_of_answer_with_a_page_is_compared():
    assert set(KINDS) == {name for name, files in ANSWERS.items() if files.page}


def test_a_file_that_a_type_of_answer_has_not_is_refused(tmp_path):
    from imgbatch.errors import UsageError
    from imgbatch.outputs.answers import write_answer

    with pytest.raises(UsageError, match=r"use \.html for a page"):
        write_answer(small_explanation("x"), tmp_path / "a.csv", CONFIG)
