"""``tune``: search better settings, and learn points from labels."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgbatch.cli.common import command, note, settings_of, start_workers_early
from imgbatch.cli.options import OUTPUT, IndexOptions, Json, MetadataFile, WholeFolder, target_path
from imgbatch.cli.quality import FirstSeed
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.evaluation.results import Learned, Tuning

ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="CONFIG",
        parser=target_path,
        help="Write the settings here, replacing a file. Default: a new imgbatch-tuned.toml.",
        rich_help_panel=OUTPUT,
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
Learn = Annotated[
    bool,
    typer.Option(
        "--learn",
        help="Learn points from the labels, too; they go beside the config, in a .npz.",
    ),
]

_ARRAYS = ".npz"
_INDEX = IndexOptions()


@command
def tune(
    folder: WholeFolder,
    output: ConfigPath = None,
    metadata: MetadataFile = None,
    trials: Trials = 100,
    enabled_only: EnabledOnly = False,
    learn: Learn = False,
    seed: FirstSeed = 0,
    json: Json = False,
    options: IndexOptions = _INDEX,
) -> None:
    """Search descriptor weights on a labelled folder; write a config file for --config.

    The class of an image is its label in --metadata, or else its first-level subfolder. Ctrl-C
    ends the search and writes the best found so far; the exit code is then 130. With --learn,
    points are learned from the labels, too, under the settings found.
    """
    from imgbatch.evaluation import learn as learning
    from imgbatch.evaluation import tune as tuning
    from imgbatch.files.targets import refuse_input
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.outputs.tuning import tune_progress

    refuse_input("-o", _config_target(output, folder, learn=learn), *(metadata or ()))
    settings = settings_of(options)
    if file := settings.space.learned:
        note([f"the search begins without the learned points of {file}"])
    descriptors = [
        name for name, weight in settings.weights.items() if weight > 0 or not enabled_only
    ]
    start_workers_early(folder, options)
    with progress_bar("indexing") as progress:
        load = partial(tuning.load_with_descriptors, index=options.index, progress=progress)
        photos = load(folder, settings, descriptors, metadata=metadata or None)
    if learn:
        learning.check_classes(photos)
    with tune_progress() as report:
        tuned = tuning.tune(
            photos, descriptors=descriptors, trials=trials, seed=seed, report=report
        )
    learned = _learned(photos, tuned, seed) if learn and not tuned.stopped else None
    stopped = tuned.stopped or (learn and learned is None)
    with answer_first() as unwritten:
        changed, written = _changed(tuned), None
        with unwritten.remembered(asked=True):
            target = _config_target(output, folder, learn=learn)  # again: another search may end
            _write(tuned, learned, changed, target)
            written = target
        _print_tuned(tuned, learned, changed, written, json=json)
        note((*photos.metadata.notes, *tuned.notes, *_remarks(learned)))
        if stopped:
            note([_told_stop(tuned, written, learn=learn)])
    if stopped:
        raise typer.Exit(130)


def _learned(photos: "Collection", tuned: "Tuning", seed: int) -> "Learned | None":
    """What labels teach under the settings found; None if Ctrl-C ended it."""
    from imgbatch.evaluation.learn import learn
    from imgbatch.outputs.progress import progress_bar

    try:
        with progress_bar("learning from labels", unit="steps") as progress:
            return learn(photos, tuned.config, seed=seed, progress=progress)
    except KeyboardInterrupt:
        return None


def _write(
    tuned: "Tuning", learned: "Learned | None", changed: dict[str, Any], target: Path
) -> None:
    """Write the config, and before it the learned points, which `changed` then names."""
    from imgbatch.config.write import write_config

    if learned is not None and learned.points is not None:
        arrays = target.with_suffix(_ARRAYS)
        learned.points.save(arrays)
        changed["space"] = {**changed.get("space", {}), "learned": arrays.name}
    write_config(changed, _comments(tuned, learned), target)


def _told_stop(tuned: "Tuning", written: Path | None, *, learn: bool) -> str:
    place = f"in {written}" if written else "above"
    left = "; nothing was learned from labels" if learn else ""
    return f"stopped after {tuned.trials:,} trials; the best so far is {place}{left}"


def _remarks(learned: "Learned | None") -> list[str]:
    """What the user should know of points that were learned, or were not."""
    if learned is None:
        return []
    if learned.points is None:
        return ["no learned points help without harm to unseen classes: none were written"]
    images, classes = learned.gains
    remarks = []
    if images.low <= 0:
        remarks.append("learned points show no clear gain on unseen images")
    if classes.high < 0:
        remarks.append("learned points lose some precision on unseen classes")
    return remarks


def _config_target(output: Path | None, folder: str, *, learn: bool) -> Path:
    """Where the config goes: -o, which is replaced, or a new file in the working directory.

    Learned points go beside it, under the same name with another ending.
    """
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file

    if output is None:
        target, number = Path("imgbatch-tuned.toml"), 1
        while os.path.lexists(target) or os.path.lexists(target.with_suffix(_ARRAYS)):
            number += 1
            target = Path(f"imgbatch-tuned-{number}.toml")
    else:
        target = output
        if os.path.isdir(target):
            raise UsageError(f"-o {target} is a folder", "name a file in it, such as tuned.toml")
    refuse_inside(target, folder, "-o" if output else "the config")
    check_file(target)
    if learn:
        _check_arrays(target)
    return target


def _check_arrays(target: Path) -> None:
    """Raise an error if learned points cannot go beside a config, or would replace another file."""
    from imgbatch.files.targets import check_file
    from imgbatch.index.learned import LEARNED_FILE

    arrays = target.with_suffix(_ARRAYS)
    if arrays == target:
        raise UsageError(f"-o {target} ends in {_ARRAYS}", "name a config, such as tuned.toml")
    if os.path.lexists(arrays):
        try:
            LEARNED_FILE.read(arrays)
        except UsageError:
            raise UsageError(
                f"learned points would replace {arrays}, which is something else",
                "give -o another name",
            ) from None
    check_file(arrays)


def _changed(tuned: "Tuning") -> dict[str, Any]:
    """The settings found, as the tables of a config file: all weights, else what differs."""
    from imgbatch.config.write import differences

    changed = differences(tuned.config)
    return {"imgbatch": {"config_version": 1}, "weights": dict(tuned.config.weights)} | {
        table: values for table, values in changed.items() if table not in {"imgbatch", "weights"}
    }


def _print_tuned(
    tuned: "Tuning",
    learned: "Learned | None",
    changed: dict[str, Any],
    written: Path | None,
    *,
    json: bool,
) -> None:
    """Print what was found; `written` is the config file, None if it could not be written."""
    from dataclasses import asdict

    from imgbatch.outputs import print_json, write_facts
    from imgbatch.outputs.summaries import write_settings
    from imgbatch.outputs.tuning import write_gains, write_learned

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
                "learned": None if learned is None else _learned_document(learned, written),
            }
        )
        return
    write_gains(tuned.gains)
    if learned is not None:
        write_learned(learned)
    if written is None:
        write_settings(changed, {})
        return
    weights = ", ".join(f"{name} {weight:g}" for name, weight in tuned.config.weights.items())
    write_facts({"weights": weights, "config": f"{written}  (use it: --config {written})"})


def _learned_document(learned: "Learned", written: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    there = learned.points is not None and written is not None
    return {
        "file": str(written.with_suffix(_ARRAYS)) if there and written is not None else None,
        "mixture": None if learned.mixture is None else asdict(learned.mixture),
        "images": learned.images,
        "gains": [asdict(gain) for gain in learned.gains],
    }


def _comments(tuned: "Tuning", learned: "Learned | None") -> list[str]:
    lines = [
        "Settings found by `imgbatch tune`; use them with --config FILE.",
        "They hold what differs from the default config.toml, which explains every key.",
        "",
        f"Searched on {Path(tuned.folder).name or 'root'}: {tuned.images:,} images of "
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
    if learned is not None and learned.points is not None:
        lines += [
            "Points were learned from the labels under these settings; their file must lie beside",
            "this one. Precision at 10 of what was not learned from (unlearned, learned, gain):",
            *(
                f"  {gain.name.replace('_', ' ')}: {gain.before:.1%}, {gain.after:.1%} "
                f"({gain.low * 100:+.1f} to {gain.high * 100:+.1f} points)"
                for gain in learned.gains
            ),
        ]
    return lines
