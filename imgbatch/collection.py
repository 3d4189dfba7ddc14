"""The library's front: `load` a folder, then ask the `Collection` for images."""

import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.embedding.projection import Projection
from imgbatch.embedding.whitening import Augmented
from imgbatch.files import cache, paths
from imgbatch.index.opened import OpenedIndex, RefreshReport
from imgbatch.index.records import Records
from imgbatch.index.sqlite.opened import open_sqlite
from imgbatch.index.sqlite.refresh import SqliteFolder
from imgbatch.selection.answer import RequestClock, draw_seed
from imgbatch.selection.explain import Explanation
from imgbatch.selection.picker import Picker
from imgbatch.types import Batches, Floats, Hashes, Progress, Rows, Selection, Skipped, View

if TYPE_CHECKING:  # a request for similar images should not pay for importing them
    from imgbatch.batches.population import Population
    from imgbatch.types import Duplicates


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
        False trusts the index and does not read the folder, which may be huge, or gone. Only an
        index that proves damaged after it was opened is made anew from the folder.
    cluster
        Keep the index in shards, made by a Dask cluster: the address of its scheduler, such as
        "tcp://host:8786", or "local" for processes of this machine (a script then needs
        ``if __name__ == "__main__":``). Folder and index may then be URLs that fsspec reads.

    Raises
    ------
    FolderError
        The folder is missing or holds no readable image; or there is no index to be trusted.
    UsageError
        A URL is given without a cluster or holds a password; the cluster's address is invalid; the
        index would lie inside the folder.
    ConfigError
        The config does not fit, or has no such preset.
    CatalogueError
        The index cannot be written.
    ClusterError
        The cluster cannot be reached, or went away meanwhile.

    Examples
    --------
    >>> photos = load("photos")
    >>> len(photos)
    24
    """
    started = time.perf_counter()
    settings = config if isinstance(config, Config) else load_config(config).config
    path = paths.absolute(folder)
    settings = settings.with_emphasis(emphasis)
    opened: OpenedIndex
    if cluster is not None:
        from imgbatch.index.shards.folder import ShardedFolder
        from imgbatch.index.shards.opened import open_shards

        sharded = ShardedFolder.at(path, index, settings, cluster)
        opened = open_shards(sharded, progress, refresh=refresh)
    else:
        paths.refuse_url(path, index)
        indexed = SqliteFolder(path, cache.index_directory(path, index), settings)
        opened = open_sqlite(indexed, progress, refresh=refresh)
    return Collection(settings, opened, started)


class Collection:
    """The images of one folder, ready for requests. `load` makes it.

    Every answer is repeatable: the same files, config, version and seed give the same images,
    whatever the number of workers.

    Attributes
    ----------
    folder : str
        Absolute path of the image folder, or its URL.
    config : Config
        The settings in force.
    records : Records
        A sequence of `ImageRecord`, one for each readable image, sorted by the bytes of its path.
        A row is a position in this sequence.
    skipped : list of Skipped
        Files that could not be used, with reasons.
    skipped_list : Path or None
        The file that lists them; None if there are none.
    index_directory : Path
        The local folder of the index.
    report : RefreshReport
        What bringing the index up to date did.
    seconds : float
        Seconds that loading took.

    Examples
    --------
    >>> photos = load("photos")
    >>> picked = photos.similar(5, seed=7)
    >>> [image.rank for image in picked.images]
    [1, 2, 3, 4, 5]
    """

    def __init__(self, config: Config, opened: OpenedIndex, started: float) -> None:
        self.folder = opened.folder
        self.config = config
        self.records: Records = opened.records
        self.skipped: list[Skipped] = opened.skipped
        self.skipped_list: Path | None = opened.skipped_list
        self.index_directory: Path = opened.directory
        self.report: RefreshReport = opened.report
        self.seconds = time.perf_counter() - started
        self._opened = opened
        self._picker = Picker(config, opened, RequestClock(self.seconds))

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"<imgbatch.Collection of {len(self)} images in {self.folder!r}>"

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the index, such as what was repaired."""
        return self._opened.notes

    @cached_property
    def paths(self) -> list[str]:
        """Absolute path of every readable image, in the order of rows."""
        return [paths.join(self.folder, path) for path in self.records.all_paths()]

    @property
    def points(self) -> Floats:
        """The images in the feature space: (n, p) float32, read-only where it is memory-mapped.

        Points that lie in parts are read when the array is indexed; see `neighbours.parts.Parted`.

        Raises
        ------
        CatalogueError
            The folder was indexed anew meanwhile, so that rows would be those of other images.
        """
        return self.projection.points

    @property
    def projection(self) -> Projection:
        """The points with all that belongs to them: the fitted space and the perceptual hashes."""
        return self._picker.projection

    def features(self, rows: Rows) -> dict[str, Floats]:
        """What the descriptors say of some rows, given in rising order: (m, d) float32 by name.

        >>> import numpy as np
        >>> load("photos").features(np.array([0, 1]))["phash"].shape
        (2, 64)
        """
        return self._opened.features(rows)

    def augmented(self) -> Augmented | None:
        """What the descriptors say of altered views of some images; None if whitening is off."""
        return self._opened.augmented()

    def contents(self) -> tuple[Rows, View]:
        """Sizes in bytes (n,) int64 and content hashes (n, 16) uint8 of the images' files."""
        return self._opened.contents()

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
            An image, in the folder or not, to be the anchor; None draws an anchor with a coherent
            neighbourhood.
        seed
            Repeats a set; None draws a seed.
        keep_duplicates
            Allow near-duplicates (by pHash) in the set.

        Raises
        ------
        SelectionError
            n is out of range, or `like` cannot be read.

        Examples
        --------
        >>> picked = load("photos").similar(3, seed=1)
        >>> picked.images[0].anchor, picked.images[0].score
        (True, 0.0)
        """
        return self._picker.similar(n, like, seed, keep_duplicates=keep_duplicates)

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

        Examples
        --------
        >>> picked = load("photos").different(4, seed=1)
        >>> len({image.path for image in picked.images})
        4
        """
        return self._picker.different(n, seed, keep_duplicates=keep_duplicates)

    def batches(
        self,
        batch_size: int,
        *,
        seed: int | None = None,
        epoch: int = 0,
        drop_last: bool = False,
        balance: bool = False,
    ) -> Batches:
        """Deal all images into one epoch's diverse batches, each image once.

        Parameters
        ----------
        batch_size
            Images in a batch, at least 1.
        seed
            With the epoch it decides the batches. None takes a seed drawn once for this
            collection, so that the epochs of one training belong together.
        epoch
            Counted from 0.
        drop_last
            Leave out random images in place of an incomplete batch.
        balance
            Give every batch its share of each class (first-level subfolder).

        Raises
        ------
        SelectionError
            An argument is out of range, or `balance` is asked for without at least two classes.

        Examples
        --------
        >>> [len(rows) for rows in load("photos").batches(10, seed=1)]
        [10, 10, 4]
        """
        seed = self._epochs_seed if seed is None else seed
        options = {"drop_last": drop_last, "balance": balance}
        chunks = self.batch_chunks(batch_size, seed=seed, epoch=epoch, **options)
        return Batches(tuple(rows for chunk in chunks for rows in chunk), seed, epoch)

    def batch_chunks(
        self,
        batch_size: int,
        *,
        seed: int,
        epoch: int = 0,
        drop_last: bool = False,
        balance: bool = False,
    ) -> Iterator[list[Rows]]:
        """The batches of `batches`, chunk by chunk: an epoch of millions need not be held."""
        from imgbatch.batches.epoch import deal_epoch
        from imgbatch.batches.population import DealOptions

        options = DealOptions(batch_size, seed, epoch, drop_last, balance)
        return deal_epoch(self.population, options)

    def explain(self, a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Explanation:
        """Split the distance of two images, in the folder or not, by descriptor.

        Both files are read anew for what the descriptors see in them. Their distance is the one
        that `similar` and `different` use.

        Raises
        ------
        SelectionError
            One of them cannot be read.

        Examples
        --------
        >>> photos = load("photos")
        >>> explanation = photos.explain(photos.paths[0], photos.paths[1])
        >>> round(sum(part.share for part in explanation.parts), 3)
        1.0
        """
        return self._picker.explain(os.fspath(a), os.fspath(b))

    @cached_property
    def population(self) -> "Population":
        """What `batches` deals: points, groups of copies and, if there are two or more, classes.

        It is made once, since every epoch needs it and each image's class must be looked up.
        """
        from imgbatch.batches.population import Population, class_labels

        labels = class_labels([record.label for record in self.records])
        made = self.projection
        return Population(made.points, self.copy_groups, labels, 0, made.parts, made.run_long_tasks)

    def duplicates(
        self, level: str = "edited", *, against: "Collection | None" = None
    ) -> "Duplicates":
        """Group the images that show one picture, and say which one is worth keeping.

        Parameters
        ----------
        level
            "exact": the same bytes. "copies": resized, recompressed, recoloured, too. "edited":
            cropped, mirrored, turned, marked, too. "scene": the same place or object, too.
        against
            Another folder: only what both share is looked for, and its images are kept. Then
            "scene" finds no more than "edited".

        Raises
        ------
        SelectionError
            There is no such level.

        Examples
        --------
        >>> load("photos").duplicates("exact").groups
        ()
        """
        from imgbatch.selection.duplicates import answer

        others = () if against is None else (against._picker,)  # noqa: SLF001 - of this class
        return answer([self._picker, *others], level)

    @property
    def copy_groups(self) -> Hashes:
        """(n,) uint64: rows of equal numbers are near-duplicates; found once, and kept."""
        return self._picker.duplicates.groups

    @cached_property
    def _epochs_seed(self) -> int:
        """The seed of all epochs for which none is given."""
        return draw_seed()
