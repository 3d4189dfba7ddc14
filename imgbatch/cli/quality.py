"""``evaluate``: measure how good the sets are."""

from typing import Annotated

import typer

from imgbatch.cli.common import (
    check_log,
    check_report,
    command,
    note,
    open_folder,
)
from imgbatch.cli.options import (
    Folder,
    FolderOptions,
    Json,
    LogDir,
    Report,
)
from imgbatch.cli.output_files import writing
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import answer_first

SetSize = Annotated[int, typer.Option("-n", metavar="N", help="Images in a set.")]
Sets = Annotated[int, typer.Option(metavar="N", help="Requests of each kind that are measured.")]
FirstSeed = Annotated[
    int, typer.Option(metavar="N", help="Seed of the first request and of every sample.")
]
_FOLDER = FolderOptions()


@command
def evaluate(
    context: typer.Context,
    folder: Folder,
    n: SetSize = 10,
    sets: Sets = 300,
    seed: FirstSeed = 0,
    report: Report = None,
    log: LogDir = None,
    json: Json = False,
    options: FolderOptions = _FOLDER,
) -> None:
    """Measure the quality of a folder's sets, beside random choice.

    The class of an image is its label in --metadata, or else its first-level subfolder. Where texts
    are known, search by words and captions are measured, too.
    """
    from imgbatch.evaluation import evaluate as evaluation
    from imgbatch.outputs.evaluation import write_evaluation
    from imgbatch.outputs.progress import progress_bar

    check_report(report, folder, *(options.metadata or ()))
    check_log(log, folder)
    collection = open_folder(folder, options)
    with progress_bar("measuring", unit="sets") as progress:
        measured = evaluation.evaluate(collection, n=n, sets=sets, seed=seed, progress=progress)
    with answer_first() as unwritten:
        written = logged = None
        if report is not None:
            with unwritten.remembered(asked=True):
                written = writing(measured, collection.config, command_line(context))(report)
        if log is not None:
            from imgbatch.outputs.tensorboard import log_evaluation

            with unwritten.remembered(asked=True):
                logged = log_evaluation(measured, log.absolute())
        write_evaluation(measured, json=json, report=written, log=logged)
        note((*collection.notes, *measured.notes))
