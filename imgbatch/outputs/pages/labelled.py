"""The page of labels that a model gave: the surest and the least sure images of each class."""

from pathlib import Path

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.learning.applying import GivenLabels
from imgbatch.outputs.pages.records import ImageGrid, ImageGroups, Page, PageImage, Section
from imgbatch.outputs.pages.settings import remarks_section

_SURE, _UNSURE = 4, 4
_MOST_UNLABELLED = 40


def labelled_page(given: GivenLabels, config: Config, command: str = "") -> Page:  # noqa: ARG001
    """The page of the labels of a folder, or of one image.

    Parameters
    ----------
    given
        What `learning.applying.given_labels` returned.
    config
        The settings of the collection.
    command
        The terminal command that gives the same; "" shows none.
    """
    folder = Path(given.folder or given.files[0]).name or "the root"
    labels = np.array(given.labels, object)
    order = np.argsort(-given.predictions.probabilities, kind="stable")
    groups = list[ImageGrid]()
    for name in sorted(set(given.labels) - {""}):
        rows = order[labels[order] == name]
        few = len(rows) <= _SURE + _UNSURE
        shown = rows if few else np.concatenate([rows[:_SURE], rows[-_UNSURE:]])
        images = tuple(_image(given, row) for row in shown.tolist())
        left_out = len(rows) - len(shown)
        groups.append(ImageGrid(f"{name}: {len(rows):,} images", images=images, left_out=left_out))
    text = f"The {_SURE} surest and the {_UNSURE} least sure images of each class."
    sections: list[Section] = [ImageGroups("Labels", text, groups=tuple(groups))] if groups else []
    unsure = order[labels[order] == ""]
    if len(unsure):
        images = tuple(_image(given, row) for row in unsure[:_MOST_UNLABELLED].tolist())
        left_out = max(len(unsure) - _MOST_UNLABELLED, 0)
        why = "Images that the model is not sure enough of, and what it would call them."
        sections.append(ImageGrid("Without a label", why, images=images, left_out=left_out))
    highlights = [(f"{given.labelled:,}", f"of {len(given.files):,} images have a label")]
    if given.min_precision is not None and given.held_out:
        share = given.held_right / given.held_out
        highlights.append((f"{share:.1%}", "of held-out images so sure were right"))
    return Page(
        "label apply",
        f"Labels of {folder}",
        "Labels that a trained model gave, with probabilities. They are no statement of a person.",
        tuple(highlights),
        (*sections, *remarks_section(given.notes, ())),
        command,
    )


def _image(given: GivenLabels, row: int) -> PageImage:
    label = given.labels[row]
    probability = float(given.predictions.probabilities[row])
    facts = () if label else (f"perhaps {given.predictions.labels[row]}",)
    return PageImage(given.files[row], given.names[row], score=f"{probability:.1%}", facts=facts)
