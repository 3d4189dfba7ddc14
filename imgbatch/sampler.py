"""`DiverseBatchSampler`: diverse batches for PyTorch's `DataLoader` and its kin; needs no torch."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.batches.epoch import deal_epoch
from imgbatch.batches.plan_files import read_plan
from imgbatch.batches.plans import Plan
from imgbatch.batches.population import DealOptions, Population, class_numbers
from imgbatch.collection import Collection
from imgbatch.errors import SelectionError
from imgbatch.types import Rows


class DiverseBatchSampler:
    """Batches of row numbers for ``DataLoader(dataset, batch_sampler=...)``.

    Row i stands for item i of the dataset. Each epoch holds every row exactly once, in batches
    that differ inside and resemble each other (`batches.deal`).

    Parameters
    ----------
    points
        (n, d) finite array of any embeddings: those of a `Collection`, CLIP vectors, ...
    batch_size
        B >= 1, of each replica.
    seed
        With the epoch it decides the batches; equal on all replicas. It is 0 unless given, and
        not drawn, since replicas that draw their own would not share out one epoch.
    drop_last
        Only full batches, equally many for each replica; some random rows sit out each epoch.
    labels
        n class names or numbers; if given, every batch gets its share of each class.
    hashes
        (n,) uint64 pHashes; images at most 6 bits apart do not share a batch.
    num_replicas, rank
        Number of training processes and this one's place, 0 <= rank < num_replicas. Batches are
        dealt to them in turn. The rows that do not give every replica a full batch are shared out
        evenly as the last step, so that, without `drop_last`, replicas get disjoint batches,
        equally many, which together are the epoch. Only where there are fewer rows than replicas
        (or `batch_size` is 1) are some repeated, to give each replica the same number of batches.

    Notes
    -----
    Epochs: an epoch that was read to its end is followed by the next one, unless `set_epoch` says
    otherwise; an iteration that was broken off starts anew.

    Resuming: keep `state_dict` with the model's, and load it before iterating; the first iteration
    then yields the rest of that epoch, even if `set_epoch` names the same epoch again. A loader
    with workers asks for batches ahead of training, so give ``state_dict(done)`` the number of
    batches trained in this epoch; without it, batches handed out count as done, which is right
    with ``num_workers=0`` only.

    Lightning: it calls `set_epoch` by itself. In distributed training set
    ``Trainer(use_distributed_sampler=False)`` and give `num_replicas` and `rank`; otherwise (and in
    `predict`) Lightning tries to put a sampler of its own inside, which is refused with an error.

    accelerate: leave `num_replicas` at 1, since ``prepare`` shares out the batches itself. Its
    default ``even_batches=True`` repeats rows of the first batches where the number does not come
    out even; ``DataLoaderConfiguration(even_batches=False)`` does not, but replicas may then differ
    by one batch. Keep ``split_batches=False``, ``dispatch_batches=None``. A prepared loader counts
    epochs from 0 and sets them; after resuming, call its own ``set_epoch``.
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
        numbers = None if labels is None else class_numbers([str(one) for one in labels])
        population = Population(array, hashes, numbers)
        source = _Dealt(population, batch_size, seed, drop_last, labels is not None)
        self._start(source, batch_size, drop_last=drop_last, replica=(num_replicas, rank))

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

        `balance` gives every batch its share of each class, a first-level subfolder.
        """
        self = cls.__new__(cls)
        source = _Dealt(photos.population, batch_size, seed, drop_last, balance)
        self._start(source, batch_size, drop_last=drop_last, replica=(num_replicas, rank))
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
        """Batches of a plan file that ``imgbatch batches -o`` wrote.

        Parameters
        ----------
        plan
            The file; its epochs are 0, 1, ... and there are no others.
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
        source = _Planned(read_plan(plan), [os.fspath(path) for path in paths], root)
        batch_size = source.plan.header.batch_size
        self._start(source, batch_size, drop_last=drop_last, replica=(num_replicas, rank))
        return self

    def _start(
        self,
        source: "_Dealt | _Planned",
        batch_size: int,
        *,
        drop_last: bool,
        replica: tuple[int, int],
    ) -> None:
        self.num_replicas, self.rank = replica
        if batch_size < 1:
            raise SelectionError(
                f"the batch size is {batch_size}, expected at least 1", "use a larger batch size"
            )
        if not 0 <= self.rank < self.num_replicas:
            raise SelectionError(
                f"rank {self.rank} of {self.num_replicas} replicas, expected 0 <= rank < replicas",
                "give torch.distributed's get_rank() and get_world_size()",
            )
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.epoch = 0
        self._skip = 0  # batches that the next iteration leaves out: it resumes
        self._handed_out = 0  # batches of this epoch, those left out included
        self._read_to_its_end = False
        self._source = source

    @property
    def sampler(self) -> "DiverseBatchSampler":
        """Itself: Lightning and accelerate look here for `set_epoch`."""
        return self

    def __len__(self) -> int:
        """Batches of this replica in a whole epoch."""
        steps, rest = divmod(self._source.rows(self.epoch), self.batch_size * self.num_replicas)
        return steps + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        """The epoch's batches, or the rest of them after resuming, as lists of row numbers."""
        if self._read_to_its_end:
            self.epoch += 1
            self._read_to_its_end = False
        start, self._skip = self._skip, 0
        self._handed_out = start
        batches = self._source.batches(self.epoch)
        mine = share_out(batches, self.batch_size, (self.num_replicas, self.rank), self.drop_last)
        for number, rows in enumerate(mine[start:], start=start + 1):
            self._handed_out = number
            yield rows.tolist()
        self._read_to_its_end = True

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; where this one was resumed stays in force."""
        if epoch < 0:
            raise SelectionError(f"the epoch is {epoch}", "give a whole number from 0 on")
        if epoch != self.epoch:
            self._skip = self._handed_out = 0
        self.epoch = epoch
        self._read_to_its_end = False

    def state_dict(self, done: int | None = None) -> dict[str, int]:
        """Where this sampler is, as plain numbers.

        Parameters
        ----------
        done
            Batches of the current epoch that training has finished; None means all handed out.
        """
        finished = self._handed_out if done is None else done
        return {"epoch": self.epoch, "done": finished, **self._mark()}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where `state_dict` was called.

        Raises
        ------
        SelectionError
            The state is of other batches (seed, batch size, rows, replicas), so that there is no
            rest of them here.
        """
        for name, own in self._mark().items():
            if state.get(name) != own:
                raise SelectionError(
                    f"the state has {name} {state.get(name)}, this sampler {own}",
                    "build it with what it had when the state was kept",
                )
        self.epoch = state["epoch"]
        self._skip = self._handed_out = state["done"]
        self._read_to_its_end = False

    def _mark(self) -> dict[str, int]:
        return {
            **self._source.mark,
            "batch_size": self.batch_size,
            "num_replicas": self.num_replicas,
            "drop_last": int(self.drop_last),
        }


def share_out(
    batches: Sequence[Rows],
    batch_size: int,
    replica: tuple[int, int],
    drop_last: bool,  # noqa: FBT001
) -> Sequence[Rows]:
    """The batches of one replica (of how many, which): every so many-th, and its share of the rest.

    Rows that do not fill a step, one full batch for each replica, are shared out evenly as the
    last step; if they are fewer than the replicas, together with the step before, as two. Where
    that cannot be either, the rows are repeated until each replica has one.
    """
    num_replicas, rank = replica
    full = sum(len(rows) == batch_size for rows in batches)
    steps = full // num_replicas
    mine = list(batches[rank : steps * num_replicas : num_replicas])
    left = batches[steps * num_replicas :]
    if drop_last or not left:
        return mine
    rest, parts = np.concatenate(left), num_replicas
    if len(rest) < num_replicas and mine and batch_size > 1:
        before = batches[(steps - 1) * num_replicas : steps * num_replicas]
        rest, parts = np.concatenate([*before, rest]), 2 * num_replicas
        mine.pop()
    elif len(rest) < num_replicas:
        rest = np.resize(rest, num_replicas)
    return mine + [rest[part::parts] for part in range(rank, parts, num_replicas)]


@dataclass(frozen=True)
class _Dealt:
    """Batches dealt when they are asked for, after `mark`, the numbers that decide them."""

    population: Population
    batch_size: int
    seed: int
    drop_last: bool
    balance: bool

    @property
    def mark(self) -> dict[str, int]:
        return {"seed": self.seed, "rows": len(self.population.points)}

    def rows(self, _epoch: int) -> int:
        return len(self.population.points)

    def batches(self, epoch: int) -> Sequence[Rows]:
        options = DealOptions(self.batch_size, self.seed, epoch, self.drop_last, self.balance)
        return [batch for chunk in deal_epoch(self.population, options) for batch in chunk]


class _Planned:
    """Batches of a plan, its paths turned into places in the dataset."""

    def __init__(
        self, plan: Plan, paths: Sequence[str], root: str | os.PathLike[str] | None
    ) -> None:
        self.plan = plan
        place = {path: number for number, path in enumerate(paths)}
        folder = os.path.abspath(plan.header.folder if root is None else root)
        inside = (os.path.relpath(os.path.abspath(path), folder) for path in paths)
        for number, path in enumerate(inside):
            place.setdefault(path.replace(os.sep, "/"), number)
        try:
            self._epochs = [
                [np.array([place[path] for path in batch], np.int64) for batch in epoch]
                for epoch in plan.epochs
            ]
        except KeyError as missing:
            raise SelectionError(
                f"the plan names {missing}, which is not among the {len(paths)} paths of the data",
                f"give paths inside {folder}, or the folder's new place as root",
            ) from None

    @property
    def mark(self) -> dict[str, int]:
        return {"seed": self.plan.header.seed, "rows": self.rows(0)}

    def rows(self, epoch: int) -> int:
        # After the last epoch loaders may still ask for a length.
        return sum(map(len, self._epochs[min(epoch, len(self._epochs) - 1)]))

    def batches(self, epoch: int) -> Sequence[Rows]:
        if epoch >= len(self._epochs):
            raise SelectionError(
                f"epoch {epoch} was asked for, but the plan has {len(self._epochs)} epochs from 0",
                "make a plan with more --epochs, or choose one of its own with set_epoch",
            )
        return self._epochs[epoch]


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
