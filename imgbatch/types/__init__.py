"""The frozen records that travel between floors."""

from imgbatch.types.answers import Batches, ImageSequence, Selection
from imgbatch.types.records import (
    DecodeOptions,
    DuplicateGroup,
    DuplicateImage,
    Duplicates,
    Figures,
    Floats,
    Hashes,
    ImageRecord,
    ImageTag,
    Known,
    PickedImage,
    Progress,
    ReadFile,
    Rows,
    Skipped,
    View,
)

__all__ = [
    "Batches",
    "DecodeOptions",
    "DuplicateGroup",
    "DuplicateImage",
    "Duplicates",
    "Figures",
    "Floats",
    "Hashes",
    "ImageRecord",
    "ImageSequence",
    "ImageTag",
    "Known",
    "PickedImage",
    "Progress",
    "ReadFile",
    "Rows",
    "Selection",
    "Skipped",
    "View",
]
