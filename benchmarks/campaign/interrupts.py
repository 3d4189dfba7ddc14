"""Part `interrupts`: Ctrl-C at any moment of any command is one line, exit code 130, and no trace.

SIGINT goes to the command alone or, as from a terminal, to its whole process group. Allowed is:

- exit code 130 and exactly one line on standard error, with no result or, if it was out already,
  the whole one;
- exit code 0 and the whole result, if it was complete;
- counted apart as "before the start": death by SIGINT, or a traceback without a frame of imgbatch,
  both of which Python itself brings about before our first line runs;
- of ``tune``, whose Ctrl-C ends the search alone, exit code 130 with the result and notes.

Nothing half-written may stand under a final name, no process may be left, and the next run must
answer as if nothing had happened.
"""

import re
import signal
from collections.abc import Iterator, Sequence

from campaign.answers import difference, document
from campaign.base import Campaign, Failure, Outcome, Part, each_case
from campaign.commands import CHECK, OTHERS, WRITERS, Deed
from campaign.deeds import Bench, Benches, Expected, Moment, State, benches, lines_of
from campaign.kills import after
from campaign.processes import Ended

_DEEDS = (*WRITERS, *OTHERS)
BEFORE = "before the start"
_OF_TUNE = ("note: ", "trial ", "stopped")
"""How lines begin that tell of a search which was cut short."""
_SEARCHES = ("tune", "learn")
OUR_FRAME = re.compile(r'File "[^"]*/imgbatch/')


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(slot: Benches, case: int) -> Outcome:
        padded = campaign.random("interrupts' bench", case).random() < 0.5
        return _interrupt(campaign, slot[padded], _DEEDS[case % len(_DEEDS)], case)

    yield from each_case(
        campaign, cases, lambda number: benches(campaign, f"interrupts-{number}"), attempt
    )


def _interrupt(campaign: Campaign, bench: Bench, deed: Deed, case: int) -> Outcome:
    random = campaign.random("interrupts", case)
    states: tuple[State, ...] = ("after",) if deed.needs_index else ("none", "before", "after")
    state, group = random.choice(states), random.random() < 0.5
    expected = bench.expected(deed, state)
    bench.expected(CHECK)
    depends = bench.dependence(deed) if state == "after" and deed.answers else ""
    moment = Moment.draw(random, expected.seconds * (1.0 if state == "none" else 0.8), deed)
    bench.set_up(state)
    command = bench.start(deed)
    moment.wait(command, bench.index, bench.out)
    early = command.poll()
    command.send(signal.SIGINT, group=group)
    ended = command.end()
    whom = "its group" if group else "it alone"
    told = f"{deed.name}, index {state}, {whom} interrupted {moment}"
    found = [("processes are left", "; ".join(ended.strays))] if ended.strays else []
    wrong = _wrong_end(ended, expected, deed)
    if wrong not in ("", BEFORE):
        found.append((wrong, _told(ended)))
    if text := bench.half_written(deed, expected.outputs):
        found.append(("half-written under a final name", text))
    if depends:
        found.append(
            ("undisturbed, it answers otherwise if another command made the index", depends)
        )
    problems, memory_mb = after(bench, deed, expected, case)
    failures = tuple(Failure(kind, f"{told}: {text}") for kind, text in [*found, *problems])
    apart = "ended before they were interrupted" if early else wrong if wrong == BEFORE else ""
    return Outcome(case, failures, max(ended.memory_mb, memory_mb), apart)


def _wrong_end(ended: Ended, expected: Expected, deed: Deed) -> str:
    """What is wrong with how an interrupted command ended; `BEFORE`, or empty if nothing is."""
    if ended.code is None:
        return "no end after Ctrl-C"
    if OUR_FRAME.search(ended.err) or ("Traceback" in ended.err and ended.code in (0, 130)):
        return f"a traceback, exit code {ended.code}"
    if ended.code == -signal.SIGINT or (ended.code != 0 and "KeyboardInterrupt" in ended.err):
        return BEFORE
    lines = [line for line in lines_of(ended) if line not in expected.lines]
    if ended.code == 0:
        return _wrong_success(ended, lines, deed, expected)
    return (
        _wrong_130(ended, lines, deed, expected) if ended.code == 130 else f"exit code {ended.code}"
    )


def _wrong_130(ended: Ended, lines: list[str], deed: Deed, expected: Expected) -> str:
    """What is wrong with a command that was stopped; empty if nothing is."""
    if deed.name in _SEARCHES and lines and all(line.startswith(_OF_TUNE) for line in lines):
        return ""
    if len(lines) != 1:
        return f"{len(lines)} lines on standard error, exit code 130"
    if not ended.out or _is_whole(ended, deed, expected):
        return ""
    return "exit code 130, and a part of the result"


def _is_whole(ended: Ended, deed: Deed, expected: Expected) -> bool:
    if expected.document is None:
        return ended.out.endswith("\n")
    return not difference(document(ended, [deed.left_to_do]), expected.document)


def _wrong_success(ended: Ended, lines: list[str], deed: Deed, expected: Expected) -> str:
    """What is wrong with a command that succeeded in spite of Ctrl-C; empty if nothing is."""
    if lines:
        return "exit code 0, but something on standard error"
    return "" if _is_whole(ended, deed, expected) else "exit code 0, but not the whole result"


def _told(ended: Ended) -> str:
    """How a command ended, with the innermost frames of a traceback, in one line."""
    frames = [line.strip() for line in ended.lines if line.strip().startswith("File ")]
    return f"{ended.in_short}{' <- ' if frames else ''}{' <- '.join(frames[-1:-4:-1])}"


PART = Part("interrupts", "Ctrl-C is one line and exit code 130", 540, _run)
