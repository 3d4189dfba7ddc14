"""Part `plans`: a hostile plan, file or folder, is a plan or an imgbatch error of one line.

It is read by `read_plan`, and by `DiverseBatchSampler.from_plan`, whose batches must then be rows
of the data set. Every third folder is also the target of a real ``imgbatch batches -o``, which must
replace it or refuse it in one line.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from campaign.answers import clear_line
from campaign.base import Campaign, Failure, Outcome, Part
from campaign.folders import copy_pictures
from campaign.planfiles import ANOTHER_FILE, NAMES, hostile_plan
from campaign.probe import Hostile, Reading, probed, wrong_line
from campaign.processes import run

_READING = Reading(
    "plans",
    "campaign.plans:read_plans",
    ("campaign.plans", "imgbatch.sampler", "imgbatch.batches.plan_files", "pyarrow.parquet"),
    batch_files=20,
)
_EACH_REAL = 3
_PICTURES = 12


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def make(folder: Path, case: int) -> Hostile:
        return hostile_plan(campaign.random("plans", case), folder, case)

    def beyond(home: Path, hostile: Hostile, outcome: Outcome) -> Outcome:
        real = hostile.case % _EACH_REAL == 0 and hostile.path.is_dir()
        return _replaced(campaign, hostile, outcome, home) if real else outcome

    yield from probed(campaign, cases, _READING, make, beyond)


# ----- in the process that reads ------------------------------------------------------------------


def read_plans(given: dict[str, Any]) -> None:
    """Read the plans; see `Reading`."""
    print(json.dumps([_read(file) for file in given["files"]]))


def _read(file: str) -> list[str] | None:
    from imgbatch.batches.plan_files import read_plan
    from imgbatch.errors import ImgbatchError
    from imgbatch.sampler import DiverseBatchSampler

    try:
        plan = read_plan(file)
        sampler = DiverseBatchSampler.from_plan(file, NAMES)
        for epoch in range(len(plan.epochs)):
            sampler.set_epoch(epoch)
            rows = [row for batch in sampler for row in batch]
            if len(set(rows)) != len(rows) or not set(rows) <= set(range(len(NAMES))):
                return ["a plan whose batches are no rows of the data set", f"epoch {epoch}"]
    except ImgbatchError as error:
        return wrong_line(str(error))
    return None


def _replaced(campaign: Campaign, hostile: Hostile, outcome: Outcome, home: Path) -> Outcome:
    """Write a plan over a hostile folder by the real command."""
    if not (home / "photos").exists():
        copy_pictures(home / "photos", min(_PICTURES, campaign.pictures))
    arguments = ["batches", home / "photos", "--batch-size", 4, "--json", "-o", f"{hostile.path}/"]
    ended = run(campaign, arguments, home)
    failures = [*outcome.failures]
    if wrong := clear_line(ended) if ended.code else "":
        failures.append(Failure(f"batches -o: {wrong}", f"{hostile.text}: {ended.in_short}"))
    if hostile.text == ANOTHER_FILE and not (hostile.path / ANOTHER_FILE).exists():
        failures.append(Failure("batches -o removes another file", hostile.text))
    return Outcome(hostile.case, tuple(failures), max(outcome.memory_mb, ended.memory_mb))


PART = Part("plans", "a hostile plan is a plan or an imgbatch error of one line", 400, _run)
