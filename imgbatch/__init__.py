"""Pick similar or different images from a folder, with classical descriptors on a CPU.

>>> import imgbatch
>>> photos = imgbatch.load("photos")
>>> [image.relative for image in photos.similar(3, seed=7).images]
['class2/image014.jpg', 'class0/image009.jpg', 'class2/image017.jpg']
"""

from imgbatch.shown import drawn_by
from imgbatch.version import __version__

TYPE_CHECKING = False  # typing's own takes 10 ms, in which Ctrl-C would stop the command unhandled
if TYPE_CHECKING:
    from typing import Any

    from imgbatch.collection import Collection
    from imgbatch.config import load_config
    from imgbatch.config.schema import Config
    from imgbatch.errors import ImgbatchError
    from imgbatch.loading import load
    from imgbatch.shown import Drawing
    from imgbatch.types import Batches, ImageRecord, PickedImage, Selection, Skipped

_HOMES = {
    "Collection": "collection",
    "load": "loading",
    "Config": "config.schema",
    "load_config": "config",
    "ImgbatchError": "errors",
    "Batches": "types",
    "ImageRecord": "types",
    "PickedImage": "types",
    "Selection": "types",
    "Skipped": "types",
}

__all__ = [
    "Batches",
    "Collection",
    "Config",
    "ImageRecord",
    "ImgbatchError",
    "PickedImage",
    "Selection",
    "Skipped",
    "__version__",
    "load",
    "load_config",
]


def __getattr__(name: str) -> "Any":
    """Import public names on first use, so that `imgbatch --help` needs no NumPy (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'imgbatch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"imgbatch.{_HOMES[name]}"), name)


def _drawing() -> "Drawing":
    """What draws results: a room above all those that make them."""
    from imgbatch.outputs import notebook

    return notebook


drawn_by(_drawing)


def __dir__() -> list[str]:
    """The public names alone."""
    return __all__
