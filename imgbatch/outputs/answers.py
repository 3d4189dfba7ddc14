"""The files that show an answer: a page, a sheet or picture, rows; a line for each type of answer.

Commands write what `-o` names through this table, and so can whatever else shows answers::

    write_answer(photos.search("sea"), Path("sea.html"), photos.config)

Functions are named, and imported when they are called: an answer without a page imports no page.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from imgbatch.config.schema import Config
from imgbatch.outputs.base import WrittenFile
from imgbatch.outputs.files import PAGE, ROWS, by_ending, check_ending
from imgbatch.types import Progress


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a module; calling it imports the module."""

    module: str
    name: str

    def __call__(self, *arguments: object) -> Any:
        """What the function returns."""
        return getattr(import_module(self.module), self.name)(*arguments)


@dataclass(frozen=True, slots=True)
class Files:
    """What shows one type of answer; None where there is no such file.

    Attributes
    ----------
    page
        Makes its page: (answer, config, command) -> `Page`.
    sheet
        Draws it: (answer, target, config) -> `WrittenFile`, or None if there is nothing to draw.
    rows
        Writes its rows: (answer, target) -> `WrittenFile`.
    """

    page: Function | None = None
    sheet: Function | None = None
    rows: Function | None = None


ANSWERS = {
    "Selection": Files(
        page=Function("imgbatch.outputs.pages.selection", "selection_page"),
        sheet=Function("imgbatch.outputs.sheet", "write_selection_sheet"),
        rows=Function("imgbatch.outputs.rows", "write_rows"),
    ),
    "Found": Files(
        page=Function("imgbatch.outputs.pages.search", "search_page"),
        sheet=Function("imgbatch.outputs.search", "write_found_sheet"),
        rows=Function("imgbatch.outputs.search", "write_found_rows"),
    ),
    "Captions": Files(
        page=Function("imgbatch.outputs.pages.captions", "captions_page"),
        sheet=Function("imgbatch.outputs.captions", "write_caption_sheet"),
        rows=Function("imgbatch.outputs.captions", "write_caption_rows"),
    ),
    "TagsResult": Files(
        page=Function("imgbatch.outputs.pages.tags", "tags_page"),
        sheet=Function("imgbatch.outputs.tags", "write_tag_sheet"),
        rows=Function("imgbatch.outputs.tags", "write_tag_rows"),
    ),
    "Duplicates": Files(
        page=Function("imgbatch.outputs.pages.duplicates", "duplicates_page"),
        sheet=Function("imgbatch.outputs.duplicates", "write_duplicate_sheet"),
        rows=Function("imgbatch.outputs.duplicates", "write_duplicate_rows"),
    ),
    "Asked": Files(
        page=Function("imgbatch.outputs.pages.asked", "asked_page"),
        sheet=Function("imgbatch.outputs.asked", "write_asked_sheet"),
        rows=Function("imgbatch.outputs.asked", "write_asked_rows"),
    ),
    "GivenLabels": Files(
        page=Function("imgbatch.outputs.pages.labelled", "labelled_page"),
        rows=Function("imgbatch.outputs.labelled", "write_label_rows"),
    ),
    "Training": Files(
        page=Function("imgbatch.outputs.pages.training", "training_page"),
        sheet=Function("imgbatch.outputs.confusion", "write_confusion"),
    ),
    "Split": Files(
        rows=Function("imgbatch.outputs.splitting", "write_split_rows"),
    ),
    "Overview": Files(
        page=Function("imgbatch.outputs.pages.overview", "overview_page"),
        rows=Function("imgbatch.outputs.overview", "write_problem_rows"),
    ),
    "FolderMap": Files(
        page=Function("imgbatch.outputs.pages.map", "map_page"),
        sheet=Function("imgbatch.outputs.map_picture", "write_map_picture"),
        rows=Function("imgbatch.outputs.map", "write_map_rows"),
    ),
    "Explanation": Files(
        page=Function("imgbatch.outputs.pages.explanation", "explanation_page"),
        sheet=Function("imgbatch.outputs.explain", "write_explanation_picture"),
    ),
    "Description": Files(
        page=Function("imgbatch.outputs.pages.explanation", "description_page"),
        sheet=Function("imgbatch.outputs.describe", "write_description_picture"),
    ),
    "Evaluation": Files(
        page=Function("imgbatch.outputs.pages.evaluation", "evaluation_page"),
    ),
}
"""What shows an answer, by the name of its type: types are not imported, either."""


def write_answer(
    answer: object,
    target: Path,
    config: Config,
    command: str = "",
    progress: Progress | None = None,
) -> WrittenFile | None:
    """Write the file of an answer that the ending of `target` names; an existing one is replaced.

    Parameters
    ----------
    answer
        Of a type in `ANSWERS`, such as what `Collection.search` returns.
    target
        An absolute path: .html for a page, .png, .jpg, .jpeg or .webp for a picture, .csv for rows.
    config
        The settings of the collection.
    command
        The terminal command that gives the same answer, for a page; "" shows none.
    progress
        Called with (pictures made, pictures in all) while the page of a map is written.

    Returns
    -------
    WrittenFile or None
        None if there is nothing to draw.

    Raises
    ------
    UsageError
        This type of answer has no such file.
    OutputError
        The target cannot be written.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> write_answer(photos.search("class1", 3), Path("found.csv"), photos.config).images
    3
    """
    files, ending = ANSWERS[type(answer).__name__], target.suffix.lower()
    made = by_ending(files.page, files.sheet, files.rows)
    words = by_ending("a page", "a picture", "rows")
    check_ending(target, {name: words[name] for name, function in made.items() if function})
    file: WrittenFile | None = None
    if files.page and ending == PAGE:
        from imgbatch.outputs.pages.write import write_page

        file = write_page(files.page(answer, config, command), target, config, progress)
    elif files.rows and ending == ROWS:
        file = files.rows(answer, target)
    elif files.sheet:
        file = files.sheet(answer, target, config)
    return file
