"""What commands answer: documents to compare, and errors to judge."""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from campaign.processes import Ended

_VOLATILE = ("seconds", "notes", "read", "described", "removed", "index")
"""How long it took, how much work was left to do, where the index lies."""
_MOST_CHARACTERS = 1000
_NAMED = re.compile(r"`(imgbatch [^`]+)`")


def document(ended: Ended, volatile: Sequence[str] = ()) -> dict[str, Any] | None:
    """The one JSON document on standard output, without what differs from run to run.

    `volatile` names what else does, of this command.
    """
    try:
        told = json.loads(ended.out)
    except ValueError:
        return None
    return {name: value for name, value in told.items() if name not in {*_VOLATILE, *volatile}}


def difference(answer: dict[str, Any] | None, expected: dict[str, Any]) -> str:
    """In a few words, where a document differs from the expected one; empty if it does not."""
    if answer is None:
        return "no document"
    names = [name for name in {**expected, **answer} if answer.get(name) != expected.get(name)]
    if not names:
        return ""
    name = names[0]
    return f"{name} is {_short(answer.get(name))}, not {_short(expected.get(name))}"


def _short(value: Any) -> str:
    """A value in a few words; of images their paths and scores."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "relative" in value[0]:
        value = [(image["relative"], image.get("score")) for image in value]
    text = json.dumps(value, default=str)
    return text if len(text) <= 160 else f"{text[:160]}..."


def clear_line(ended: Ended) -> str:
    """What is wrong with how a command failed; empty if it was one clear line of error."""
    code = -1 if ended.code is None else ended.code
    errors = [line for line in ended.lines if not line.startswith("note: ")]
    first = errors[0] if errors else ""
    unexpected = first.removeprefix("error: unexpected ").partition(":")[0]
    checks = (
        (ended.code is None, "hangs"),
        (code < 0, f"dies of signal {-code}"),
        ("Traceback" in ended.err, "a traceback"),
        (len(errors) != 1, f"{len(errors)} lines of error"),
        (not first.startswith("error: "), "a line that is no error's"),
        (first.startswith("error: unexpected "), f"an unexpected {unexpected}"),
        (len(first) > _MOST_CHARACTERS, "an error that is too long"),
    )
    return next((text for wrong, text in checks if wrong), "")


def named_command(ended: Ended, folder: str) -> list[str] | None:
    """The arguments of the command that an error tells to run, if it names one in backticks."""
    found = _NAMED.search(ended.err)
    if found is None:
        return None
    words = shlex.split(found[1])[1:]
    return [folder if word == "FOLDER" else word for word in words]
