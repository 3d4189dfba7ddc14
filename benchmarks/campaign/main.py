"""The command line of the campaign."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import imgbatch
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part
from campaign.registry import PARTS
from campaign.report import Tally, markdown, show
from campaign.selfcheck import check_all
from imgbatch.runners import usable_cores

_TOLD_SHARES = 10


def main(description: str, arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; returns the exit code."""
    given = _parse(description, arguments)
    if not Path("/proc/self/task").is_dir():
        print("error: the campaign looks for processes in /proc; run it on Linux", file=sys.stderr)
        return 2
    # A shell starts background jobs with Ctrl-C ignored, and processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"imgbatch {imgbatch.__version__} in {Path(imgbatch.__file__).parent}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="imgbatch-campaign-") as work:
        campaign = Campaign(Path(work).resolve(), given.seed, given.scale, given.jobs, given.keep)
        if given.self_check:
            return check_all(campaign, given.parts)
        return _run(campaign, [PARTS[name] for name in given.parts], given)


def _parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python benchmarks/campaign", description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        metavar="PART",
        default=list(PARTS),
        help=", ".join(f"{part.name} ({part.cases})" for part in PARTS.values()),
    )
    parser.add_argument("--seed", type=int, default=1, help="repeats a campaign (default: 1)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the cases (default: 1)")
    parser.add_argument(
        "--jobs",
        type=int,
        default=usable_cores(),
        help="cases tried at once (default: one for each core)",
    )
    parser.add_argument("--cases", type=int, nargs="+", metavar="N", help="these cases alone")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what made cases fail here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report here, too")
    parser.add_argument("--self-check", action="store_true",
                        help="plant a fault for each part and tell whether it is seen")  # fmt: skip
    given = parser.parse_args(arguments)
    if given.scale <= 0 or given.jobs < 1:
        parser.error("--scale is above 0, --jobs at least 1")
    return given


def _run(campaign: Campaign, parts: Sequence[Part], given: argparse.Namespace) -> int:
    repeat = f"python benchmarks/campaign --seed {campaign.seed} --scale {campaign.scale:g}"
    tallies: list[Tally] = []
    stopped = False
    try:
        for part in parts:
            tallies.append(Tally(part))
            cases = given.cases or range(campaign.count(part.cases))
            try:
                tally(campaign, tallies[-1], cases)
            except BrokenError as error:
                broken = Failure("the part cannot begin", str(error))
                tallies[-1].add(Outcome(min(cases), (broken,)))
    except KeyboardInterrupt:
        stopped = True
        print("stopped; this is what was found so far", file=sys.stderr)
    show(tallies, repeat)
    if given.markdown:
        given.markdown.write_text(markdown(tallies, repeat), encoding="utf-8")
    if stopped:
        return 130
    return 1 if any(tally.failed for tally in tallies) else 0


def tally(campaign: Campaign, found: Tally, cases: Sequence[int]) -> None:
    """Try a part's cases, and say what fails, and from time to time how far it is."""
    started, told = time.monotonic(), 0
    for outcome in found.part.run(campaign, cases):
        found.add(outcome)
        for failure in outcome.failures:
            print(f"{found.part.name}, case {outcome.case}: {failure.kind}", file=sys.stderr)
        found.seconds = time.monotonic() - started
        share = found.tried * _TOLD_SHARES // len(cases)
        if share > told:
            told = share
            print(f"{found.part.name}: {found.tried} of {len(cases)} tried, {found.failed} failed"
                  f" ({found.seconds:.0f} s)", file=sys.stderr)  # fmt: skip
