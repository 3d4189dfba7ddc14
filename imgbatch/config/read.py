"""Find a config file, read it, check it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from imgbatch.config.schema import OF_SPACE, Config
from imgbatch.config.tables import dotted, dotted_keys, overlaid
from imgbatch.errors import ConfigError
from imgbatch.files.names import shortened, shortened_repr
from imgbatch.files.regular import TooLargeError, read_regular

_MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config and where it came from.

    Attributes
    ----------
    file
        The user's config file; None if there is none.
    sources
        For each dotted key the file that sets it, or "default".
    notes
        Remarks for the user.
    """

    config: Config
    file: Path | None
    sources: dict[str, str]
    notes: tuple[str, ...] = ()

    def unless_weighted(self, preset: str | None) -> str | None:
        """A preset for those who have chosen no weights; None if a file sets any."""
        chosen = any(
            source != "default" and key.startswith("weights.")
            for key, source in self.sources.items()
        )
        learned = self.sources.get("space.learned", "default") != "default"
        return None if chosen or learned else preset


@dataclass(frozen=True, slots=True)
class Found:
    """A kind of file, and where the user's is looked for.

    Attributes
    ----------
    what
        What it is called in messages.
    option, variable
        The option and the environment variable that name it.
    names
        In the working directory. The last name is so usual that a file needs an [imgbatch] table;
        it is also the name in the user's config folder.
    """

    what: str
    option: str
    variable: str
    names: tuple[str, ...]


_CONFIG = Found("config file", "--config", "IMGBATCH_CONFIG", ("imgbatch.toml", "config.toml"))


def packed_default(name: str) -> Path:
    """Path of a shipped default: in the package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / name
    return inside if inside.is_file() else package.parent / name


def default_config_path() -> Path:
    """Path of the shipped default config."""
    return packed_default("config.toml")


def user_config_path() -> Path:
    """Path of the config file in the user's config folder; it need not exist."""
    return Path(platformdirs.user_config_dir("imgbatch", appauthor=False)) / "config.toml"


def load_config(path: str | os.PathLike[str] | None = None) -> LoadedConfig:
    """Find, read and check the settings.

    Parameters
    ----------
    path
        A config file. None takes the first file that exists of: the one named by the environment
        variable ``IMGBATCH_CONFIG``; ``imgbatch.toml`` in the working directory; ``config.toml``
        there, if it has an ``[imgbatch]`` table; the one in the user's config folder. If there is
        none, the defaults hold.

    Raises
    ------
    ConfigError
        The file is missing, is not TOML, or does not fit; one line with file, key, value, range.

    Examples
    --------
    >>> load_config().config.weights["hog"]
    0.57
    """
    default_file = default_config_path()
    values = read_toml(default_file)
    sources = dict.fromkeys(dotted_keys(values), "default")
    file, notes = find_file(_CONFIG, path)
    if file is not None:
        given = read_toml(file)
        _check_keys(given, values, file)
        values = overlaid(_without_replaced_presets(values, given), given)
        values["space"] = _with_learned(values["space"], file)
        sources = dict.fromkeys(dotted_keys(values), "default")
        sources |= dict.fromkeys(dotted_keys(given), str(file))
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise config_error(error, file or default_file, "the default config.toml") from None
    return LoadedConfig(config, file, sources, notes)


def _without_replaced_presets(values: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The default tables without the presets that a user's file replaces.

    A preset that adapts its weights to the folder is replaced as a whole: its weights mean little
    beside others, and files of version 0.1 set other weights under the same name.
    """
    presets = values["presets"]
    kept = {
        name: {} if "adapt" in weights and name in given.get("presets", {}) else weights
        for name, weights in presets.items()
    }
    return {**values, "presets": kept}


def _with_learned(space: dict[str, Any], file: Path) -> dict[str, Any]:
    """The table [space] with the whole path of learned points, which is relative to the file."""
    learned = space["learned"]
    if not isinstance(learned, str) or not learned:
        return space
    path = os.path.join(os.path.dirname(os.path.abspath(file)), learned)
    if not os.path.isfile(path):
        raise ConfigError(
            f"{file}: space.learned = {shortened_repr(learned)}, but there is no such file",
            "put back the file that `imgbatch tune --learn` wrote, or remove the line",
        )
    return space | {"learned": path}


def find_file(
    kind: Found, path: str | os.PathLike[str] | None
) -> tuple[Path | None, tuple[str, ...]]:
    """The user's file of a kind, None if there is none, and notes.

    Raises
    ------
    ConfigError
        A file that is named is not there.
    """
    named = os.environ.get(kind.variable) or None if path is None else path
    if named is not None:
        if not os.path.isfile(named):
            option = kind.variable if path is None else kind.option
            what = "is not a regular file" if os.path.exists(named) else "not found"
            raise ConfigError(
                f"{kind.what} {what}: {os.fspath(named) or 'its name is empty'}",
                f"check {option}, or leave it out for the defaults",
            )
        return Path(named), ()
    *own, usual = kind.names
    for name in own:
        if Path(name).is_file():
            return Path(name), ()
    notes: tuple[str, ...] = ()
    if Path(usual).is_file():
        if _has_imgbatch_table(Path(usual)):
            return Path(usual), ()
        notes = (f"{usual} in the working directory has no [imgbatch] table and was ignored",)
    user = user_config_path().with_name(usual)
    return (user if user.is_file() else None), notes


def _has_imgbatch_table(path: Path) -> bool:
    """Whether a file that only happens to be called config.toml is meant for imgbatch.

    A file that cannot be parsed is most likely another program's. If it has the heading
    ``[imgbatch]``, it is taken for ours, so that its owner hears about the mistake in it.
    """
    try:
        text = _read_bytes(path).decode(errors="replace")
    except ConfigError:
        return False
    try:
        return "imgbatch" in tomllib.loads(text)
    except (ValueError, RecursionError):
        return "\n[imgbatch]" in "\n" + text


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises `ConfigError` if it cannot be read or parsed."""
    try:
        return tomllib.loads(_read_bytes(path).decode().replace("\r\n", "\n"))
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", "correct that line") from None
    except RecursionError:
        raise ConfigError(
            f"{path}: its values are nested too deeply", "the default config.toml shows the tables"
        ) from None


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular(path, _MOST_BYTES)[0]
    except TooLargeError as error:
        megabytes = f"{error.size_bytes / 1e6:,.0f} MB"
        raise ConfigError(
            f"{path}: its {megabytes} are no config", f"expected {_MOST_BYTES / 1e6:g} MB at most"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", "check the file") from None


def _check_keys(
    given: Mapping[str, Any], known: Mapping[str, Any], file: Path, table: str = ""
) -> None:
    """Raise unless every key of the user's tables is known."""
    if not table and isinstance(added := given.get("presets"), dict):
        # Users may add presets; each is a table of weights, of any descriptor.
        keys = {**known["weights"], **dict.fromkeys(OF_SPACE, 0.0)}
        known = {**known, "presets": dict.fromkeys([*known["presets"], *added], keys)}
    for key, value in given.items():
        name = shortened(dotted(table, key))
        if key not in known:
            raise ConfigError(
                f"{file}: unknown key {shortened_repr(name)}",
                f"known {f'keys in [{shortened(table)}]' if table else 'tables'}: "
                f"{', '.join(known)}",
            )
        if isinstance(known[key], dict):
            if not isinstance(value, dict):
                raise ConfigError(
                    f"{file}: {name} = {shortened_repr(value)}, but it is a table",
                    f"write [{name}] and its keys below",
                )
            _check_keys(value, known[key], file, name)
        elif isinstance(value, dict):
            raise ConfigError(
                f"{file}: {name} is a table, but a single value is expected",
                f"write {shortened(key)} = VALUE below [{shortened(table)}]; "
                "the default config.toml shows it",
            )


def config_error(error: ValidationError, file: Path, shown: str) -> ConfigError:
    """The first thing that does not fit, as one line for the user; `shown` lists what may stand."""
    first = error.errors()[0]
    key = shortened(".".join(str(part) for part in first["loc"]))
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{file}: unknown key {shortened_repr(key)}", f"{shown} lists the keys")
    allowed = first["msg"].removeprefix("Value error, ")
    allowed = allowed[:1].lower() + allowed[1:]
    if not isinstance(first["input"], str | int | float | bool | list):
        return ConfigError(f"{file}: {key + ': ' if key else ''}{allowed}", "change one of them")
    return ConfigError(
        f"{file}: {key} = {shortened_repr(first['input'])}, but {allowed}", f"{shown} lists ranges"
    )
