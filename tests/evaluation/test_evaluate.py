from dataclasses import asdict

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import imgbatch
from imgbatch.errors import UsageError
from imgbatch.evaluation.evaluate import evaluate
from imgbatch.evaluation.metrics import METRICS

QUERY_FIGURES = ["precision_at_1", "precision_at_10", "mean_average_precision"]


@pytest.fixture
def collection(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def test_every_figure_stands_inside_its_interval_beside_random_choice(collection):
    measured = evaluate(collection, n=4, sets=10)
    assert [one.name for one in measured.figures] == [*QUERY_FIGURES, *METRICS]
    for figure in measured.figures:
        assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, figure.name
        assert figure.random is not None
    assert (measured.images, measured.classes, measured.queries) == (24, 3, 24)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(collection):
    first = evaluate(collection, n=4, sets=10, seed=3)
    assert asdict(first) == asdict(evaluate(collection, n=4, sets=10, seed=3))
    assert first.figures != evaluate(collection, n=4, sets=10, seed=4).figures


def test_the_measured_sets_are_those_that_requests_of_these_seeds_give(collection):
    classes = [
        len({image.label for image in collection.different(4, seed=seed).images})
        for seed in range(5, 15)
    ]
    measured = {one.name: one for one in evaluate(collection, n=4, sets=10, seed=5).figures}
    assert measured["different_classes"].value == pytest.approx(sum(classes) / 10)


def test_progress_reaches_its_end(collection):
    seen = []
    evaluate(collection, n=4, sets=5, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 10) for done in range(1, 11)]


def test_labels_of_a_file_take_the_place_of_folders(collection, tmp_path):
    file = tmp_path / "labels.csv"
    lines = [f"{record.path},all" for record in collection.records[:-3]]
    lines += [f"{record.path},rest" for record in collection.records[-3:]]
    file.write_text("path,label\n" + "\n".join(lines))
    measured = evaluate(collection, n=4, sets=5, labels=file)
    assert measured.classes == 2


def test_without_classes_their_figures_are_left_out_and_a_note_says_what_is_needed(photos):
    measured = evaluate(imgbatch.load(photos), n=4, sets=5)
    assert [one.name for one in measured.figures] == [
        name for name, metric in METRICS.items() if not metric.needs_labels
    ]
    assert measured.classes == 0
    assert any("`metadata`" in one for one in measured.notes)


@pytest.mark.parametrize(
    "wrong", [{"n": 1}, {"n": 25}, {"sets": 1}, {"sets": 10**20}, {"seed": -1}]
)
def test_arguments_out_of_range_are_refused(collection, wrong):
    with pytest.raises(UsageError):
        evaluate(collection, **({"n": 4, "sets": 5} | wrong))


def test_large_folders_are_measured_on_a_sample_of_queries(collection, monkeypatch):
    monkeypatch.setattr("imgbatch.evaluation.evaluate._MOST_COMPARISONS", 100)
    monkeypatch.setattr("imgbatch.evaluation.evaluate._LEAST_QUERIES", 6)
    assert evaluate(collection, n=4, sets=5).queries == 6


def by_name(measured):
    return {figure.name: figure for figure in measured.figures}


def test_random_choice_is_measured_on_random_sets_of_the_seed(collection):
    for seed in (3, 4):
        random = np.random.default_rng(seed)
        sets = np.stack([random.choice(24, 4, replace=False) for _ in range(10)])
        points = np.asarray(collection.points, np.float64)
        naive = np.mean([pdist(points[rows]).mean() for rows in sets])
        figure = by_name(evaluate(collection, n=4, sets=10, seed=seed))["different_mean_distance"]
        assert figure.random == pytest.approx(naive, rel=1e-5)


def test_the_seed_draws_the_resamples_of_intervals(collection):
    first, again, other = (
        by_name(evaluate(collection, n=4, sets=2, seed=seed))["mean_average_precision"]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert (first.value, first.random) == (other.value, other.random)  # all images are queries
    assert (first.low, first.high) != (other.low, other.high)


def test_the_seed_draws_the_sample_of_queries(collection, monkeypatch):
    monkeypatch.setattr("imgbatch.evaluation.evaluate._MOST_COMPARISONS", 100)
    monkeypatch.setattr("imgbatch.evaluation.evaluate._LEAST_QUERIES", 6)
    first, again, other = (
        by_name(evaluate(collection, n=4, sets=2, seed=seed))["mean_average_precision"].value
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other
