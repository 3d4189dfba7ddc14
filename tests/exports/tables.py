"""Tables that tests export, without any picture behind them."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from imgbatch.config import default_config_path, load_config
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.exports import ImageTable, PortableSpace
from imgbatch.types import ImageRecord

FOLDER = "/photos/of a \udcff kind"


@lru_cache
def make_space(folder: str = FOLDER, dims: int = 8, seed: int = 0) -> PortableSpace:
    random = np.random.default_rng(seed)
    rows = random.standard_normal((3 * dims, dims)).astype(np.float32)
    space = FeatureSpace.fit({"hsv": rows}, {"hsv": BlockOptions(1.0, dims, 0.5)})
    config = load_config(default_config_path()).config
    return PortableSpace.of(folder, config, space, "0.1.0")


def make_table(
    n: int, *, folder: str = FOLDER, dims: int = 8, paths=None, labels=None, seed: int = 0
) -> ImageTable:
    """n images in loose groups of twenty; all is drawn by the seed."""
    random = np.random.default_rng(seed)
    groups = random.standard_normal((n // 20 + 1, dims))
    points = groups[np.arange(n) // 20] + random.standard_normal((n, dims)) * 0.5
    paths = paths or [f"class{row // 20}/{row:06}.jpg" for row in range(n)]
    return ImageTable(
        folder=folder,
        records=[
            ImageRecord(path, 100 + row, 200 + row, "cut off" * (row % 7 == 0))
            for row, path in enumerate(paths)
        ],
        labels=labels,
        sizes=random.integers(1, 2**40, n),
        hashes=random.integers(0, 256, (n, 16)).astype(np.uint8),
        phashes=random.integers(0, 2**64, n, dtype=np.uint64),
        points=points.astype(np.float32),
        space=make_space(folder, dims, seed),
        tags=[("sea", f"tag {row % 5}")[: row % 3] for row in range(n)],
        texts=[('ein "Meer"; é', f"{row}\n,")[: row % 4] for row in range(n)],
        splits=[("train", "test", "")[row % 3] for row in range(n)],
        groups=[f"group {row // 4}" * (row % 7 > 0) for row in range(n)],
        machine_tags=[("red", "plain background")[: row % 3] for row in range(n)],
    )


def first_rows(table: ImageTable, n: int) -> ImageTable:
    """The first n images of a table."""
    names = (
        "records", "sizes", "hashes", "phashes", "points", "tags", "texts", "splits", "groups",
        "machine_tags",
    )  # fmt: skip
    return replace(table, **{name: getattr(table, name)[:n] for name in names})
