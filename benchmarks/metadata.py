"""Read metadata of a million images: seconds and memory, from the file and from what was kept.

    python benchmarks/metadata.py [--images N] [--kinds csv,jsonl,parquet,json]

Every figure is measured in a process of its own. Memory is the largest resident set; that of the
process before it reads is given beside it. No picture is needed: the images are names alone.
"""

import argparse
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import MetadataSource
from imgbatch.index.records import Records

ENDINGS = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet", "json": ".json"}


def rows(images: int) -> Iterator[tuple[str, str, str, str]]:
    """File name, label, tags and text of each image."""
    for number in range(images):
        name = f"part{number % 100:02}/image{number:08}.jpg"
        tags = f"tag{number % 50};tag{number % 7 + 50}"
        yield name, f"class {number % 1000}", tags, f"a picture of thing {number}, seen from afar"


def write_table(file: Path, images: int) -> None:
    """Write a row for each image."""
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        names, labels, tags, texts = map(list, zip(*rows(images), strict=True))
        lists = [one.split(";") for one in tags]
        table = {"file_name": names, "label": labels, "tags": lists, "text": texts}
        pq.write_table(pa.table(table), file)
        return
    with file.open("w", encoding="utf-8") as target:
        if file.suffix == ".json":
            target.write('{"images": [')
            for number, (name, *_) in enumerate(rows(images)):
                target.write("," * (number > 0) + json.dumps({"id": number, "file_name": name}))
            target.write('], "annotations": [')
            for number, (*_, text) in enumerate(rows(images)):
                one = {"id": number, "image_id": number, "caption": text}
                target.write("," * (number > 0) + json.dumps(one))
            target.write("]}")
            return
        if file.suffix == ".csv":
            target.write("file_name,label,tags,text\n")
        for name, label, tags, text in rows(images):
            if file.suffix == ".csv":
                target.write(f'{name},{label},{tags},"{text}"\n')
            else:
                one = {"file_name": name, "label": label, "tags": tags.split(";"), "text": text}
                target.write(json.dumps(one) + "\n")


def peak_megabytes() -> float:
    """The largest resident set of this process so far, on Linux."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1e3


def measure(file: str, place: str, images: int) -> dict[str, Any]:
    """Open the metadata, then ask for what is known of ten images."""
    paths = sorted(name.encode() for name, *_ in rows(images))
    records = Records.pack((path, 1, 1, "") for path in paths)
    del paths
    before = peak_megabytes()
    started = time.perf_counter()
    source = MetadataSource("/images", Path(place), "generation", given=(file,))
    metadata = Metadata.of(records, source)
    known = [metadata.of_image(row) for row in range(0, images, max(1, images // 10))]
    seconds = time.perf_counter() - started
    assert all(one.texts for one in known)
    return {"seconds": seconds, "before": before, "peak": peak_megabytes()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--kinds", default="csv,jsonl,parquet,json")
    options = parser.parse_args()
    print(f"{options.images:,} images      size      read   memory (before)      kept   memory")
    for kind in options.kinds.split(","):
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / f"metadata{ENDINGS[kind]}"
            write_table(file, options.images)
            found = []
            for _ in range(2):
                context = multiprocessing.get_context("spawn")
                with context.Pool(1) as pool:
                    found.append(pool.apply(measure, (str(file), place, options.images)))
            cold, kept = found
            print(
                f"{kind:>18} {file.stat().st_size / 1e6:6.0f} MB {cold['seconds']:7.2f} s"
                f" {cold['peak']:6.0f} MB ({cold['before']:.0f})  {kept['seconds'] * 1e3:6.1f} ms"
                f" {kept['peak']:6.0f} MB"
            )


if __name__ == "__main__":
    main()
