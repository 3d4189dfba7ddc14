"""The page of an overview: facts, what to look at, groups with pictures, classes and tags."""

from collections.abc import Sequence
from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.overview import (
    classes_in_words,
    copies_in_words,
    listed,
    nearest_in_words,
    percent,
    shapes_in_words,
    sizes_in_words,
)
from imgbatch.outputs.pages.records import (
    Chart,
    Facts,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
)
from imgbatch.outputs.pages.settings import remarks_section, settings_section
from imgbatch.overview.results import Count, Group, NamedImage, Overview, Problem

_MOST_EXAMPLES = 8
_AT_EACH_END = 15
_PROBLEMS = (
    "Images that a rule found: to look at, not to delete. A night scene is dark, and a pencil is"
    " long. The worst come first."
)
_COVERS = (
    "How many images stand for all, if each stands for those near it: every image is at most so far"
    " from one of them, and no two of them are so near each other. At 0.5 two images look alike at"
    " a glance, at 0.7 they have something in common. A folder without repetition needs all."
)


def overview_page(seen: Overview, config: Config, command: str = "") -> Page:
    """The page of an overview.

    Parameters
    ----------
    seen
        What `Collection.overview` returned.
    config
        The settings of the collection.
    command
        The terminal command that shows the same; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> overview_page(photos.overview(), photos.config).title
    'What is in photos'
    """
    tables = [_counts("Tags", "tag", seen.tags)] if seen.tags else []
    if seen.classes is not None:
        tables.insert(0, _counts("Classes", "class", seen.classes.counts))
    return Page(
        "overview",
        f"What is in {Path(seen.folder).name or 'the root'}",
        highlights=_highlights(seen),
        sections=(
            _facts(seen),
            _problems(seen),
            _groups(seen),
            _covers(seen),
            *tables,
            settings_section(seen.folder, seen.images, seen.seed, config),
            *remarks_section(seen.notes, ()),
        ),
        command=command,
    )


def _highlights(seen: Overview) -> tuple[tuple[str, str], ...]:
    values = [(f"{seen.images:,}", "images")]
    if seen.classes is not None:
        values.append((f"{len(seen.classes.counts):,}", "classes"))
    values.append((f"{seen.repetition.copies:,}", "copies that could go"))
    values.append((f"{sum(problem.count for problem in seen.problems):,}", "things to look at"))
    return tuple(values)


def _facts(seen: Overview) -> Facts:
    facts = [
        ("formats", listed(seen.formats)),
        ("sizes", f"{sizes_in_words(seen)}. In brackets: all but the 5% at either end."),
        ("shapes", shapes_in_words(seen)),
        ("copies", copies_in_words(seen)),
        ("nearest", nearest_in_words(seen)),
    ]
    if seen.classes is not None:
        facts.insert(3, ("classes", classes_in_words(seen.classes)))
    return Facts("In short", facts=tuple((name, (value,)) for name, value in facts))


def _problems(seen: Overview) -> ImageGroups:
    left = "; ".join(f"{name} ({reason})" for name, reason in seen.not_looked_for)
    text = _PROBLEMS if seen.problems else "No rule found anything."
    return ImageGroups(
        "To look at",
        f"{text} Not looked for: {left}." if left else text,
        groups=tuple(map(_problem, seen.problems)),
    )


def _problem(problem: Problem) -> ImageGrid:
    noun = "image" if problem.count == 1 else "images"
    grid = ImageGrid(
        f"{problem.name.capitalize()}: {problem.count:,} {noun}",
        f"{problem.rule.capitalize()}; {problem.looked_at:,} were looked at.",
        images=tuple(_card(image) for image in problem.images),
    )
    return grid.first(_MOST_EXAMPLES)


def _groups(seen: Overview) -> ImageGroups:
    grouping = seen.grouping
    tried = ", ".join(f"{number} ({score:.3f})" for number, score in grouping.tried)
    text = (
        "Images that lie together. First those nearest to the centre of their group; framed ones"
        " are far from it."
    )
    if tried:
        text += f" Numbers of groups tried, with their silhouettes: {tried}; near 0 they overlap."
    groups = tuple(_group(*pair) for pair in enumerate(grouping.groups, start=1))
    return ImageGroups("Groups", text, groups=groups, compact=True)


def _group(number: int, group: Group) -> ImageGrid:
    often = [listed(counts) for counts in (group.classes, group.tags) if counts]
    return ImageGrid(
        f"Group {number}: {group.images:,} images, {percent(group.share)}",
        f"More often than elsewhere: {'; '.join(often)}." if often else "",
        images=tuple(map(_card, group.typical)) + tuple(_card(image, "odd") for image in group.odd),
    )


def _card(image: NamedImage, mark: str = "") -> PageImage:
    facts = (image.detail,) if image.detail else ()
    return PageImage(image.path, image.relative, mark=mark, facts=facts)


def _covers(seen: Overview) -> FiguresTable:
    rows = tuple(
        FigureRow(
            f"at distance {cover.distance:g}",
            f"{cover.images:,}",
            random=percent(cover.share),
            meaning=f"{percent(cover.alike)} of the images have another one so near",
            chart=_bar(cover.share),
        )
        for cover in seen.repetition.covers
    )
    columns = ("images that stand for all", "how many", "share")
    return FiguresTable("How repetitive", _COVERS, columns, rows, interval_name="")


def _counts(heading: str, kind: str, counts: Sequence[Count]) -> FiguresTable:
    """A table of counts with bars; the longest bar is the largest count."""
    most, text = max(count.share for count in counts), ""
    shown = tuple(counts)
    if len(shown) > 2 * _AT_EACH_END:
        text = f"The {_AT_EACH_END} largest and the {_AT_EACH_END} smallest of {len(shown):,}."
        shown = shown[:_AT_EACH_END] + shown[-_AT_EACH_END:]
    rows = tuple(
        FigureRow(
            count.name,
            f"{count.images:,}",
            random=percent(count.share),
            chart=_bar(count.share / most),
        )
        for count in shown
    )
    return FiguresTable(heading, text, (kind, "images", "share"), rows, interval_name="")


def _bar(share: float) -> Chart:
    return Chart(share, 0.0, share)
