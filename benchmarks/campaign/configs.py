"""Part `configs`: a hostile config or vocabulary of tags is read, or a ConfigError of one line.

Every second file is a vocabulary. Some go through the real command, too: ``config`` and, if that
accepts it, ``similar`` must print a document, or fail with one line of error; so must
``tags`` under a vocabulary.
"""

import json
import math
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from campaign.answers import clear_line
from campaign.base import ROOT, Campaign, Failure, Outcome, Part
from campaign.damage import damaged
from campaign.folders import copy_pictures
from campaign.probe import Hostile, Reading, probed, wrong_line
from campaign.processes import run

_READING = Reading(
    "configs",
    "campaign.configs:load_files",
    ("campaign.configs", "imgbatch.config", "imgbatch.config.read", "imgbatch.measures.schema"),
    batch_files=50,
)
_EACH_REAL = 50
_TAGS = ".tags.toml"
_PICTURES = 12
_VALUES = (
    "nan", "inf", "-inf", "1e400", "-0.0", "-1", "0", "1", "2.5", "300", "9" * 400, "0xffffffff",
    "0o7", "0b1", "1_000", "true", '""', '"x"', '"\\u0000"', '"a\\nb"', '"png"', '"../../x"',
    '"' + "a" * 100_000 + '"', "'''\nlines\n'''", "[]", "[1, 2]", "[255, 255, 256]", "[0.5, 1, 2]",
    '["a", "b", "c"]', "[" * 50 + "]" * 50, "[" * 5000 + "]" * 5000,
    "{}", "{a = 1}", "{a = {b = 1}}", "{a = " * 3000 + "1" + "}" * 3000,
    "2020-01-01", "2020-01-01T00:00:00Z", "12:00:00",
    "9223372036854775808", "-9223372036854775809", "1e-320", "5e-1",
)  # fmt: skip
_NAMES = (
    "unknown", '""', '"a b"', '"\\n"', '"\\u202e"', "__class__", "model_config", "model_fields",
    "copy", "json", "1", '"' + "k" * 10_000 + '"', '"[bold]x[/bold]"', '"{0}%s"', "a.b.c",
    ".".join(["a"] * 2000), '"imgbatch"', "hsv", "weights", "presets",
)  # fmt: skip
_ENCODINGS = ("utf-16", "utf-8-sig", "utf-32", "utf-7", "cp037", "latin-1")


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def make(folder: Path, case: int) -> Hostile:
        ending = _TAGS if case % 2 else ".toml"
        base = ROOT / ("tags.toml" if case % 2 else "config.toml")
        data, text = _hostile(campaign.random("configs", case), base)
        file = folder / f"{case:06}{ending}"
        file.write_bytes(data)
        return Hostile(case, file, text, len(data))

    def beyond(home: Path, hostile: Hostile, outcome: Outcome) -> Outcome:
        real = hostile.case % _EACH_REAL in (0, 1)
        return _by_command(campaign, hostile, outcome, home) if real else outcome

    yield from probed(campaign, cases, _READING, make, beyond)


# ----- hostile files ------------------------------------------------------------------------------


def _hostile(random: Random, base: Path) -> tuple[bytes, str]:
    """A file's bytes, made of those of a good one, and what is wrong with it."""
    default = base.read_text(encoding="utf-8")
    kind = random.choice(("value", "value", "value", "name", "shape", "lines", "bytes", "encoding",
                          "much", "weights"))  # fmt: skip
    if kind == "bytes":
        data, told = default.encode(), []
        for _ in range(random.randint(1, 3)):
            data, text = damaged(data, random)
            told.append(text)
        return data, f"the default with {'; '.join(told)}"
    if kind == "encoding":
        name = random.choice(_ENCODINGS)
        return default.encode(name, "replace"), f"the default in {name}"
    text, told = _MAKERS[kind](random, default)
    return text.encode("utf-8", "surrogatepass"), told


def _keys(default: str) -> list[tuple[str, str]]:
    """Every table and key of the default."""
    found: list[tuple[str, str]] = []

    def walk(table: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(f"{table}.{key}" if table else key, value)
            else:
                found.append((table, key))

    walk("", tomllib.loads(default))
    return found


def _other_value(random: Random, default: str) -> tuple[str, str]:
    tables: dict[str, list[str]] = {}
    for table, key in random.sample(_keys(default), random.choice((1, 1, 1, 2, 5))):
        tables.setdefault(table, []).append(f"{key} = {random.choice(_VALUES)}")
    lines = [line for table, values in tables.items() for line in (f"[{table}]", *values)]
    return "\n".join(lines) + "\n", f"other values: {' '.join(lines)[:120]}"


def _other_name(random: Random, default: str) -> tuple[str, str]:
    table, _ = random.choice(_keys(default))
    name = random.choice(_NAMES)
    heading = random.choice((f"[{table}]", f"[{name}]", f"[{table}.{name}]", f"[[{table}]]", ""))
    text = f"{heading}\n{name} = {random.choice(_VALUES[:30])}\n"
    return text, f"a name: {' '.join(text.split())[:120]}"


def _other_shape(random: Random, default: str) -> tuple[str, str]:
    table, key = random.choice(_keys(default))
    text = random.choice((
        f"{table} = {random.choice(_VALUES)}\n", f"[[{table}]]\n{key} = 1\n",
        f"[{table}.{key}]\nx = 1\n", f"[{table}]\n{key}.x = 1\n", f"[{table}.{key}.{key}]\n",
        f"[{table}]\n[{table}]\n", f"[{table}]\n{key} = 1\n{key} = 2\n", f"{table}.{key} = 1\n",
        f"[{'.'.join([table] * 800)}]\n{key} = 1\n",
    ))  # fmt: skip
    return text, f"another shape: {' '.join(text.split())[:120]}"


def _other_lines(random: Random, default: str) -> tuple[str, str]:
    """Lines of the default missing, doubled, or in another order."""
    lines = default.splitlines()
    kind = random.choice(("missing", "doubled", "shuffled", "kept"))
    some = sorted(random.sample(range(len(lines)), random.randint(1, len(lines) // 2)))
    if kind == "missing":
        lines = [line for number, line in enumerate(lines) if number not in some]
    elif kind == "doubled":
        lines = [line for number, line in enumerate(lines) for _ in range(1 + (number in some))]
    elif kind == "shuffled":
        random.shuffle(lines)
    else:
        lines = [lines[number] for number in some]
    end = random.choice(("\n", "\r\n", "\r", "\n\n\f", "\n\0"))
    return end.join(lines), f"lines {kind}, ended by {end!r}"


def _too_much(random: Random, _default: str) -> tuple[str, str]:
    count = random.choice((1000, 20_000))
    kind = random.choice(("presets", "comments", "keys", "values", "depth"))
    if kind == "presets":
        return "".join(
            f"[presets.p{n}]\nhsv = 0.5\n" for n in range(count // 10)
        ), f"{count} presets"
    if kind == "comments":
        return f"# {'x' * count * 100}\n", "a long comment"
    if kind == "keys":
        return "[weights]\n" + "".join(f"k{n} = 1\n" for n in range(count)), f"{count} keys"
    if kind == "values":
        return f"[images]\nbackground = [{'1, ' * count}]\n", f"{count} values"
    return f"x = {'[' * count}{']' * count}\n", f"{count} levels"


def _odd_weights(random: Random, default: str) -> tuple[str, str]:
    """Weights and spaces in their ranges, at whose ends they are odd all the same."""
    lines = ["[weights]"]
    names = [key for table, key in _keys(default) if table == "weights"]
    lines += [
        f"{name} = {random.choice(('0.0', '1.0', '1e-300', '0.5', '5e-324'))}" for name in names
    ]
    lines += ["[space.components]", *(f"{name} = {random.choice((1, 512))}" for name in names)]
    lines += ["[space.power]", *(f"{name} = {random.choice(('0.0', '1.0'))}" for name in names)]
    return "\n".join(lines) + "\n", f"odd weights: {' '.join(lines)[:120]}"


_MAKERS = {
    "value": _other_value,
    "name": _other_name,
    "shape": _other_shape,
    "lines": _other_lines,
    "much": _too_much,
    "weights": _odd_weights,
}


# ----- in the process that reads ------------------------------------------------------------------


def load_files(given: dict[str, Any]) -> None:
    """Load the files; see `Reading`."""
    from imgbatch.config import load_config
    from imgbatch.config.schema import Config
    from imgbatch.errors import ConfigError

    verdicts: list[list[str] | None] = []
    for file in given["files"]:
        try:
            if file.endswith(_TAGS):
                verdicts.append(_read_tags(file))
                continue
            config = load_config(file).config
        except ConfigError as error:
            verdicts.append(wrong_line(str(error)))
            continue
        odd = type(config) is not Config or not _finite(config.model_dump())
        verdicts.append(["a config with numbers that are none", file] if odd else None)
    print(json.dumps(verdicts))


def _read_tags(file: str) -> list[str] | None:
    """What is wrong with a vocabulary that was accepted."""
    from imgbatch.measures.vocabulary import load_vocabulary

    vocabulary = load_vocabulary(file)
    bounds = [
        bound
        for tag in vocabulary.measured
        for alternative in tag.rule
        for condition in alternative
        for bound in (condition.least, condition.most)
        if bound is not None
    ]
    if not all(map(math.isfinite, (*bounds, vocabulary.precision, vocabulary.against))):
        return ["a vocabulary with numbers that are none", file]
    names = [tag.name for tag in vocabulary.tags]
    if not all(name.strip() and name.isprintable() for name in names):
        return ["a tag without a printable name", f"{names!r:.100}"]
    return ["two tags of one name", f"{names!r:.100}"] if len(set(names)) < len(names) else None


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


# ----- by the command -----------------------------------------------------------------------------


def _by_command(campaign: Campaign, hostile: Hostile, outcome: Outcome, home: Path) -> Outcome:
    failures, memory_mb = [*outcome.failures], outcome.memory_mb
    if not (home / "photos").exists():
        copy_pictures(home / "photos", min(_PICTURES, campaign.pictures))
    asked: tuple[tuple[object, ...], ...] = (
        ("config", "--config", hostile.path),
        ("similar", home / "photos", "-n", 3, "--no-sheet", "--config", hostile.path),
    )
    if hostile.path.name.endswith(_TAGS):
        asked = (("tags", home / "photos", "--vocabulary", hostile.path),)
    for arguments in asked:
        ended = run(campaign, [*arguments, "--json"], home)
        memory_mb = max(memory_mb, ended.memory_mb)
        wrong = clear_line(ended) if ended.code else None
        if wrong or ended.strays:
            text = f"{hostile.text}: {ended.in_short}"
            kind = f"{arguments[0]}: {wrong or 'a process is left'}"
            failures.append(Failure(kind, text, hostile.size_bytes))
        if ended.code:
            break
    return Outcome(hostile.case, tuple(failures), memory_mb)


PART = Part("configs", "a hostile config or vocabulary is read, or one line", 4000, _run)
