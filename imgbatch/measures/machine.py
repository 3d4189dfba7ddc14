"""Tags that nobody has given, for files and databases; requests for sets do without."""

from imgbatch.annotations.columns import ByRow
from imgbatch.measures.tags import TagTable


class MachineTags(ByRow[tuple[str, ...]]):
    """The names of the tags of each image that nobody has given, by row."""

    def __init__(self, table: TagTable) -> None:
        self._table = table
        names = zip(table.names, table.sources, strict=True)
        self._own = {name for name, source in names if source != "given"}

    def __len__(self) -> int:
        return len(self._table)

    def item(self, row: int) -> tuple[str, ...]:
        """The names of one image's tags."""
        return tuple(name for name in self._table.of_image(row) if name in self._own)
