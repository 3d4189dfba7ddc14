"""Results as pages: one HTML file each, which holds all it shows and asks no network for anything.

A `Page` is a record of sections; a function for each kind of result makes one, and `write_page`
writes any of them::

    page = selection_page(photos.similar(10, seed=7), photos.config)
    write_page(page, "similar.html", photos.config)

A new kind of page needs a function that returns a `Page`. Images that belong together, such as the
copies of one photograph, are an `ImageGrid` in an `ImageGroups`; the one to be kept has the mark
"keep" and comes first::

    keeper = PageImage("/photos/a.jpg", "a.jpg", mark="keep", facts=("640 \u00d7 480 pixels",))
    copy = PageImage("/photos/b.jpg", "b.jpg", score="0.12", facts=("320 \u00d7 240 pixels",))
    pair = ImageGrid("Group 1: edited", images=(keeper, copy), score_name="distance")
    Page("duplicates", "One group", sections=(ImageGroups("Groups", groups=(pair,)),))

A new kind of section needs a record in ``records.py`` and a macro in ``templates/components.html``.
Jinja is imported only when a page is written.
"""

from imgbatch.outputs.pages.batches import batches_page
from imgbatch.outputs.pages.duplicates import duplicates_page
from imgbatch.outputs.pages.evaluation import evaluation_page
from imgbatch.outputs.pages.map import map_page
from imgbatch.outputs.pages.overview import overview_page
from imgbatch.outputs.pages.records import (
    Chart,
    Facts,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    ImageMap,
    Page,
    PageImage,
    Section,
    SideBySide,
)
from imgbatch.outputs.pages.selection import selection_page
from imgbatch.outputs.pages.write import write_page

__all__ = [
    "Chart",
    "Facts",
    "FigureRow",
    "FiguresTable",
    "ImageGrid",
    "ImageGroups",
    "ImageMap",
    "Page",
    "PageImage",
    "Section",
    "SideBySide",
    "batches_page",
    "duplicates_page",
    "evaluation_page",
    "map_page",
    "overview_page",
    "selection_page",
    "write_page",
]
