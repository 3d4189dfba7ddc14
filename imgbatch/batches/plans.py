"""Plans: the batches of some epochs as paths inside the image folder, and what a plan must fulfil.

`plan_files` writes and reads them, in the formats of `plan_formats`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from imgbatch.errors import ImgbatchError
from imgbatch.files.names import shortened, shortened_repr
from imgbatch.printable import printable


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan was made with: all that is needed to make it again."""

    seed: int
    batch_size: int
    folder: str
    version: str


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """One line of a plan; paths are relative to the folder, with ``/`` between their parts."""

    epoch: int
    batch: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was read: its header and, for each epoch, the batches' paths."""

    header: PlanHeader
    epochs: tuple[tuple[tuple[str, ...], ...], ...]


def header_of(line: dict[str, Any]) -> PlanHeader:
    """The header that stands in a line of a plan.

    Raises
    ------
    KeyError, ValueError
        A field is missing, or holds something else than a header does.
    """
    _check_numbers(line, seed=0, batch_size=1)
    for name in ("folder", "version"):
        if not isinstance(line[name], str):
            raise ValueError(f"{name} is {shortened_repr(line[name])}, not text")  # noqa: TRY004
    return PlanHeader(**{field.name: line[field.name] for field in fields(PlanHeader)})


def _check_numbers(line: dict[str, Any], **least: int) -> None:
    for name, lowest in least.items():
        if type(line[name]) is not int or line[name] < lowest:  # True is an int, too
            raise ValueError(
                f"{name} is {shortened_repr(line[name])}, not a whole number from {lowest} on"
            )


def _paths_of(line: dict[str, Any]) -> list[str]:
    paths = line["paths"]
    if isinstance(paths, list) and all(isinstance(path, str) for path in paths):
        return paths
    raise ValueError(f"paths is {shortened_repr(paths)}, not a list of names")


def unusable(file: Path, what: str) -> ImgbatchError:
    """The error for a plan that cannot be used; `what` may be several lines of a library's."""
    reason = shortened(printable(" ".join(what.split())))
    return ImgbatchError(
        f"the plan {file} cannot be used: {reason}", "write it anew with `imgbatch batches -o`"
    )


def checked_plan(file: Path, lines: Iterable[dict[str, Any]]) -> Plan:
    """Put a plan's lines together, epoch by epoch; equal paths share one string.

    Parameters
    ----------
    file
        Named in errors.
    lines
        Of each batch: `epoch`, `batch`, `paths` and the fields of the header.

    Raises
    ------
    ImgbatchError
        The lines are not whole epochs of one header: epochs and batches counted from 0 in order,
        no path twice in an epoch, every batch full except an epoch's last.
    KeyError, ValueError
        A field is missing or of another type.
    """
    header: PlanHeader | None = None
    epochs: list[list[tuple[str, ...]]] = []
    known: dict[str, str] = {}
    paths_in_epoch = 0
    seen: set[str] = set()
    for line in lines:
        line_header = header_of(line)
        header = header or line_header
        _check_numbers(line, epoch=0, batch=0)
        epoch, number = line["epoch"], line["batch"]
        if epoch == len(epochs):
            epochs.append([])
            seen, paths_in_epoch = set(), 0
        if not epochs or (epoch, number) != (len(epochs) - 1, len(epochs[-1])):
            raise unusable(file, f"epoch {epoch}, batch {number} does not follow in order")
        if line_header != header:
            raise unusable(file, f"epoch {epoch}, batch {number} has another header")
        paths = tuple(known.setdefault(path, path) for path in _paths_of(line))
        seen.update(paths)
        paths_in_epoch += len(paths)
        if len(seen) != paths_in_epoch:
            raise unusable(file, f"epoch {epoch} holds a path twice")
        before = epochs[-1][-1] if number else None
        full = header.batch_size
        if not 0 < len(paths) <= full or (before and len(before) != full):
            raise unusable(file, f"epoch {epoch} has other batches than full ones and a last one")
        epochs[-1].append(paths)
    if header is None:
        raise unusable(file, "it holds no batch")
    return Plan(header, tuple(map(tuple, epochs)))
