"""Write settings as a config file."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w

from imgbatch.config.read import default_config_path, load_config
from imgbatch.config.schema import Config
from imgbatch.config.tables import differing
from imgbatch.files.atomic import replacing
from imgbatch.printable import printable


def differences(config: Config) -> dict[str, Any]:
    """What differs from the shipped default, as the tables of a config file.

    Examples
    --------
    >>> config = load_config(default_config_path()).config
    >>> differences(config.with_emphasis("color"))
    {'weights': {'hsv': 0.85, 'hog': 0.1, 'phash': 0.05}}
    """
    return differing(config.model_dump(mode="json"), _shipped())


@cache
def _shipped() -> dict[str, Any]:
    """The shipped default, which a page shows the difference to on every click."""
    return load_config(default_config_path()).config.model_dump(mode="json")


def write_config(settings: Mapping[str, Any], comments: Sequence[str], target: Path) -> None:
    """Write settings as a config file under a heading of comments; a file is replaced at once.

    Parameters
    ----------
    settings
        Tables of values, as `differences` gives them.
    comments
        Lines of text; control characters in them are written as escapes.

    Raises
    ------
    OutputError
        The target cannot be written.

    Examples
    --------
    >>> write_config({"weights": {"hsv": 0.5}}, ["half of it is colour"], Path("mine.toml"))
    >>> print(Path("mine.toml").read_text())
    # half of it is colour
    <BLANKLINE>
    [weights]
    hsv = 0.5
    <BLANKLINE>
    """
    heading = "".join(f"# {printable(line)}".rstrip() + "\n" for line in comments)
    with replacing(target) as temporary:
        temporary.write_text(f"{heading}\n{tomli_w.dumps(settings)}", encoding="utf-8")
