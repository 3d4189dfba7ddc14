"""The tables of docs/SCALING.md: bytes, CPU seconds and waiting times for 10k to 1B images.

    python benchmarks/scaling.py        # writes the tables anew, between their marks

Everything is computed from the figures below; where a size was not measured, the table says so.
"""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "SCALING.md"

# ----- measured: CPU seconds of one core unless it says otherwise --------------------------------
# Images a second past start-up, two cores, caltech101 (SPEED.md); on a slower machine than others.
DESCRIBED_PER_CORE = 1347 / 2
IMAGE_BYTES = 14_348  # mean of caltech101
PARQUET_BYTES = 1631  # a row of a shard, compressed: codes, a miniature, measured quantities
LIST_S = 5.8e-6  # an image, listed
DRIVER_S = 7.7e-6  # an image, taken from a shard into the list of rows
DRIVER_BYTES = 220  # an image, while a listing is compared; an estimate by object sizes
ROW_BYTES = 39  # an image in the mapped list of rows
PROJECT_S = 15e-6 + 2.7e-6  # an image, from Parquet to a point
FIT_S = 0.53  # the space, on 20,000 images
POINT_BYTES = {160: 160 * 4 + 12, 64: 64 * 4 + 12}  # with its square and hash: all that is searched
BESIDE_BYTES = 1024 + 19  # a miniature and measured quantities, kept beside each point
SIMILAR_S = {160: 0.212e-6, 64: 0.083e-6}  # a point, five queries
MERGE_S = 5 * 0.184 / 3815  # a part, on the driver
CORE_SET_S = {160: 12.0e-3, 64: 6.8e-3}  # a part
DEAL_S = {160: 24.5e-6, 64: 27.4e-6}  # an image and epoch, chunks of 262,144
PLAN_S, PLAN_BYTES = 3.1e-6, 29  # an image and epoch, written by the driver
# ----- assumed -----------------------------------------------------------------------------------
PART = 262_144
TASK_S = 1e-3  # Dask's scheduler, a task
READ_BYTES_S = 1e9  # a machine, from its disk or the store
CORES_PER_MACHINE = 32
DIMENSIONS = 160
MOST_POOLED, PICKED = 100_000, 10


@dataclass(frozen=True)
class Size:
    """A data set, the cores that work on it, and what of it was measured."""

    images: int
    name: str
    cores: int
    measured: str

    @property
    def machines(self) -> int:
        """Machines with that many cores."""
        return max(1, self.cores // CORES_PER_MACHINE)

    @property
    def parts(self) -> int:
        """Parts of the points."""
        return -(-self.images // PART)


SIZES = [
    Size(10_000, "10k", 2, "yes: SCALE.md"),
    Size(1_000_000, "1M", 2, "yes, but describing: SCALE.md"),
    Size(100_000_000, "100M", 64, "no, extrapolated"),
    Size(1_000_000_000, "1B", 512, "no, extrapolated"),
]


def bytes_rows() -> list[list[str]]:
    entries = [
        ("images, at caltech101's mean", IMAGE_BYTES),
        ("images, at 100 kB", 100_000),
        ("index in shards (Parquet)", PARQUET_BYTES),
        ("points, 160 dimensions", POINT_BYTES[160]),
        ("points, 64 dimensions", POINT_BYTES[64]),
        ("miniatures and measured quantities", BESIDE_BYTES),
        ("driver: list of rows, mapped", ROW_BYTES),
        ("driver: memory while comparing listings", DRIVER_BYTES),
        ("driver: memory while dealing", 4),
        ("plan, an epoch", PLAN_BYTES),
    ]
    return [[name, *(in_bytes(each * size.images) for size in SIZES)] for name, each in entries]


def work_rows() -> list[list[str]]:
    """CPU seconds of one core in all."""
    entries = {
        "list": lambda n, _: n * LIST_S,
        "describe": lambda n, _: n / DESCRIBED_PER_CORE,
        "list of rows (driver)": lambda n, _: n * DRIVER_S,
        "fit and project": lambda n, _: FIT_S + n * PROJECT_S,
        "similar": lambda n, _: n * SIMILAR_S[DIMENSIONS],
        "different": lambda _, parts: asked(parts) * CORE_SET_S[DIMENSIONS],
        "deal an epoch": lambda n, _: n * DEAL_S[DIMENSIONS],
        "write its plan (driver)": lambda n, _: n * PLAN_S,
    }
    return [
        [name, *(in_seconds(cost(size.images, size.parts)) for size in SIZES)]
        for name, cost in entries.items()
    ]


def asked(parts: int) -> int:
    """Parts that answer `different`."""
    return min(parts, MOST_POOLED // PICKED)


def wait_rows() -> list[list[str]]:
    """Seconds a user waits for each step, and what it waits for."""
    rows = []
    for name, step in (
        ("index, the first time", index),
        ("points, the first time", points),
        ("similar, points in memory", similar),
        ("similar, points read anew", similar_cold),
        ("different", different),
        ("batches, an epoch", batches),
    ):
        cells = []
        for size in SIZES:
            found = step(size)
            slowest = max(found, key=found.__getitem__)
            cells.append(f"{in_seconds(sum_or_most(found))} ({slowest})")
        rows.append([name, *cells])
    return rows


def sum_or_most(found: dict[str, float]) -> float:
    """Cores and disks work side by side; the driver comes before or after them."""
    together = max(found.get("cores", 0), found.get("reading", 0))
    return together + found.get("driver", 0) + found.get("scheduler", 0)


def index(size: Size) -> dict[str, float]:
    n = size.images
    return {
        "cores": n * LIST_S / size.cores + n / DESCRIBED_PER_CORE / size.cores,
        "reading": n * IMAGE_BYTES / READ_BYTES_S / size.machines,
        "driver": n * DRIVER_S if size.machines > 1 else 0,
    }


def points(size: Size) -> dict[str, float]:
    n = size.images
    moved = PARQUET_BYTES + POINT_BYTES[DIMENSIONS] + BESIDE_BYTES
    return {
        "cores": n * PROJECT_S / min(size.cores, size.parts),
        "reading": n * moved / READ_BYTES_S / size.machines,
        "driver": FIT_S,
    }


def similar(size: Size) -> dict[str, float]:
    cluster = size.machines > 1
    return {
        "cores": size.images * SIMILAR_S[DIMENSIONS] / min(size.cores, size.parts),
        "driver": size.parts * MERGE_S,
        # One search, and rows gathered a dozen times from up to 300 parts.
        "scheduler": TASK_S * (size.parts + 12 * min(size.parts, 300)) if cluster else 0,
    }


def similar_cold(size: Size) -> dict[str, float]:
    read = size.images * POINT_BYTES[DIMENSIONS] / READ_BYTES_S / size.machines
    return similar(size) | {"reading": read}


def different(size: Size) -> dict[str, float]:
    parts = asked(size.parts)
    return {
        "cores": parts * CORE_SET_S[DIMENSIONS] / min(size.cores, parts),
        "scheduler": TASK_S * parts if size.machines > 1 else 0,
    }


def batches(size: Size) -> dict[str, float]:
    n = size.images
    # A chunk's rows lie scattered: about one page of 4 kB is read for each.
    scattered = n * 4096 if size.parts > 1 else n * POINT_BYTES[DIMENSIONS]
    return {
        "cores": n * DEAL_S[DIMENSIONS] / min(size.cores, size.parts),
        "reading": scattered / READ_BYTES_S / size.machines,
        "driver": n * PLAN_S,
    }


def in_bytes(count: float) -> str:
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= one:
            return f"{count / one:,.3g} {unit}"
    return f"{count / 1e3:,.3g} kB"


def in_seconds(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1000:.1g} ms"
    for unit, one in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * one:
            return f"{seconds / one:,.2g} {unit}"
    return f"{seconds:.2g} s"


def table(first: str, rows: list[list[str]], *, cores: bool = False) -> str:
    names = [f"{size.name}, {size.cores} cores" if cores else size.name for size in SIZES]
    head = [first, *names]
    marks = ["*whole commands measured?*", *(f"*{size.measured}*" for size in SIZES)]
    lines = [head, ["---"] * len(head), *([marks] if cores else []), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    tables = {
        "bytes": table("bytes", bytes_rows()),
        "work": table("CPU seconds of one core", work_rows()),
        "wait": table("waiting time (most of it for)", wait_rows(), cores=True),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, made in tables.items():
        start, end = (
            f"<!-- {name}: made by benchmarks/scaling.py -->\n",
            f"<!-- end of {name} -->",
        )
        before, rest = text.split(start)
        text = f"{before}{start}{made}\n{end}{rest.split(end)[1]}"
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
