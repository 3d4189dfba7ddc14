"""Cut a sorted listing into shards that stay what they are when other files come and go."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgbatch.images.listing import FoundFile


@dataclass(frozen=True, slots=True)
class Shard:
    """Files that follow each other in the listing; the id tells them and what is made of them."""

    id: str
    files: tuple[FoundFile, ...]


def cut(files: Sequence[FoundFile], images: int, settings: str) -> Iterator[Shard]:
    """Cut a listing, sorted by the bytes of its paths, into shards of about `images` files.

    A shard ends after a path whose checksum says so (content-defined chunking), so that an added
    or removed file changes its own shard, seldom a second one. Shards hold half to twice as many
    files as asked for, the last one maybe fewer. O(n) time.

    Parameters
    ----------
    settings
        Text that stands for everything the answers depend on besides the files.
    """
    least, most = max(images // 2, 1), 2 * images
    start = 0
    for end, file in enumerate(files, start=1):
        size = end - start
        # One path in `least` ends a shard that is long enough: on average, after `images` files.
        ends_here = size >= least and zlib.crc32(os.fsencode(file.path)) % least == 0
        if ends_here or size == most or end == len(files):
            part = tuple(files[start:end])
            yield Shard(_id_of(part, settings), part)
            start = end


def _id_of(files: Sequence[FoundFile], settings: str) -> str:
    digest = hashlib.blake2b(settings.encode(), digest_size=16)
    for file in files:
        digest.update(b"%b\0%d\0%d\0" % (os.fsencode(file.path), file.size, file.mtime_ns))
    return digest.hexdigest()
