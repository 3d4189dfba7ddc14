"""The library's front: `load` a folder, then ask the `Collection` for images."""

import os
import secrets
import time
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.dealing import Dealing
from imgbatch.descriptors import ALWAYS, Codes, as_integers, build_descriptors
from imgbatch.embedding.projection import Projection, project_codes
from imgbatch.errors import SelectionError
from imgbatch.files import cache, paths
from imgbatch.images.decode import Decoded
from imgbatch.index.extract import describe_file, with_fingerprints
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.records import Records
from imgbatch.index.sqlite.refresh import open_sqlite
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.selection.coresets import different_in_parts
from imgbatch.selection.different import DifferentOptions
from imgbatch.selection.explain import Explanation, describe_image, explain, shares_of_set
from imgbatch.selection.similar import Anchor, SimilarOptions, choose_anchor, similar
from imgbatch.types import Floats, PickedImage, Progress, Rows, Selection, View

_SEEDS = 2**31


def load(  # noqa: PLR0913 - the library's front; each is one word that most calls leave out
    folder: str | os.PathLike[str],
    *,
    config: Config | str | os.PathLike[str] | None = None,
    emphasis: str | None = None,
    index: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    refresh: bool = True,
    cluster: str | None = None,
) -> "Collection":
    """Bring the index of a folder up to date and open it.

    Parameters
    ----------
    folder
        The image folder; it is never written to.
    config
        A `Config`, a config file, or None for the usual search (see `load_config`).
    emphasis
        A preset of the config, such as "color" or "shape", whose weights to use.
    index
        Folder for indexes; None means ``IMGBATCH_CACHE_DIR``, else the user's cache folder.
    progress
        Called with (files done, files in all) while files are read.
    refresh
        False trusts the index and does not look at the folder, which may be huge, or gone.
    cluster
        Keep the index in shards, made by a Dask cluster: the address of its scheduler, such as
        "tcp://host:8786", or "local" for processes of this machine (a script then needs
        ``if __name__ == "__main__":``). Folder and index may then be URLs that fsspec reads.

    Raises
    ------
    FolderError
        The folder is missing or holds no readable image; or there is no index to be trusted.
    ConfigError
        The config does not fit, or has no such preset.
    CatalogueError
        The index cannot be written.
    ClusterError
        The cluster cannot be reached, or went away meanwhile.
    """
    started = time.perf_counter()
    settings = config if isinstance(config, Config) else load_config(config).config
    path = paths.absolute(folder)
    settings = settings.with_emphasis(emphasis)
    opened: OpenedIndex
    if cluster is not None:
        from imgbatch.index.shards.opened import open_shards
        from imgbatch.index.shards.refresh import ShardedFolder

        sharded = ShardedFolder.at(path, index, settings, cluster)
        opened = open_shards(sharded, progress, refresh=refresh)
    else:
        paths.refuse_url(path, index)
        directory = cache.index_directory(path, index)
        opened = open_sqlite(path, directory, settings, progress, refresh=refresh)
    return Collection(settings, opened, started)


class Collection(Dealing):
    """The images of one folder, ready for requests.

    Attributes
    ----------
    folder : str
        Absolute path of the image folder.
    records : Records
        A sequence of `ImageRecord`: every readable image, by the bytes of its path; rows index it.
    skipped : list of Skipped
        Files that could not be used, with reasons.
    report : RefreshReport
        What bringing the index up to date did.
    seconds : float
        What that took.
    """

    def __init__(self, config: Config, opened: OpenedIndex, started: float) -> None:
        self.folder = opened.folder
        self.config = config
        self.records: Records = opened.records
        self.skipped = opened.skipped
        self.report = opened.report
        self.skipped_list = opened.skipped_list
        self.index_directory = opened.directory
        self._opened = opened
        self._descriptors = with_fingerprints(build_descriptors(config), config.images.as_options())
        self.seconds = time.perf_counter() - started
        self._started: float | None = started

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"<imgbatch.Collection of {len(self)} images in {self.folder!r}>"

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the index."""
        return self._opened.notes

    @cached_property
    def paths(self) -> list[str]:
        """Absolute path of every readable image, in row order; made on first use."""
        return [paths.join(self.folder, path) for path in self.records.all_paths()]

    @cached_property
    def projection(self) -> Projection:
        """Points and hashes; computed or read on first use.

        Raises
        ------
        CatalogueError
            The folder was indexed anew meanwhile, so that rows would be those of other images.
        """
        return self._opened.projection()

    @property
    def points(self) -> Floats:
        """The feature space: (n, p) float32, read-only where it comes from the disk.

        Where points lie in parts, rows are read when it is indexed; see `neighbours.parts.Parted`.
        """
        return self.projection.points

    def contents(self) -> tuple[Rows, View]:
        """Sizes (n,) int64 and content hashes (n, 16) uint8 of the rows' files."""
        return self._opened.contents()

    def features(self, rows: Rows) -> dict[str, Floats]:
        """What the descriptors say of some rows, given in rising order: (m, d) float32 by name."""
        return self._opened.features(rows)

    def similar(
        self,
        n: int = 10,
        *,
        like: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        keep_duplicates: bool = False,
    ) -> Selection:
        """Pick n images of one kind: a random anchor and its nearest neighbours.

        Parameters
        ----------
        n
            1 to the number of images. The anchor counts, unless it lies outside the folder.
        like
            An image, in the folder or not, to be the anchor; None draws one with a coherent
            neighbourhood.
        seed
            Repeats a set; None draws a seed.
        keep_duplicates
            Allow near-duplicates (by pHash) in the set.

        Raises
        ------
        SelectionError
            n is out of range, or `like` cannot be read.
        """
        seed, random, started = self._begin(n, seed)
        options = self._similar_options(keep_duplicates=keep_duplicates)
        outside: PickedImage | None = None
        if like is None:
            anchor = choose_anchor(self._search, n, options, random)
        elif (row := self._row_of_file(os.fspath(like))) is not None:
            anchor = Anchor(self.points[row], row)
        else:
            outside, anchor = self._describe_outside(os.fspath(like))
        rows, distances = similar(self._search, anchor, n, options)
        why = shares_of_set(self.projection.space, self.points[rows], anchor.point)
        picked = self._picked(rows, distances, why, anchor.row)
        if outside is not None:
            picked = (outside, *picked)
        return self._selection("similar", seed, picked, started)

    def different(
        self, n: int = 10, *, seed: int | None = None, keep_duplicates: bool = False
    ) -> Selection:
        """Pick n images that differ: greedy k-center on a fresh sample without its outliers.

        Parameters
        ----------
        n
            1 to the number of images.
        seed
            Repeats a set; None draws a seed.
        keep_duplicates
            Allow near-duplicates (by pHash) in the set.

        Raises
        ------
        SelectionError
            n is out of range.
        """
        seed, random, started = self._begin(n, seed)
        settings = self.config.different
        options = DifferentOptions(
            **settings.model_dump(),
            hashes=None if keep_duplicates else self.projection.hashes,
            duplicate_bits=self.config.similar.duplicate_bits,
        )
        where = self.projection
        rows, distances = different_in_parts(where.parts, n, options, random, where.run_tasks)
        why = shares_of_set(self.projection.space, self.points[rows], None)
        picked = self._picked(rows, distances, why, None)
        return self._selection("different", seed, picked, started)

    def explain(self, a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Explanation:
        """Split the distance of two images, in the folder or not, by descriptor.

        Both are read anew for what the descriptors saw of them; their distance is the one that
        `similar` and `different` go by.

        Raises
        ------
        SelectionError
            One of them cannot be read.
        """
        by_name = {descriptor.name: descriptor for _, descriptor in self._descriptors}
        looks, points = [], []
        for given in (os.fspath(a), os.fspath(b)):
            row = self._row_of_file(given)
            path = paths.absolute(given) if row is None else self.paths[row]
            decoded, codes = self._read(path, "name a file, or a path inside the image folder")
            relative = path if row is None else self.records[row].path
            size = decoded.width, decoded.height
            looks.append(describe_image((path, relative), size, by_name, codes))
            points.append(self._project(codes) if row is None else self.points[row])
        space, weights = self.projection.space, self.config.weights
        return explain(self.folder, space, weights, (looks[0], looks[1]), (points[0], points[1]))

    @cached_property
    def _search(self) -> NeighbourSearch:
        return self.projection.search(self.config.index.large_folder)

    def _similar_options(self, *, keep_duplicates: bool) -> SimilarOptions:
        hashes = None if keep_duplicates else self.projection.hashes
        return SimilarOptions(**self.config.similar.model_dump(), hashes=hashes)

    def _begin(self, n: int, seed: int | None) -> tuple[int, np.random.Generator, float]:
        if not 1 <= n <= len(self):
            raise SelectionError(
                f"n is {n}, but {self.folder} holds {len(self)} readable images",
                f"give 1 to {len(self)}",
            )
        if seed is None:
            seed = secrets.randbelow(_SEEDS)
        elif seed < 0:
            raise SelectionError(f"the seed is {seed}", "give a whole number from 0 on")
        started = time.perf_counter() if self._started is None else self._started
        self._started = None
        return seed, np.random.default_rng(seed), started

    def _row_of_file(self, given: str) -> int | None:
        """The row of a file named from here or, where there is none, from inside the folder."""
        named = paths.is_url(given) or os.path.exists(given)
        path = given if named else paths.join(self.folder, given)
        for place in (os.path.abspath, os.path.realpath):
            inside = os.path.relpath(place(path), place(self.folder)).replace(os.sep, "/")
            if (row := self.records.row_of(inside)) is not None:
                return row
        return None

    def _describe_outside(self, given: str) -> tuple[PickedImage, Anchor]:
        """Decode and project an image that is not in the index: rank 0, and the anchor it makes."""
        decoded, codes = self._read(given, "give --like a file, or a path inside the image folder")
        path = paths.absolute(given)
        size = (decoded.width, decoded.height)
        picked = PickedImage(0, path, path, 0.0, *size, note=decoded.note, anchor=True)
        return picked, Anchor(self._project(codes), hash=as_integers(codes[ALWAYS][None])[0])

    def _read(self, path: str, hint: str) -> tuple[Decoded, dict[str, Codes]]:
        return describe_file(path, self._descriptors, self.config.images.as_options(), hint)

    def _project(self, codes: Mapping[str, Codes]) -> Floats:
        """(dim,) codes by descriptor -> (p,) point."""
        by_name = {descriptor.name: descriptor for _, descriptor in self._descriptors}
        rows = {name: one[None] for name, one in codes.items()}
        point: Floats = project_codes(self.projection.space, by_name, rows)[0]
        return point

    def _picked(
        self, rows: Rows, distances: Floats, why: list[dict[str, float]], anchor_row: int | None
    ) -> tuple[PickedImage, ...]:
        chosen = ((row, self.records[row]) for row in rows.tolist())
        return tuple(
            PickedImage(
                rank=rank,
                path=paths.join(self.folder, record.path),
                relative=record.path,
                score=round(float(distance), 4),
                width=record.width,
                height=record.height,
                label=record.label,
                note=record.note,
                anchor=row == anchor_row,
                shares=shares,
            )
            for rank, ((row, record), distance, shares) in enumerate(
                zip(chosen, distances, why, strict=True), start=1
            )
        )

    def _selection(
        self, mode: str, seed: int, picked: tuple[PickedImage, ...], started: float
    ) -> Selection:
        return Selection(
            mode=mode,
            seed=seed,
            folder=self.folder,
            images=picked,
            skipped=tuple(self.skipped),
            indexed=len(self),
            seconds=time.perf_counter() - started,
            notes=self.notes,
        )
