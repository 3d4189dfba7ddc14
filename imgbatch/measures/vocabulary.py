"""The vocabulary of tags: tags.toml, read, laid over the defaults and checked."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from imgbatch.config.read import (
    Found,
    config_error,
    find_file,
    packed_default,
    read_toml,
)
from imgbatch.config.schema import Table
from imgbatch.measures.quantities import MEASURES

TAGS_FILE = Found("vocabulary", "--vocabulary", "IMGBATCH_TAGS", ("tags.toml",))
"""Where the user's vocabulary is looked for."""


class Bounds(Table):
    """What a quantity, or a sum of several, must be."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("a condition needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:g}) must not be above max ({self.max:g})")
        return self


class ExamplesTable(Table):
    """Examples: a folder, or what metadata say of them."""

    folder: Annotated[str, Field(min_length=1)] | None = None
    label: Annotated[str, Field(min_length=1)] | None = None
    tag: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ExamplesTable":
        if sum(value is not None for value in (self.folder, self.label, self.tag)) != 1:
            raise ValueError("examples are a folder, {label = ...} or {tag = ...}")
        return self


class TagTable(Table):
    """One table [tags.NAME]."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    on: bool = True
    rule: list[dict[str, Bounds]] = Field(default_factory=list)
    examples: ExamplesTable | None = None

    @field_validator("rule", mode="before")
    @classmethod
    def _as_list(cls, rule: object) -> object:
        return [rule] if isinstance(rule, dict) else rule

    @field_validator("examples", mode="before")
    @classmethod
    def _as_table(cls, examples: object) -> object:
        return {"folder": examples} if isinstance(examples, str) else examples

    @model_validator(mode="after")
    def _has_a_meaning(self) -> "TagTable":
        if bool(self.rule) == (self.examples is not None):
            raise ValueError("a tag needs a rule, or examples, and not both")
        if not all(self.rule):
            raise ValueError("a rule needs at least one quantity")
        for quantity in (name for alternative in self.rule for name in alternative):
            for name in summands(quantity):
                if name not in MEASURES:
                    raise ValueError(
                        f"{name!r} is no quantity; the quantities are {', '.join(MEASURES)}"
                    )
        return self


class Marker(Table):
    """The [imgbatch] table, which says that a tags.toml is meant for imgbatch."""

    tags_version: Literal[1]


class LearnedTable(Table):
    """The [learned] table."""

    precision: Annotated[float, Field(ge=0.5, le=1)]
    against: Annotated[int, Field(ge=50, le=10_000)]


class TagsFile(Table):
    """All tables of tags.toml."""

    imgbatch: Marker
    learned: LearnedTable
    tags: dict[str, TagTable]

    @model_validator(mode="after")
    def _names_differ(self) -> "TagsFile":
        shown = [table.name or key for key, table in self.tags.items() if table.on]
        if twice := sorted({name for name in shown if shown.count(name) > 1}):
            raise ValueError(f"two tags have the name {twice[0]!r}")
        return self


def summands(quantity: str) -> list[str]:
    """The names of quantities that are added up.

    >>> summands("red + orange")
    ['red', 'orange']
    """
    return [name.strip() for name in quantity.split("+")]


@dataclass(frozen=True, slots=True)
class Condition:
    """A sum of quantities must lie between two bounds; None is no bound."""

    quantities: tuple[str, ...]
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Examples:
    """Images that have a learned tag: those of a folder, of a class, or with a given tag."""

    folder: str = ""
    label: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the vocabulary.

    Attributes
    ----------
    name
        What is shown.
    rule
        Alternatives of conditions: all conditions of any one alternative must hold. Empty for a
        learned tag.
    examples
        Of a learned tag; else None.
    """

    name: str
    rule: tuple[tuple[Condition, ...], ...] = ()
    examples: Examples | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tags that are switched on, in the order of the file; new ones of a user's file last.

    Attributes
    ----------
    tags
        Measured and learned tags.
    precision, against
        See [learned] in tags.toml.
    file
        The user's file; None if there is none.

    Examples
    --------
    >>> vocabulary = load_vocabulary()
    >>> [tag.name for tag in vocabulary.tags][:3]
    ['red', 'orange', 'yellow']
    """

    tags: tuple[Tag, ...]
    precision: float
    against: int
    file: Path | None = None

    @property
    def measured(self) -> tuple[Tag, ...]:
        """Tags by rules."""
        return tuple(tag for tag in self.tags if tag.examples is None)

    @property
    def learned(self) -> tuple[Tag, ...]:
        """Tags by examples."""
        return tuple(tag for tag in self.tags if tag.examples is not None)

    @property
    def digest(self) -> str:
        """16 hex digits that change with names, rules and examples."""
        text = json.dumps([asdict(tag) for tag in self.tags] + [self.precision, self.against])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_vocabulary(path: str | os.PathLike[str] | None = None) -> Vocabulary:
    """Find, read and check the vocabulary.

    Parameters
    ----------
    path
        A vocabulary. None takes the first file that exists of: the one named by the environment
        variable ``IMGBATCH_TAGS``; ``tags.toml`` in the working directory, if it has an
        ``[imgbatch]`` table; ``tags.toml`` in the user's config folder. If there is none, the
        defaults hold.

    Raises
    ------
    ConfigError
        The file is missing, is not TOML, or does not fit.
    """
    default_file = packed_default("tags.toml")
    values = read_toml(default_file)
    file, _ = find_file(TAGS_FILE, path)
    if file is not None:
        given = read_toml(file)
        values = _overlaid(values, given)
    try:
        checked = TagsFile.model_validate(values)
    except ValidationError as error:
        raise config_error(error, file or default_file, "the default tags.toml") from None
    base = (file or default_file).absolute().parent
    tags = (_tag(key, table, base) for key, table in checked.tags.items() if table.on)
    return Vocabulary(tuple(tags), checked.learned.precision, checked.learned.against, file)


def _overlaid(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The user's tables over the default ones; a rule, or examples, replaces a rule as a whole."""
    made = dict(values)
    for name, table in given.items():
        if name != "tags" or not isinstance(table, dict):
            both = isinstance(table, dict) and isinstance(made.get(name), dict)
            made[name] = {**made[name], **table} if both else table
            continue
        made[name] = dict(made[name])
        for key, tag in table.items():
            former = made[name].get(key, {})
            if not isinstance(tag, dict):
                made[name][key] = tag
                continue
            if "examples" in tag:
                former = {part: value for part, value in former.items() if part != "rule"}
            made[name][key] = {**former, **tag}
    return made


def _tag(key: str, table: TagTable, base: Path) -> Tag:
    rule = tuple(
        tuple(
            Condition(tuple(summands(quantity)), bounds.min, bounds.max)
            for quantity, bounds in alternative.items()
        )
        for alternative in table.rule
    )
    if table.examples is None:
        return Tag(table.name or key, rule)
    given = {name: value or "" for name, value in table.examples.model_dump().items()}
    if given["folder"]:
        given["folder"] = str(base / os.path.expanduser(given["folder"]))
    return Tag(table.name or key, rule, Examples(**given))
