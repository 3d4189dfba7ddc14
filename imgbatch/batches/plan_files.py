"""Write plans to files and folders, and read them back.

A plan is one file (formats in `plan_formats`), or a folder: a ``.jsonl`` file for each chunk that
was dealt, and ``plan.json`` that names these files in order, each with its epoch and the number of
its batches.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imgbatch.batches.plan_formats import PLAN_FORMATS, need_pyarrow, read_jsonl, write_jsonl
from imgbatch.batches.plans import (
    Plan,
    PlanHeader,
    PlannedBatch,
    checked_plan,
    header_of,
    unusable,
)
from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing, replacing_folder
from imgbatch.files.regular import only_regular

_CONTENTS = "plan.json"


def check_plan_path(path: Path) -> None:
    """Raise `UsageError` unless the ending is a plan's and the library it needs is installed."""
    if path.suffix.lower() not in PLAN_FORMATS:
        raise UsageError(
            f"the plan {path} has the ending {path.suffix or 'none'!r}",
            f"use one of {', '.join(PLAN_FORMATS)}",
        )
    if path.suffix.lower() == ".parquet":
        need_pyarrow()


def write_plan(target: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    """Write a plan to a file, which is replaced at once when the new one is complete.

    Parameters
    ----------
    target
        The file; its ending decides the format.
    header
        What the plan was made with.
    batches
        In order; they are written as they come.

    Raises
    ------
    UsageError
        Another ending, or Parquet without pyarrow.
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "plan.jsonl"
    >>> header = PlanHeader(seed=1, batch_size=2, folder="/photos", version="0")
    >>> write_plan(target, header, [PlannedBatch(0, 0, ("a.jpg", "b.jpg"))])
    >>> read_plan(target).epochs
    ((('a.jpg', 'b.jpg'),),)
    """
    check_plan_path(target)
    with replacing(target) as temporary:
        PLAN_FORMATS[target.suffix.lower()].write(temporary, header, batches)


def write_plan_folder(
    target: Path, header: PlanHeader, chunks: Iterable[Iterable[PlannedBatch]]
) -> None:
    """Write a plan to a folder, a file for each chunk; it replaces an old plan when it is complete.

    Parameters
    ----------
    target
        The folder.
    header
        What the plan was made with.
    chunks
        The batches in order, chunk by chunk; no chunk spans two epochs. One chunk is held in memory
        at a time.

    Raises
    ------
    OutputError
        The folder cannot be written, or holds anything but a plan.
    """
    with replacing_folder(target, _plan_files_in) as temporary:
        files = []
        for number, chunk in enumerate(chunks):
            batches = list(chunk)
            epoch = batches[0].epoch if batches else 0
            name = f"epoch-{epoch:04}-chunk-{number:05}.jsonl"
            write_jsonl(temporary / name, header, batches)
            files.append({"name": name, "epoch": epoch, "batches": len(batches)})
        contents = asdict(header) | {"files": files}
        (temporary / _CONTENTS).write_text(json.dumps(contents, indent=1), encoding="ascii")


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan from a file or a folder; any program may have written it.

    Raises
    ------
    ImgbatchError
        The file is missing, of another format, lacks a field, or is not a plan of whole epochs (see
        `plans.checked_plan`).
    """
    file = Path(path)
    is_folder = file.is_dir()
    if not is_folder:
        check_plan_path(file)
    read = _read_folder if is_folder else PLAN_FORMATS[file.suffix.lower()].read
    try:
        return checked_plan(file, read(file))
    except OSError as error:
        raise unusable(file, error.strerror or str(error)) from None
    except RecursionError:
        raise unusable(file, "its values are nested too deeply") from None
    except (ValueError, KeyError, TypeError) as error:
        what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise unusable(file, what) from None


def _read_folder(path: Path) -> Iterator[dict[str, Any]]:
    contents = _read_contents(path)
    for listed in contents["files"]:
        count = 0
        for line in read_jsonl(path / os.path.basename(listed["name"])):
            count += 1
            yield line
        if count != listed["batches"]:
            raise ValueError(f"{listed['name']} holds {count} batches, not {listed['batches']}")


def _read_contents(folder: Path) -> Any:
    with open(folder / _CONTENTS, encoding="utf-8", opener=only_regular) as file:
        return json.load(file)


def _plan_files_in(folder: Path) -> set[str]:
    """Names of the files that make up the plan in a folder; empty if there is no such plan."""
    try:
        contents = _read_contents(folder)
        header_of(contents)
        return {_CONTENTS, *(str(listed["name"]) for listed in contents["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
