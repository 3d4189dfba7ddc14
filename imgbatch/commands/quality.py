"""``evaluate`` and ``tune``: measure how good the sets are, and search better settings."""

from typing import Annotated

import typer

from imgbatch.commands.options import (
    ConfigFile,
    Emphasis,
    Folder,
    IndexDir,
    Json,
    Labels,
    Workers,
)
from imgbatch.commands.support import friendly, note, open_folder

SetSize = Annotated[int, typer.Option("-n", help="Images in a set.")]
Sets = Annotated[int, typer.Option(metavar="N", help="Requests of each kind that are measured.")]
FirstSeed = Annotated[
    int, typer.Option(metavar="N", help="Seed of the first request and of every sample.")
]


def evaluate(
    folder: Folder,
    labels: Labels = None,
    n: SetSize = 10,
    sets: Sets = 300,
    seed: FirstSeed = 0,
    json: Json = False,
    config: ConfigFile = None,
    emphasis: Emphasis = None,
    index: IndexDir = None,
    workers: Workers = None,
) -> None:
    """Measure the quality of a folder's sets, beside random choice.

    The class of an image is its first-level subfolder, or its label in --labels.
    """
    with friendly():
        from imgbatch import evaluation
        from imgbatch.outputs.evaluation import write_evaluation
        from imgbatch.outputs.progress import progress_bar

        collection = open_folder(folder, config, index, workers, emphasis)
        with progress_bar("measuring", unit="sets") as progress:
            measured = evaluation.evaluate(
                collection, n=n, sets=sets, seed=seed, labels=labels, progress=progress
            )
        write_evaluation(measured, json=json)
        note((*collection.notes, *measured.notes))
