"""The tables of config.toml: their keys, types and ranges. Only config.toml holds defaults."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imgbatch.errors import ConfigError
from imgbatch.types import DecodeOptions

MOST_WORKERS = 256
"""Processes that read images, at most; also the bound of ``--workers``."""
Share = Annotated[float, Field(ge=0, le=1)]
OF_SPACE = ("whitening", "adapt")
"""Keys of [space] that a preset may set beside its weights."""
Seconds = Annotated[float, Field(ge=0.01, le=86_400)]
Byte = Annotated[int, Field(ge=0, le=255)]


class Table(BaseModel):
    """A table of the file: frozen, without other keys, without silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Marker(Table):
    """The [imgbatch] table, which says that a config.toml is meant for imgbatch."""

    config_version: Literal[1]


class ImagesConfig(Table):
    """How files become small canonical pictures."""

    view_px: Annotated[int, Field(ge=32, le=512)]
    max_megapixels: Annotated[float, Field(ge=0.01, le=2000)]
    max_file_megabytes: Annotated[float, Field(ge=0.01, le=100_000)]
    max_seconds: Annotated[float, Field(ge=1, le=86_400)]
    min_shown_share: Share
    background: Annotated[tuple[Byte, Byte, Byte], Field(strict=False)]  # TOML has only lists

    def as_options(self) -> DecodeOptions:
        """The same as a plain record; workers then need not import this module."""
        return DecodeOptions(**self.model_dump())


class HsvConfig(Table):
    """Parameters of the HSV histograms."""

    hue_bins: Annotated[int, Field(ge=2, le=36)]
    saturation_bins: Annotated[int, Field(ge=1, le=16)]
    value_bins: Annotated[int, Field(ge=1, le=16)]
    grid: Annotated[int, Field(ge=1, le=8)]


class HogConfig(Table):
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


class LbpConfig(Table):
    """Parameters of the local binary patterns."""

    longest_px: Annotated[int, Field(ge=16, le=512)]
    radius_px: Annotated[int, Field(ge=1, le=8)]
    grid: Annotated[int, Field(ge=1, le=8)]


class PhogConfig(Table):
    """Parameters of the pyramid of edge orientations."""

    orientations: Annotated[int, Field(ge=4, le=36)]
    levels: Annotated[int, Field(ge=1, le=4)]
    edge_share: Annotated[float, Field(ge=0.01, le=0.99)]


class MomentsConfig(Table):
    """Parameters of the colour moments."""

    grid: Annotated[int, Field(ge=1, le=8)]


class GistConfig(Table):
    """Parameters of the Gabor energies."""

    side_px: Annotated[int, Field(ge=16, le=256, multiple_of=4)]
    scales: Annotated[int, Field(ge=1, le=6)]
    orientations: Annotated[int, Field(ge=2, le=16)]


class ThumbnailConfig(Table):
    """Parameters of the tiny picture."""

    side_px: Annotated[int, Field(ge=1, le=32)]


class DescriptorsConfig(Table):
    """Parameters of the descriptors; some have none."""

    hsv: HsvConfig
    hog: HogConfig
    lbp: LbpConfig
    phog: PhogConfig
    moments: MomentsConfig
    gist: GistConfig
    thumbnail: ThumbnailConfig


class SpaceConfig(Table):
    """How features of descriptors become points."""

    fit_images: Annotated[int, Field(ge=100, le=1_000_000)]
    whitening: Share
    adapt: Share
    augmented_images: Annotated[int, Field(ge=100, le=1000)]
    learned: str
    components: dict[str, Annotated[int, Field(ge=1, le=512)]]
    power: dict[str, Share]


class SimilarConfig(Table):
    """How an anchor and its set are chosen."""

    tournament: Annotated[int, Field(ge=1, le=100)]
    neighbours: Annotated[int, Field(ge=2, le=50)]
    pool: Annotated[int, Field(ge=20, le=2000)]
    candidates_per_pick: Annotated[int, Field(ge=1, le=20)]
    list_length: Annotated[int, Field(ge=2, le=100)]
    averaged: Annotated[int, Field(ge=0, le=20)]
    duplicate_bits: Annotated[int, Field(ge=0, le=32)]


class DifferentConfig(Table):
    """How different images are chosen."""

    sample_per_pick: Annotated[int, Field(ge=1, le=1000)]
    outlier_share: Annotated[float, Field(ge=0, le=0.9)]
    smoothing: Annotated[int, Field(ge=0, le=50)]
    most_pooled: Annotated[int, Field(ge=1000, le=10_000_000)]


class IndexConfig(Table):
    """How the index is brought up to date, and from which size on a folder counts as large."""

    workers: Annotated[int, Field(ge=0, le=MOST_WORKERS)]
    chunk_images: Annotated[int, Field(ge=1, le=4096)]
    large_folder: Annotated[int, Field(ge=0, le=100_000_000)]


class ClusterConfig(Table):
    """How a folder that a cluster indexes is cut into shards and parts."""

    shard_images: Annotated[int, Field(ge=1, le=1_000_000)]
    part_images: Annotated[int, Field(ge=1, le=100_000_000)]


class PrepareConfig(Table):
    """How `prepare` writes pictures and fetches links."""

    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    connections: Annotated[int, Field(ge=1, le=10_000)]
    per_host: Annotated[int, Field(ge=1, le=1000)]
    connect_seconds: Seconds
    read_seconds: Seconds
    total_seconds: Seconds
    redirects: Annotated[int, Field(ge=0, le=20)]
    attempts: Annotated[int, Field(ge=1, le=20)]
    wait_seconds: Seconds
    most_wait_seconds: Seconds
    max_download_megabytes: Annotated[float, Field(ge=0.01, le=100_000)]


class SheetConfig(Table):
    """How the contact sheet is drawn, and where it is written by default."""

    columns: Annotated[int, Field(ge=0, le=20)]
    cell_px: Annotated[int, Field(ge=64, le=1024)]
    format: Literal["png", "jpg", "webp"]
    folder: Annotated[str, Field(min_length=1)]


class PageConfig(Table):
    """How many images a page shows, and how large their pictures are."""

    images: Annotated[int, Field(ge=1, le=10_000)]
    size_px: Annotated[int, Field(ge=32, le=1024)]


class Config(Table):
    """All settings, checked and frozen; `load_config` builds one.

    Examples
    --------
    >>> from imgbatch.config import load_config
    >>> config = load_config().config
    >>> config.sheet.cell_px
    240
    """

    imgbatch: Marker
    images: ImagesConfig
    weights: dict[str, Share]
    presets: dict[str, dict[str, Share]]
    descriptors: DescriptorsConfig
    space: SpaceConfig
    similar: SimilarConfig
    different: DifferentConfig
    index: IndexConfig
    cluster: ClusterConfig
    prepare: PrepareConfig
    sheet: SheetConfig
    page: PageConfig

    @model_validator(mode="after")
    def _one_weight_is_above_0(self) -> "Config":
        if not any(self.weights.values()):
            raise ValueError("at least one of the weights must be above 0")
        return self

    @model_validator(mode="after")
    def _each_preset_has_a_weight_above_0(self) -> "Config":
        for name, weights in self.presets.items():
            if not any((self.weights | _without_space(weights)).values()):
                raise ValueError(f"at least one weight of preset {name!r} must be above 0")
        return self

    @property
    def without_learned(self) -> "Config":
        """The same settings with points that are not learned."""
        space = self.space.model_copy(update={"learned": ""})
        return self.model_copy(update={"space": space})

    def with_emphasis(self, name: str | None) -> "Config":
        """The same settings with a preset's weights and keys of [space]; others stay.

        Parameters
        ----------
        name
            A preset; None changes nothing.

        Raises
        ------
        ConfigError
            There is no such preset.
        """
        if name is None:
            return self
        if name not in self.presets:
            raise ConfigError(
                f"unknown emphasis {name!r}", f"the presets are {', '.join(self.presets)}"
            )
        preset = self.presets[name]
        of_space = {key: value for key, value in preset.items() if key in OF_SPACE}
        return self.model_copy(
            update={
                "weights": self.weights | _without_space(preset),
                "space": self.space.model_copy(update=of_space),
            }
        )


def _without_space(preset: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in preset.items() if key not in OF_SPACE}
