"""Share out the batches of one epoch to training processes (replicas)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.errors import SelectionError
from imgbatch.types import Rows


@dataclass(frozen=True, slots=True)
class Replica:
    """One of several training processes.

    Attributes
    ----------
    count
        Number of processes, 1 or more.
    rank
        Number of this process, 0 <= rank < count.

    Raises
    ------
    SelectionError
        The rank is out of range.
    """

    count: int = 1
    rank: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.count:
            raise SelectionError(
                f"rank {self.rank} of {self.count} replicas, expected 0 <= rank < replicas",
                "give torch.distributed's get_rank() and get_world_size()",
            )

    def share(self, batches: Sequence[Rows], batch_size: int, *, drop_last: bool) -> list[Rows]:
        """The batches of an epoch that belong to this replica.

        The replicas take full batches in turn: each gets every `count`-th batch. All replicas get
        the same number of batches, since they train in step. The rows that do not fill a whole step
        (one full batch for each replica) are dealt evenly to all replicas as one last step of
        smaller batches. If these rows are fewer than the replicas, the step before is broken up,
        too, and both are dealt as two steps. If there is no step before, or the batch size is 1,
        rows are repeated until each replica has one.

        Parameters
        ----------
        batches
            All batches of the epoch: int64 rows, `batch_size` each except the last.
        drop_last
            Leave out the rows that do not fill a whole step.

        Examples
        --------
        >>> batches = [np.array([0, 1]), np.array([2, 3]), np.array([4])]
        >>> [rows.tolist() for rows in Replica(2, 0).share(batches, 2, drop_last=False)]
        [[0, 4], [2]]
        >>> [rows.tolist() for rows in Replica(2, 1).share(batches, 2, drop_last=False)]
        [[1], [3]]
        """
        full = sum(len(rows) == batch_size for rows in batches)
        steps = full // self.count
        mine = list(batches[self.rank : steps * self.count : self.count])
        left = batches[steps * self.count :]
        if drop_last or not left:
            return mine
        rows, parts = np.concatenate(left), self.count
        if len(rows) < self.count and mine and batch_size > 1:
            step_before = batches[(steps - 1) * self.count : steps * self.count]
            rows, parts = np.concatenate([*step_before, rows]), 2 * self.count
            mine.pop()
        elif len(rows) < self.count:
            rows = np.resize(rows, self.count)
        return mine + [rows[part::parts] for part in range(self.rank, parts, self.count)]
