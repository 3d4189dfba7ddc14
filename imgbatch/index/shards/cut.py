"""Cut a sorted listing into shards, most of which stay the same when files come and go."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgbatch.images.listing import FoundFile


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive files of a listing. The id changes with the files and with the settings."""

    id: str
    files: tuple[FoundFile, ...]


def cut(files: Sequence[FoundFile], images: int, settings: str) -> Iterator[Shard]:
    """Cut a listing, sorted by the bytes of its paths, into shards of about `images` files.

    The checksum of a path decides whether a shard ends after it (content-defined chunking). So an
    added or removed file changes its own shard, and seldom a second one. Shards hold half to twice
    as many files as asked for; the last shard may hold fewer. O(n) time.

    Parameters
    ----------
    settings
        Text that stands for everything the rows depend on besides the files.

    >>> files = [FoundFile(f"{number:04}.jpg", size=9, mtime_ns=1) for number in range(1000)]
    >>> before, after = ({shard.id for shard in cut(f, 50, "")} for f in (files, files[1:]))
    >>> len(before), len(before - after)
    (20, 1)
    """
    least, most = max(images // 2, 1), 2 * images
    start = 0
    for end, file in enumerate(files, start=1):
        size = end - start
        # Once a shard is long enough, one path in `least` ends it: after `images` files on average.
        ends_here = size >= least and zlib.crc32(os.fsencode(file.path)) % least == 0
        if ends_here or size == most or end == len(files):
            of_shard = tuple(files[start:end])
            yield Shard(_id_of(of_shard, settings), of_shard)
            start = end


def _id_of(files: Sequence[FoundFile], settings: str) -> str:
    digest = hashlib.blake2b(settings.encode(), digest_size=16)
    for file in files:
        digest.update(b"%b\0%d\0%d\0" % (os.fsencode(file.path), file.size, file.mtime_ns))
    return digest.hexdigest()
