"""`prepare`: from a table to a folder with ``images/``, ``metadata.csv`` and ``dropped.csv``."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imgbatch.config.schema import Config
from imgbatch.errors import FolderError, OutputError, UsageError
from imgbatch.files.atomic import remove_drafts
from imgbatch.files.readonly import lies_inside, refuse_inside
from imgbatch.files.targets import not_written
from imgbatch.intake import pictures
from imgbatch.intake.database import PLACE
from imgbatch.intake.making import Maker, Progress
from imgbatch.intake.records import (
    DROPPED,
    IMAGES,
    METADATA,
    RETRIED,
    LinkOptions,
    Prepare,
    Prepared,
    Reason,
)
from imgbatch.intake.rows import LINK, PATH, Refused, RowReader, Wanted
from imgbatch.intake.state import State
from imgbatch.intake.tables import open_source
from imgbatch.intake.written import check_table_path, write_tables

_NO_LINKS = LinkOptions()


def prepare(
    options: Prepare,
    config: Config,
    *,
    links: LinkOptions = _NO_LINKS,
    tables: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Prepared:
    r"""Make a folder of pictures and metadata out of a table.

    What an earlier run has made stays; only what is missing or has changed is made. A run that is
    killed loses at most the pictures that were being made. The table is read twice, and memory does
    not grow with it.

    Parameters
    ----------
    options
        The table, the folder, and what to make.
    config
        Limits of pictures, workers, quality.
    links
        How links are fetched, if the table holds links.
    tables
        Further files (.csv, .parquet) to write the kept rows into.
    progress
        Called with the pictures that are done and those to be made.

    Raises
    ------
    UsageError
        A column is missing, the folder holds other files, or was prepared with other settings.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> from imgbatch.config import load_config
    >>> rows = [f"class{n}/image{n:03}.jpg,a drawing" for n in range(3)]
    >>> _ = Path("table.csv").write_text("\n".join(["path,title", *rows, "gone.jpg,lost"]))
    >>> wanted = Prepare("table.csv", Path("clean"), images="photos", size=(64, 64))
    >>> done = prepare(wanted, load_config().config)
    >>> done.kept, dict(done.dropped), Path("clean/metadata.csv").read_text().splitlines()[0]
    (3, {'missing': 1}, 'file_name,path,title')
    """
    for path in tables:
        check_table_path(path)
    if options.from_links:
        _check_libraries()
    _check_places(options)
    source = open_source(options.table, LINK if options.from_links else PATH)
    reader = RowReader.of(source, options)
    with _errors_named(options.to), _opened(options, config) as state:
        maker = Maker(options, links, config, state)
        run = _Run(options, reader, state, maker)
        return run.answer(links.retried, tables, progress or _no_progress)


class _Run:
    """One call of `prepare` whose folder is open."""

    def __init__(self, options: Prepare, reader: RowReader, state: State, maker: Maker) -> None:
        self._options, self._reader, self._state, self._maker = options, reader, state, maker
        self._to, self._source = options.to, reader.source

    def answer(
        self, retried: Collection[str], tables: Sequence[Path], progress: Progress
    ) -> Prepared:
        """Make what is missing, and write the tables unless they are there."""
        state, known = self._state, self._state.noted("answer")
        changed = self._plan()
        state.reopen(self._is_stale)
        state.retry(retried)
        if state.noted("limits") != (limits := self._maker.limits()):
            state.retry((Reason.UNREADABLE, Reason.TOO_LARGE))
            state.note("limits", limits)
        if changed or known is None or state.count_pending():
            known = None
            state.note("answer", None)
        made = 0 if known else self._make_all(progress)
        if tables or known is None or known["written"] != self._written_stamps():
            kept, dropped = write_tables(self._reader, state, self._to, tables)
            known = {"kept": kept, "dropped": dropped, "written": self._written_stamps()}
            state.note("answer", known)
        kept, dropped = known["kept"], known["dropped"]
        rows = kept + sum(dropped.values())
        if self._options.from_links:
            advice = _to_retry(dropped, rows)
        else:
            advice = _to_find(self._options, dropped, rows)
        notes = (*self._source.notes, *advice)
        return Prepared(self._to, rows, kept, dropped, state.count_kept(), made, notes)

    def _make_all(self, progress: Progress) -> int:
        """Make what is missing, until equal pictures are settled; returns how many were made."""
        made = 0
        while True:
            if count := self._state.count_pending():
                made += self._maker.make(count, progress)
            if not self._state.settle_equal_pictures():
                return made

    def _plan(self) -> bool:
        """List what the table asks for, unless that was done; whether there was anything to do."""
        status = os.stat(self._source.file)
        version = [status.st_size, status.st_mtime_ns, status.st_ino]
        if self._state.noted("planned") == version:
            return False
        self._state.note("planned", None)
        self._state.note("answer", None)
        self._state.plan(self._wanted_rows())
        if not self._options.from_links:
            self._state.name_files(self._file_of)
        self._state.note("planned", version)
        return True

    def _wanted_rows(self) -> Iterator[tuple[int, Wanted]]:
        for row in self._source.rows():
            wanted = self._reader.read(row)
            if not isinstance(wanted, Refused):
                yield row.number, wanted

    def _file_of(self, path: str) -> str:
        """The name of a local picture; JPEG where it gets a new size."""
        return path if self._options.size is None else f"{os.path.splitext(path)[0]}.jpg"

    def _is_stale(self, source: str, made: int, stamp: str, file: str, size: int) -> bool:
        """Whether a picture must be made again: its source has changed, or its file is gone."""
        if not self._options.from_links:
            try:
                now = pictures.stamp(os.stat(self._maker.path_of(source)))
            except OSError:
                now = stamp if made else ""  # a picture outlives its source
            if now != stamp:
                return True
        if not made or not file:
            return False
        try:
            return os.stat(os.path.join(self._to, IMAGES, file)).st_size != size
        except OSError:
            return True

    def _written_stamps(self) -> list[str]:
        """What tells whether the tables are as they were written."""
        return [pictures.stamp_of(str(self._to / name)) for name in (METADATA, DROPPED)]


def settings_of(options: Prepare, config: Config) -> dict[str, Any]:
    """What a folder's pictures and rows depend on, by option."""
    size = options.size and "x".join(map(str, options.size))
    return {
        "the table": os.path.abspath(options.table),
        "--images": options.images and os.path.abspath(options.images),
        "--id": options.id_column,
        "--pattern": options.pattern,
        "--url": options.url_column,
        "--require": sorted(options.require),
        "--size": size,
        "--fit": size and str(options.fit),
        "prepare.jpeg_quality": size and config.prepare.jpeg_quality,
        "images.background": size and list(config.images.background),
    }


def _check_libraries() -> None:
    missing = [name for name in ("aiohttp", "stamina", "protego") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"links cannot be downloaded without {', '.join(missing)}",
            'install it: pip install "imgbatch[fetch]"',
        )


def _check_places(options: Prepare) -> None:
    """Refuse to write where pictures are read, and into a folder that holds other files."""
    to, source = options.to, options.images
    if source is not None:
        if not os.path.isdir(source):
            raise FolderError(f"--images {source} is no folder", "give the folder of the pictures")
        refuse_inside(to, source, "--to")
        refuse_inside(to / IMAGES, source, "--to, with its images/,")
        if lies_inside(source, str(to / IMAGES)):
            raise UsageError(f"--images {source} lies inside {to / IMAGES}", "choose another --to")
    if lies_inside(options.table, str(to)):
        raise UsageError(f"the table {options.table} lies inside --to {to}", "choose another --to")
    if to.exists() and not to.is_dir():
        raise OutputError(f"--to {to} is no folder", "choose another place")
    if to.is_dir() and any(to.iterdir()) and not (to / PLACE).is_dir():
        raise UsageError(
            f"--to {to} holds files that prepare has not made", "choose a new or empty folder"
        )


@contextlib.contextmanager
def _opened(options: Prepare, config: Config) -> Iterator[State]:
    """The folder's state, with room for drafts; those of a killed run are removed."""
    options.to.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(State(options.to, settings_of(options, config))) as state:
        state.pictures.mkdir(exist_ok=True)  # after the state, by which a rerun knows the folder
        everyone = os.path.dirname(state.drafts)
        shutil.rmtree(everyone, ignore_errors=True)
        os.makedirs(state.drafts)
        remove_drafts(options.to)
        yield state
        shutil.rmtree(everyone, ignore_errors=True)


@contextlib.contextmanager
def _errors_named(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(to, error) from None
    except sqlite3.Error as error:
        raise OutputError(
            f"the state of {to} cannot be written: {error}; what was made is kept",
            "make room and run the same command again; if it is damaged, choose another folder",
        ) from None


def _to_find(options: Prepare, dropped: Mapping[str, int], rows: int) -> Iterator[str]:
    """A note on pictures of which hardly any is where it was looked for."""
    if dropped.get(Reason.MISSING, 0) * 2 > rows:
        yield (
            f"pictures were looked for as {options.images}/{options.pattern}; if they lie elsewhere"
            ' in it, or end otherwise, give --pattern, such as "{id}.jpg"'
        )


def _to_retry(dropped: Mapping[str, int], rows: int) -> Iterator[str]:
    """Notes on failures that another attempt, or an option, may mend."""
    if 0 < rows == dropped.get(Reason.NO_LINK, 0):
        yield "no row holds a link: a table of paths needs --images DIR, the folder they lie in"
    if Reason.PRIVATE_ADDRESS in dropped:
        yield "links led into a private network or to this machine; --allow-private fetches them"
    failed = {reason: count for reason, count in dropped.items() if reason in RETRIED}
    if failed:
        counted = ", ".join(f"{reason} {count:,}" for reason, count in failed.items())
        yield f"links that failed: {counted}; --retry-failed all, or a class, tries them again"


def _no_progress(_done: int, _total: int, _remark: str = "") -> None:
    """Progress that nobody looks at."""
