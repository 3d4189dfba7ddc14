"""Where shards lie: a local or remote folder with one Parquet file and one mark for each.

``shards/ID.parquet`` holds a shard, ``marks/ID.json`` says that it is finished and what is in it,
``listings/SETTINGS.jsonl`` holds the marks of a folder's shards, in their order, one a line (and
``SETTINGS.TIME.RUN.planned``, while a run lasts, the ids it is about to make). A shard is trusted
only if its size is the mark's, and read only if its digest is, so that it does not matter who died
while writing what.
"""

import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from imgbatch.errors import CatalogueError
from imgbatch.files import paths
from imgbatch.index.shards import rows

_AT_ONCE = 32
"""Small files asked for at the same time, as a remote store takes a while for each."""
_DAY_SECONDS = 86_400
_PLANNED = ".planned"


class DamagedShardError(Exception):
    """A finished shard is gone, or no longer what was written."""


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """A finished shard.

    Attributes
    ----------
    first, last
        Its first and last path.
    files, images, kept
        Its files; those of them that are readable images; those that the listing before had, too.
    settled
        Whether nothing in it has to be read again next time, as files that could not be read or
        had just been changed.
    size, digest
        Of the Parquet file.
    """

    id: str
    first: str
    last: str
    files: int
    images: int
    kept: int
    settled: bool
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Store:
    """The shards of one image folder, at a path or URL that every worker can reach."""

    root: str

    # ----- shards ---------------------------------------------------------------------------------

    def write(self, shard_id: str, data: bytes) -> None:
        """Write a shard's Parquet file."""
        self._write(_shard(shard_id), data)

    def finish(self, mark: FinishedShard) -> None:
        """Mark a shard, already written, as finished."""
        self._write(_mark(mark.id), _line(mark))

    def table(self, mark: FinishedShard) -> Any:
        """A finished shard as a pyarrow table; raises `DamagedShardError`.

        A store that does not answer is a `CatalogueError`: the shard may be good.
        """
        try:
            data = self._read(_shard(mark.id))
        except FileNotFoundError:
            raise DamagedShardError(f"shard {mark.id} is gone") from None
        except OSError as error:
            raise self._unusable(error) from None
        if len(data) != mark.size or digest_of(data) != mark.digest:
            raise DamagedShardError(f"shard {mark.id} is damaged")
        return rows.open_table(data)

    def finished(self, ids: Iterable[str]) -> dict[str, FinishedShard]:
        """The marks of those shards that have one."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(self._mark_of, ids)
            return {mark.id: mark for mark in found if mark is not None}

    def sizes(self) -> dict[str, int]:
        """The size in bytes of every shard's Parquet file there is, by id."""
        return {
            name.removesuffix(".parquet"): size
            for name, size in self._names("shards").items()
            if name.endswith(".parquet")
        }

    def remove(self, shard_id: str) -> None:
        """Forget a shard, mark first; nothing happens where there is none."""
        self._remove_file(_mark(shard_id))
        self._remove_file(_shard(shard_id))

    def discard(self, mark: FinishedShard) -> None:
        """Forget a shard that is not what `mark` says, unless another was finished meanwhile."""
        try:
            now = _parse(self._read(_mark(mark.id)))
        except (FileNotFoundError, ValueError, TypeError):
            now = mark  # whoever began to forget it was stopped
        except OSError:
            return
        if now == mark:
            self.remove(mark.id)

    # ----- listings -------------------------------------------------------------------------------

    def listing(self, settings: str) -> list[FinishedShard]:
        """The shards of the folder as last seen under these settings; [] if never."""
        try:
            return [_parse(line) for line in self._read(_listing(settings)).splitlines()]
        except (FileNotFoundError, ValueError, TypeError):
            return []
        except OSError as error:
            raise self._unusable(error) from None

    def plan(self, settings: str, ids: Iterable[str]) -> str:
        """Note which shards a run is about to make, so that none is left over if it stops.

        Returns the name of the plan, which `publish` wants. Each run has its own.
        """
        name = f"{settings}.{int(time.time())}.{uuid.uuid4().hex}{_PLANNED}"
        self._write(f"listings/{name}", json.dumps([*ids]).encode())
        return name

    def publish(
        self, settings: str, marks: Sequence[FinishedShard], plan: str | None = None
    ) -> None:
        """Replace a listing; shards of the former one are removed, and those of plans a day old.

        Ids tell their settings, so that no other listing holds them. What another run plans, or
        published meanwhile, stays.
        """
        former = {mark.id for mark in self.listing(settings)}
        self._write(_listing(settings), b"".join(map(_line, marks)))
        with contextlib.suppress(CatalogueError):  # who cannot see what is needed removes nothing
            kept = {mark.id for mark in [*marks, *self.listing(settings)]}
            ended = {plan} if plan else set()
            for name, age in self._plans(settings):
                if age > _DAY_SECONDS:
                    ended.add(name)
                    former.update(self._planned(name))
                elif name != plan:
                    kept.update(self._planned(name))
            for shard_id in former - kept:
                self.remove(shard_id)
            for name in ended:
                self._remove_file(f"listings/{name}")
        self._sweep()

    def _plans(self, settings: str) -> list[tuple[str, float]]:
        """Names and ages in seconds of the plans for these settings."""
        names = [name.split(".") for name in self._names("listings") if name.endswith(_PLANNED)]
        return [
            (".".join(parts), time.time() - int(parts[1]))
            for parts in names
            if parts[0] == settings and len(parts) == 4 and parts[1].isdecimal()
        ]

    def _planned(self, name: str) -> list[str]:
        try:
            return [str(one) for one in json.loads(self._read(f"listings/{name}"))]
        except (FileNotFoundError, ValueError, TypeError):
            return []
        except OSError as error:
            raise self._unusable(error) from None

    def _sweep(self) -> None:
        """Remove what killed writers left; only in a local store do they write in two steps."""
        if paths.is_url(self.root):
            return
        for name in self._names("shards"):
            file = os.path.join(self.root, "shards", name)
            with contextlib.suppress(OSError):
                if name.endswith(".tmp") and os.stat(file).st_mtime < time.time() - _DAY_SECONDS:
                    os.unlink(file)

    # ----- files ----------------------------------------------------------------------------------

    def _names(self, folder: str) -> dict[str, int]:
        """Names and sizes of the files in one of the store's folders."""
        system, at = self._at(folder)
        try:
            with paths.only_os_errors():
                system.invalidate_cache()
                found = system.ls(at, detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(error) from None
        return {os.path.basename(one["name"]): one["size"] for one in found}

    def _remove_file(self, name: str) -> None:
        system, at = self._at(name)
        with contextlib.suppress(OSError), paths.only_os_errors():
            system.rm_file(at)

    def _mark_of(self, shard_id: str) -> FinishedShard | None:
        try:
            return _parse(self._read(_mark(shard_id)))
        except (OSError, ValueError, TypeError):
            return None

    def _at(self, name: str) -> tuple[Any, str]:
        return paths.file_system(f"{self.root}/{name}")

    def _read(self, name: str) -> bytes:
        return paths.read(f"{self.root}/{name}")

    def _write(self, name: str, data: bytes) -> None:
        """Write a file so that nobody sees half of it, where the file system lets us."""
        system, at = self._at(name)
        try:
            with paths.only_os_errors():
                system.makedirs(os.path.dirname(at), exist_ok=True)
                if paths.is_url(self.root):  # object stores show a file only when it is whole
                    system.pipe_file(at, data)
                    return
                temporary = f"{at}.{uuid.uuid4().hex}.tmp"
                system.pipe_file(temporary, data)
                os.replace(temporary, at)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> CatalogueError:
        return CatalogueError(
            f"the shards in {self.root} cannot be used: {error.strerror or error}",
            "check free space and permissions, or give another place with --index",
        )


def digest_of(data: bytes) -> str:
    """What a mark says of its shard's bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _shard(shard_id: str) -> str:
    return f"shards/{shard_id}.parquet"


def _mark(shard_id: str) -> str:
    return f"marks/{shard_id}.json"


def _listing(settings: str) -> str:
    return f"listings/{settings}.jsonl"


def _line(mark: FinishedShard) -> bytes:
    return json.dumps(asdict(mark)).encode() + b"\n"


def _parse(line: bytes) -> FinishedShard:
    return FinishedShard(**json.loads(line))
