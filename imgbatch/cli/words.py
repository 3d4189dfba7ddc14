"""``search`` and ``caption``: images for words, and words for images."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, open_folder, use_one_thread
from imgbatch.cli.options import EXTENDED, FilterOptions, Folder, FolderOptions, Json
from imgbatch.cli.output_files import (
    Writers,
    check_output_files,
    output_option,
    show_answer,
)
from imgbatch.cli.repeating import command_line

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.words.results import Captions, Found

Words = Annotated[
    str, typer.Argument(metavar="WORDS", help="What to look for, in the language of the texts.")
]
Count = Annotated[int, typer.Option("-n", help="At most so many images.")]
Only = Annotated[
    str | None,
    typer.Option(
        metavar="known|unknown",
        help="Only images with a text, a tag or a class; or only those without.",
    ),
]
Like = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="Found images are to look like this one, too."),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Language of the texts, such as russian, or none; else it is told by the texts.",
    ),
]
FoundOutputs = Annotated[
    list[Path] | None,
    output_option("Write a page (.html), a contact sheet (.jpg, .png, .webp) or rows (.csv) here."),
]
_OPTIONS = FolderOptions()
_ALL = FilterOptions()


@command
def search(
    context: typer.Context,
    folder: Folder,
    words: Words,
    n: Count = 10,
    only: Only = None,
    like: Like = None,
    language: Language = None,
    json: Json = False,
    output: FoundOutputs = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Find images by words: by their texts, tags and classes, else by what they look like.

    What words look like is learned from the images of the folder of which texts are known.
    """
    use_one_thread()
    from imgbatch.outputs.files import ENDINGS
    from imgbatch.outputs.search import write_found

    outputs = output or []
    check_output_files(outputs, ENDINGS, folders=[folder], inputs=[like, *(options.metadata or ())])
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    found = photos.search(words, n, only=only, like=like, language=language)
    writers = _found_writers(photos, found, command_line(context))
    show_answer(outputs, writers, partial(write_found, found, json=json), found.notes)


def _found_writers(photos: "Collection", found: "Found", line: str) -> Writers:
    from imgbatch.outputs.files import by_ending

    def page(path: Path) -> "WrittenFile":
        from imgbatch.outputs.pages import write_page
        from imgbatch.outputs.pages.search import search_page

        return write_page(search_page(found, photos.config, line), path, photos.config)

    def sheet(path: Path) -> "WrittenFile | None":
        from imgbatch.outputs.search import write_found_sheet

        return write_found_sheet(found, path, photos.config)

    def rows(path: Path) -> "WrittenFile":
        from imgbatch.outputs.search import write_found_rows

        return write_found_rows(found, path)

    return by_ending(page, sheet, rows)


Suggestions = Annotated[
    int, typer.Option(metavar="K", help="At most so many captions for each image, best first.")
]
Every = Annotated[
    bool,
    typer.Option("--all", help="Images that have texts, too; their own are not suggested."),
]
CaptionOutputs = Annotated[
    list[Path] | None,
    output_option(
        "Write captions here: metadata (.csv), a page (.html), a contact sheet (.jpg, .png, .webp)."
    ),
]


@command
def caption(
    context: typer.Context,
    folder: Folder,
    suggestions: Suggestions = 1,
    every: Every = False,
    language: Language = None,
    json: Json = False,
    output: CaptionOutputs = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Suggest captions for images without texts: of those written of images that look alike.

    Of these captions the one that most others resemble is taken. Rows are marked as a program's.
    """
    from imgbatch.outputs.captions import write_captions
    from imgbatch.outputs.files import ENDINGS

    outputs = output or []
    check_output_files(outputs, ENDINGS, folders=[folder], inputs=options.metadata or ())
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    captions = photos.caption(suggestions=suggestions, every=every, language=language)
    writers = _caption_writers(photos, captions, command_line(context))
    show_answer(outputs, writers, partial(write_captions, captions, json=json), captions.notes)


def _caption_writers(photos: "Collection", captions: "Captions", line: str) -> Writers:
    from imgbatch.outputs.files import by_ending

    def page(path: Path) -> "WrittenFile":
        from imgbatch.outputs.pages import write_page
        from imgbatch.outputs.pages.captions import captions_page

        return write_page(captions_page(captions, photos.config, line), path, photos.config)

    def sheet(path: Path) -> "WrittenFile | None":
        from imgbatch.outputs.captions import write_caption_sheet

        return write_caption_sheet(captions, path, photos.config)

    def rows(path: Path) -> "WrittenFile":
        from imgbatch.outputs.captions import write_caption_rows

        return write_caption_rows(captions, path)

    return by_ending(page, sheet, rows)
