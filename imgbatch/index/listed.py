"""The images of a folder that were named one by one, as an index of their own."""

import numpy as np

from imgbatch.files.listed import ListedFiles
from imgbatch.images.listing import NOT_THERE
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex, no_images


def listed_index(opened: OpenedIndex, listed: ListedFiles) -> FilteredIndex:
    """The listed images of their folder's index, with a remark on names that are no images.

    The space is that of all images in the index, also of those indexed before.

    Raises
    ------
    FolderError
        None of the files is a readable image.
    """
    found = (opened.records.row_of(path) for path in listed.inside)
    rows = np.array([row for row in found if row is not None], np.int64)
    if not len(rows):
        raise no_images(opened.folder, opened.skipped, opened.ignored)
    missing = sum(file.reason == NOT_THERE for file in opened.skipped)
    counts = {
        "not there": missing,
        "no readable image": len(listed.inside) - len(rows) - missing,
        "named before": listed.given - len(listed.inside),
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    remark = f"of {listed.given:,} listed files {len(rows):,} are images: {told}"
    return FilteredIndex(opened, rows, "are listed", (remark,) if told else ())
