"""What a page shows: a title, and sections of images, figures and facts.

A page is a record, so that whoever makes one knows nothing of HTML. Each kind of section names the
macro of ``templates/components.html`` that shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from imgbatch.outputs.pages.thumbnails import Thumbnail
from imgbatch.types import Floats, Rows


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image with its caption.

    Attributes
    ----------
    file
        Path or URL of the file that is decoded.
    path
        Its name for readers, and the alternative text of the picture.
    rank
        What stands before the name, such as "3".
    score
        A number as text; its section says what it means.
    mark
        One word that sets the image apart by a frame, such as "anchor" or "keep".
    facts
        Short remarks, such as "640 x 480 pixels".
    shares
        Shares that sum to 1, by descriptor; drawn as a bar.
    picture
        A picture that is no file, such as a chart, for which `file` is ""; else None.
    """

    file: str
    path: str
    rank: str = ""
    score: str = ""
    mark: str = ""
    facts: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict, hash=False)
    picture: Thumbnail | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading; ``text`` explains it in a sentence or two."""

    component: ClassVar[str]
    heading: str
    text: str = ""

    @property
    def count(self) -> int:
        """Number of images in the section."""
        return 0

    def first(self, _most: int, /) -> Self:
        """The section with at most so many of its images."""
        return self


@dataclass(frozen=True, slots=True)
class ImageGrid(Section):
    """Images in a grid.

    Attributes
    ----------
    score_name
        What the scores of the images are, such as "distance".
    left_out
        Images that would follow and are not shown.
    """

    component: ClassVar[str] = "image_grid"
    images: tuple[PageImage, ...] = ()
    score_name: str = ""
    left_out: int = 0

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.images)

    def first(self, most: int, /) -> Self:
        """The first images.

        >>> grid = ImageGrid("Images", images=(PageImage("a.jpg", "a"), PageImage("b.jpg", "b")))
        >>> grid.first(1).count, grid.first(1).left_out
        (1, 1)
        """
        shown = self.images[:most]
        return replace(self, images=shown, left_out=self.left_out + self.count - len(shown))


@dataclass(frozen=True, slots=True)
class ImageGroups(Section):
    """Groups of images that belong together, such as copies of one photograph or a batch.

    Attributes
    ----------
    groups
        Each is a grid with a heading of its own; its images stand side by side.
    compact
        Whether pictures are small and captions are shown with the enlarged picture only.
    left_out
        Groups that would follow and are not shown.
    """

    component: ClassVar[str] = "image_groups"
    groups: tuple[ImageGrid, ...] = ()
    compact: bool = False
    left_out: int = 0

    @property
    def count(self) -> int:
        """Number of images in all groups."""
        return sum(group.count for group in self.groups)

    def first(self, most: int, /) -> Self:
        """The first groups that fit as a whole; if the first one does not, the part that fits.

        >>> pair = ImageGrid("A pair", images=(PageImage("a.jpg", "a"), PageImage("b.jpg", "b")))
        >>> groups = ImageGroups("Pairs", groups=(pair, pair, pair))
        >>> groups.first(5).count, groups.first(5).left_out, groups.first(1).count
        (4, 1, 1)
        """
        shown: list[ImageGrid] = []
        room = most
        for group in self.groups:
            if group.count > room:
                break
            shown.append(group)
            room -= group.count
        if not shown and self.groups and most:
            shown.append(self.groups[0].first(most))
        left_out = self.left_out + len(self.groups) - len(shown)
        return replace(self, groups=tuple(shown), left_out=left_out)


@dataclass(frozen=True, slots=True)
class SideBySide(Section):
    """Sections of groups in columns, to compare them."""

    component: ClassVar[str] = "side_by_side"
    columns: tuple[ImageGroups, ...] = ()

    @property
    def count(self) -> int:
        """Number of images in all columns."""
        return sum(column.count for column in self.columns)

    def first(self, most: int, /) -> Self:
        """The columns with equal shares of the images."""
        share = most // max(len(self.columns), 1)
        return replace(self, columns=tuple(column.first(share) for column in self.columns))


@dataclass(frozen=True, slots=True)
class Chart:
    """Where a figure, its interval and the figure of random choice lie on a scale of 0 to 1."""

    value: float
    low: float
    high: float
    random: float | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A line of a table of figures; numbers are text, as a reader should see them."""

    name: str
    value: str
    interval: str = ""
    random: str = ""
    meaning: str = ""
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class FiguresTable(Section):
    """Measured figures beside those of random choice.

    Attributes
    ----------
    columns
        The headings of the table; the second and the third name the marks of charts, too.
    interval_name
        What the bands of charts are; "" if there are none.
    """

    component: ClassVar[str] = "figures_table"
    columns: tuple[str, str, str] = ("figure", "measured", "random")
    rows: tuple[FigureRow, ...] = ()
    interval_name: str = "95% interval"

    @property
    def compares(self) -> bool:
        """Whether a chart has a mark for the third column."""
        return any(row.chart is not None and row.chart.random is not None for row in self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap(Section):
    """Images on a plane, to zoom into, to search, and to choose from.

    Attributes
    ----------
    files, names
        What is decoded, and each image's path inside the folder.
    folder
        What paths begin with that the page copies or saves.
    positions
        (n, 2) float32 from 0 to 1.
    colors
        (n,) each image's line of the legend.
    legend
        Colours, names and numbers of images.
    """

    component: ClassVar[str] = "image_map"
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    folder: str = ""
    positions: Floats = field(default_factory=lambda: np.empty((0, 2), np.float32))
    colors: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    legend: tuple[tuple[str, str, str], ...] = ()

    @property
    def count(self) -> int:
        """Number of images; a map is always shown as a whole."""
        return len(self.files)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A number of a matrix; ``share``, 0 to 1, says how dark its cell is."""

    row: int
    column: int
    number: int
    share: float

    @property
    def right(self) -> bool:
        """Whether it lies on the diagonal."""
        return self.row == self.column


@dataclass(frozen=True, slots=True)
class Matrix(Section):
    """Numbers by two classes; cells that are not named are 0.

    Attributes
    ----------
    names
        Of rows and columns.
    of_rows, of_columns
        What rows and columns are, such as "class".
    """

    component: ClassVar[str] = "matrix"
    names: tuple[str, ...] = ()
    of_rows: str = ""
    of_columns: str = ""
    cells: tuple[MatrixCell, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts(Section):
    """Names and values, such as settings; values under one name are listed."""

    component: ClassVar[str] = "facts"
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """All that a page shows.

    Attributes
    ----------
    kind
        What made the page, such as "similar".
    title
        The heading of the page and the title of its window.
    lead
        A sentence or two below the title.
    highlights
        Values, and what they are: the few that a reader should remember.
    sections
        What follows, in order.
    command
        The terminal command that gives the same result; "" if there is none.

    Examples
    --------
    >>> grid = ImageGrid("Images", images=(PageImage("a.jpg", "a.jpg"),))
    >>> Page("similar", "One image", sections=(grid,)).count
    1
    """

    kind: str
    title: str
    lead: str = ""
    highlights: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    command: str = ""

    @property
    def count(self) -> int:
        """Number of images on the page."""
        return sum(section.count for section in self.sections)

    def first(self, most: int, /) -> "Page":
        """The page with at most so many images; sections that come first keep theirs.

        >>> grid = ImageGrid("Images", images=(PageImage("a.jpg", "a"), PageImage("b.jpg", "b")))
        >>> Page("similar", "Images", sections=(grid, grid)).first(3).count
        3
        """
        sections: list[Section] = []
        for section in self.sections:
            shown = section.first(most)
            sections.append(shown)
            most -= shown.count
        return replace(self, sections=tuple(sections))
