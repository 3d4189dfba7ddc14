"""Settings: TOML files -> one frozen Config. The shipped config.toml is the only place of defaults.

A user's file is laid over the default; what results must fit `Config` exactly. An unknown key, a
wrong type or a value out of range is one `ConfigError` that names file, key, value and range.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from imgbatch.errors import ConfigError
from imgbatch.types import DecodeOptions

Share = Annotated[float, Field(ge=0, le=1)]
Byte = Annotated[int, Field(ge=0, le=255)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Marker(_Table):
    config_version: Literal[1]


class ImagesConfig(_Table):
    """How files become small canonical pictures."""

    view_px: Annotated[int, Field(ge=32, le=512)]
    max_megapixels: Annotated[float, Field(ge=0.01, le=2000)]
    min_shown_share: Share
    background: Annotated[tuple[Byte, Byte, Byte], Field(strict=False)]  # TOML has only lists

    def as_options(self) -> DecodeOptions:
        """The same as a plain record, which workers take without importing this module."""
        return DecodeOptions(**self.model_dump())


class HsvConfig(_Table):
    """Parameters of the HSV histograms."""

    hue_bins: Annotated[int, Field(ge=2, le=36)]
    saturation_bins: Annotated[int, Field(ge=1, le=16)]
    value_bins: Annotated[int, Field(ge=1, le=16)]
    grid: Annotated[int, Field(ge=1, le=8)]


class HogConfig(_Table):
    """Parameters of the histogram of oriented gradients."""

    window_px: Annotated[int, Field(ge=32, le=256)]
    cell_px: Annotated[int, Field(ge=4, le=64)]
    orientations: Annotated[int, Field(ge=4, le=36)]

    @model_validator(mode="after")
    def _cells_fill_the_window(self) -> "HogConfig":
        if self.window_px % self.cell_px or self.window_px < 2 * self.cell_px:
            raise ValueError(
                f"window_px ({self.window_px}) must be a multiple of cell_px ({self.cell_px}), "
                "and at least twice it"
            )
        return self


class LbpConfig(_Table):
    """Parameters of the local binary patterns."""

    longest_px: Annotated[int, Field(ge=16, le=512)]
    radius_px: Annotated[int, Field(ge=1, le=8)]
    grid: Annotated[int, Field(ge=1, le=8)]


class PhogConfig(_Table):
    """Parameters of the pyramid of edge orientations."""

    orientations: Annotated[int, Field(ge=4, le=36)]
    levels: Annotated[int, Field(ge=1, le=4)]
    edge_share: Annotated[float, Field(ge=0.01, le=0.99)]


class MomentsConfig(_Table):
    """Parameters of the colour moments."""

    grid: Annotated[int, Field(ge=1, le=8)]


class GistConfig(_Table):
    """Parameters of the Gabor energies."""

    side_px: Annotated[int, Field(ge=16, le=256, multiple_of=4)]
    scales: Annotated[int, Field(ge=1, le=6)]
    orientations: Annotated[int, Field(ge=2, le=16)]


class ThumbnailConfig(_Table):
    """Parameters of the tiny picture."""

    side_px: Annotated[int, Field(ge=1, le=32)]


class DescriptorsConfig(_Table):
    """Parameters of every descriptor that has any."""

    hsv: HsvConfig
    hog: HogConfig
    lbp: LbpConfig
    phog: PhogConfig
    moments: MomentsConfig
    gist: GistConfig
    thumbnail: ThumbnailConfig


class SpaceConfig(_Table):
    """How descriptor blocks become points."""

    fit_images: Annotated[int, Field(ge=100, le=1_000_000)]
    components: dict[str, Annotated[int, Field(ge=1, le=512)]]
    power: dict[str, Share]


class SimilarConfig(_Table):
    """How an anchor and its set are chosen."""

    tournament: Annotated[int, Field(ge=1, le=100)]
    neighbours: Annotated[int, Field(ge=2, le=50)]
    pool: Annotated[int, Field(ge=20, le=2000)]
    candidates_per_pick: Annotated[int, Field(ge=1, le=20)]
    list_length: Annotated[int, Field(ge=2, le=100)]
    averaged: Annotated[int, Field(ge=0, le=20)]
    duplicate_bits: Annotated[int, Field(ge=0, le=32)]


class DifferentConfig(_Table):
    """How different images are chosen."""

    sample_per_pick: Annotated[int, Field(ge=1, le=1000)]
    outlier_share: Annotated[float, Field(ge=0, le=0.9)]
    smoothing: Annotated[int, Field(ge=0, le=50)]
    most_pooled: Annotated[int, Field(ge=1000, le=10_000_000)]


class IndexConfig(_Table):
    """How the index is brought up to date."""

    workers: Annotated[int, Field(ge=0, le=256)]
    chunk_images: Annotated[int, Field(ge=1, le=4096)]
    large_folder: Annotated[int, Field(ge=100, le=100_000_000)]


class SheetConfig(_Table):
    """The look of the contact sheet."""

    columns: Annotated[int, Field(ge=1, le=20)]
    cell_px: Annotated[int, Field(ge=64, le=1024)]
    format: Literal["png", "jpg", "webp"]
    folder: Annotated[str, Field(min_length=1)]


class Config(_Table):
    """All settings, checked. Frozen; build one with `load_config`."""

    imgbatch: _Marker
    images: ImagesConfig
    weights: dict[str, Share]
    presets: dict[str, dict[str, Share]]
    descriptors: DescriptorsConfig
    space: SpaceConfig
    similar: SimilarConfig
    different: DifferentConfig
    index: IndexConfig
    sheet: SheetConfig

    @model_validator(mode="after")
    def _some_weight(self) -> "Config":
        if not any(self.weights.values()):
            raise ValueError("at least one of the weights must be above 0")
        return self

    @model_validator(mode="after")
    def _presets_weigh(self) -> "Config":
        for name, weights in self.presets.items():
            if not any((self.weights | weights).values()):
                raise ValueError(f"at least one weight of preset {name!r} must be above 0")
        return self

    def with_emphasis(self, name: str | None) -> "Config":
        """The same settings under a preset's weights; weights it does not name stay.

        Raises
        ------
        ConfigError
            There is no such preset. None changes nothing.
        """
        if name is None:
            return self
        if name not in self.presets:
            raise ConfigError(
                f"unknown emphasis {name!r}", f"the presets are {', '.join(self.presets)}"
            )
        return self.model_copy(update={"weights": self.weights | self.presets[name]})


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config with its origin: `sources` maps each dotted key to the file it came from."""

    config: Config
    file: Path | None
    sources: dict[str, str]
    notes: tuple[str, ...] = ()


def default_config_path() -> Path:
    """Where the shipped default lies: in the package, or beside it in a source checkout."""
    here = Path(__file__).resolve().parent
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


def differences(config: Config) -> dict[str, Any]:
    """What differs from the shipped default, as the tables of a config file."""

    def differing(values: dict[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in values.items():
            if isinstance(value, dict):
                if inner := differing(value, base.get(key, {})):
                    found[key] = inner
            elif key not in base or base[key] != value:
                found[key] = value
        return found

    return differing(config.model_dump(mode="json"), _read(default_config_path()))


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
