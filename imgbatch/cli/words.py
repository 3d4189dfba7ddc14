"""``search`` and ``caption``: images for words, and words for images."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import (
    command,
    open_export,
    open_folder,
    refuse_with_database,
    settings_of,
    use_one_thread,
)
from imgbatch.cli.options import EXTENDED, FilterOptions, Folder, FolderOptions, Json, Paths, Show
from imgbatch.cli.output_files import (
    ShowAnswer,
    Writers,
    as_paths,
    check_output_files,
    output_option,
    show_answer,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.terminal import then_drawn
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.config.schema import Config
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.words.results import Captions, Found

FolderOrWords = Annotated[
    str,
    typer.Argument(
        metavar="FOLDER", help="Folder of images; never written to. With --from, the words."
    ),
]
Words = Annotated[
    str | None,
    typer.Argument(metavar="WORDS", help="What to look for, in the language of the texts."),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="URL",
        help='Search the folder that was exported to postgresql://...: search "words" --from URL.',
    ),
]
ExportedFolder = Annotated[
    str | None,
    typer.Option(
        "--folder", metavar="NAME", help="With --from: which one of several folders there."
    ),
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
    folder: FolderOrWords,
    words: Words = None,
    n: Count = 10,
    only: Only = None,
    like: Like = None,
    language: Language = None,
    database: Database = None,
    exported: ExportedFolder = None,
    json: Json = False,
    paths: Paths = False,
    show: Show = False,
    output: FoundOutputs = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Find images by words: by their texts, tags and classes, else by what they look like.

    What words look like is learned from the images of the folder of which texts are known.
    """
    use_one_thread()
    from imgbatch.outputs.files import ENDINGS

    outputs, read = output or [], [like, *(options.metadata or ())]
    if database is not None:
        if words is not None:
            raise UsageError("a folder was given with --from", "give --folder NAME, or no folder")
        if language is not None:
            raise UsageError("--language was given with --from", "leave it out: the export has one")
        refuse_with_database(filters, options)
        check_output_files(outputs, ENDINGS, folders=[], inputs=read)
        images = open_export(database, exported, settings_of(options, EXTENDED))
        check_output_files(outputs, ENDINGS, folders=[images.folder])
        found = images.search(folder, n, only=only, like=like)
        config, line = images.config, _database_line(context, database)
    else:
        if words is None:
            raise UsageError("a folder or the words are missing", 'give FOLDER "words"')
        if exported is not None:
            raise UsageError("--folder was given without --from", "give --from URL, too")
        check_output_files(outputs, ENDINGS, folders=[folder], inputs=read)
        photos = open_folder(folder, options, filters, preset=EXTENDED)
        found = photos.search(words, n, only=only, like=like, language=language)
        config, line = photos.config, command_line(context)
    answer = _shown(found, options, json, paths)
    if show:
        answer = then_drawn(answer, found, config, json=json, paths=paths)
    _show_found(config, found, line, outputs, answer)


def _shown(
    found: "Found",
    options: FolderOptions,
    json: bool,  # noqa: FBT001 - as the command takes them
    paths: bool,  # noqa: FBT001
) -> ShowAnswer:
    """What prints the answer."""
    from imgbatch.outputs.search import write_found

    if paths:
        return as_paths([image.path for image in found.images], null=options.null)
    return partial(write_found, found, json=json)


def _database_line(context: typer.Context, url: str) -> str:
    from imgbatch.exports.connection import Address

    return command_line(context, database=Address.parse(url).shown)


def _show_found(
    config: "Config", found: "Found", line: str, outputs: Sequence[Path], show: ShowAnswer
) -> None:
    writers = _found_writers(config, found, line)
    show_answer(outputs, writers, show, found.notes)


def _found_writers(config: "Config", found: "Found", line: str) -> Writers:
    from imgbatch.outputs.files import by_ending

    def page(path: Path) -> "WrittenFile":
        from imgbatch.outputs.pages import write_page
        from imgbatch.outputs.pages.search import search_page

        return write_page(search_page(found, config, line), path, config)

    def sheet(path: Path) -> "WrittenFile | None":
        from imgbatch.outputs.search import write_found_sheet

        return write_found_sheet(found, path, config)

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
