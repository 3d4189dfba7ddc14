"""The index in shards: Parquet files that a cluster makes and reads."""
