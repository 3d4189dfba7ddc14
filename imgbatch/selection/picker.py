"""Answer requests on an opened index: similar images, different images, why two are apart."""

import time
import weakref
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.annotations.metadata import Metadata
from imgbatch.config.schema import Config
from imgbatch.copies.rule import CopiesAmong
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import Projection
from imgbatch.errors import SelectionError
from imgbatch.files import paths
from imgbatch.index.duplicates import NearDuplicates, Source
from imgbatch.index.extract import with_fingerprints
from imgbatch.index.filtered import FilteredIndex, holding
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.outside import ImageReader, ReadImage
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.seeds import checked_seed
from imgbatch.selection.answer import Choice, RequestClock, check_count, names_inside
from imgbatch.selection.coresets import different_in_parts
from imgbatch.selection.different import DifferentOptions
from imgbatch.selection.explain import (
    Explanation,
    describe_image,
    explain,
    shares_of_set,
)
from imgbatch.selection.similar import Anchor, SimilarOptions, choose_anchor, similar
from imgbatch.selection.tags import FolderTags, ReadVocabulary, default_vocabulary
from imgbatch.types import Floats, Hashes, PickedImage, Rows, Selection, View

if TYPE_CHECKING:  # most requests need none of these
    from imgbatch.embedding.decoder import Decoder
    from imgbatch.selection.by_tags import TagPairs
    from imgbatch.selection.describe import Description
    from imgbatch.selection.learned import Learning
    from imgbatch.selection.likeness import Like, Places
    from imgbatch.selection.words import WordRequests


class Picker:
    """Picks images of an opened index. `Collection` documents each request.

    Parameters
    ----------
    config
        The settings in force.
    opened
        The index.
    clock
        Times the requests.
    metadata
        What is known of its images.
    vocabulary
        The tags that images may have.
    """

    def __init__(
        self,
        config: Config,
        opened: OpenedIndex,
        clock: RequestClock,
        metadata: Metadata,
        vocabulary: ReadVocabulary = default_vocabulary,
    ) -> None:
        self.config, self._opened, self._clock = config, opened, clock
        self._metadata = metadata
        self.folder, self.records = opened.folder, opened.records
        # By a weak reference: in a circle, a connection to a cluster would outlive its index.
        weak = weakref.proxy(self)
        self.tags = FolderTags(
            opened,
            lambda: weak.projection,
            metadata,
            vocabulary,
            lambda: weak.learning(),  # noqa: PLW0108 - its method would hold the picker
        )

    @cached_property
    def projection(self) -> Projection:
        """The images as points, read from the disk or computed on first use."""
        return self._opened.projection()

    @cached_property
    def duplicates(self) -> NearDuplicates:
        """Finds near-duplicates."""
        options = self.config.images.as_options()
        return NearDuplicates((self.source,), options, self.config.index.workers)

    @property
    def _copies_among(self) -> CopiesAmong | None:
        """Tells copies by their pictures; None without these, where hashes alone tell them."""
        return self.duplicates.among if self.projection.miniatures.shape[1] else None

    @property
    def copy_groups(self) -> Hashes:
        """See `Collection.copy_groups`."""
        return self.projection.hashes if self._copies_among is None else self.duplicates.groups

    def known(self, row: int) -> int:
        """How many labels, tags and texts a row has."""
        known = self._metadata.of_image(row)
        return bool(known.label) + len(known.tags) + len(known.texts)

    @property
    def source(self) -> Source:
        """The index with its projection."""
        return Source(self._opened, self.projection)

    def similar(
        self,
        n: int,
        like: "Like | None",
        seed: int | None,
        *,
        keep_duplicates: bool,
        by: str | None = None,
    ) -> Selection:
        """See `Collection.similar`."""
        if chosen_by_tags(by):
            return self._similar_by_tags(n, like, seed, keep_duplicates=keep_duplicates)
        seed, random, started = self._begin(n, seed)
        hashes = None if keep_duplicates else self.projection.hashes
        options = SimilarOptions(**self.config.similar.model_dump(), hashes=hashes)
        options = replace(options, copies=None if keep_duplicates else self._copies_among)
        outside: tuple[PickedImage, ...] = ()
        if like is None:
            anchor = choose_anchor(self._search, n, options, random)
        else:
            likeness = self._places.of(like)
            anchor, outside = likeness.anchor, likeness.shown
            if likeness.beside is not None and not keep_duplicates:
                among = partial(self.duplicates.among, outside=likeness.beside)
                options = replace(options, copies=among)
        rows, distances = similar(self._search, anchor, n, options)
        images = self._images(rows, distances, anchor)
        return self._selection("similar", seed, outside + images, started)

    def different(
        self, n: int, seed: int | None, *, keep_duplicates: bool, by: str | None = None
    ) -> Selection:
        """See `Collection.different`."""
        if chosen_by_tags(by):
            return self._different_by_tags(n, seed, keep_duplicates=keep_duplicates)
        seed, random, started = self._begin(n, seed)
        projection = self.projection
        options = DifferentOptions(
            **self.config.different.model_dump(),
            hashes=None if keep_duplicates else projection.hashes,
            duplicate_bits=self.config.similar.duplicate_bits,
            copies=None if keep_duplicates else self._copies_among,
        )
        rows, distances = different_in_parts(
            projection.parts, n, options, random, projection.run_tasks
        )
        return self._selection("different", seed, self._images(rows, distances), started)

    def _similar_by_tags(
        self,
        n: int,
        like: "Like | None",
        seed: int | None,
        *,
        keep_duplicates: bool,
    ) -> Selection:
        from imgbatch.selection.by_tags import explained, similar_by_tags

        seed, random, started = self._begin(n, seed)
        pairs = self._tag_pairs(keep_duplicates=keep_duplicates)
        anchor = None
        if like is not None and (anchor := self._places.of_folder(like)) is None:
            raise SelectionError(
                f"{like} is no readable image of {self.folder}; `by=tags` knows the tags"
                " of its images only",
                "give `like` a path inside the folder, or leave `by` out",
            )
        options = SimilarOptions(**self.config.similar.model_dump())
        points = self.projection.points
        rows, distances = similar_by_tags(points, pairs, n, options, random, anchor)
        images = self._images(rows, distances, Anchor(points[rows[0]], int(rows[0])))
        images = explained(images, rows, pairs)
        return self._selection("similar", seed, images, started, by="tags")

    def _different_by_tags(self, n: int, seed: int | None, *, keep_duplicates: bool) -> Selection:
        from imgbatch.selection.by_tags import different_by_tags, explained

        seed, random, started = self._begin(n, seed)
        pairs = self._tag_pairs(keep_duplicates=keep_duplicates)
        rows, distances = different_by_tags(self.projection.points, pairs, n, random)
        images = explained(self._images(rows, distances), rows, pairs)
        return self._selection("different", seed, images, started, by="tags")

    def _tag_pairs(self, *, keep_duplicates: bool) -> "TagPairs":
        from imgbatch.selection.by_tags import tag_pairs_of

        filtered = " that pass the filters" if isinstance(self._opened, FilteredIndex) else ""
        copies = None if keep_duplicates else self.copy_groups
        return tag_pairs_of(self.tags, copies, f"{self.folder}{filtered}")

    def explain(self, a: str, b: str) -> Explanation:
        """See `Collection.explain`."""
        names, read, points = zip(*map(self._read, (a, b)), strict=True)
        images = [
            describe_image(
                name,
                (image.decoded.width, image.decoded.height),
                image.decoded.view,
                self._reader.by_name,
                image.codes,
                other.codes,
            )
            for name, image, other in zip(names, read, read[::-1], strict=True)
        ]
        space = self.projection.space
        unlearned = [image.point(space.unlearned) for image in read] if space.learned else points
        answer = explain(self.folder, space, images, points, unlearned)
        return replace(answer, config=self.config)

    def describe(self, a: str) -> "Description":
        """See `Collection.describe`."""
        from imgbatch.selection.describe import describe

        names, image, point = self._read(a)
        picture = self.decoder.picture(point)
        seen = describe(self.folder, names, image, self._reader.by_name, picture)
        return replace(seen, config=self.config)

    def picture_of(self, point: Floats) -> View:
        """See `Collection.picture_of`."""
        return self.decoder.picture(self._places.point(point))

    @cached_property
    def decoder(self) -> "Decoder":
        """Makes pictures of points; learned once from all images of the folder, and kept."""
        from imgbatch.index.decoder import decoder_of

        return decoder_of(self._opened, self.config)

    @property
    def _places(self) -> "Places":
        from imgbatch.selection.likeness import Places

        return Places(self.projection, self._row_of_file, lambda: self._reader)

    def _read(self, given: str) -> tuple[tuple[str, str], ReadImage, Floats]:
        """Path and path to show of an image, in the folder or not, the image, and its point."""
        row = self._row_of_file(given)
        relative = paths.absolute(given) if row is None else self.records[row].path
        path = relative if row is None else paths.join(self.folder, relative)
        image = self._reader.read(path, "name a file, or a path inside the image folder")
        point = image.point(self.projection.space) if row is None else self.projection.points[row]
        return (path, relative), image, point

    @property
    def words(self) -> "WordRequests":
        """Answers requests by words."""
        from imgbatch.selection.words import WordRequests

        return WordRequests(
            self._opened, self._metadata, self.config, self._placed, self._places.of, self._clock
        )

    def _placed(self, given: str) -> tuple[int | None, Floats]:
        """The row of an image, None for one from elsewhere, and its point (p,) float32."""
        if (row := self._row_of_file(given)) is not None:
            return row, np.asarray(self.projection.points[row])
        return None, self._read(given)[2]

    def learning(self) -> "Learning":
        """Learns tags of the images, from what is known of them or from examples."""
        from imgbatch.selection.learned import Learning

        place = lambda path: self._placed(path)[1]  # noqa: E731 - shorter than a function
        return Learning(self.projection, self._metadata, place, self._row_of_file)

    @cached_property
    def _search(self) -> NeighbourSearch:
        return self.projection.search(self.config.index.large_folder)

    @cached_property
    def _reader(self) -> ImageReader:
        from imgbatch.index.vectors import need_pictures

        need_pictures(self._opened, "placing a picture")
        options = self.config.images.as_options()
        return ImageReader(with_fingerprints(build_descriptors(self.config), options), options)

    def _begin(self, n: int, seed: int | None) -> tuple[int, np.random.Generator, float]:
        total = len(self.records)
        check_count(n, total, holding(self._opened))
        seed = checked_seed(seed)
        return seed, np.random.default_rng(seed), self._clock.start()

    def _row_of_file(self, given: str) -> int | None:
        """The row of a file named from the working directory or from inside the folder."""
        rows = map(self.records.row_of, names_inside(self.folder, given))
        return next((row for row in rows if row is not None), None)

    def _images(
        self, rows: Rows, distances: Floats, anchor: Anchor | None = None
    ) -> tuple[PickedImage, ...]:
        chosen = rows.tolist()
        points = self.projection.points[rows]
        point = None if anchor is None else anchor.point
        return Choice(
            [self.records[row] for row in chosen],
            distances,
            shares_of_set(self.projection.space, points, point),
            [self._metadata.of_image(row) for row in chosen],
            anchor_first=anchor is not None and anchor.row is not None,
            tags=self.tags.of_rows(rows),
        ).images(self.folder)

    def _selection(
        self, mode: str, seed: int, images: tuple[PickedImage, ...], started: float, by: str = ""
    ) -> Selection:
        return Selection(
            mode=mode,
            seed=seed,
            folder=self.folder,
            images=images,
            skipped=tuple(self._opened.skipped),
            indexed=len(self.records),
            seconds=time.perf_counter() - started,
            notes=(*self._opened.notes, *self._metadata.notes),
            by=by,
            config=self.config,
        )


def chosen_by_tags(by: str | None) -> bool:
    """Whether images are chosen by tags; raises `SelectionError` for what is no way to choose.

    >>> chosen_by_tags(None), chosen_by_tags("tags")
    (False, True)
    """
    if by not in {None, "tags"}:
        raise SelectionError(f"by {by!r} was given", "give tags, or leave it out")
    return by == "tags"
