"""``label train``, ``label apply``, ``label split``: learn the classes of images, and give them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import check_log, check_report, command, note, open_folder, settings_of
from imgbatch.cli.options import (
    EXTENDED,
    OUTPUT,
    FilterOptions,
    Folder,
    FolderOptions,
    Json,
    LogDir,
    Report,
    target_path,
)
from imgbatch.cli.output_files import (
    check_output_files,
    output_option,
    show_answer,
    write_output_files,
    writing,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.learning.applying import GivenLabels
    from imgbatch.learning.model import LabelModel

Seed = Annotated[int, typer.Option(metavar="N", help="Seed of everything random.")]
Test = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Hold out this share of the labelled images; 0 cross-validates and trains on all of "
        "them. Default: 0.2 with 1,000 labels or more, else 0; a column split wins.",
    ),
]
ModelFile = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="MODEL.npz",
        parser=target_path,
        help="Write the model here, replacing a file.",
        rich_help_panel=OUTPUT,
    ),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="What label train has written.")]
Images = Annotated[
    str, typer.Argument(metavar="FOLDER", help="Folder of images, or one image; never written to.")
]
MinPrecision = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        help="Label only images so sure that held-out ones were right with this share; 0 to 1.",
    ),
]
CopyTo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=target_path,
        help="Copy labelled images into a folder for each class.",
        rich_help_panel=OUTPUT,
    ),
]
Confusion = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        parser=target_path,
        help="Draw the confusion matrix here (.png, .jpg).",
        rich_help_panel=OUTPUT,
    ),
]
Labels = Annotated[
    list[Path] | None,
    output_option("Write the labels as rows that are metadata (.csv), or a page (.html)."),
]
SplitFile = Annotated[
    list[Path] | None, output_option("Write the parts as rows that are metadata (.csv).")
]
Shares = Annotated[
    str,
    typer.Option(
        metavar="SHARES",
        help="Of train, validation, test, scaled to 1; two: no validation; 0.8,0.2,0: no test.",
    ),
]
_FOLDER, _ALL = FolderOptions(), FilterOptions()
_LABEL_ENDINGS = {".html": "a page", ".csv": "rows"}


@command
def train(
    context: typer.Context,
    folder: Folder,
    output: ModelFile,
    test: Test = None,
    seed: Seed = 0,
    report: Report = None,
    confusion: Confusion = None,
    log: LogDir = None,
    json: Json = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _FOLDER,
) -> None:
    """Train a model on the classes of images; measure it on images that it did not see.

    The class of an image is its label in --metadata, or else its first-level subfolder.
    """
    from imgbatch.learning.training import TrainOptions, train_labels
    from imgbatch.outputs.training import write_training

    asked = TrainOptions(test, seed)
    _check_train_outputs(folder, output, report, confusion, log, options)
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    trained = train_labels(photos.labelling, asked)
    write = writing(trained, photos.config, command_line(context))
    with answer_first() as unwritten:
        with unwritten.remembered(asked=True):
            trained.model.save(output)
        named = [path for path in (report, confusion) if path is not None]
        files = write_output_files(named, write, unwritten)
        if log is not None:
            from imgbatch.outputs.tensorboard import log_training

            with unwritten.remembered(asked=True):
                files.append(log_training(trained, log.absolute()))
        write_training(trained, output.absolute(), files, json=json)
        note((*photos.notes, *trained.notes))


def _check_train_outputs(
    folder: str,
    output: Path,
    report: Path | None,
    confusion: Path | None,
    log: Path | None,
    options: FolderOptions,
) -> None:
    given = options.metadata or ()
    check_output_files([output], {".npz": "a model"}, folders=[folder], inputs=given)
    check_report(report, folder, *given)
    if confusion is not None:
        pictures = dict.fromkeys((".png", ".jpg", ".jpeg", ".webp"), "a picture")
        check_output_files([confusion], pictures, folders=[folder], inputs=given)
    check_log(log, folder)


@command
def apply(
    context: typer.Context,
    model: Model,
    folder: Images,
    output: Labels = None,
    min_precision: MinPrecision = None,
    copy_to: CopyTo = None,
    json: Json = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _FOLDER,
) -> None:
    """Label the images of a folder, or one image, with a trained model."""
    import os

    from imgbatch.learning.applying import given_labels
    from imgbatch.learning.model import LabelModel
    from imgbatch.outputs.labelled import write_labelled

    outputs = output or []
    _check_apply(model, folder, outputs, min_precision, copy_to, options)
    trained = LabelModel.load(model)
    if os.path.isfile(folder):
        file = os.path.abspath(folder)
        config = _settings(trained, options)
        result = given_labels(trained, file, "", [file], [folder], min_precision)
    else:
        photos = open_folder(folder, options, filters, settings=_settings(trained, options))
        config, names = photos.config, list(photos.records.all_paths())
        result = given_labels(trained, photos, photos.folder, photos.paths, names, min_precision)
    with answer_first() as unwritten:
        write = writing(result, config, command_line(context))
        files = write_output_files(outputs, write, unwritten)
        copied = ""
        if copy_to is not None:
            with unwritten.remembered(asked=True):
                copied = _copied(result, copy_to)
        write_labelled(result, files, json=json)
        note((copied,) if copied else ())
        note(result.notes)


def _check_apply(
    model: str,
    folder: str,
    outputs: list[Path],
    min_precision: float | None,
    copy_to: Path | None,
    options: FolderOptions,
) -> None:
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_folder

    if min_precision is not None and not 0 <= min_precision <= 1:
        raise UsageError(f"--min-precision is {min_precision:g}", "give 0 to 1, such as 0.95")
    if options.emphasis is not None:
        raise UsageError(
            f"--emphasis {options.emphasis} was given", "leave it out: the model has its own"
        )
    check_output_files(outputs, _LABEL_ENDINGS, folders=[folder], inputs=[model])
    if copy_to is not None:
        refuse_inside(copy_to, folder, "--copy-to")
        check_folder(copy_to)


def _settings(model: "LabelModel", options: FolderOptions) -> "Config":
    """The user's settings with what describes images as the model needs it."""
    needed = model.config
    update = {name: getattr(needed, name) for name in ("images", "weights", "descriptors", "space")}
    return settings_of(options).model_copy(update=update)


def _copied(result: "GivenLabels", directory: Path) -> str:
    from imgbatch.files.handout import hand_out_by_class

    chosen = [number for number, label in enumerate(result.labels) if label]
    copied, there = hand_out_by_class(
        [result.files[number] for number in chosen],
        [result.labels[number] for number in chosen],
        directory,
    )
    before = f", {there:,} were there already" if there else ""
    return f"{copied:,} images copied to {directory}{before}"


@command
def split(
    folder: Folder,
    output: SplitFile = None,
    shares: Shares = "0.8,0.1,0.1",
    seed: Seed = 0,
    json: Json = False,
    options: FolderOptions = _FOLDER,
) -> None:
    """Divide images into train, validation and test parts: each class by its share.

    Copies, and images of one group in the metadata, are never divided.
    """
    from imgbatch.learning.splitting import parse_shares, split_images
    from imgbatch.outputs.splitting import write_split

    parts = parse_shares(shares)
    outputs = output or []
    check_output_files(outputs, {".csv": "rows"}, folders=[folder], inputs=options.metadata or ())
    photos = open_folder(folder, options)
    result = split_images(photos.labelling, parts, seed)
    notes = (*photos.notes, *result.notes)
    write = writing(result, photos.config, "")
    show_answer(outputs, write, partial(write_split, result, json=json), notes)
