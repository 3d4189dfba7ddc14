"""The vocabulary of tags: tags.toml, read, laid over the defaults and checked."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from imgbatch.config.read import Found, config_error, find_file, packed_default, read_toml
from imgbatch.files.seals import read_checked, write_checked

if TYPE_CHECKING:
    from imgbatch.measures.schema import TagTable

TAGS_FILE = Found("vocabulary", "--vocabulary", "IMGBATCH_TAGS", ("tags.toml",))
"""Where the user's vocabulary is looked for."""
_VERSION = 1
"""Of the form in which a checked vocabulary is kept."""


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
    ['red', 'green', 'blue']
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


def load_vocabulary(
    path: str | os.PathLike[str] | None = None, directory: Path | None = None
) -> Vocabulary:
    """Find, read and check the vocabulary.

    Parameters
    ----------
    path
        A vocabulary. None takes the first file that exists of: the one named by the environment
        variable ``IMGBATCH_TAGS``; ``tags.toml`` in the working directory, if it has an
        ``[imgbatch]`` table; ``tags.toml`` in the user's config folder. If there is none, the
        defaults hold.
    directory
        A folder in which what was checked is kept, since checking takes longer than all else that
        a request does with tags; None keeps nothing.

    Raises
    ------
    ConfigError
        The file is missing, is not TOML, or does not fit.
    """
    file, _ = find_file(TAGS_FILE, path)
    files = [packed_default("tags.toml"), *([] if file is None else [file.absolute()])]
    if directory is None:
        return _checked(files, file)
    kept = directory / f"vocabulary-{_digest(files)}.json"
    if (packed := read_checked(str(kept))) is not None:
        return _unpacked(json.loads(packed), file)
    vocabulary = _checked(files, file)
    with contextlib.suppress(OSError):  # the next request checks again
        write_checked(str(kept), json.dumps(_packed(vocabulary)).encode())
    return vocabulary


def _checked(files: list[Path], shown: Path | None) -> Vocabulary:
    """The vocabulary of the shipped file and, if there is one, the user's."""
    from imgbatch.measures.schema import TagsFile

    values = read_toml(files[0])
    if shown is not None:
        values = _overlaid(values, read_toml(shown))
    try:
        checked = TagsFile.model_validate(values)
    except ValidationError as error:
        raise config_error(error, shown or files[0], "the default tags.toml") from None
    base = files[-1].parent
    tags = (_tag(key, table, base) for key, table in checked.tags.items() if table.on)
    return Vocabulary(tuple(tags), checked.learned.precision, checked.learned.against, shown)


def _digest(files: list[Path]) -> str:
    """Text that changes with the files; examples are named relative to the last one."""
    digest = hashlib.sha256(f"{_VERSION} {files[-1]}".encode(errors="surrogateescape"))
    for file in files:
        with contextlib.suppress(OSError):  # it is read again, which says what is wrong
            digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


def _packed(vocabulary: Vocabulary) -> list[Any]:
    return [
        [asdict(tag) for tag in vocabulary.tags],
        vocabulary.precision,
        vocabulary.against,
    ]


def _unpacked(packed: list[Any], file: Path | None) -> Vocabulary:
    tags, precision, against = packed
    return Vocabulary(tuple(map(_unpacked_tag, tags)), precision, against, file)


def _unpacked_tag(tag: Mapping[str, Any]) -> Tag:
    rule = tuple(
        tuple(Condition(tuple(one["quantities"]), one["least"], one["most"]) for one in alternative)
        for alternative in tag["rule"]
    )
    return Tag(tag["name"], rule, None if tag["examples"] is None else Examples(**tag["examples"]))


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


def _tag(key: str, table: "TagTable", base: Path) -> Tag:
    from imgbatch.measures.schema import summands

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
