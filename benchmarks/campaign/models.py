"""Part `models`: a hostile label model or file of learned points is read, or an error of one line.

What is read must give finite probabilities of known classes, or a finite point, for a picture. No
pickle is ever run. Every fiftieth goes through the real command, too: ``label apply``, or
``similar`` under a config that names the points.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from campaign.answers import clear_line
from campaign.base import SAMPLES, BrokenError, Campaign, Failure, Outcome, Part
from campaign.folders import copy_pictures
from campaign.npzfiles import MARKER, hostile_npz
from campaign.probe import Hostile, Reading, probed, wrong_line
from campaign.processes import run

_READING = Reading(
    "models",
    "campaign.models:read_models",
    ("campaign.models", "imgbatch.learning.model", "imgbatch.index.learned", "imgbatch.config"),
    batch_files=20,
)
_EACH_REAL = 50
_PICTURES, _FEW = 90, 20
"""To learn points from, eight classes are needed."""
_MODEL, _POINTS = ".model.npz", ".points.npz"
_LOCK = threading.Lock()


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    good = _good(campaign)

    def make(folder: Path, case: int) -> Hostile:
        ending = _POINTS if case % 2 else _MODEL
        finish = _with_digest if ending == _POINTS else None
        data, text = hostile_npz(good[ending], campaign.random("models", case), finish)
        file = folder / f"{case:06}{ending}"
        file.write_bytes(data)
        return Hostile(case, file, text, len(data))

    def beyond(home: Path, hostile: Hostile, outcome: Outcome) -> Outcome:
        if (home / MARKER).exists():
            (home / MARKER).unlink()
            failure = Failure("a pickle is run", hostile.text, hostile.size_bytes)
            outcome = Outcome(outcome.case, (*outcome.failures, failure), outcome.memory_mb)
        real = hostile.case % _EACH_REAL in (0, 1)
        return _by_command(campaign, hostile, outcome, home) if real else outcome

    yield from probed(campaign, cases, _READING, make, beyond)


def _with_digest(parts: dict[str, Any]) -> None:
    """Let the digest in the header be that of the space, as it is now."""
    space, header = parts.get("space"), parts.get("header")
    if space is not None and isinstance(header, dict) and "digest" in header:
        header["digest"] = sha256(space.tobytes()).hexdigest()


def _good(campaign: Campaign) -> dict[str, bytes]:
    """Files that commands have written for a folder, by ending."""
    with _LOCK:
        home = campaign.folder("models-good")
        copy_pictures(home / "photos", _PICTURES)
        for arguments in (
            ("label", "train", "photos", "-o", "good.npz", "--emphasis", "color"),
            ("tune", "photos", "--trials", 1, "--enabled-only", "--learn", "-o", "tuned.toml"),
        ):
            ended = run(campaign, arguments, home)
            if ended.code != 0:
                raise BrokenError(f"an undisturbed command fails: {ended.in_short}")
        (points,) = set(home.glob("*.npz")) - {home / "good.npz"}
        return {_MODEL: (home / "good.npz").read_bytes(), _POINTS: points.read_bytes()}


# ----- in the process that reads ------------------------------------------------------------------


def read_models(given: dict[str, Any]) -> None:
    """Read the files; see `Reading`."""
    print(json.dumps([_read(file) for file in given["files"]]))


def _read(file: str) -> list[str] | None:
    from imgbatch.errors import ImgbatchError

    picture = str(next(SAMPLES.rglob("*.jpg")))
    try:
        return (_use_model if file.endswith(_MODEL) else _use_points)(file, picture)
    except ImgbatchError as error:
        return wrong_line(str(error))


def _use_model(file: str, picture: str) -> list[str] | None:
    import numpy as np

    from imgbatch.learning.model import LabelModel

    model = LabelModel.load(file)
    model.threshold(0.9)
    told = model.predict(picture)
    probability = float(told.probabilities[0])
    if not (np.isfinite(probability) and 0 <= probability <= 1):
        return ["a probability that is none", f"{told.labels[0]!r:.40}: {probability}"]
    if not all(isinstance(name, str) and name for name in model.classes):
        return ["classes that are no names", f"{model.classes!r:.100}"]
    return None


def _use_points(file: str, picture: str) -> list[str] | None:
    import numpy as np

    from imgbatch.index.learned import LearnedPoints

    point = LearnedPoints.load(file).portable.project(picture)[1]
    return None if np.isfinite(point).all() else ["a point that is not finite", f"{point[:5]}"]


# ----- by the command -----------------------------------------------------------------------------


def _by_command(campaign: Campaign, hostile: Hostile, outcome: Outcome, home: Path) -> Outcome:
    if not (home / "photos").exists():
        copy_pictures(home / "photos", _FEW)
    ask = partial(run, campaign, home=home)
    if hostile.path.name.endswith(_MODEL):
        ended = ask(["label", "apply", hostile.path, "photos", "--json"])
    else:
        config = home / "learned.toml"
        config.write_text(f'[space]\nlearned = "{hostile.path}"\n', encoding="utf-8")
        ended = ask(["similar", "photos", "-n", 3, "--json", "--no-sheet", "--config", config])
    failures = [*outcome.failures]
    if wrong := clear_line(ended) if ended.code else "":
        text = f"{hostile.text}: {ended.in_short}"
        failures.append(Failure(f"by command: {wrong}", text, hostile.size_bytes))
    return Outcome(hostile.case, tuple(failures), max(outcome.memory_mb, ended.memory_mb))


PART = Part(
    "models", "a hostile model or learned points: used, or an error of one line", 2000, _run
)
