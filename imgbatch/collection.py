"""The library's front: a `Collection`, which is asked for images."""

import os
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imgbatch.annotations.metadata import Metadata
from imgbatch.config.schema import Config
from imgbatch.embedding.projection import Projection
from imgbatch.embedding.whitening import Augmented
from imgbatch.files import paths
from imgbatch.index.filtered import FilteredIndex, holding
from imgbatch.index.opened import OpenedIndex, RefreshReport
from imgbatch.index.records import Records
from imgbatch.seeds import draw_seed
from imgbatch.selection.answer import RequestClock
from imgbatch.selection.explain import Explanation
from imgbatch.selection.picker import Picker
from imgbatch.selection.tags import FolderTags, ReadVocabulary, default_vocabulary
from imgbatch.types import Batches, Duplicates, Floats, Hashes, Rows, Selection, Skipped, View

if TYPE_CHECKING:  # a request for similar images should not pay for importing them
    import numpy.typing as npt

    from imgbatch.annotations.source import MetadataFiles
    from imgbatch.batches.population import Population
    from imgbatch.embedding.decoder import Decoder
    from imgbatch.learning.known import KnownLabels
    from imgbatch.learning.model import LabelModel
    from imgbatch.measures.tags import TagTable
    from imgbatch.overview.map import FolderMap
    from imgbatch.overview.results import Overview
    from imgbatch.selection.describe import Description
    from imgbatch.selection.likeness import Like
    from imgbatch.types import Progress
    from imgbatch.words.kept import FolderWords
    from imgbatch.words.results import Captions, Found


class Collection:
    """The images of one folder, ready for requests. `imgbatch.load` makes it.

    Every answer is repeatable: the same files, config, version and seed give the same images,
    whatever the number of workers.

    Attributes
    ----------
    folder : str
        Absolute path of the image folder, or its URL.
    config : Config
        The settings in force.
    records : Records
        A sequence of `ImageRecord`, one for each readable image, sorted by the bytes of its path.
        A row is a position in this sequence.
    skipped : list of Skipped
        Files that could not be used, with reasons.
    skipped_list : Path or None
        The file that lists them; None if there are none.
    ignored : dict of int
        Numbers of files that are neither images nor metadata, by ending; "" for no ending.
    index_directory : Path
        The local folder of the index.
    report : RefreshReport
        What bringing the index up to date did.
    seconds : float
        That loading took.
    metadata : Metadata
        What is known of the images; read when it is asked for.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> picked = photos.similar(5, seed=7)
    >>> [image.rank for image in picked.images]
    [1, 2, 3, 4, 5]
    """

    def __init__(
        self,
        config: Config,
        opened: OpenedIndex,
        started: float,
        metadata: Metadata,
        vocabulary: ReadVocabulary = default_vocabulary,
    ) -> None:
        self.folder = opened.folder
        self.config = config
        self.records: Records = opened.records
        self.skipped: list[Skipped] = opened.skipped
        self.skipped_list: Path | None = opened.skipped_list
        self.ignored: dict[str, int] = opened.ignored
        self.index_directory: Path = opened.directory
        self.report: RefreshReport = opened.report
        self.seconds = time.perf_counter() - started
        self.metadata = metadata
        self._opened = opened
        self._picker = Picker(config, opened, RequestClock(self.seconds), metadata, vocabulary)

    @classmethod
    def from_vectors(
        cls,
        vectors: "npt.ArrayLike",
        paths: Sequence[str | os.PathLike[str]],
        *,
        metadata: "MetadataFiles | None" = None,
        config: Config | str | os.PathLike[str] | None = None,
    ) -> "Collection":
        """Images with vectors of your own, such as those of CLIP, in place of descriptors.

        `vectors` are (n, d) numbers and `paths` the n files, in the order of rows; see
        `index.vectors.index_of_vectors`. `like` takes such vectors, too. Near-duplicates are images
        of equal vectors, tags are those of metadata. What needs descriptors, such as `explain` or
        `duplicates`, raises `SelectionError`. `metadata` and `config` are as of `imgbatch.load`.

        >>> vectors = [[1, 0, 0.1], [0, 1, 0.1], [0.9, 0.1, 0], [0, 0.8, 0.2]]
        >>> mine = Collection.from_vectors(vectors, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
        >>> [image.relative for image in mine.similar(2, like="d.jpg")]
        ['d.jpg', 'b.jpg']
        """
        from imgbatch.annotations.source import MetadataSource, given_files
        from imgbatch.config import load_config
        from imgbatch.index.vectors import index_of_vectors
        from imgbatch.measures.vocabulary import Vocabulary

        started = time.perf_counter()
        given = given_files(metadata)
        settings = config if isinstance(config, Config) else load_config(config).config
        opened = index_of_vectors(vectors, paths)
        source = MetadataSource(opened.folder, None, opened.generation, given)
        known = Metadata.read(opened.records, source)
        nothing_measured = Vocabulary((), 1.0, 0)
        return cls(settings, opened, started, known, lambda _: nothing_measured)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"<imgbatch.Collection of {len(self):,} images in {self.folder!r}>"

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the index, such as what was repaired, and on the metadata read so far."""
        return (*self._opened.notes, *self.metadata.notes)

    @cached_property
    def paths(self) -> list[str]:
        """Absolute path of every readable image, in the order of rows."""
        return [paths.join(self.folder, path) for path in self.records.all_paths()]

    @property
    def labels(self) -> tuple[str, ...]:
        """The class of every image, by row; "" for none."""
        from imgbatch.annotations.labels import labels_of

        return labels_of(self.metadata).names

    @property
    def texts(self) -> Sequence[tuple[str, ...]]:
        """The texts of every image, by row; () for none."""
        return self.metadata.column("texts")

    @property
    def tags(self) -> Sequence[tuple[str, ...]]:
        """The tags that metadata give every image, by row; () for none."""
        return self.metadata.column("tags")

    def tag_table(self) -> "TagTable":
        """All tags of every image: given, measured, learned; ``.counts()`` counts them.

        >>> import imgbatch
        >>> imgbatch.load("photos").tag_table().counts()["landscape"]
        24
        """
        return self.tagging.table()

    @property
    def tagging(self) -> FolderTags:
        """The tags of the images, to ask for more than a table."""
        return self._picker.tags

    def quantities(self) -> dict[str, Floats]:
        """What was measured of every image: (n,) float32 by name; see `measures.quantities`.

        >>> import imgbatch
        >>> imgbatch.load("photos").quantities()["lightness"].shape
        (24,)
        """
        self._need_pictures("quantities")
        return self.tagging.quantities()

    def _need_pictures(self, what: str) -> None:
        """Raise `SelectionError` if there are vectors alone; see `from_vectors`."""
        from imgbatch.index.vectors import need_pictures

        need_pictures(self._opened, what)

    def where(
        self,
        *,
        label: str | Iterable[str] = (),
        tag: str | Iterable[str] = (),
        without_tag: str | Iterable[str] = (),
    ) -> "Collection":
        """The images of any of these classes, with all of these tags and none of those.

        Tags are given or measured. The feature space stays that of the folder. A class or tag that
        no image has raises `LabelError`, filters that no image passes `SelectionError`.

        >>> import imgbatch
        >>> len(imgbatch.load("photos").where(label="class1"))
        8
        """
        from imgbatch.annotations.filters import Filters, filtered_rows

        tags = self.tagging
        rows = filtered_rows(self.metadata, Filters.of(label, tag, without_tag), tags)
        started, chosen = time.perf_counter() - self.seconds, FilteredIndex(self._opened, rows)
        known = self.metadata.subset(rows)
        return Collection(self.config, chosen, started, known, lambda _: tags.vocabulary)

    @cached_property
    def labelling(self) -> "KnownLabels":
        """What learning labels needs: classes, groups, points; see `learning.training`."""
        from imgbatch.learning.known import KnownLabels

        return KnownLabels(
            self.folder,
            self.config,
            list(self.records.all_paths()),
            self.metadata,
            lambda: self.projection,
            lambda: self.copy_groups,
        )

    def train_labels(self, *, test: float | None = None, seed: int = 0) -> "LabelModel":
        """Train a model on the images' classes; see `learning.training.train_labels`.

        >>> import imgbatch
        >>> photos = imgbatch.load("photos")
        >>> photos.train_labels().predict(photos.paths[0]).labels
        ['class0']
        """
        from imgbatch.learning.training import TrainOptions, train_labels

        return train_labels(self.labelling, TrainOptions(test, seed)).model

    def fingerprints(self) -> set[str]:
        """Of the descriptors in force: they change with anything that changes `features`."""
        from imgbatch.descriptors import build_descriptors
        from imgbatch.index.extract import with_fingerprints
        from imgbatch.index.vectors import is_of_vectors, vectors_fingerprint

        if is_of_vectors(self._opened):
            return {vectors_fingerprint(self.points.shape[1])}
        descriptors = build_descriptors(self.config)
        pairs = with_fingerprints(descriptors, self.config.images.as_options())
        return {fingerprint for fingerprint, _ in pairs}

    @property
    def is_filtered(self) -> bool:
        """Whether `where` has left images out."""
        return isinstance(self._opened, FilteredIndex)

    @property
    def holding(self) -> str:
        """How many images there are, in words."""
        return holding(self._opened)

    @property
    def points(self) -> Floats:
        """The images in the feature space: (n, p) float32; see also `neighbours.parts.Parted`."""
        return self.projection.points

    @property
    def projection(self) -> Projection:
        """The points with all that belongs to them: space, hashes, miniatures, measures."""
        return self._picker.projection

    def features(self, rows: Rows) -> dict[str, Floats]:
        """What the descriptors say of some rows, given in rising order: (m, d) float32 by name."""
        return self._opened.features(rows)

    def augmented(self) -> Augmented | None:
        """What the descriptors say of altered views of some images; None if whitening is off."""
        return self._opened.augmented()

    def contents(self) -> tuple[Rows, View]:
        """Sizes in bytes (n,) int64 and content hashes (n, 16) uint8 of the images' files."""
        return self._opened.contents()

    def similar(
        self,
        n: int = 10,
        *,
        like: "Like | None" = None,
        seed: int | None = None,
        keep_duplicates: bool = False,
        by: str | None = None,
    ) -> Selection:
        """Pick n images of one kind: a random anchor and its nearest neighbours.

        Parameters
        ----------
        n
            1 to the number of images. The anchor counts, unless it lies outside the folder. A seed
            repeats a set of one size: 3 images need not be among the 10 of the same seed.
        like
            What to be near: the path of an image, in the folder or not, to be the anchor; a Pillow
            picture; an array (h, w, 3) of uint8; a point, such as ``photos.points[0]``; or a list
            of several of these, whose mean point counts. None draws an anchor with a coherent
            neighbourhood.
        seed
            Repeats a set; None draws a seed.
        keep_duplicates
            Allow near-duplicates in the set: copies, also cropped, turned or marked ones.
        by
            "tags": all images agree in their two strongest tags; see `selection.by_tags`.

        Raises
        ------
        SelectionError
            n is out of range, or `like` cannot be read or, by tags, has fewer than two.

        >>> import imgbatch
        >>> photos = imgbatch.load("photos")
        >>> picked = photos.similar(3, seed=1)
        >>> picked[0].anchor, picked[0].score
        (True, 0.0)
        >>> photos.similar(2, like=photos.points[5]).paths[0] == photos.paths[5]
        True
        """
        return self._picker.similar(n, like, seed, keep_duplicates=keep_duplicates, by=by)

    def different(
        self,
        n: int = 10,
        *,
        seed: int | None = None,
        keep_duplicates: bool = False,
        by: str | None = None,
    ) -> Selection:
        """Pick n images that differ: greedy k-center on a fresh sample without its outliers.

        Parameters
        ----------
        n
            1 to the number of images; else `SelectionError` is raised.
        seed, keep_duplicates, by
            As of `similar`; by "tags", no two images have the same two strongest tags.

        >>> import imgbatch
        >>> picked = imgbatch.load("photos").different(4, seed=1)
        >>> len({image.path for image in picked.images})
        4
        """
        return self._picker.different(n, seed, keep_duplicates=keep_duplicates, by=by)

    def search(
        self,
        words: str,
        n: int = 10,
        *,
        only: str | None = None,
        like: "Like | None" = None,
        language: str | None = None,
    ) -> "Found":
        """Find images by words: by what is known of them, else by what they look like.

        Texts, tags and class names are searched by their words' stems (BM25). Images of which
        nothing is known are ranked by what the folder's other images teach; see `words.search`.

        Parameters
        ----------
        words
            One or more, in the language of the texts.
        n
            At most so many images, at least 1; fewer if no others fit.
        only
            "known": images with texts; "unknown": those without.
        like
            What the found ones are to look like, too; as of `similar`.
        language
            Of the texts, such as "russian"; None chooses it by the texts. See `words.tokens`.

        Raises
        ------
        LabelError
            Nothing is known of any image.
        SelectionError
            There is no word, n is below 1, or `like` cannot be read.
        UsageError
            The language is not known, or a library of the extra `text` is missing.

        >>> import imgbatch
        >>> found = imgbatch.load("photos").search("class1", 3)
        >>> [image.relative for image in found.images]
        ['class1/image001.jpg', 'class1/image004.jpg', 'class1/image007.jpg']
        """
        return self._picker.words.search(words, n, only, like, language)

    @property
    def words(self) -> "FolderWords":
        """What is known in words of all images of the folder, and what was learned from it."""
        return self._picker.words.of_folder

    def caption(
        self,
        images: Sequence[str | os.PathLike[str]] | None = None,
        *,
        suggestions: int = 1,
        every: bool = False,
        language: str | None = None,
    ) -> "Captions":
        """Suggest captions: some that people wrote of images that look alike; see `words.captions`.

        Parameters
        ----------
        images
            Files, in the folder or not; None takes all images of the folder without a text.
        suggestions
            At most so many captions for each, at least 1; fewer if all others say the same. The one
            agreed on most is the first.
        every
            With None: images that have texts, too; their own are left out.
        language
            Of the captions; None chooses it by the texts.

        Raises
        ------
        LabelError
            Fewer than 20 images have texts, or all say the same.
        SelectionError
            A file cannot be read, or `suggestions` is below 1.
        """
        return self._picker.words.caption(images, suggestions, language, every=every)

    def batches(
        self,
        batch_size: int,
        *,
        seed: int | None = None,
        epoch: int = 0,
        drop_last: bool = False,
        balance: bool = False,
    ) -> Batches:
        """Deal all images into one epoch's diverse batches, each image once.

        Parameters
        ----------
        batch_size
            Images in a batch: a whole number, at least 1.
        seed, epoch
            Decide the batches; epochs count from 0. None takes one seed for all epochs.
        drop_last
            Leave out random images in place of an incomplete batch.
        balance
            Give every batch its share of each class; `SelectionError` with fewer than two.

        >>> import imgbatch
        >>> [len(rows) for rows in imgbatch.load("photos").batches(10, seed=1)]
        [10, 10, 4]
        """
        from imgbatch.batches.epoch import dealt
        from imgbatch.batches.population import DealOptions

        seed = self._epochs_seed if seed is None else seed
        options = DealOptions(batch_size, seed, epoch, drop_last, balance)
        batches = dealt(self.population, options)
        return batches.showing(
            lambda row: paths.join(self.folder, self.records[row].path), self.config
        )

    def explain(self, a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Explanation:
        """Split the distance of two images, in the folder or not, by descriptor.

        Both files are read anew; `SelectionError` is raised if one of them cannot be.

        >>> import imgbatch
        >>> photos = imgbatch.load("photos")
        >>> parts = photos.explain(photos.paths[0], photos.paths[1]).parts
        >>> round(sum(part.share for part in parts), 3)
        1.0
        """
        self._need_pictures("explain")
        return self._picker.explain(os.fspath(a), os.fspath(b))

    def describe(self, a: str | os.PathLike[str]) -> "Description":
        """What the descriptors see of one image, in the folder or not, and what its point keeps.

        Raises
        ------
        SelectionError
            The file cannot be read, or the folder has fewer than ten images to learn from.

        >>> import imgbatch
        >>> photos = imgbatch.load("photos")
        >>> photos.describe(photos.paths[0]).kept.shape
        (32, 32, 3)
        """
        self._need_pictures("describe")
        return self._picker.describe(os.fspath(a))

    def picture_of(self, point: Floats) -> View:
        """The picture that a point (p,) of this folder's space keeps: (32, 32, 3) uint8.

        A linear map makes it, which is learned from up to 2,000 of the folder's files, about a
        second, and kept; see `embedding.decoder`. Its aspect is that of a square.

        Raises
        ------
        SelectionError
            The point has another number of columns, or there are too few images to learn from.

        >>> import imgbatch
        >>> photos = imgbatch.load("photos")
        >>> photos.picture_of(photos.points[0]).shape
        (32, 32, 3)
        """
        return self._picker.picture_of(point)

    @property
    def decoder(self) -> "Decoder":
        """What `picture_of` uses; it travels with exports that hold the feature space."""
        return self._picker.decoder

    @cached_property
    def population(self) -> "Population":
        """What `batches` deals: points, groups of copies and, if there are several, classes."""
        from imgbatch.batches.population import population_of

        return population_of(self.projection, self.copy_groups, self.labels)

    def duplicates(
        self, level: str = "edited", *, against: "Collection | None" = None
    ) -> Duplicates:
        """Group the images that show one picture, and say which one is worth keeping.

        Parameters
        ----------
        level
            "exact": equal files. "copies": resized, recompressed, recoloured, too. "edited":
            cropped, mirrored, turned, marked, too. "scene": the same place or object, too.
        against
            Another folder: only what both share is looked for, and its images are kept. Then
            "scene" finds no more than "edited".

        >>> import imgbatch
        >>> imgbatch.load("photos").duplicates("exact").groups
        ()
        """
        from imgbatch.selection.duplicates import answer

        for photos in (self, *(() if against is None else (against,))):
            photos._need_pictures("duplicates")  # noqa: SLF001 - of this class

        others = () if against is None else (against._picker,)  # noqa: SLF001 - of this class
        return answer([self._picker, *others], level)

    def overview(
        self, *, seed: int = 0, blur: bool = False, progress: "Progress | None" = None
    ) -> "Overview":
        """What is in the folder, and what may be wrong with it; `blur` reads all files once.

        >>> import imgbatch
        >>> imgbatch.load("photos").overview().classes.balance
        1.0
        """
        from imgbatch.overview.answer import Survey

        self._need_pictures("overview")

        survey = Survey(self._opened, self._picker, self.metadata, seed)
        return survey.overview(blur=blur, progress=progress)

    def map(
        self, *, color: str | None = None, seed: int = 0, progress: "Progress | None" = None
    ) -> "FolderMap":
        """Lay the images out on a plane, near ones together; kept beside the index.

        Parameters
        ----------
        color
            What images are grouped by, to be coloured: "label", "tag" or "cluster". None takes
            labels if there are several, else clusters.
        seed
            Repeats a map; see `embedding.map2d.map_of` for the algorithm.
        progress
            Called with (images placed, images in all).

        Raises
        ------
        LabelError
            Labels were asked for, and no image has one.

        >>> import imgbatch
        >>> imgbatch.load("photos").map().group_names
        ('class0', 'class1', 'class2')
        """
        from imgbatch.overview.map import Mapping

        return Mapping(self.config, self._opened, self._picker, self.metadata, seed).map(
            color, progress
        )

    @property
    def copy_groups(self) -> Hashes:
        """(n,) uint64: rows of equal numbers are near-duplicates; found once, and kept."""
        return self._picker.copy_groups

    @cached_property
    def _epochs_seed(self) -> int:
        """The seed of all epochs for which none is given."""
        return draw_seed()
