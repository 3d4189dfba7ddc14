"""What `overview` shows: tables of facts, groups and problems, a JSON document, rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imgbatch.files.names import number_of
from imgbatch.outputs.base import (
    StandardOutput,
    WrittenFile,
    files_document,
    size_in_words,
    titled_table,
)
from imgbatch.outputs.json import print_json
from imgbatch.outputs.rows import writing_rows
from imgbatch.overview.results import Classes, Count, Cover, Overview, Spread
from imgbatch.printable import printable

_WIDE = 100  # characters
_MOST_NAMED = 8
_EXAMPLES = 3


def write_overview(seen: Overview, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print what is in a folder as tables, or as one JSON document."""
    if json:
        print_json(overview_document(seen, files))
        return
    console = StandardOutput()
    title = f"{seen.images:,} images in {printable(seen.folder)}"
    console.print(Text(title, "bold"), soft_wrap=True)
    console.print(_facts(seen))
    console.print(_groups(seen, console))
    if seen.problems:
        console.print(_problems(seen, console))
    else:
        console.print_fact("problems", "none found")
    for name, reason in seen.not_looked_for:
        console.print_fact("not sought", f"{name}: {reason}", width=10)
    console.print_files(files)


def overview_document(seen: Overview, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The overview as values for JSON; the keys are a contract, more may be added."""
    document = asdict(seen) | {"seconds": round(seen.seconds, 3)}
    document["not_looked_for"] = dict(seen.not_looked_for)
    return document | {"files": files_document(files)}


def write_problem_rows(seen: Overview, target: Path) -> WrittenFile:
    """Write a row for each image of each problem, the worst first.

    ``path`` is the path inside the folder; bytes that are no valid text are written as they are.
    """
    with writing_rows(target) as write:
        write(["problem", "path", "detail"])
        for problem in seen.problems:
            for image in problem.images:
                write([problem.name, image.relative, image.detail])
    rows = sum(problem.count for problem in seen.problems)
    return WrittenFile.of("rows", target, rows, rows)


# ----- in words -----------------------------------------------------------------------------------


def percent(share: float) -> str:
    """A share for people; what is there is never 0%.

    >>> percent(0.5), percent(0.0004), percent(1.0)
    ('50%', '<1%', '100%')
    """
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def listed(counts: Sequence[Count], most: int = _MOST_NAMED) -> str:
    """Names with their shares, the first ones.

    >>> listed([Count("jpg", 3, 0.75), Count("png", 1, 0.25)], 1)
    'jpg 75%, 1 more'
    """
    words = [f"{count.name} {percent(count.share)}" for count in counts[:most]]
    more = len(counts) - most
    return ", ".join([*words, f"{more:,} more"] if more > 0 else words)


def sizes_in_words(seen: Overview) -> str:
    """How large files and pictures are; 5% are below and 5% above what stands in brackets."""
    each = _around(seen.spreads["bytes"], lambda value: size_in_words(round(value)))
    pixels = _around(seen.spreads["megapixels"], lambda value: f"{value:.2g}")
    return f"{size_in_words(seen.size)} in all, {each} each; megapixels {pixels}"


def shapes_in_words(seen: Overview) -> str:
    """The shapes of frames, and how aspects are spread."""
    aspect = _around(seen.spreads["aspect"], lambda value: f"{value:.2f}")
    return f"{listed(seen.shapes)}; width / height {aspect}"


def classes_in_words(classes: Classes) -> str:
    """How many classes there are, how large, and how even."""
    sizes = [count.images for count in classes.counts]
    least, most = min(sizes), max(sizes)
    each = number_of(most, "image") if least == most else f"{least:,} to {most:,} images"
    words = f"{len(sizes):,} of {each}"
    words += f", balance {classes.balance:.2f} (1 is even)"
    return words + (f"; {classes.unlabelled:,} images have none" if classes.unlabelled else "")


def ends_in_words(classes: Classes) -> str:
    """The largest classes and the smallest."""
    counts = classes.counts
    if len(counts) <= _MOST_NAMED:
        return ", ".join(f"{count.name} {count.images:,}" for count in counts)
    half = _MOST_NAMED // 2
    shown = (f"{count.name} {count.images:,}" for count in (*counts[:half], *counts[-half:]))
    first = list(shown)
    return ", ".join([*first[:half], "\N{HORIZONTAL ELLIPSIS}", *first[half:]])


def copies_in_words(seen: Overview) -> str:
    """How many copies there are, and of which kinds."""
    repeated = seen.repetition
    if not repeated.copies:
        return "none" if repeated.level != "exact" else "no equal files"
    kinds = ", ".join(f"{kind.images:,} {kind.name}" for kind in repeated.kinds)
    share = percent(repeated.copies / seen.images)
    groups = f"{repeated.groups:,} group{'s' * (repeated.groups > 1)}"
    images = f"{repeated.copies:,} image{'s' * (repeated.copies > 1)}"
    return f"{images} ({share}) could go, in {groups}: {kinds}"


def cover_in_words(cover: Cover) -> str:
    """How many images stand for all."""
    return f"{cover.images:,} ({percent(cover.share)}) at distance {cover.distance:g}"


def nearest_in_words(seen: Overview) -> str:
    """How near images are to each other."""
    return (
        f"half of the images have another one within {seen.repetition.nearest:.2f};"
        " 1 is the distance of a typical pair"
    )


def _around(spread: Spread, shown: Callable[[float], str]) -> str:
    """The median, and in brackets where all but the 5% at either end lie."""
    median, low, high = map(shown, (spread.median, spread.low, spread.high))
    return median if low == high else f"{median} ({low} to {high})"


# ----- tables -------------------------------------------------------------------------------------


def _facts(seen: Overview) -> Table:
    """Names and values; long values are folded under themselves."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    facts = [
        ("formats", listed(seen.formats)),
        ("sizes", sizes_in_words(seen)),
        ("shapes", shapes_in_words(seen)),
    ]
    if seen.classes is not None:
        facts.append(("classes", classes_in_words(seen.classes)))
        facts.append(("", ends_in_words(seen.classes)))
    if seen.tags:
        facts.append(("tags", listed(seen.tags, 2 * _MOST_NAMED)))
    facts.append(("copies", copies_in_words(seen)))
    covers = ", ".join(map(cover_in_words, seen.repetition.covers))
    facts.append(("stand for all", covers))
    facts.append(("nearest", nearest_in_words(seen)))
    for name, value in facts:
        table.add_row(f"  {name}", printable(value))
    return table


def _groups(seen: Overview, console: Console) -> Table:
    """A line for each group; below 100 columns without a typical image."""
    grouping = seen.grouping
    title = f"{len(grouping.groups)} groups (silhouette {grouping.silhouette:.3f})"
    table = titled_table(title)
    table.add_column("#", justify="right")
    table.add_column("images", justify="right")
    table.add_column("more often than elsewhere", overflow="fold")
    if console.width >= _WIDE:
        table.add_column("typical", overflow="fold")
    for number, group in enumerate(grouping.groups, start=1):
        often = "; ".join(listed(counts) for counts in (group.classes, group.tags) if counts)
        row = [str(number), f"{group.images:,}", printable(often)]
        if console.width >= _WIDE:
            row.append(_names(image.relative for image in group.typical[:2]))
        table.add_row(*row)
    return table


def _problems(seen: Overview, console: Console) -> Table:
    """A line for each problem; below 100 columns the rule stands under the name."""
    table = titled_table("to look at")
    wide = console.width >= _WIDE
    table.add_column("problem", overflow="fold", max_width=30)
    table.add_column("images", justify="right")
    if wide:
        table.add_column("rule", style="dim", overflow="fold", max_width=40)
    table.add_column("the first", overflow="fold")
    for problem in seen.problems:
        name = Text(problem.name)
        if not wide:
            name.append(f"\n{problem.rule}", "dim")
        row: list[str | Text] = [name, f"{problem.count:,}"]
        if wide:
            row.append(problem.rule)
        row.append(_names(image.relative for image in problem.images[:_EXAMPLES]))
        table.add_row(*row)
    return table


def _names(paths: Iterable[str]) -> str:
    return "\n".join(map(printable, paths))
