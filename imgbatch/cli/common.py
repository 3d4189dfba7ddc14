"""What every command does around its work: errors as one line, notes, opening the folder.

Heavy libraries are imported inside functions, so that ``--help`` stays fast.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from imgbatch.errors import ImgbatchError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.config.schema import Config

_debug = bool(os.environ.get("IMGBATCH_DEBUG"))


def show_tracebacks() -> None:
    """Print tracebacks with errors from now on."""
    global _debug  # noqa: PLW0603 - one switch for the process, set by --debug
    _debug = True


@contextlib.contextmanager
def friendly() -> Iterator[None]:
    """Turn what went wrong into one line and an exit code."""
    try:
        yield
        sys.stdout.flush()  # here, not at exit, a reader that has left is met without complaint
    except ImgbatchError as error:
        _fail(f"error: {error.message}", error.hint, error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; what was indexed is kept, the same command goes on from there", "", 130)
    except BrokenPipeError:
        # The reader, say `head`, has seen enough. Nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001 - a bug must not show its insides unasked
        what = " ".join(str(error).split()) or "no message"
        _fail(f"error: unexpected {type(error).__name__}: {what}", "run again with --debug", 1)


def _fail(line: str, hint: str, code: int) -> NoReturn:
    from imgbatch.outputs.base import printable

    if _debug and sys.exc_info()[0] is not None:
        traceback.print_exc()
    text = f"{line}; {hint}" if hint else line
    print(printable(text), file=sys.stderr)
    raise typer.Exit(code)


def use_one_thread() -> None:
    """Keep BLAS, not loaded yet, from starting threads: one request is too short for them."""
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def open_folder(
    folder: str,
    config: str | None,
    index: str | None,
    workers: int | None,
    emphasis: str | None = None,
    *,
    refresh: bool = True,
    cluster: str | None = None,
) -> "Collection":
    """Bring a folder's index up to date, with a progress bar, and open it."""
    if refresh and cluster is None:
        start_workers_early(folder, index, workers)
    settings = settings_of(config, workers, emphasis)
    return load_folder(folder, settings, index, refresh=refresh, cluster=cluster)


def start_workers_early(folder: str, index: str | None, workers: int | None) -> None:
    """Start worker processes before all else where a large folder is to be indexed first.

    A guess that costs or saves some time and changes nothing else; the folder and the options are
    checked later.
    """
    from imgbatch.files.cache import index_directory
    from imgbatch.index import DESCRIBING_MODULES
    from imgbatch.runners import start_early, usable_cores, worth_starting

    with contextlib.suppress(ImgbatchError, OSError):
        # Counting cores costs an import, so it comes last.
        if index_directory(folder, index).exists() or not worth_starting(folder):
            return
        count = workers or usable_cores()
        if count > 1:
            start_early(count, DESCRIBING_MODULES)


def load_folder(
    folder: str,
    settings: "Config",
    index: str | None,
    *,
    refresh: bool = True,
    cluster: str | None = None,
) -> "Collection":
    """Bring a folder's index up to date for given settings, with a progress bar, and open it."""
    from imgbatch.collection import load
    from imgbatch.outputs.progress import progress_bar

    with progress_bar("indexing") as progress:
        return load(
            folder,
            config=settings,
            index=index,
            progress=progress,
            refresh=refresh,
            cluster=cluster,
        )


def settings_of(config: str | None, workers: int | None, emphasis: str | None = None) -> "Config":
    """The settings a command runs with."""
    from imgbatch.config import load_config

    loaded = load_config(config)
    note(loaded.notes)
    settings = loaded.config.with_emphasis(emphasis)
    if workers is None:
        return settings
    if workers < 0:
        raise UsageError(f"--workers is {workers}", "give 0 (one for each core) or more")
    changed = settings.index.model_copy(update={"workers": workers})
    return settings.model_copy(update={"index": changed})


def note(notes: Iterable[str]) -> None:
    """Print remarks to standard error, one a line."""
    from imgbatch.outputs.base import printable

    for line in notes:
        print(f"note: {printable(line)}", file=sys.stderr)
