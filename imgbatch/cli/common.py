"""What every command does around its work: options, errors as one line, opening the folder.

Heavy libraries are imported inside functions, so that ``--help`` stays fast.
"""

import contextlib
import functools
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import typer

from imgbatch.cli import interrupts
from imgbatch.cli.listed import ListedFolder, read_folder
from imgbatch.cli.options import ClusterOptions, FilterOptions, FolderOptions, IndexOptions
from imgbatch.cli.streams import discard_results
from imgbatch.errors import ImgbatchError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.config.schema import Config
    from imgbatch.exports.remote import RemoteImages


class ImageSource(Protocol):
    """What images are picked from: a folder, or the export of a folder."""

    config: "Config"
    folder: str

    @property
    def index_directory(self) -> Path:
        """Where the folder's index lies."""
        ...

    @property
    def skipped_list(self) -> Path | None:
        """The file that lists what was skipped; None if nothing was."""
        ...

    @property
    def ignored(self) -> Mapping[str, int]:
        """Numbers of files that are no images, by ending."""
        ...


_debug = bool(os.environ.get("IMGBATCH_DEBUG"))


def show_tracebacks() -> None:
    """Print tracebacks with errors from now on."""
    global _debug  # noqa: PLW0603 - one switch for the process, set by --debug
    _debug = True


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function a subcommand.

    A parameter whose type is a dataclass stands for the dataclass's fields: typer sees each field
    as an option of its own, and the function gets the record. Errors become one line.
    """
    parameters: list[inspect.Parameter] = []
    records: dict[str, type[Any]] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = parameter.annotation
        if isinstance(kind, type) and is_dataclass(kind):
            records[parameter.name] = kind
            parameters += [
                parameter.replace(name=field.name, default=field.default, annotation=field.type)
                for field in fields(kind)
            ]
        else:
            parameters.append(parameter)

    @functools.wraps(function)
    def run(**options: Any) -> None:
        with errors_as_lines():
            read_folder(options)
            for name, kind in records.items():
                values = {field.name: options.pop(field.name) for field in fields(kind)}
                options[name] = kind(**values)
            function(**options)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


@contextlib.contextmanager
def errors_as_lines() -> Iterator[None]:
    """Turn an error, or Ctrl-C, into one line on standard error and an exit code."""
    try:
        with interrupts.Working():
            try:
                yield
            except typer.Exit:  # a result all the same
                sys.stdout.flush()
                raise
            sys.stdout.flush()  # here, so that a closed pipe raises BrokenPipeError inside
    except typer.Exit:
        raise
    except ImgbatchError as error:
        _fail(f"error: {error.message}", error.hint, error.exit_code)
    except KeyboardInterrupt:
        _fail(interrupts.LINE, "", interrupts.EXIT_CODE)
    except BrokenPipeError:
        # The reader, say `head`, has seen enough. Nothing may be flushed to it at exit either.
        discard_results()
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001 - a bug must not show its insides unasked
        what = " ".join(str(error).split()) or "no message"
        _fail(f"error: unexpected {type(error).__name__}: {what}", "run again with --debug", 1)


def _fail(line: str, hint: str, code: int) -> NoReturn:
    tell(line, hint)
    raise typer.Exit(code)


def tell(line: str, hint: str) -> None:
    """Print what is wrong, and what to do, as one line on standard error."""
    from imgbatch.printable import printable

    text = in_options(f"{line}; {hint}" if hint else line)
    with interrupts.Telling():
        if _debug and sys.exc_info()[0] is not None:
            traceback.print_exc()
        print(printable(text), file=sys.stderr)


_PARAMETER = re.compile(r"(?<![^\s(])`(\w+)(?:=(\w+))?`(?![^\s,;:)])")
"""A word of its own, so that a backtick in the path of a file is none."""


def in_options(text: str) -> str:
    """A message of the library, which names parameters, as the command line names its options.

    >>> in_options("`like` is no file; give `by=tags`, or leave out `refresh=False`")
    '--like is no file; give --by tags, or leave out --no-refresh'
    """
    return _PARAMETER.sub(_option, text)


def _option(found: "re.Match[str]") -> str:
    name, value = found[1].replace("_", "-"), found[2]
    if value == "False":
        return f"--no-{name}"
    option = f"--{name}" if len(name) > 1 else f"-{name}"
    return option if value in {None, "True"} else f"{option} {value}"


def use_one_thread() -> None:
    """Keep BLAS, which is not loaded yet, from starting threads: one request is too short."""
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def open_folder(
    folder: str,
    options: IndexOptions,
    filters: FilterOptions | None = None,
    *,
    preset: str | None = None,
    settings: "Config | None" = None,
) -> "Collection":
    """Bring a folder's index up to date, with a progress bar; open it, or what passes filters.

    `preset` names the emphasis to use unless the user has chosen weights; see `settings_of`.
    `settings` take the place of those that the options name.
    """
    refresh = not (isinstance(options, FolderOptions) and options.no_refresh)
    cluster = options.cluster if isinstance(options, ClusterOptions) else None
    known = options if isinstance(options, FolderOptions) else FolderOptions()
    if refresh and cluster is None and not isinstance(folder, ListedFolder):
        start_workers_early(folder, options)
    from imgbatch.loading import load
    from imgbatch.outputs.progress import progress_bar

    settings = settings or settings_of(options, preset)
    with progress_bar("indexing") as progress:
        photos = load(
            folder.files if isinstance(folder, ListedFolder) else folder,
            config=settings,
            index=options.index,
            progress=progress,
            refresh=refresh,
            cluster=cluster,
            metadata=known.metadata or None,
            trust_predicted=known.trust_predicted,
            vocabulary=known.vocabulary,
        )
    if filters is None or filters == FilterOptions():
        return photos
    return photos.where(**{name: names or () for name, names in asdict(filters).items()})


def open_export(url: str, folder: str | None, settings: "Config") -> "RemoteImages":
    """The export of a folder in a database; see `exports.remote.RemoteImages`."""
    from imgbatch.exports.remote import RemoteImages

    if not url:
        raise UsageError("the URL given with --from is empty", "give postgresql://HOST/DATABASE")
    return RemoteImages(url, folder, settings)


def refuse_with_database(filters: FilterOptions, options: FolderOptions) -> None:
    """Raise an error for an option that says nothing to an export, but for the config."""
    for record in (filters, options):
        for field in fields(record):
            given = getattr(record, field.name) not in (field.default, [])
            if given and field.name not in {"config", "null"}:
                option = "--" + field.name.replace("_", "-")
                raise UsageError(
                    f"{option} was given with --from", "leave it out: the export has its own"
                )


def start_workers_early(folder: str, options: IndexOptions) -> None:
    """Start worker processes before all else where a large folder is to be indexed first.

    This is a guess that saves or costs some time and changes nothing else. Folder and options are
    checked later.
    """
    from imgbatch.files.cache import index_directory
    from imgbatch.index import DESCRIBING_MODULES
    from imgbatch.runners import start_early, usable_cores, worth_starting

    with contextlib.suppress(ImgbatchError, OSError):
        if index_directory(folder, options.index).exists() or not worth_starting(folder):
            return
        count = options.workers or usable_cores()  # last: counting cores costs an import
        if count > 1:
            start_early(count, DESCRIBING_MODULES)


def settings_of(options: IndexOptions, preset: str | None = None) -> "Config":
    """The settings that the options name.

    `preset` is the emphasis if neither an option nor the user's config chooses weights.
    """
    from imgbatch.config import load_config
    from imgbatch.config.schema import MOST_WORKERS

    loaded = load_config(options.config)
    note(loaded.notes)
    settings = loaded.config.with_emphasis(options.emphasis or loaded.unless_weighted(preset))
    if options.workers is None:
        return settings
    if not 0 <= options.workers <= MOST_WORKERS:
        raise UsageError(
            f"--workers is {options.workers}",
            f"give 0 to {MOST_WORKERS}; 0 means one for each core",
        )
    changed = settings.index.model_copy(update={"workers": options.workers})
    return settings.model_copy(update={"index": changed})


def default_picture(images: ImageSource, kind: str, name: str, identity: object) -> Path:
    """Where a picture goes that no ``-o`` names; see `default_file`."""
    return default_file(images, kind, name, identity, images.config.sheet.format)


def default_file(images: ImageSource, kind: str, name: str, identity: object, ending: str) -> Path:
    """Where a file goes that nobody named: ``KIND-NAME-IDENTITY`` with the name cut to fit.

    In ``imgbatch-out/`` of the working directory; beside the index where that would be among the
    images.
    """
    from imgbatch.files.names import fitted_name
    from imgbatch.files.readonly import lies_inside

    folder = Path(os.path.expanduser(images.config.sheet.folder))
    if lies_inside(folder, images.folder):
        folder = images.index_directory / "sheets"
    return folder / fitted_name(f"{kind}-", name, f"-{identity}.{ending}")


def check_report(report: Path | None, folder: str, *read: str | None) -> None:
    """Raise an error for a page of --report that cannot be made, before any work is done."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, refuse_input
    from imgbatch.outputs.files import check_page_path

    if report is None:
        return
    check_page_path("--report", report)
    refuse_input("--report", report, *read)
    refuse_inside(report, folder, "--report")
    check_file(report)


def check_log(log: Path | None, folder: str) -> None:
    """Raise an error for a folder of --log that cannot be written, before any work is done."""
    if log is None:
        return
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_folder
    from imgbatch.outputs.tensorboard import require_tensorboard

    require_tensorboard()
    refuse_inside(log, folder, "--log")
    check_folder(log)


def note(notes: Iterable[str]) -> None:
    """Print remarks to standard error, one a line."""
    from imgbatch.printable import printable

    for line in notes:
        print(f"note: {printable(in_options(line))}", file=sys.stderr)
