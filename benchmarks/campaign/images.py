"""Part `images`: mutated image files are described, or refused with a reason in one line.

Every file goes through `imgbatch.index.extract.read_chunk`, the worker's way: among others, and
then alone, where free memory holds other bytes. A failure is an exception, a hang, the death of the
process, too much memory, an answer that is neither codes nor a reason, or another answer the second
time. Case 0 is a folder of the first 2,000 mutants (at
scale 1) for the real ``imgbatch index``: it must name every file as indexed or skipped.
"""

import contextlib
import io
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from campaign.base import SAMPLES, Campaign, Failure, Outcome, Part
from campaign.mutants import mutant
from campaign.probe import Hostile, Reading, kind_of_traceback, probed, wrong_line
from campaign.processes import run
from campaign.seeds import Seed, make_seeds

_READING = Reading(
    "images",
    "campaign.images:read_files",
    ("campaign.images", "imgbatch.index.extract", "imgbatch.descriptors", "imgbatch.config"),
    batch_files=64,
    times=2,
)
_FOLDER_FILES = 2000
_EMPHASIS = "extended"
"""All descriptors, so that each meets the odd pictures."""


_MOST_MEGAPIXELS = 100
"""Larger pictures are refused by default."""
_FILLING = 0x55
_FREED_BYTES = [1 << power for power in range(10, 21)] * 2


@cache
def seeds() -> list[Seed]:
    """All seeds, made once."""
    return make_seeds(SAMPLES)


def hostile_file(campaign: Campaign, case: int) -> tuple[str, bytes, str]:
    """The name of a case's seed, the bytes of its mutant, and what was done to it."""
    return mutant(seeds(), campaign.random("images", case))


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    if files := [case for case in cases if case > 0]:
        seeds()  # before threads ask for them
        yield from probed(
            campaign, files, _READING, lambda folder, case: _write(campaign, folder, case)
        )
    if 0 in cases:
        yield _index_folder(campaign)


def _write(campaign: Campaign, folder: Path, case: int) -> Hostile:
    name, data, text = hostile_file(campaign, case)
    file = folder / f"{case:06}-{name}"
    file.write_bytes(data)
    return Hostile(case, file, text, len(data), _promised_mb(data))


def _promised_mb(data: bytes) -> float:
    """What a worker may take for a picture of the size that the file claims: 150 MB and 6 bytes."""
    with (
        contextlib.suppress(Exception),
        warnings.catch_warnings(action="ignore"),
        Image.open(io.BytesIO(data)) as image,
    ):
        return 150 + 6 * min(image.width * image.height / 1e6, _MOST_MEGAPIXELS)
    return 0.0


# ----- in the process that reads ------------------------------------------------------------------


def read_files(given: dict[str, Any]) -> None:
    """Describe the files as a worker does; see `Reading`."""
    import cv2
    import numpy as np

    from imgbatch.config import default_config_path, load_config
    from imgbatch.descriptors import build_descriptors
    from imgbatch.images.quiet import quiet_codecs
    from imgbatch.index.extract import Chunk, FileTask, read_chunk, with_fingerprints

    cv2.setNumThreads(1)
    config = load_config(default_config_path()).config.with_emphasis(_EMPHASIS)
    options = config.images.as_options()
    descriptors = with_fingerprints(build_descriptors(config), options)
    folder = os.path.dirname(given["files"][0])
    tasks = [FileTask(os.path.basename(file), os.path.getsize(file)) for file in given["files"]]
    again = []
    with quiet_codecs():
        first = read_chunk(Chunk(folder, tuple(tasks), descriptors, options))
        for task in tasks:
            # What a decoder leaves unwritten is what was in its memory before.
            _ = [np.full(size, _FILLING, np.uint8) for size in _FREED_BYTES]
            again += read_chunk(Chunk(folder, (task,), descriptors, options))
    lengths = {mark: descriptor.dim for mark, descriptor in descriptors}
    verdicts = [_verdict(*answers, lengths) for answers in zip(first, again, strict=True)]
    print(json.dumps(verdicts))


def _verdict(answer: Any, again: Any, lengths: dict[str, int]) -> list[str] | None:
    """What is wrong with what `read_chunk` said of a file, both times; None if nothing is."""
    if (answer.codes, answer.error, answer.note) != (again.codes, again.error, again.note):
        return ["another answer the second time", f"{answer.error!r}, then {again.error!r}"]
    if answer.error is not None:
        if answer.codes:
            return ["both codes and a reason", answer.error]
        return wrong_line(answer.error, 300)
    if {mark: len(data) for mark, data in (answer.codes or {}).items()} != lengths:
        return ["codes that are missing or of another length", str(answer.note)]
    if answer.width < 1 or answer.height < 1:
        return ["a picture without a size", f"{answer.width}x{answer.height}"]
    return wrong_line(answer.note) if answer.note else None


# ----- the folder ---------------------------------------------------------------------------------


def _index_folder(campaign: Campaign) -> Outcome:
    """Index a folder of mutants by the real command."""
    home = campaign.folder("images-folder")
    photos = home / "photos"
    photos.mkdir()
    last = campaign.count(_FOLDER_FILES)
    files = [_write(campaign, photos, case) for case in range(1, last + 1)]
    ended = run(campaign, ["index", photos, "--json"], home)
    failure = None
    if "Traceback" in ended.err:
        failure = Failure(f"index raises {kind_of_traceback(ended.err)}", ended.in_short)
    elif ended.code != 0:
        failure = Failure("index fails on a folder of mutants", ended.in_short)
    elif ended.strays:
        failure = Failure("index leaves a process", ended.strays[0])
    elif any(not line.startswith("note: ") for line in ended.lines):
        failure = Failure("libraries talk to the user", ended.in_short)
    else:
        failure = _wrong_counts(json.loads(ended.out), files)
    if failure:
        campaign.kept("images", 0, photos)
    return Outcome(0, (failure,) if failure else (), ended.memory_mb)


def _wrong_counts(told: dict[str, Any], files: Sequence[Hostile]) -> Failure | None:
    skipped = {one["path"]: one["reason"] for one in told["skipped"]}
    unknown = skipped.keys() - {hostile.path.name for hostile in files}
    if unknown or told["indexed"] + len(skipped) != len(files):
        text = f"{told['indexed']} indexed, {len(skipped)} skipped, of {len(files)}; {unknown}"
        return Failure("index forgets or invents files", text)
    for name, reason in skipped.items():
        if wrong := wrong_line(reason, 300):
            return Failure(f"index: {wrong[0]}", f"{name}: {wrong[1]}")
        if "crashed the decoder" in reason:
            return Failure("a file kills its worker in index", f"{name}: {reason}")
    return None


PART = Part("images", "mutated images are described or refused in one line", 20_001, _run)
