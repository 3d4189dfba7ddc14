"""Groups of near-duplicates around an image that is worth keeping.

Chains of likeness do not grow groups: if a is like b and b is like c, then a and c need not be
alike. So each member of a group matches the group's keeper itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.copies.match import Kind, Pairs
from imgbatch.types import Rows


@dataclass(frozen=True, slots=True)
class Member:
    """An image of a group: its row, and what it has in common with the keeper.

    The keeper itself is an exact match of score 1.
    """

    row: int
    kind: Kind
    score: float


def grouped(
    pairs: Pairs,
    contents: Rows,
    rank: Callable[[Sequence[int]], Sequence[int]],
    match: Callable[[Rows], Pairs],
    keepers: frozenset[int] | None = None,
) -> Iterator[list[Member]]:
    """Group near-duplicates, the keeper first.

    Parameters
    ----------
    pairs
        Near-duplicates; equal files are chained, and only one of them is paired with others.
    contents
        (n,) rows of equal numbers are equal files.
    rank
        Orders rows, those most worth keeping first.
    match
        Tells which of some pairs match, to ask about members that `pairs` does not link to the
        keeper.
    keepers
        Only these contents may be kept; None for all.

    Yields
    ------
    Groups of two members or more; no row is in two of them. The best image of what hangs together
    takes all that match it, then the best of the rest, and so on.
    """
    rows_of = _rows_by_content(pairs, contents)
    links = _links(pairs, contents)
    for together in _connected(links, rows_of):
        ranked = rank([row for content in together for row in rows_of[content]])
        left = dict.fromkeys(int(contents[row]) for row in ranked)  # in order, each once
        first = {content: next(r for r in ranked if contents[r] == content) for content in left}
        while left:
            keeper = next((c for c in left if keepers is None or c in keepers), None)
            if keeper is None:
                break
            del left[keeper]
            near = {far for other in links[keeper] for far in links[other]} - links[keeper].keys()
            _link(links, keeper, [other for other in left if other in near], first, match)
            members = [Member(row, Kind.EXACT, 1.0) for row in ranked if contents[row] == keeper]
            for other in [other for other in left if other in links[keeper]]:
                kind, score = links[keeper][other]
                members += [Member(row, kind, score) for row in ranked if contents[row] == other]
                del left[other]
            if len(members) > 1:
                yield members


_Links = dict[int, dict[int, tuple[Kind, float]]]


def _rows_by_content(pairs: Pairs, contents: Rows) -> dict[int, list[int]]:
    """The rows of every content that has a near-duplicate."""
    wanted = np.unique(contents[pairs.rows])
    rows = np.flatnonzero(np.isin(contents, wanted))
    rows_of: dict[int, list[int]] = {}
    for row, content in zip(rows.tolist(), contents[rows].tolist(), strict=True):
        rows_of.setdefault(content, []).append(row)
    return rows_of


def _links(pairs: Pairs, contents: Rows) -> _Links:
    links: _Links = {content: {} for content in np.unique(contents[pairs.rows]).tolist()}
    for (a, b), kind, score in zip(
        contents[pairs.rows].tolist(), pairs.kinds.tolist(), pairs.scores.tolist(), strict=True
    ):
        if a != b:
            known = links[a].get(b, (Kind(kind), score))
            links[a][b] = links[b][a] = min(known, (Kind(kind), score), key=_weakness)
    return links


def _weakness(link: tuple[Kind, float]) -> tuple[Kind, float]:
    """Less for a stronger link: copies of two equal files may have a link each."""
    return link[0], -link[1]


def _connected(links: _Links, rows_of: dict[int, list[int]]) -> Iterator[list[int]]:
    """Contents that hang together, in the order of their first rows."""
    seen = set[int]()
    for start in sorted(links, key=lambda content: rows_of[content][0]):
        together, waiting = list[int](), [start]
        while waiting:
            content = waiting.pop()
            if content not in seen:
                seen.add(content)
                together.append(content)
                waiting += links[content]
        if together:
            yield together


def _link(
    links: _Links,
    keeper: int,
    others: Sequence[int],
    first: dict[int, int],
    match: Callable[[Rows], Pairs],
) -> None:
    """Ask whether others match the keeper, and add the links."""
    if not others:
        return
    by_row = {first[other]: other for other in others}
    asked = np.sort([[first[keeper], row] for row in by_row], axis=1)
    found = match(asked)
    for pair, kind, score in zip(
        found.rows.tolist(), found.kinds.tolist(), found.scores.tolist(), strict=True
    ):
        other = by_row[pair[0] if pair[1] == first[keeper] else pair[1]]
        links[keeper][other] = links[other][keeper] = Kind(kind), score
