"""The page of an evaluation: every figure with its interval beside random choice, and classes."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.evaluation.results import ClassFigure, Evaluation, Figure
from imgbatch.outputs.evaluation import shown
from imgbatch.outputs.pages.records import Chart, Facts, FigureRow, FiguresTable, Page
from imgbatch.outputs.pages.settings import remarks_section, settings_section

_KINDS = {
    "similar": ("Similar sets", "Random requests for images of one kind."),
    "different": ("Different sets", "Random requests for images that differ."),
    "batches": ("Batches", "Batches of the same size, as imgbatch batches deals them."),
    "search": ("Search by words", "Texts of images, hidden before, that ask for their image."),
    "caption": ("Captions", "Suggested for images whose texts were hidden, beside these texts."),
}
_SINGLE = ("Single images", "Every image in turn asks for its nearest others.")
_HIGHLIGHTS = {
    "precision_at_10": "of an image\u2019s ten nearest are of its class",
    "similar_purity": "of a similar set are of its anchor\u2019s class",
    "similar_mean_distance": "mean distance in a similar set",
    "different_mean_distance": "mean distance in a different set",
    "different_vendi_score": "effectively different images in a different set",
}
_MOST_HIGHLIGHTS = 4
_MOST_CLASSES = 200


def evaluation_page(
    evaluation: Evaluation, config: Config | None = None, command: str = ""
) -> Page:
    """The page of an evaluation.

    Parameters
    ----------
    evaluation
        What `imgbatch.evaluation.evaluate.evaluate` returned.
    config
        The settings of the collection; None shows none.
    command
        The terminal command that measures the same; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> from imgbatch.evaluation.evaluate import evaluate
    >>> measured = evaluate(imgbatch.load("photos"), n=4, sets=5)
    >>> [section.heading for section in evaluation_page(measured).sections][:3]
    ['Single images', 'Similar sets', 'Different sets']
    """
    sections = [
        FiguresTable(heading, text, rows=tuple(map(_row, figures)))
        for heading, text, figures in _by_kind(evaluation)
        if figures
    ]
    if evaluation.by_class:
        sections.append(_classes(evaluation.by_class))
    folder, classes = Path(evaluation.folder).name or "the root", evaluation.classes
    of_classes = f"{classes:,} classes" if classes else "no classes"
    return Page(
        "evaluate",
        f"Evaluation of {folder}",
        f"{evaluation.images:,} images of {of_classes}, measured with {evaluation.queries:,} single"
        f" queries and {evaluation.sets:,} sets of {evaluation.n} of each kind.",
        _highlights(evaluation),
        (
            *sections,
            _reading(evaluation),
            settings_section(evaluation.folder, evaluation.images, evaluation.seed, config),
            *remarks_section(evaluation.notes, ()),
        ),
        command,
    )


def _highlights(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    figures = {figure.name: figure for figure in evaluation.figures}
    return tuple(
        (shown(figures[name], figures[name].value), words)
        for name, words in _HIGHLIGHTS.items()
        if name in figures
    )[:_MOST_HIGHLIGHTS]


def _by_kind(evaluation: Evaluation) -> list[tuple[str, str, list[Figure]]]:
    """The figures under the headings of what they measure."""
    kinds: dict[str, list[Figure]] = {"": [], **{kind: [] for kind in _KINDS}}
    for figure in evaluation.figures:
        kind = figure.name.split("_", 1)[0]
        kinds[kind if kind in _KINDS else ""].append(figure)
    return [(*_KINDS.get(kind, _SINGLE), figures) for kind, figures in kinds.items()]


def _row(figure: Figure) -> FigureRow:
    kind, _, rest = figure.name.partition("_")
    name = rest if kind in _KINDS else figure.name
    return FigureRow(
        name.replace("_", " "),
        shown(figure, figure.value),
        f"{shown(figure, figure.low)} \u2013 {shown(figure, figure.high)}",
        "" if figure.random is None else shown(figure, figure.random),
        figure.definition,
        _chart(figure.value, figure.low, figure.high, figure.random),
    )


def _chart(value: float, low: float, high: float, random: float | None) -> Chart:
    """The figure on a scale from 0 to 1, or to the largest number if that is above 1."""
    most = max(value, high, random or 0.0, 1.0)
    return Chart(value / most, low / most, high / most, None if random is None else random / most)


def _classes(by_class: tuple[ClassFigure, ...]) -> FiguresTable:
    hardest = sorted(by_class, key=lambda one: one.precision_at_10)[:_MOST_CLASSES]
    text = "The share of an image\u2019s ten nearest others that are of its class, hardest first."
    if len(hardest) < len(by_class):
        text += f" The {len(hardest)} hardest of {len(by_class):,} classes."
    return FiguresTable(
        "Classes",
        text,
        columns=("class", "precision at 10", "random"),
        rows=tuple(
            FigureRow(
                one.label,
                f"{one.precision_at_10:.1%}",
                f"{one.low:.1%} \u2013 {one.high:.1%}",
                f"{one.random:.1%}",
                f"{one.queries:,} images",
                _chart(one.precision_at_10, one.low, one.high, one.random),
            )
            for one in hardest
        ),
    )


def _reading(evaluation: Evaluation) -> Facts:
    seeds = f"{evaluation.seed} to {evaluation.seed + evaluation.sets - 1}"
    meanings = {
        "interval": "The middle 95% of what other queries and sets of this folder would give"
        " (bootstrap, 1,000 resamples).",
        "random": "The same figure of random choice: exact for single images, measured for sets.",
        "distance": "1 is the distance of a typical pair of images in this folder.",
        "sets": f"Those of the seeds {seeds}; imgbatch similar --seed and imgbatch different --seed"
        " show each of them.",
    }
    facts = tuple((name, (meaning,)) for name, meaning in meanings.items())
    return Facts("How to read this", facts=facts)
