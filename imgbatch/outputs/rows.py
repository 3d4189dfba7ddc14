"""A selection as rows of a CSV file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imgbatch.files.atomic import replacing
from imgbatch.files.cells import row_writer
from imgbatch.outputs.base import WrittenFile
from imgbatch.types import Selection


@contextmanager
def writing_rows(target: Path) -> Iterator[Callable[[Sequence[object]], object]]:
    """Write a CSV file in one step, row by row; bytes that are no valid text stay as they are.

    >>> with writing_rows(Path("two.csv")) as write:
    ...     _ = write(["a", "b,c"])
    >>> Path("two.csv").read_text().strip()
    'a,"b,c"'
    """
    with (
        replacing(target) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        yield row_writer(file)


def write_rows(selection: Selection, target: Path) -> WrittenFile:
    """Write a row for each image: rank, path, score, label, anchor, size, note, shares, tags.

    ``path`` is the path inside the folder, as in metadata and plans; bytes of a name that are no
    valid text are written as they are. Each descriptor has a column of its own, such as
    ``share_hsv``, with its share of the squared distance; it is empty where the distance is 0.
    Tags, the most telling ones first, are joined by ``;``; in a set by tags so is the ``pair``, the
    two strongest of them, in a last column.

    Raises
    ------
    OutputError
        The target cannot be written.

    Examples
    --------
    >>> import imgbatch
    >>> _ = write_rows(imgbatch.load("photos").similar(3, seed=7), Path("similar.csv"))
    >>> print(Path("similar.csv").read_text().splitlines()[0])
    rank,path,score,label,anchor,width,height,note,share_hsv,share_hog,share_phash,tags
    """
    names = list(dict.fromkeys(name for image in selection.images for name in image.shares))
    heading = ["rank", "path", "score", "label", "anchor", "width", "height", "note"]
    with writing_rows(target) as write:
        pair = ["pair"] if selection.by else []
        write([*heading, *(f"share_{name}" for name in names), "tags", *pair])
        for image in selection.images:
            fields = [image.rank, image.relative, image.score, image.label, int(image.anchor)]
            size = [image.width, image.height]
            shares = [image.shares.get(name, "") for name in names]
            tags = ";".join(tag.tag for tag in image.all_tags)
            pair = [";".join(image.pair)] if selection.by else []
            write([*fields, *size, image.note, *shares, tags, *pair])
    return WrittenFile.of("rows", target, len(selection.images), len(selection.images))
