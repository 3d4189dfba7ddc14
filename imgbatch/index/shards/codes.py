"""The codes of a folder's images in shards, and the features of some of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgbatch.descriptors import Codes
from imgbatch.embedding.projection import Descriptors
from imgbatch.index.augmented import AugmentedViews
from imgbatch.index.shards.store import StoredShard
from imgbatch.neighbours.parts import split_rows
from imgbatch.runners.maps import TaskMap
from imgbatch.types import Floats, Rows


@dataclass(frozen=True)
class ShardedCodes:
    """The codes of a folder's images in shards, and where and how points are made of them.

    Attributes
    ----------
    shards
        One or more, in the order of rows, each with one image at least.
    generation
        Text that changes whenever the images, or their order, do.
    directory
        The local folder in which the fitted space is kept.
    points_root
        A folder for points alone, an absolute path or a URL, that all tasks may write to.
    run_tasks
        Does tasks on shards and parts that take up to a second each.
    run_long_tasks
        Does tasks that take longer, and may hold the interpreter lock.
    notes
        Gets a remark for each file that was damaged and is made anew.
    views
        Altered views of some images, to whiten by; None to whiten nothing.
    """

    shards: tuple[StoredShard, ...]
    generation: str
    directory: Path
    points_root: str
    run_tasks: TaskMap
    run_long_tasks: TaskMap
    notes: list[str]
    views: AugmentedViews | None = None

    @property
    def ends(self) -> Rows:
        """(shards,) the row after each shard's last."""
        return np.cumsum([len(shard) for shard in self.shards], dtype=np.int64)


def features_in_shards(
    codes: ShardedCodes, descriptors: Descriptors, rows: Rows
) -> dict[str, Floats]:
    """Features of some rows, in the order given, by descriptor name; tasks collect the codes."""
    shares = split_rows(codes.ends, np.asarray(rows, np.int64))
    tasks = ((codes.shards[shard], descriptors, shard_rows) for shard, _, shard_rows in shares)
    collected = {
        descriptor.name: np.empty((len(rows), descriptor.dim), np.uint8)
        for _, descriptor in descriptors
    }
    answers = codes.run_tasks(codes_of_rows, tasks)
    for (_, positions, _), of_shard in zip(shares, answers, strict=True):
        for name, shard_codes in of_shard.items():
            collected[name][positions] = shard_codes
    return {
        descriptor.name: descriptor.features(collected[descriptor.name])
        for _, descriptor in descriptors
    }


def codes_of_rows(shard: StoredShard, descriptors: Descriptors, rows: Rows) -> dict[str, Codes]:
    """Codes of some rows of a shard, by descriptor name."""
    return {
        descriptor.name: shard.codes(fingerprint, descriptor.dim)[rows]
        for fingerprint, descriptor in descriptors
    }
