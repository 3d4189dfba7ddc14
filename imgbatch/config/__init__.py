"""Settings: TOML files -> one frozen Config. The shipped config.toml is the only place of defaults.

A user's file is laid over the default; what results must fit `Config` exactly. An unknown key, a
wrong type or a value out of range is one `ConfigError` that names file, key, value and range.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from imgbatch.config.schema import Config
from imgbatch.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config with its origin: `sources` maps each dotted key to the file it came from."""

    config: Config
    file: Path | None
    sources: dict[str, str]
    notes: tuple[str, ...] = ()


def default_config_path() -> Path:
    """Where the shipped default lies: in the package, or beside it in a source checkout."""
    here = Path(__file__).resolve().parents[1]
    inside = here / "config.toml"
    return inside if inside.is_file() else here.parent / "config.toml"


def user_config_path() -> Path:
    """The config file in the user's config folder (it need not exist)."""
    return Path(platformdirs.user_config_dir("imgbatch", appauthor=False)) / "config.toml"


def load_config(path: str | os.PathLike[str] | None = None) -> LoadedConfig:
    """Find, read and check the settings.

    Parameters
    ----------
    path
        A config file. None looks in ``IMGBATCH_CONFIG``, the working directory
        (``imgbatch.toml``, or a ``config.toml`` with an ``[imgbatch]`` table) and the user's
        config folder, in this order; without any the defaults hold.

    Raises
    ------
    ConfigError
        The file is missing, is no TOML, or does not fit; one line with file, key, value, range.
    """
    default_file = default_config_path()
    values = _read(default_file)
    sources = dict.fromkeys(_flat(values), "default")
    file, notes = _find(path)
    if file is not None:
        given = _read(file)
        _check_known(given, values, file)
        sources |= dict.fromkeys(_flat(given), str(file))
        values = _overlay(values, given)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise _explain(error, file or default_file) from None
    return LoadedConfig(config, file, sources, notes)


def _find(path: str | os.PathLike[str] | None) -> tuple[Path | None, tuple[str, ...]]:
    named = path or os.environ.get("IMGBATCH_CONFIG")
    if named:
        if not Path(named).is_file():
            how = "--config" if path else "IMGBATCH_CONFIG"
            raise ConfigError(
                f"config file not found: {named}", f"check {how}, or leave it out for the defaults"
            )
        return Path(named), ()
    if Path("imgbatch.toml").is_file():
        return Path("imgbatch.toml"), ()
    notes: tuple[str, ...] = ()
    lying_here = Path("config.toml")
    if lying_here.is_file():
        if _is_ours(lying_here):
            return lying_here, ()
        notes = ("config.toml in the working directory has no [imgbatch] table and was ignored",)
    user = user_config_path()
    return (user if user.is_file() else None), notes


def _is_ours(path: Path) -> bool:
    try:
        return "imgbatch" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Unreadable or broken, and nobody named it: most likely another program's file. If the
        # marker stands there, though, its owner wants to hear about the mistake.
        try:
            return "\n[imgbatch]" in "\n" + path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", "check the file") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", "correct that line") from None


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _check_known(
    given: Mapping[str, Any], known: Mapping[str, Any], file: Path, at: str = ""
) -> None:
    if not at and isinstance(added := given.get("presets"), dict):
        # A user may add some; each is a table of weights, of any descriptor.
        known = {**known, "presets": dict.fromkeys([*known["presets"], *added], known["weights"])}
    for key, value in given.items():
        if key not in known:
            raise ConfigError(
                f"{file}: unknown key {at + key!r}",
                f"known {'keys in [' + at[:-1] + ']' if at else 'tables'}: {', '.join(known)}",
            )
        if isinstance(known[key], dict):
            if not isinstance(value, dict):
                raise ConfigError(
                    f"{file}: {at}{key} = {value!r}, but it is a table",
                    f"write [{at}{key}] and its keys below",
                )
            _check_known(value, known[key], file, f"{at}{key}.")


def _overlay(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        merged[key] = _overlay(base.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError, file: Path) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    allowed = first["msg"].removeprefix("Value error, ")
    allowed = allowed[:1].lower() + allowed[1:]
    if not isinstance(first["input"], str | int | float | bool | list):
        return ConfigError(f"{file}: {key + ': ' if key else ''}{allowed}", "change one of them")
    return ConfigError(
        f"{file}: {key} = {first['input']!r}, but {allowed}", "the default config.toml lists ranges"
    )
