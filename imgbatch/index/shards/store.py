"""Where shards lie: a local or remote folder with a Parquet file and a small JSON file for each.

``shards/ID.parquet``
    A shard.
``marks/ID.json``
    A `FinishedShard`: the shard is finished, and this is what it holds.
``listings/SETTINGS.jsonl``
    The finished shards of a folder under some settings, in their order, one a line.
``listings/SETTINGS.TIME.RUN.planned``
    While a run lasts, the ids of the shards it is about to make.

A shard is trusted only if its size is the one noted, and read only if its digest is. So it does not
matter which writer was killed while writing which file.
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
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgbatch.descriptors import Codes
from imgbatch.errors import CatalogueError
from imgbatch.files import paths
from imgbatch.files.atomic import TEMPORARY, remove, write_bytes
from imgbatch.index.shards import rows

_REQUESTS_AT_ONCE = 32
"""Small files requested at the same time, as a remote store takes a while for each."""
_DAY_SECONDS = 86_400
_PLANNED = ".planned"


class DamagedShardError(Exception):
    """A finished shard is gone, or no longer what was written."""


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """What is noted of a finished shard.

    Attributes
    ----------
    id
        See `cut.Shard`.
    first, last
        Its first and last path.
    files, images
        Numbers of its files, and of those that are readable images.
    kept
        Number of its files that shards of the former listing held, too.
    settled
        False if a file must be read again next time: it could not be read, or it was changed a
        moment before.
    size, digest
        Of the Parquet file, in bytes and as 32 hex digits.
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
    """The shards of one image folder, at a path or URL that every worker can reach.

    >>> store = Store("memory://shards-of-photos")
    >>> store.write("a1", b"the bytes of a shard")
    >>> store.sizes()
    {'a1': 20}
    """

    root: str

    # ----- shards ---------------------------------------------------------------------------------

    def write(self, shard_id: str, data: bytes) -> None:
        """Write a shard's Parquet file."""
        self._write(_file(shard_id), data)

    def finish(self, shard: FinishedShard) -> None:
        """Note that a shard, already written, is finished."""
        self._write(_note(shard.id), _line(shard))

    def table(self, shard: FinishedShard) -> Any:
        """A finished shard as a pyarrow table.

        Raises
        ------
        DamagedShardError
            It is gone, or not what was written.
        CatalogueError
            The store does not answer; the shard may be good.
        """
        try:
            data = self._read(_file(shard.id))
        except FileNotFoundError:
            raise DamagedShardError(f"shard {shard.id} is gone") from None
        except OSError as error:
            raise self._unusable(error) from None
        if len(data) != shard.size or digest_of(data) != shard.digest:
            raise DamagedShardError(f"shard {shard.id} is damaged")
        return rows.open_table(data)

    def finished(self, ids: Iterable[str]) -> dict[str, FinishedShard]:
        """The finished shards among those with these ids, by id."""
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            shards = pool.map(self._noted, ids)
            return {shard.id: shard for shard in shards if shard is not None}

    def sizes(self) -> dict[str, int]:
        """The size in bytes of every shard's Parquet file there is, by id."""
        return {
            name.removesuffix(".parquet"): size
            for name, size in self._names("shards").items()
            if name.endswith(".parquet")
        }

    def remove(self, shard_id: str) -> None:
        """Remove a shard if it is there; first the note that it is finished."""
        self._remove_file(_note(shard_id))
        self._remove_file(_file(shard_id))

    def discard(self, shard: FinishedShard) -> None:
        """Remove a shard that proved damaged, unless another run has finished it anew meanwhile."""
        try:
            noted = _parse(self._read(_note(shard.id)))
        except (FileNotFoundError, ValueError, TypeError):
            noted = shard  # another reader began to remove it, and was stopped
        except OSError:
            return
        if noted == shard:
            self.remove(shard.id)

    # ----- listings -------------------------------------------------------------------------------

    def listing(self, settings: str) -> list[FinishedShard]:
        """The folder's shards when it was last indexed under these settings; [] if it never was."""
        try:
            return [_parse(line) for line in self._read(_listing(settings)).splitlines()]
        except (FileNotFoundError, ValueError, TypeError):
            return []
        except OSError as error:
            raise self._unusable(error) from None

    def plan(self, settings: str, ids: Iterable[str]) -> str:
        """Note which shards a run is about to make, and return the plan's name for `publish`.

        Each run has a plan of its own. If the run is stopped, a later one removes what it made.
        """
        name = f"{settings}.{int(time.time())}.{uuid.uuid4().hex}{_PLANNED}"
        self._write(f"listings/{name}", json.dumps([*ids]).encode())
        return name

    def publish(
        self, settings: str, shards: Sequence[FinishedShard], plan: str | None = None
    ) -> None:
        """Replace the listing under these settings, and end this run's plan.

        Removed are shards that only the former listing holds, and those of plans older than a day.
        Shards that another run plans, or has published meanwhile, stay. Listings of other settings
        need no check, since the settings are part of a shard's id.
        """
        former = {shard.id for shard in self.listing(settings)}
        self._write(_listing(settings), b"".join(map(_line, shards)))
        # A run that cannot see which shards others need removes none.
        with contextlib.suppress(CatalogueError):
            needed = {shard.id for shard in [*shards, *self.listing(settings)]}
            ended = {plan} if plan else set()
            for name, age_seconds in self._plans(settings):
                if age_seconds > _DAY_SECONDS:
                    ended.add(name)
                    former.update(self._planned(name))
                elif name != plan:
                    needed.update(self._planned(name))
            for shard_id in former - needed:
                self.remove(shard_id)
            for name in ended:
                self._remove_file(f"listings/{name}")
        self._sweep()

    def _plans(self, settings: str) -> list[tuple[str, float]]:
        """Names and ages in seconds of the plans for these settings."""
        names = [name for name in self._names("listings") if name.endswith(_PLANNED)]
        parts = [name.split(".") for name in names]
        return [
            (name, time.time() - int(fields[1]))
            for name, fields in zip(names, parts, strict=True)
            if fields[0] == settings and len(fields) == 4 and fields[1].isdecimal()
        ]

    def _planned(self, name: str) -> list[str]:
        try:
            return [str(shard_id) for shard_id in json.loads(self._read(f"listings/{name}"))]
        except (FileNotFoundError, ValueError, TypeError):
            return []
        except OSError as error:
            raise self._unusable(error) from None

    def _sweep(self) -> None:
        """Remove unfinished files of killed writers; a remote store has none."""
        if paths.is_url(self.root):
            return
        for name in self._names("shards"):
            file = os.path.join(self.root, "shards", name)
            with contextlib.suppress(OSError):
                if name.endswith(TEMPORARY) and os.stat(file).st_mtime < time.time() - _DAY_SECONDS:
                    os.unlink(file)

    # ----- files ----------------------------------------------------------------------------------

    def _names(self, folder: str) -> dict[str, int]:
        """Names and sizes in bytes of the files in one of the store's folders."""
        system, inside = self._at(folder)
        try:
            with paths.only_os_errors():
                system.invalidate_cache()
                files = system.ls(inside, detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unusable(error) from None
        return {os.path.basename(file["name"]): file["size"] for file in files}

    def _noted(self, shard_id: str) -> FinishedShard | None:
        try:
            return _parse(self._read(_note(shard_id)))
        except (OSError, ValueError, TypeError):
            return None

    def _read(self, name: str) -> bytes:
        if self._is_folder(name):
            raise FileNotFoundError(f"{name} is a folder")
        return paths.read(f"{self.root}/{name}")

    def _write(self, name: str, data: bytes) -> None:
        try:
            if self._is_folder(name):
                self._remove_file(name)
            write_bytes(f"{self.root}/{name}", data)
        except OSError as error:
            raise self._unusable(error) from None

    def _is_folder(self, name: str) -> bool:
        """Whether a folder stands, by accident, in the place of a file of this machine."""
        return not paths.is_url(self.root) and os.path.isdir(f"{self.root}/{name}")

    def _remove_file(self, name: str) -> None:
        if self._is_folder(name):
            remove(Path(f"{self.root}/{name}"))
            return
        system, inside = self._at(name)
        with contextlib.suppress(OSError), paths.only_os_errors():
            system.rm_file(inside)

    def _at(self, name: str) -> tuple[Any, str]:
        return paths.file_system(f"{self.root}/{name}")

    def _unusable(self, error: OSError) -> CatalogueError:
        return CatalogueError(
            f"the shards in {self.root} cannot be used: {error.strerror or error}",
            "check free space and permissions, or give another place with `index`",
        )


@dataclass(frozen=True, slots=True)
class StoredShard:
    """A finished shard with its store, for a task to take along.

    Each process keeps the few shards it read last.
    """

    store: Store
    finished: FinishedShard

    def __len__(self) -> int:
        return self.finished.images

    def codes(self, fingerprint: str, dim: int) -> Codes:
        """A descriptor's codes of the readable images, in the order of rows: (n, dim) uint8."""
        return rows.codes_in(self.table(), fingerprint, dim)

    def table(self) -> Any:
        """All that the shard holds, as a pyarrow table.

        Raises
        ------
        DamagedShardError
            The shard is damaged. It is removed, so that the next run makes it anew.
        """
        try:
            return _table_of(self)
        except DamagedShardError:
            self.store.discard(self.finished)
            raise


@lru_cache(maxsize=8)
def _table_of(shard: StoredShard) -> Any:
    """Kept, since each descriptor in turn reads the same few shards."""
    return shard.store.table(shard.finished)


def digest_of(data: bytes) -> str:
    """The digest of a shard's bytes: 32 hex digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _file(shard_id: str) -> str:
    return f"shards/{shard_id}.parquet"


def _note(shard_id: str) -> str:
    return f"marks/{shard_id}.json"


def _listing(settings: str) -> str:
    return f"listings/{settings}.jsonl"


def _line(shard: FinishedShard) -> bytes:
    return json.dumps(asdict(shard)).encode() + b"\n"


def _parse(line: bytes) -> FinishedShard:
    return FinishedShard(**json.loads(line))
