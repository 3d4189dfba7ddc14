"""The tables of tags.toml: their keys, types and ranges. Only the shipped file holds defaults."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from imgbatch.config.schema import Table
from imgbatch.measures.quantities import MEASURES


class Bounds(Table):
    """What a quantity, or a sum of several, must be."""

    min: FiniteFloat | None = None
    max: FiniteFloat | None = None

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
        if odd := [name for name in shown if not name.strip() or name != name.strip()]:
            raise ValueError(f"{odd[0]!r} is no name of a tag; it starts or ends with a space")
        if odd := [name for name in shown if not name.isprintable()]:
            raise ValueError(f"{odd[0]!r} is no name of a tag; it is no single line of text")
        if odd := [name for name in shown if ";" in name]:
            raise ValueError(f"{odd[0]!r} is no name of a tag; ';' stands between tags")
        if twice := sorted({name for name in shown if shown.count(name) > 1}):
            raise ValueError(f"two tags have the name {twice[0]!r}")
        return self


def summands(quantity: str) -> list[str]:
    """The names of quantities that are added up.

    >>> summands("red + orange")
    ['red', 'orange']
    """
    return [name.strip() for name in quantity.split("+")]
