"""What a picture shows through windows: whole, cropped, mirrored or turned, as short vectors.

If one picture is a crop of another one, it equals what the other one shows through a window. The
vector of a view holds the lowest frequencies of its grey values (a discrete cosine transform), so
that views are compared by a dot product, and a window that is off by a twentieth still fits.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.miniature import SIDE_PX
from imgbatch.types import Floats, Rows, View

_FREQUENCIES = 6  # of each direction; the highest has 2.5 waves across the view
_LIFT = 0.5  # of high frequencies, as pictures hold less of them: a power of the frequency
_SUBPIXELS = 16
_ALONE_OR_BOTH = (0.0, 0.4)  # sides of pictures are cut by 0.4 alone, or both
_FRAMES = (0.03, 0.06, 0.09, 0.13)
_LEAST_LENGTH = 1.0  # of a vector that is not flat, in grey values


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, and how it is turned.

    Attributes
    ----------
    top, bottom, left, right
        What is cut off on each side, as a share of the picture's height or width.
    turn
        0 to 7: 1 mirrors left and right, 2 mirrors top and bottom, 4 swaps rows and columns first.
        3 is a half turn, 5 and 6 are quarter turns.
    """

    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0
    turn: int = 0

    @property
    def motion(self) -> Floats:
        """(2, 3) float32: where in the picture (x, y) each place of the unturned window lies.

        Coordinates run from -0.5 to 0.5 across picture and window.
        """
        width, height = 1 - self.left - self.right, 1 - self.top - self.bottom
        x, y = (self.left - self.right) / 2, (self.top - self.bottom) / 2
        return np.array([[width, 0, x], [0, height, y]], np.float32)


WHOLE = Window()


def turned_back(pictures: npt.NDArray[np.float32], turn: int) -> npt.NDArray[np.float32]:
    """Undo a turn of pictures (..., s, s); see `Window`."""
    if turn & 2:
        pictures = pictures[..., ::-1, :]
    if turn & 1:
        pictures = pictures[..., ::-1]
    return np.swapaxes(pictures, -1, -2) if turn & 4 else pictures


def _all_windows() -> tuple[Window, ...]:
    """Crops that leave 0.6 of each side or more, fewer of them mirrored, few turned."""
    steps = (0.0, 0.1, 0.2, 0.3, 0.4)
    cuts = [(a, b) for a in steps for b in steps if a + b < 0.45]
    upright = [
        Window(*rows, *columns)
        for rows in cuts
        for columns in cuts
        if max(sum(rows), sum(columns)) < 0.35 or min(sum(rows), sum(columns)) in _ALONE_OR_BOTH
    ]
    frames = [Window(y, y, x, x) for y in _FRAMES for x in _FRAMES]
    centred = [Window(cut, cut, cut, cut, 1) for cut in (0.0, 0.05, 0.1, 0.15)]
    sides = [
        Window(*rows, *columns, 1)
        for rows in ((0.0, 0.0), (0.2, 0.0), (0.0, 0.2))
        for columns in ((0.0, 0.0), (0.2, 0.0), (0.0, 0.2))
        if rows != columns or rows[0] != rows[1]
    ]
    bands = [Window(0.1, 0.1, 0, 0, 1), Window(0, 0, 0.1, 0.1, 1)]
    turned = [Window(cut, cut, cut, cut, turn) for turn in range(2, 8) for cut in (0.0, 0.1)]
    return tuple(upright + frames + centred + sides + bands + turned)


@dataclass(frozen=True)
class Windows:
    """Several windows, through which many miniatures are seen at once.

    Examples
    --------
    >>> miniatures = np.random.default_rng(0).integers(0, 256, (1, 1024), np.uint8)
    >>> mirrored = np.ascontiguousarray(miniatures.reshape(1, 32, 32)[:, :, ::-1]).reshape(1, 1024)
    >>> seen = Windows((WHOLE, Window(turn=1))).vectors(miniatures)[0]
    >>> np.round(seen @ Windows((WHOLE,)).vectors(mirrored)[0, 0], 3)[1]
    np.float32(1.0)
    """

    windows: tuple[Window, ...]

    def vectors(self, miniatures: View) -> Floats:
        """What n miniatures (n, 1024) show: (n, w, d) float32, of length 1, or 0 where it is flat.

        O(n w) time and memory.
        """
        pictures = miniatures.reshape(-1, SIDE_PX).astype(np.float32)
        n, cuts, kept = len(miniatures), *self._transforms.shape[:2]
        transform = self._transforms.reshape(-1, SIDE_PX).T
        along_x = (pictures @ transform).reshape(n, SIDE_PX, -1)
        both = np.ascontiguousarray(along_x.transpose(0, 2, 1)).reshape(-1, SIDE_PX) @ transform
        spectra = both.reshape(n, cuts * kept, cuts * kept)  # columns' frequency, rows' frequency
        seen = spectra.reshape(n, -1)[:, self._taken]
        seen *= self._signs
        lengths = np.linalg.norm(seen, axis=2, keepdims=True)
        seen /= np.where(lengths > _LEAST_LENGTH, lengths, np.inf)
        return np.asarray(seen, np.float32)

    @cached_property
    def motions(self) -> Floats:
        """(w, 2, 3) float32, see `Window.motion`."""
        return np.stack([window.motion for window in self.windows])

    @cached_property
    def turns(self) -> Rows:
        """(w,) the turn of each window."""
        return np.array([window.turn for window in self.windows])

    @cached_property
    def _cuts(self) -> list[tuple[float, float]]:
        """Every cut of rows or columns that some window makes."""
        rows = {(window.top, window.bottom) for window in self.windows}
        return sorted(rows | {(window.left, window.right) for window in self.windows})

    @cached_property
    def _transforms(self) -> Floats:
        """(cuts, frequencies, 32) float32: cosines over what each cut leaves."""
        return np.stack([_cosines(*cut) for cut in self._cuts])

    @cached_property
    def _taken(self) -> Rows:
        """(w, d) positions in the spectra of all cuts."""
        rows, columns = _kept_frequencies()
        number = {cut: position for position, cut in enumerate(self._cuts)}
        width = len(self._cuts) * _FREQUENCIES
        taken = []
        for window in self.windows:
            of_rows = number[window.top, window.bottom] * _FREQUENCIES
            of_columns = number[window.left, window.right] * _FREQUENCIES
            y, x = (columns, rows) if window.turn & 4 else (rows, columns)
            taken.append((of_columns + x) * width + of_rows + y)
        return np.stack(taken)

    @cached_property
    def _signs(self) -> Floats:
        """(w, d) float32: weights of the frequencies; mirroring turns the odd ones round."""
        rows, columns = _kept_frequencies()
        weights = np.hypot(rows, columns) ** _LIFT
        signs = []
        for turn in self.turns:
            odd = rows * bool(turn & 2) + columns * bool(turn & 1)
            signs.append(np.where(odd % 2, -weights, weights))
        return np.stack(signs).astype(np.float32)


def _kept_frequencies() -> tuple[Rows, Rows]:
    """Frequencies along y and x of a vector's numbers; the mean grey value is left out."""
    y, x = np.mgrid[:_FREQUENCIES, :_FREQUENCIES]
    length = np.hypot(y, x)
    rows, columns = np.nonzero((length > 0) & (length < _FREQUENCIES + 0.5))
    return rows.astype(np.int64), columns.astype(np.int64)


def _cosines(before: float, after: float) -> Floats:
    """(frequencies, 32) float32: weights of pixels, for cosines over what is not cut off."""
    places = (np.arange(SIDE_PX * _SUBPIXELS) + 0.5) / (SIDE_PX * _SUBPIXELS)
    inside = (places > before) & (places < 1 - after)
    along = (places - before) / (1 - before - after)
    waves = np.cos(np.pi * np.arange(_FREQUENCIES)[:, None] * along) * inside / inside.sum()
    waves[1:] *= np.sqrt(2)
    waves[1:] -= waves[1:].sum(axis=1, keepdims=True) * waves[0]  # an even grey has no waves
    weights: Floats = waves.reshape(_FREQUENCIES, SIDE_PX, -1).sum(axis=2).astype(np.float32)
    return weights


EVERY = Windows(_all_windows())
"""The windows through which edited copies are looked for."""
ONLY_WHOLE = Windows((WHOLE,))
"""The window through which plain copies are looked for."""
HALVES = (Window(bottom=0.5), Window(top=0.5), Window(right=0.5), Window(left=0.5))
"""Parts of which a large mark leaves some as they are."""
