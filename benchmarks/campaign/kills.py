"""Part `kills`: a command killed at any moment, and run again, answers as if nothing had happened.

Killed (SIGKILL) is the command alone or its whole process group, while the folder grows under it.
Afterwards nothing half-written may stand under a final name, and no process may be left. The same
command must then succeed, with the document and outputs of an undisturbed run on a fresh index.
In every sixth case it is a new process; else one that was forked after its imports.
"""

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence

from campaign.answers import difference, document
from campaign.base import Campaign, Failure, Outcome, Part, each_case
from campaign.commands import CHECK, WRITERS, Deed
from campaign.deeds import Bench, Benches, Expected, Moment, State, benches
from campaign.folders import contents, replace_folder
from campaign.processes import Ended

_EACH_FED_SECONDS = 0.02
_EACH_FRESH = 6


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(slot: Benches, case: int) -> Outcome:
        padded = campaign.random("kills' bench", case).random() < 0.6
        return _kill(campaign, slot[padded], WRITERS[case % len(WRITERS)], case)

    yield from each_case(
        campaign, cases, lambda number: benches(campaign, f"kills-{number}"), attempt
    )


def _kill(campaign: Campaign, bench: Bench, deed: Deed, case: int) -> Outcome:
    random = campaign.random("kills", case)
    expected = bench.expected(deed)
    bench.expected(CHECK)
    states: tuple[State, ...] = ("after",) if deed.needs_index else ("none", "before", "before")
    state, group = random.choice(states), random.random() < 0.5
    whole_seconds = expected.seconds * (1.0 if state == "none" else 0.8)
    moment = Moment.draw(random, whole_seconds, deed)
    grows = deed.name == "index"
    bench.set_up(state, "before" if grows else "after")
    if random.random() < 0.5:
        bench.put_former(deed)
    command = bench.start(deed)
    fed = _feeder(bench, command.seconds) if grows else None
    moment.wait(command, bench.index, bench.out,
                meanwhile=lambda: fed(command.seconds) if fed else None)  # fmt: skip
    early = command.poll()
    command.send(signal.SIGKILL, group=group)
    killed = command.end()
    if grows:
        replace_folder(bench.home / "photos-after", bench.photos)
    whom = "its group" if group else "it alone"
    told = f"{deed.name}, index {state}, {whom} killed {moment}"
    found = [("processes are left", "; ".join(killed.strays))] if killed.strays else []
    if text := bench.half_written(deed, expected.outputs):
        found.append(("half-written under a final name", text))
    if campaign.keep:
        shutil.rmtree(bench.home / "found", ignore_errors=True)
        shutil.copytree(bench.index, bench.home / "found/index") if bench.index.is_dir() else None
        shutil.copytree(bench.out, bench.home / "found/out")
    problems, memory_mb = after(bench, deed, expected, case)
    failures = tuple(
        Failure(f"{deed.name}: {kind}", f"{told}: {text}") for kind, text in [*found, *problems]
    )
    if failures:
        campaign.kept("kills", case, bench.home / "found")
    apart = "ended before they were killed" if early else ""
    return Outcome(case, failures, max(killed.memory_mb, memory_mb), apart)


def _feeder(bench: Bench, begun: float) -> Callable[[float], None]:
    """Makes the folder grow to its later state, a file at a time, while a command runs."""
    later = bench.home / "photos-after"
    files = iter(sorted(path for path in later.rglob("*") if path.is_file()))
    fed_until = begun

    def feed(now: float) -> None:
        nonlocal fed_until
        if now < fed_until + _EACH_FED_SECONDS:
            return
        fed_until = now
        source = next(files, None)
        if source is not None:
            target = bench.photos / source.relative_to(later)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)

    return feed


def after(
    bench: Bench, deed: Deed, expected: Expected, case: int
) -> tuple[list[tuple[str, str]], float]:
    """What is wrong when a disturbed deed is run again, undisturbed; and the memory it takes."""
    ended = bench.run(deed, fresh=case % _EACH_FRESH == 0)
    found = []
    if ended.strays:
        found.append(("processes are left by the next run", "; ".join(ended.strays)))
    if not _done(bench, deed, ended):
        return [*found, ("the next run fails", ended.in_short)], ended.memory_mb
    told = document(ended, [deed.left_to_do])
    if expected.document is not None and (text := difference(told, expected.document)):
        found.append(("the next run answers otherwise", text))
    now = bench.outputs()
    other = [name for name, data in expected.outputs.items() if now.get(name) != data]
    if other:
        found.append(("the next run's output differs", ", ".join(other)))
    if deed.left_to_do and (text := _left_to_do(bench, deed)):
        found.append(("a run after the next one is not done", text))
    checked = bench.check()
    told = bench.expected(CHECK).document or {}
    if checked.code != 0:
        found.append(("a later request fails", checked.in_short))
    elif text := difference(document(checked), told):
        found.append(("a later request answers otherwise", text))
    return found, max(ended.memory_mb, checked.memory_mb)


def _left_to_do(bench: Bench, deed: Deed) -> str:
    """What a run says of its work where there must be none left; empty if it says 0."""
    ended = bench.zygote.command(*bench.arguments(deed))
    left = (document(ended) or {}).get(deed.left_to_do)
    return "" if left == 0 else f"{deed.left_to_do} is {left}; {ended.in_short}"


def _done(bench: Bench, deed: Deed, ended: Ended) -> bool:
    """Whether a command succeeded; there may be nothing left to clean."""
    if deed.name == "clean" and ended.code == 2 and "no index of" in ended.err:
        return not contents(bench.index)
    return ended.code == 0


PART = Part("kills", "a killed command leaves nothing half-written and is right again", 1040, _run)
