"""``search`` and ``caption``: images for words, and words for images."""

from functools import partial
from pathlib import Path
from typing import Annotated

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
    check_output_files,
    or_paths,
    output_option,
    show_answer,
    writing,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.terminal import then_drawn
from imgbatch.errors import UsageError

FolderOrWords = Annotated[
    str,
    typer.Argument(
        metavar="FOLDER",
        help="Folder of images; never written to. - reads a list of files. With --from, the words.",
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
Count = Annotated[int, typer.Option("-n", metavar="N", help="At most so many images.")]
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
    from imgbatch.outputs.search import write_found

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
    answer = partial(write_found, found, json=json)
    printing = or_paths(answer, found, paths=paths, null=options.null)
    if show:
        printing = then_drawn(printing, found, config, json=json, paths=paths)
    show_answer(outputs, writing(found, config, line), printing, found.notes)


def _database_line(context: typer.Context, url: str) -> str:
    from imgbatch.exports.connection import Address

    return command_line(context, database=Address.parse(url).shown)


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
    write = writing(captions, photos.config, command_line(context))
    show_answer(outputs, write, partial(write_captions, captions, json=json), captions.notes)
