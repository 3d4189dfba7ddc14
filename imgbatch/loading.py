"""`load`: bring the index of a folder up to date, and open it."""

import os
import time
from collections.abc import Iterable

from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import Given, MetadataFiles, MetadataSource, given_files
from imgbatch.collection import Collection
from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.errors import UsageError
from imgbatch.files import cache, paths
from imgbatch.files.listed import ListedFiles
from imgbatch.index.listed import listed_index
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.sqlite.opened import open_sqlite
from imgbatch.index.sqlite.refresh import SqliteFolder
from imgbatch.selection.tags import ReadVocabulary, default_vocabulary
from imgbatch.types import Progress


def load(  # noqa: PLR0913 - the library's front; each is one word that most calls leave out
    folder: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    config: Config | str | os.PathLike[str] | None = None,
    emphasis: str | None = None,
    index: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    refresh: bool = True,
    cluster: str | None = None,
    metadata: MetadataFiles | None = None,
    trust_predicted: bool = False,
    vocabulary: str | os.PathLike[str] | None = None,
) -> Collection:
    """Bring the index of a folder up to date and open it.

    Parameters
    ----------
    folder
        The image folder, or a list of image files. Files are taken as a part of the deepest folder
        that holds them all: they share its index, in which all else stays as it is.
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
    metadata
        A file of labels, tags, texts and more, or several, of which later ones win: CSV, TSV,
        JSONL, Parquet or COCO captions; see `annotations.table` for the columns. None takes
        ``metadata.*`` and ``captions.csv`` at the folder's top, if there are any.
    trust_predicted
        Whether rows of metadata count that imgbatch has written (``source`` is ``imgbatch``).
    vocabulary
        The tags.toml of measured tags, or None for the usual search; see `load_vocabulary`.

    Raises
    ------
    FolderError
        The folder is missing or holds no readable image; or there is no index to be trusted.
    UsageError
        A URL is given without a cluster or holds a password; files are listed with a cluster; the
        cluster's address is invalid; the index would lie inside the folder.
    ConfigError
        The config does not fit, or has no such preset; or the vocabulary does not fit.
    LabelError
        A metadata file that was given cannot be read, or does not fit the images.
    CatalogueError
        The index cannot be written.
    ClusterError
        The cluster cannot be reached, or went away meanwhile.

    Examples
    --------
    >>> photos = load("photos")
    >>> len(photos)
    24
    >>> len(load(photos.paths[:3]))
    3
    """
    started = time.perf_counter()
    given = Given(given_files(metadata), trust_predicted=trust_predicted)
    tags = given_vocabulary(vocabulary)
    settings = config if isinstance(config, Config) else load_config(config).config
    if isinstance(folder, str | os.PathLike):
        listed, path = None, paths.absolute(folder)
    else:
        listed = ListedFiles.of(folder)
        path = listed.folder
    settings = settings.with_emphasis(emphasis)
    opened: OpenedIndex
    if cluster is not None:
        if listed is not None:
            raise UsageError("a list of files was given with `cluster`", "give their folder")
        from imgbatch.index.shards.folder import ShardedFolder
        from imgbatch.index.shards.opened import open_shards

        sharded = ShardedFolder.at(path, index, settings, cluster)
        opened = open_shards(sharded, progress, refresh=refresh)
    else:
        paths.refuse_url(path, index)
        only = None if listed is None else listed.inside
        indexed = SqliteFolder(path, cache.index_directory(path, index), settings, only=only)
        opened = open_sqlite(indexed, progress, refresh=refresh)
        if listed is not None:
            opened = listed_index(opened, listed)
    return collect(settings, opened, started, given, tags)


def collect(
    config: Config,
    opened: OpenedIndex,
    started: float,
    given: Given,
    vocabulary: ReadVocabulary = default_vocabulary,
) -> Collection:
    """An opened index with its metadata; those of files that were given are read now.

    `started` is the moment, in seconds of `time.perf_counter`, at which loading began.
    """
    source = MetadataSource(
        opened.folder, opened.directory, opened.generation,
        given.files, given.trust_predicted, given.own,
    )  # fmt: skip
    known = Metadata.read(opened.records, source)
    return Collection(config, opened, started, known, vocabulary)


def given_vocabulary(file: str | os.PathLike[str] | None) -> ReadVocabulary:
    """The vocabulary: read now if its file was named, else when it is asked for."""
    if file is None:
        return default_vocabulary
    from imgbatch.measures.vocabulary import load_vocabulary

    vocabulary = load_vocabulary(file)
    return lambda _: vocabulary
