"""The page of a search: the hits, why each was found, and what is known of it."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.pages.records import Facts, ImageGrid, Page, PageImage
from imgbatch.outputs.pages.settings import remarks_section
from imgbatch.outputs.search import texts_in_words, why_in_words
from imgbatch.words.results import TEXT, Found, FoundImage

_LEAD = (
    "Images whose texts, tags or class hold the words; and images of which nothing is known, ranked"
    " by whether they look like images whose texts hold them."
)
_SCORE = (
    "The number is the relevance of an image's text: 1 for a text of usual length with all the"
    " words. For an image without a text it is the relevance to be expected, learned from the"
    " folder's other images."
)
_TEXTS = 2


def search_page(found: Found, config: Config, command: str = "") -> Page:  # noqa: ARG001
    """The page of a search.

    Parameters
    ----------
    found
        What `Collection.search` returned.
    config
        The settings of the collection.
    command
        The terminal command that gives the same hits; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> search_page(photos.search("class1", 2), photos.config).title
    'Images of photos for: class1'
    """
    by_text = sum(image.source == TEXT for image in found.images)
    highlights = (
        (f"{by_text:,}", "found by their texts"),
        (f"{len(found.images) - by_text:,}", "found by what they look like"),
        (f"{found.indexed:,}", "images to choose from"),
    )
    grid = ImageGrid(
        "The images", _SCORE, images=tuple(map(_card, found.images)), score_name="relevance"
    )
    unknown = tuple(
        (word, tuple(f"near it: {known}" for known in near) or ("nothing is near it",))
        for word, near in found.unknown.items()
    )
    facts = Facts("The texts", facts=(("known", (texts_in_words(found),)), *unknown))
    return Page(
        "search",
        f"Images of {Path(found.folder).name or 'the root'} for: {found.query}",
        _LEAD,
        highlights,
        (grid, facts, *remarks_section(found.notes, ())),
        command,
    )


def _card(image: FoundImage) -> PageImage:
    return PageImage(
        image.path,
        image.relative,
        rank=str(image.rank),
        score=f"{image.relevance:.2f}",
        facts=(why_in_words(image), *image.texts[:_TEXTS]),
    )
