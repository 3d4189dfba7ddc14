"""How the page's folder is opened."""

import time
from dataclasses import dataclass
from pathlib import Path

from imgbatch.annotations.source import Given, given_files
from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.files import cache, paths
from imgbatch.index.sqlite.opened import open_sqlite
from imgbatch.index.sqlite.refresh import SqliteFolder
from imgbatch.loading import collect, given_vocabulary
from imgbatch.types import Progress


@dataclass(frozen=True, slots=True)
class FolderSource:
    """How the folder is opened, and how a terminal command names it.

    Attributes
    ----------
    folder
        The image folder, as the user gave it.
    config
        The settings in force.
    index
        Folder for indexes; None for the usual one.
    metadata
        Files that the user named; () reads those at the folder's top.
    trust_predicted, vocabulary
        As of `imgbatch.load`.
    words
        Options of a command that gives the same, such as ``("--emphasis", "shape")``.
    preset
        The emphasis that the settings are of; commands differ in what they take without it.
    """

    folder: str
    config: Config
    index: str | None = None
    metadata: tuple[str, ...] = ()
    trust_predicted: bool = False
    vocabulary: str | None = None
    words: tuple[str, ...] = ()
    preset: str = ""

    def open(
        self, saved: Path | None = None, *, refresh: bool, progress: Progress | None = None
    ) -> Collection:
        """Open the folder as `load` does; `saved` labels and tags count after its metadata.

        The saved table stands beside what is found. It may name images that have gone, and no
        file is asked more strictly because there is one.
        """
        started = time.perf_counter()
        own = () if saved is None else (str(saved.absolute()),)
        given = Given(given_files(self.metadata or None), own, self.trust_predicted)
        vocabulary = given_vocabulary(self.vocabulary)
        path = paths.absolute(self.folder)
        paths.refuse_url(path, self.index)
        indexed = SqliteFolder(path, cache.index_directory(path, self.index), self.config)
        opened = open_sqlite(indexed, progress, refresh=refresh)
        return collect(self.config, opened, started, given, vocabulary)
