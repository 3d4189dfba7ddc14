"""The family of descriptors: the registry, and the function that builds those a config asks for."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from imgbatch.descriptors.base import Codes, Descriptor, fingerprint
from imgbatch.descriptors.fisher_color import FisherColor
from imgbatch.descriptors.fisher_gradient import FisherGradient, FisherSift
from imgbatch.descriptors.gist import Gist
from imgbatch.descriptors.hog import Hog
from imgbatch.descriptors.hsv import Hsv
from imgbatch.descriptors.lbp import Lbp
from imgbatch.descriptors.moments import Moments
from imgbatch.descriptors.phash import Phash, as_integers
from imgbatch.descriptors.phog import Phog
from imgbatch.descriptors.thumbnail import Thumbnail

if TYPE_CHECKING:  # workers import this package but never check a config
    from imgbatch.config.schema import Config

DESCRIPTORS: dict[str, "Callable[[Config], Descriptor]"] = {
    "hsv": lambda config: Hsv(**config.descriptors.hsv.model_dump()),
    "hog": lambda config: Hog(**config.descriptors.hog.model_dump()),
    "phash": lambda _config: Phash(),
    "lbp": lambda config: Lbp(**config.descriptors.lbp.model_dump()),
    "phog": lambda config: Phog(**config.descriptors.phog.model_dump()),
    "moments": lambda config: Moments(**config.descriptors.moments.model_dump()),
    "gist": lambda config: Gist(**config.descriptors.gist.model_dump()),
    "thumbnail": lambda config: Thumbnail(**config.descriptors.thumbnail.model_dump()),
    "fisher_gradient": lambda _config: FisherGradient(),
    "fisher_sift": lambda _config: FisherSift(),
    "fisher_color": lambda _config: FisherColor(),
}
"""All descriptors by name. A new descriptor needs a file, a line here, a weight in config.toml."""

ALWAYS = "phash"
"""The descriptor that recognises near-duplicates; it is computed whatever its weight."""


def build_descriptors(config: "Config", extra: Collection[str] = ()) -> tuple[Descriptor, ...]:
    """The descriptors whose weight is above 0 or that `extra` names, and always `ALWAYS`.

    >>> from imgbatch import load_config
    >>> from imgbatch.config import default_config_path
    >>> config = load_config(default_config_path()).config
    >>> [descriptor.name for descriptor in build_descriptors(config)]
    ['hsv', 'hog', 'phash']
    """
    wanted = [
        name
        for name, weight in config.weights.items()
        if weight > 0 or name == ALWAYS or name in extra
    ]
    return tuple(DESCRIPTORS[name](config) for name in wanted)


__all__ = [
    "ALWAYS",
    "DESCRIPTORS",
    "Codes",
    "Descriptor",
    "as_integers",
    "build_descriptors",
    "fingerprint",
]
