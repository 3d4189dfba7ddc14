"""The family of descriptors: the registry, and the function that builds those a config asks for."""

from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING

from imgbatch.descriptors.base import Codes, Descriptor, fingerprint
from imgbatch.descriptors.phash import as_integers

if TYPE_CHECKING:  # workers import this package but never check a config
    from imgbatch.config.schema import Config


def _builder(file: str, kind: str) -> "Callable[[Config], Descriptor]":
    """Builds the class `kind` of a file with its table of parameters in the config, if it has one.

    The file is imported only then: a request pays for each import, and uses three of them.
    """

    def build(config: "Config") -> Descriptor:
        parameters = getattr(config.descriptors, file, None)
        descriptor: type[Descriptor] = getattr(import_module(f"{__name__}.{file}"), kind)
        return descriptor(**(parameters.model_dump() if parameters else {}))

    return build


DESCRIPTORS: dict[str, "Callable[[Config], Descriptor]"] = {
    "hsv": _builder("hsv", "Hsv"),
    "hog": _builder("hog", "Hog"),
    "phash": _builder("phash", "Phash"),
    "lbp": _builder("lbp", "Lbp"),
    "phog": _builder("phog", "Phog"),
    "moments": _builder("moments", "Moments"),
    "gist": _builder("gist", "Gist"),
    "thumbnail": _builder("thumbnail", "Thumbnail"),
    "miniature": _builder("miniature", "Miniature"),
    "fisher_gradient": _builder("fisher_gradient", "FisherGradient"),
    "fisher_sift": _builder("fisher_gradient", "FisherSift"),
    "fisher_color": _builder("fisher_color", "FisherColor"),
}
"""All descriptors by name. A new descriptor needs a file, a line here, a weight in config.toml."""

HASH, MINIATURE = "phash", "miniature"
ALWAYS = (HASH, MINIATURE)
"""The descriptors that recognise near-duplicates; they are computed whatever their weight."""


def build_descriptors(config: "Config", extra: Collection[str] = ()) -> tuple[Descriptor, ...]:
    """The descriptors whose weight is above 0 or that `extra` names, and those in `ALWAYS`.

    >>> from imgbatch import load_config
    >>> from imgbatch.config import default_config_path
    >>> config = load_config(default_config_path()).config
    >>> [descriptor.name for descriptor in build_descriptors(config)]
    ['hsv', 'hog', 'phash', 'miniature']
    """
    wanted = [
        name
        for name, weight in config.weights.items()
        if weight > 0 or name in ALWAYS or name in extra
    ]
    return tuple(DESCRIPTORS[name](config) for name in wanted)


__all__ = [
    "ALWAYS",
    "DESCRIPTORS",
    "HASH",
    "MINIATURE",
    "Codes",
    "Descriptor",
    "as_integers",
    "build_descriptors",
    "fingerprint",
]
