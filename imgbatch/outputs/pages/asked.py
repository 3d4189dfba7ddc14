"""The page of images for a person to look at: to label next, or with a label that is doubted."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.files.paths import join
from imgbatch.learning.results import Asked, AskedImage
from imgbatch.outputs.asked import suggestion_in_words
from imgbatch.outputs.pages.records import ImageGrid, ImageGroups, Page, PageImage, Section
from imgbatch.outputs.pages.settings import remarks_section, settings_section


def asked_page(asked: Asked, config: Config, command: str = "") -> Page:
    """The page of images to label next, or of doubted labels with evidence.

    Parameters
    ----------
    asked
        What `learning.asking` returned.
    config
        The settings of the collection.
    command
        The terminal command that lists the same; "" shows none.
    """
    folder = Path(asked.folder).name or "the root"
    section: Section
    if asked.doubted:
        title, lead = f"Doubted labels of {folder}", _DOUBT
        groups = tuple(
            _doubted(asked, number, image) for number, image in enumerate(asked.images, start=1)
        )
        section = ImageGroups("Worst first", _EVIDENCE, groups=groups)
        counted = "labels are doubted"
    else:
        title, lead = f"What to label next in {folder}", _NEXT
        cards = tuple(
            _card(image, str(number), (image.reason,))
            for number, image in enumerate(asked.images, start=1)
        )
        section = ImageGrid("Images", images=cards)
        counted = "images to label"
    highlights = (
        (f"{len(asked.images):,}", counted),
        (f"{asked.labelled:,}", f"of {asked.total:,} images have a label"),
    )
    settings = settings_section(asked.folder, asked.total, asked.seed, config)
    remarks = remarks_section(asked.notes, ())
    kind = "label check" if asked.doubted else "label next"
    return Page(kind, title, lead, highlights, (section, settings, *remarks), command)


_DOUBT = (
    "Labels to which models, trained without the image, give a low probability. Some will be right:"
    " look, and write corrections into the rows that -o FILE.csv gives."
)
_EVIDENCE = "Beside each image: the nearest images of its own class, and of the class suggested."
_NEXT = (
    "Images that help a model most. Write their labels into the rows that -o FILE.csv gives, and"
    " give the file as --metadata."
)


def _card(image: AskedImage, rank: str, facts: tuple[str, ...], mark: str = "") -> PageImage:
    score = suggestion_in_words(image)
    return PageImage(image.path, image.relative, rank, score, mark, facts)


def _doubted(asked: Asked, number: int, image: AskedImage) -> ImageGrid:
    """The image, then the nearest ones of each class."""
    others = tuple(
        PageImage(join(asked.folder, path), path, facts=(name,))
        for name, paths in image.evidence.items()
        for path in paths
    )
    doubted = _card(image, str(number), (f"labelled {image.label}",), mark="doubted")
    return ImageGrid(
        f"{image.label}, or {image.suggested}?", image.reason + ".", images=(doubted, *others)
    )
