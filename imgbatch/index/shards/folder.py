"""An image folder whose index lies in shards: what it takes to find, make and read them."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import Descriptors
from imgbatch.errors import UsageError
from imgbatch.files import cache, paths
from imgbatch.index.extract import limits_of, with_fingerprints
from imgbatch.index.shards.store import Store
from imgbatch.measures.measured import Measures
from imgbatch.runners.dask import LOCAL


@dataclass(frozen=True)
class ShardedFolder:
    """An image folder, its store of shards, and where work on them is done.

    Attributes
    ----------
    folder
        Absolute path or URL of the images.
    store
        Where the shards are.
    directory
        The local folder for what is derived from them.
    cluster
        A scheduler's address, or "local" for this machine.

    >>> from imgbatch import load_config
    >>> config = load_config().config
    >>> sharded = ShardedFolder.at("s3://bucket/photos", "s3://bucket/index", config, "local")
    >>> sharded.store.root
    's3://bucket/index/photos-8e9ffab66c9d'
    """

    folder: str
    store: Store
    directory: Path
    config: Config
    cluster: str

    @classmethod
    def at(
        cls, folder: str, index: str | os.PathLike[str] | None, config: Config, cluster: str
    ) -> "ShardedFolder":
        """A folder whose shards lie in the usual directory, or in the one that `index` names.

        Raises
        ------
        UsageError
            The cluster is neither "local" nor a URL; or the shards would lie in the image folder.
        """
        if cluster != LOCAL and not paths.is_url(cluster):
            raise UsageError(
                f"the cluster is {cluster!r}",
                f"give {LOCAL!r}, or the address its scheduler prints, such as tcp://host:8786",
            )
        store = Store(cache.store_root(folder, index))
        return cls(folder, store, cache.index_directory(folder, index), config, cluster)

    @property
    def is_local(self) -> bool:
        """Whether this machine alone does the work."""
        return self.cluster == LOCAL

    @property
    def workers(self) -> int:
        """Processes or threads of this machine; 0 means one for each core."""
        return self.config.index.workers

    @property
    def descriptors(self) -> Descriptors:
        """The descriptors with their fingerprints."""
        return with_fingerprints(build_descriptors(self.config), self.config.images.as_options())

    @property
    def stored(self) -> Descriptors:
        """All that is computed of an image: the descriptors, and its measured quantities."""
        measures = with_fingerprints([Measures()], self.config.images.as_options())
        return self.descriptors + measures

    @property
    def settings(self) -> str:
        """Text that changes whenever the same file would give another row."""
        fingerprints = " ".join(fingerprint for fingerprint, _ in self.stored)
        return f"{fingerprints} {limits_of(self.config.images.as_options())}"

    @property
    def listing(self) -> str:
        """The name of the listing of these settings: 16 hex digits."""
        return hashlib.blake2b(self.settings.encode(), digest_size=8).hexdigest()
