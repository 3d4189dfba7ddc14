"""Files of a folder that are no images: counted by ending, and told in a line."""

from collections import Counter
from collections.abc import Iterable, Mapping

from imgbatch.annotations.metadata import METADATA_ENDINGS
from imgbatch.images.formats import ENDINGS, HEIF, HEIF_HINT, NO_IMAGE, ending_of
from imgbatch.types import Skipped

OTHERS = "others"
"""In place of endings beyond the most frequent ones."""
_MOST_ENDINGS = 100
_MOST_TOLD = 6


def split_ignored(
    unusable: Iterable[Skipped], ignored: Mapping[str, int]
) -> tuple[list[Skipped], dict[str, int]]:
    """Files that should be images and cannot be used, and the numbers of all others by ending.

    Parameters
    ----------
    unusable
        Files that cannot be used. One without an ending whose content is no image's was never
        meant to be an image.
    ignored
        Numbers of files that were not opened, by ending.

    Returns
    -------
    skipped, ignored
        Files sorted by path; numbers by ending, the largest first, "" for no ending. Metadata are
        left out, as they are read. Of more than 100 endings the rarest are "others".

    Examples
    --------
    >>> split_ignored([Skipped("README", NO_IMAGE)], {".heic": 2, ".csv": 1})
    ([], {'.heic': 2, '': 1})
    """
    skipped, counts = list[Skipped](), Counter(ignored)
    for file in unusable:
        if file.reason == NO_IMAGE and not ending_of(file.path):
            counts[""] += 1
        else:
            skipped.append(file)
    others = {ending: counts[ending] for ending in counts if ending not in METADATA_ENDINGS}
    ranked = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    told, rest = ranked[:_MOST_ENDINGS], sum(count for _, count in ranked[_MOST_ENDINGS:])
    skipped.sort(key=lambda file: file.path)
    return skipped, dict(told) | ({OTHERS: rest} if rest else {})


def ignored_notes(ignored: Mapping[str, int]) -> tuple[str, ...]:
    """What was ignored, in words: a line for what an extra reads, a line for all else.

    >>> ignored_notes({".mp4": 3, "": 2, ".heic": 412})[0]
    "412 .heic ignored: pip install 'imgbatch[heic]'"
    >>> ignored_notes({".mp4": 3, "": 2})
    ('3 .mp4, 2 without an ending ignored: no images',)
    """
    heif = {ending: count for ending, count in ignored.items() if ending in ENDINGS[HEIF]}
    others = {ending: count for ending, count in ignored.items() if ending not in heif}
    lines = ((heif, HEIF_HINT), (others, "no images"))
    return tuple(f"{_counted(counts)} ignored: {why}" for counts, why in lines if counts)


def _counted(counts: Mapping[str, int]) -> str:
    words = {"": "without an ending", OTHERS: "of other endings"}
    told = [f"{count:,} {words.get(ending, ending)}" for ending, count in counts.items()]
    if len(told) > _MOST_TOLD:
        rest = sum(list(counts.values())[_MOST_TOLD:])
        told = [*told[:_MOST_TOLD], f"{rest:,} of other endings"]
    return ", ".join(told)
