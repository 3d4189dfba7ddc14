"""`DiverseBatchSampler`: diverse batches for PyTorch's `DataLoader`; it works without torch."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.batches.plan_files import read_plan
from imgbatch.batches.population import DealOptions, Population, class_labels
from imgbatch.batches.replicas import Replica
from imgbatch.batches.sources import BatchSource, DealtBatches, PlannedBatches
from imgbatch.collection import Collection
from imgbatch.errors import SelectionError
from imgbatch.seeds import is_whole

_NOT_IN_0_9 = frozenset({"balance", "classes", "plan"})
"""What states of version 0.9 lack."""


class DiverseBatchSampler:
    """Batches of row numbers for ``DataLoader(dataset, batch_sampler=...)``.

    Row i stands for item i of the dataset. Each epoch holds every row exactly once, in batches
    whose items differ and that resemble each other (see `batches.deal`).

    Parameters
    ----------
    points
        (n, d) finite array of any embeddings: the points of a `Collection`, CLIP vectors, ...
    batch_size
        Items in a batch of one replica, at least 1.
    seed
        Seed and epoch decide the batches. All replicas need the same seed, so it is 0 by default
        and never drawn.
    drop_last
        Only full batches, equally many for each replica; some random rows sit out each epoch.
    labels
        n class names or numbers; every batch then gets its share of each class.
    hashes
        (n,) uint64 pHashes; images at most 6 bits apart do not share a batch.
    num_replicas, rank
        Number of training processes, and the number of this process: 0 <= rank < num_replicas.
        `batches.replicas` says how an epoch is shared out. Without `drop_last`, replicas get
        disjoint batches, equally many, which together are the epoch.

    Raises
    ------
    SelectionError
        An argument is out of range, or arrays do not fit each other.

    Notes
    -----
    Epochs: the next iteration after a complete one yields the next epoch, unless `set_epoch` says
    otherwise. An iteration that was broken off starts again.

    Resuming: keep `state_dict` with the model's, and load it before iterating. The first iteration
    then yields the rest of that epoch, even if `set_epoch` names the same epoch again. A loader
    with workers asks for batches ahead of training, so give ``state_dict(done)`` the number of
    batches trained in this epoch. Without it, batches handed out count as done, which is right
    with ``num_workers=0`` only.

    Lightning: it calls `set_epoch` by itself. In distributed training set
    ``Trainer(use_distributed_sampler=False)`` and give `num_replicas` and `rank`. Otherwise, and in
    `predict`, Lightning tries to wrap this sampler in its own, which is refused with an error.

    accelerate: leave `num_replicas` at 1, since ``prepare`` shares out the batches itself. Its
    default ``even_batches=True`` repeats rows of the first batches if the number of batches does
    not divide evenly; with ``DataLoaderConfiguration(even_batches=False)`` replicas may differ by
    one batch instead. Keep ``split_batches=False``, ``dispatch_batches=None``. A prepared loader
    counts epochs from 0 and sets them; after resuming, call its own ``set_epoch``.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(10, 4))
    >>> sampler = DiverseBatchSampler(points, 4, seed=1)
    >>> [len(rows) for rows in sampler]
    [4, 4, 2]
    """

    def __init__(  # noqa: PLR0913 - the names are those of torch's samplers
        self,
        points: npt.ArrayLike,
        batch_size: int,
        *,
        seed: int = 0,
        drop_last: bool = False,
        labels: Sequence[Any] | npt.NDArray[Any] | None = None,
        hashes: npt.NDArray[np.uint64] | None = None,
        num_replicas: int = 1,
        rank: int = 0,
    ) -> None:
        array = _as_points(points)
        classes = None if labels is None else class_labels([str(label) for label in labels])
        options = DealOptions(batch_size, seed, 0, drop_last, balance=labels is not None)
        source = DealtBatches(Population(array, hashes, classes), options)
        self._start(source, batch_size, Replica(num_replicas, rank), drop_last=drop_last)

    @classmethod
    def from_collection(  # noqa: PLR0913
        cls,
        photos: Collection,
        batch_size: int,
        *,
        seed: int = 0,
        drop_last: bool = False,
        balance: bool = False,
        num_replicas: int = 1,
        rank: int = 0,
    ) -> "DiverseBatchSampler":
        """Batches of a folder's images; row i stands for ``photos.paths[i]``.

        With `balance`, every batch gets its share of each class (see `Collection.labels`).

        Examples
        --------
        >>> import imgbatch
        >>> sampler = DiverseBatchSampler.from_collection(imgbatch.load("photos"), 8)
        >>> len(sampler)
        3
        """
        self = cls.__new__(cls)
        options = DealOptions(batch_size, seed, 0, drop_last, balance)
        source = DealtBatches(photos.population, options)
        self._start(source, batch_size, Replica(num_replicas, rank), drop_last=drop_last)
        return self

    @classmethod
    def from_plan(
        cls,
        plan: str | os.PathLike[str],
        paths: Sequence[str | os.PathLike[str]],
        *,
        root: str | os.PathLike[str] | None = None,
        drop_last: bool = False,
        num_replicas: int = 1,
        rank: int = 0,
    ) -> "DiverseBatchSampler":
        """Batches of a plan that ``imgbatch batches -o`` wrote.

        Parameters
        ----------
        plan
            The plan, a file or a folder; its epochs are 0, 1, ... and there are no others.
        paths
            Path of each item of the dataset, in the dataset's order. Either relative, as in the
            plan, or leading to the same files.
        root
            Where the image folder is now; None means where the plan was made.
        drop_last, num_replicas, rank
            As above.

        Raises
        ------
        ImgbatchError
            The plan cannot be used, or names an image that `paths` lacks.
        """
        self = cls.__new__(cls)
        source = PlannedBatches(read_plan(plan), [os.fspath(path) for path in paths], root)
        batch_size = source.plan.header.batch_size
        self._start(source, batch_size, Replica(num_replicas, rank), drop_last=drop_last)
        return self

    def _start(
        self, source: BatchSource, batch_size: int, replica: Replica, *, drop_last: bool
    ) -> None:
        self._source, self._replica = source, replica
        self.num_replicas, self.rank = replica.count, replica.rank
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.epoch = 0
        self._skip = 0  # batches that the next iteration leaves out, since training resumes
        self._handed_out = 0  # batches of this epoch, those left out included
        self._epoch_complete = False

    @property
    def sampler(self) -> "DiverseBatchSampler":
        """The sampler itself: Lightning and accelerate look here for `set_epoch`."""
        return self

    def __len__(self) -> int:
        """Batches of this replica in a whole epoch."""
        step_rows = self.batch_size * self.num_replicas
        steps, rest = divmod(self._source.row_count(self.epoch), step_rows)
        return steps + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        """The epoch's batches, or the rest of them after resuming, as lists of row numbers."""
        if self._epoch_complete:
            self.epoch += 1
            self._epoch_complete = False
        start, self._skip = self._skip, 0
        self._handed_out = start
        batches = self._source.batches(self.epoch)
        mine = self._replica.share(batches, self.batch_size, drop_last=self.drop_last)
        for number, rows in enumerate(mine[start:], start=start + 1):
            self._handed_out = number
            yield rows.tolist()
        self._epoch_complete = True

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; the position of a resumed epoch stays."""
        if not is_whole(epoch):
            raise SelectionError(f"the epoch is {epoch!r:.40}", "give a whole number from 0 on")
        if epoch != self.epoch:
            self._skip = self._handed_out = 0
        self.epoch = epoch
        self._epoch_complete = False

    def state_dict(self, done: int | None = None) -> dict[str, int]:
        """The position of this sampler, as plain numbers.

        Parameters
        ----------
        done
            Batches of the current epoch that training has finished; None means all handed out.
        """
        finished = self._handed_out if done is None else done
        return {"epoch": self.epoch, "done": finished, **self._identity()}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where `state_dict` was called.

        Raises
        ------
        SelectionError
            The state belongs to other batches: seed, batch size, rows, balance, classes, the plan
            or replicas differ. Or it lacks a position.
        """
        is_older = not _NOT_IN_0_9 & state.keys()
        for name, value in self._identity().items():
            kept = state.get(name, value if is_older and name in _NOT_IN_0_9 else None)
            if kept != value:
                raise SelectionError(
                    f"the state has {name} {kept}, this sampler {value}",
                    "build it with what it had when the state was kept",
                )
        for name in ("epoch", "done"):
            if not is_whole(state.get(name)):
                raise SelectionError(
                    f"the state has {name} {state.get(name)!r:.40}", "give what `state_dict` gave"
                )
        self.epoch = state["epoch"]
        self._skip = self._handed_out = state["done"]
        self._epoch_complete = False

    def _identity(self) -> dict[str, int]:
        return {
            **self._source.identity,
            "batch_size": self.batch_size,
            "num_replicas": self.num_replicas,
            "drop_last": int(self.drop_last),
        }


def _as_points(points: npt.ArrayLike) -> npt.NDArray[np.float32]:
    try:
        array = np.asarray(points, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0, np.float32)
    if array.ndim != 2:
        raise SelectionError(
            f"points are a {type(points).__name__}, expected an (n, d) array of numbers; a sampler "
            "here means that a framework wraps this one",
            "set Trainer(use_distributed_sampler=False) in Lightning, and give num_replicas, rank",
        )
    return array
