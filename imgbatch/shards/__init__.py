"""The index in shards: Parquet files of some thousand images each, in a store all workers share."""

from imgbatch.shards.cutting import Shard, cut
from imgbatch.shards.store import DamagedShardError, Mark, Store

__all__ = ["DamagedShardError", "Mark", "Shard", "Store", "cut"]
