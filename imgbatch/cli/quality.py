"""``evaluate`` and ``tune``: measure how good the sets are, and search better settings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgbatch.cli.common import (
    check_log,
    check_report,
    command,
    note,
    open_folder,
    settings_of,
    start_workers_early,
)
from imgbatch.cli.options import (
    Folder,
    FolderOptions,
    IndexOptions,
    Json,
    LogDir,
    MetadataFile,
    Report,
    target_path,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.evaluation.results import Tuning

SetSize = Annotated[int, typer.Option("-n", help="Images in a set.")]
Sets = Annotated[int, typer.Option(metavar="N", help="Requests of each kind that are measured.")]
FirstSeed = Annotated[
    int, typer.Option(metavar="N", help="Seed of the first request and of every sample.")
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="CONFIG",
        parser=target_path,
        help="Write the settings here, replacing a file. Default: a new imgbatch-tuned.toml.",
    ),
]
Trials = Annotated[int, typer.Option(metavar="N", help="How many settings to try.")]
EnabledOnly = Annotated[
    bool,
    typer.Option(
        "--enabled-only",
        help="Leave descriptors alone that are switched off; else images are read for them, too.",
    ),
]


_FOLDER, _INDEX = FolderOptions(), IndexOptions()


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
            from imgbatch.outputs.pages import evaluation_page, write_page

            page = evaluation_page(measured, collection.config, command_line(context))
            with unwritten.remembered(asked=True):
                written = write_page(page, report, collection.config)
        if log is not None:
            from imgbatch.outputs.tensorboard import log_evaluation

            with unwritten.remembered(asked=True):
                logged = log_evaluation(measured, log.absolute())
        write_evaluation(measured, json=json, report=written, log=logged)
        note((*collection.notes, *measured.notes))


@command
def tune(
    folder: Folder,
    output: ConfigPath = None,
    metadata: MetadataFile = None,
    trials: Trials = 100,
    enabled_only: EnabledOnly = False,
    seed: FirstSeed = 0,
    json: Json = False,
    options: IndexOptions = _INDEX,
) -> None:
    """Search descriptor weights on a labelled folder; write a config file for --config.

    The class of an image is its label in --metadata, or else its first-level subfolder. Ctrl-C
    ends the search and writes the best found so far; the exit code is then 130.
    """
    from imgbatch.config.write import write_config
    from imgbatch.evaluation import tune as tuning
    from imgbatch.files.targets import refuse_input
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.outputs.tuning import tune_progress

    refuse_input("-o", _config_target(output, folder), *(metadata or ()))
    settings = settings_of(options)
    descriptors = [
        name for name, weight in settings.weights.items() if weight > 0 or not enabled_only
    ]
    start_workers_early(folder, options)
    with progress_bar("indexing") as progress:
        photos = tuning.load_with_descriptors(
            folder,
            settings,
            descriptors,
            index=options.index,
            progress=progress,
            metadata=metadata or None,
        )
    with tune_progress() as report:
        tuned = tuning.tune(
            photos, descriptors=descriptors, trials=trials, seed=seed, report=report
        )
    with answer_first() as unwritten:
        changed = _changed(tuned)
        written = None
        with unwritten.remembered(asked=True):
            target = _config_target(output, folder)  # again: another search may have ended
            write_config(changed, _comments(tuned), target)
            written = target
        _print_tuned(tuned, changed, written, json=json)
        note((*photos.metadata.notes, *tuned.notes))
        if tuned.stopped:
            place = f"in {written}" if written else "above"
            note([f"stopped after {tuned.trials} trials; the best so far is {place}"])
    if tuned.stopped:
        raise typer.Exit(130)


def _config_target(output: Path | None, folder: str) -> Path:
    """Where the config goes: -o, which is replaced, or a new file in the working directory."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file

    if output is None:
        target, number = Path("imgbatch-tuned.toml"), 1
        while os.path.lexists(target):
            number += 1
            target = Path(f"imgbatch-tuned-{number}.toml")
    else:
        target = output
        if os.path.isdir(target):
            raise UsageError(f"-o {target} is a folder", "name a file in it, such as tuned.toml")
    refuse_inside(target, folder, "-o" if output else "the config")
    check_file(target)
    return target


def _changed(tuned: "Tuning") -> dict[str, Any]:
    """The settings found, as the tables of a config file: all weights, else what differs."""
    from imgbatch.config.write import differences

    changed = differences(tuned.config)
    return {"imgbatch": {"config_version": 1}, "weights": dict(tuned.config.weights)} | {
        table: values for table, values in changed.items() if table not in {"imgbatch", "weights"}
    }


def _print_tuned(
    tuned: "Tuning", changed: dict[str, Any], written: Path | None, *, json: bool
) -> None:
    """Print what was found; `written` is the config file, None if it could not be written."""
    from dataclasses import asdict

    from imgbatch.outputs import print_json, write_facts
    from imgbatch.outputs.summaries import write_settings
    from imgbatch.outputs.tuning import write_gains

    if json:
        print_json(
            {
                "config": None if written is None else str(written),
                "folder": tuned.folder,
                "images": tuned.images,
                "classes": tuned.classes,
                "seed": tuned.seed,
                "trials": tuned.trials,
                "stopped": tuned.stopped,
                "gains": [asdict(gain) for gain in tuned.gains],
                "settings": changed,
            }
        )
        return
    write_gains(tuned.gains)
    if written is None:
        write_settings(changed, {})
        return
    weights = ", ".join(f"{name} {weight:g}" for name, weight in tuned.config.weights.items())
    write_facts({"weights": weights, "config": f"{written}  (use it: --config {written})"})


def _comments(tuned: "Tuning") -> list[str]:
    return [
        "Settings found by `imgbatch tune`; use them with --config FILE.",
        "They hold what differs from the default config.toml, which explains every key.",
        "",
        f"Searched on {Path(tuned.folder).name or 'root'}: {tuned.images} images of "
        f"{tuned.classes} classes, {tuned.trials} trials, seed {tuned.seed}"
        + (", stopped early." if tuned.stopped else "."),
        "On images that the search did not see (it was run on each half and measured on the other;",
        "before = the settings it began with; in brackets the 95% interval of the gain):",
        *(
            f"  {gain.name.replace('_', ' ')}: {gain.before:.1%} before, {gain.after:.1%} tuned "
            f"({gain.low * 100:+.1f} to {gain.high * 100:+.1f} points)"
            for gain in tuned.gains
        ),
    ]
