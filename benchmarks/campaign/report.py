"""What a campaign found, as text: a table of parts, and every kind of failure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from campaign.base import Failure, Outcome, Part

_HEAD = ("part", "tried", "survived", "failed", "largest memory", "time", "counted apart")
_CASES_SHOWN = 20


@dataclass
class Kind:
    """Failures of one kind: the smallest one, and the cases it was seen in."""

    smallest: Failure
    case: int
    cases: list[int] = field(default_factory=list)


@dataclass
class Tally:
    """What a part found so far; `seconds` is how long it took."""

    part: Part
    tried: int = 0
    failed: int = 0
    memory_mb: float = 0.0
    seconds: float = 0.0
    apart: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count a case."""
        self.tried += 1
        self.failed += bool(outcome.failures)
        self.memory_mb = max(self.memory_mb, outcome.memory_mb)
        if outcome.apart:
            self.apart[outcome.apart] += 1
        for failure in outcome.failures:
            kind = self.kinds.setdefault(failure.kind, Kind(failure, outcome.case))
            if failure.size_bytes < kind.smallest.size_bytes:
                kind.smallest, kind.case = failure, outcome.case
            if outcome.case not in kind.cases[-1:]:
                kind.cases.append(outcome.case)

    @property
    def row(self) -> list[str]:
        """The part's line of the table."""
        memory = f"{self.memory_mb:,.0f} MB" if self.memory_mb else "not measured"
        apart = ", ".join(f"{count} {name}" for name, count in self.apart.items())
        survived, minutes = self.tried - self.failed, self.seconds / 60
        counts = [str(count) for count in (self.tried, survived, self.failed)]
        return [self.part.name, *counts, memory, f"{minutes:.1f} min", apart]


def show(tallies: Sequence[Tally], repeat: str) -> None:
    """Print the table, and every kind of failure; `repeat` is the command without the cases."""
    console = Console()
    table = Table(*_HEAD, title="Campaign")
    for tally in tallies:
        table.add_row(*tally.row)
    console.print(table)
    for line in failures(tallies, repeat):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def failures(tallies: Iterable[Tally], repeat: str) -> Iterable[str]:
    """Lines that tell each kind of failure, its smallest case, and how to repeat it."""
    for tally in tallies:
        for name, kind in sorted(tally.kinds.items(), key=lambda item: -len(item[1].cases)):
            others = ", ".join(str(case) for case in kind.cases[:_CASES_SHOWN])
            more = len(kind.cases) - _CASES_SHOWN
            yield f"{tally.part.name}: {name}, {len(kind.cases)} cases"
            yield f"    smallest: {kind.smallest.text}"
            yield f"    repeat:   {repeat} --parts {tally.part.name} --cases {kind.case}"
            yield f"    cases:    {others}{f' and {more} more' if more > 0 else ''}"


def markdown(tallies: Sequence[Tally], repeat: str) -> str:
    """The same as a Markdown document."""
    rows = [list(_HEAD), ["---"] * len(_HEAD), *(tally.row for tally in tallies)]
    lines = ["# Campaign", "", f"Made by `{repeat}`.", ""]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", *(f"- `{tally.part.name}`: {tally.part.what}" for tally in tallies)]
    told = [*failures(tallies, repeat)]
    lines += ["", "## Failures", "", *(["```", *told, "```"] if told else ["None."]), ""]
    return "\n".join(lines)
