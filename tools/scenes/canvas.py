"""A small painter's canvas: noise, soft masks, polygons, antialiased by supersampling.

Lengths are in units of the picture's short side, x to the right and y downward; colours are
RGB in 0..1. Everything random comes from the generator that the canvas is given.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Field = npt.NDArray[np.float32]
Shape = tuple[Field, Field]  # outline (n, 2), colour (3,)
Patch = tuple[slice, slice]
OVERSAMPLE = 3
T = TypeVar("T")


def f32(values: npt.ArrayLike) -> Field:
    """Return values as a float32 array."""
    return np.asarray(values, dtype=np.float32)


def hsv(hue: float, saturation: float, value: float) -> Field:
    """Return RGB for a hue in turns (wraps), saturation and value in 0..1 (clipped)."""
    s, v = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    k = (f32([5.0, 3.0, 1.0]) + (hue % 1.0) * 6.0) % 6.0
    return f32(v - v * s * np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0))


def mix(a: Field, b: Field, t: Field | float) -> Field:
    """Return a where t is 0, b where t is 1."""
    return f32(a + (b - a) * t)


def ramp(t: Field, stops: Sequence[tuple[float, Field]]) -> Field:
    """Colour a field by linear interpolation between (position, colour) stops."""
    at = [position for position, _ in stops]
    channels = [np.interp(t, at, [float(colour[c]) for _, colour in stops]) for c in range(3)]
    return f32(np.stack(channels, axis=-1))


def smooth(t: Field, low: float, high: float) -> Field:
    """Return the smooth step from 0 (t at low) to 1 (t at high); low may exceed high."""
    u = np.clip((t - low) / (high - low), 0.0, 1.0)
    return f32(u * u * (3.0 - 2.0 * u))


def oval(center: tuple[float, float], rx: float, ry: float, turn: float = 0.0) -> Field:
    """Return the outline of an ellipse, turned by `turn` radians."""
    a = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    return moved(np.stack([rx * np.cos(a), ry * np.sin(a)], axis=1), center, turn)


def moved(
    points: npt.ArrayLike, center: tuple[float, float], turn: float = 0.0, size: float = 1.0
) -> Field:
    """Return an outline scaled, turned (radians, clockwise on screen) and moved to a centre."""
    c, s = np.cos(turn), np.sin(turn)
    return f32(f32(points) * size @ np.array([[c, s], [-s, c]]) + center)


def stroke(path: npt.ArrayLike, width: float, tip: float = 0.0) -> Field:
    """Return the outline of a line that tapers from `width` at its start to `tip` at its end."""
    p = f32(path)
    along = np.gradient(p, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    side = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half = np.linspace(width, tip, len(p))[:, None] / 2.0
    return f32(np.concatenate([p + side * half, (p - side * half)[::-1]]))


def between(grid: Field, at: Field) -> Field:
    """Interpolate the rows of a grid at fractional positions (Catmull-Rom)."""
    first = np.floor(at).astype(int)
    t = f32(at - first)[:, None]
    weights = [
        t * (-0.5 + t - 0.5 * t * t),
        1.0 + t * t * (1.5 * t - 2.5),
        t * (0.5 + 2.0 * t - 1.5 * t * t),
        t * t * (0.5 * t - 0.5),
    ]
    return f32(sum(w * grid[first + k - 1] for k, w in enumerate(weights)))


class Canvas:
    """A picture being painted: `rgb` (H, W, 3) float32, drawn OVERSAMPLE times too large.

    `index` is the picture's number within its kind.
    """

    def __init__(self, size: tuple[int, int], rng: np.random.Generator, index: int) -> None:
        self.size, self.rng, self.index = size, rng, index
        self.px = float(min(size) * OVERSAMPLE)
        cols, rows = size[0] * OVERSAMPLE, size[1] * OVERSAMPLE
        self.w, self.h = cols / self.px, rows / self.px
        self.x = f32((np.arange(cols) + 0.5) / self.px)[None, :]
        self.y = f32((np.arange(rows) + 0.5) / self.px)[:, None]
        self.rgb: Field = np.zeros((rows, cols, 3), np.float32)

    def u(self, low: float, high: float) -> float:
        """Draw one number between low and high."""
        return float(self.rng.uniform(low, high))

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options."""
        return options[int(self.rng.integers(len(options)))]

    def cycle(self, options: Sequence[T]) -> T:
        """Return the option of this picture's number, so that a kind shows all options in turn."""
        return options[self.index % len(options)]

    def noise(self, cell: float, octaves: int = 4, stretch: tuple[float, float] = (1, 1)) -> Field:
        """Return fractal noise around 0.5 (spread about 0.2), its largest blobs `cell` wide."""
        rows, cols = self.rgb.shape[:2]
        total = np.zeros((rows, cols), np.float32)
        for octave in range(octaves):
            sx, sy = (cell * s * 0.5**octave for s in stretch)
            nx, ny = int(np.ceil(self.w / sx)) + 4, int(np.ceil(self.h / sy)) + 4
            grid = self.rng.standard_normal((ny, nx)).astype(np.float32)
            phase = self.rng.random(2)
            down = between(grid, self.y[:, 0] / sy + 1.0 + phase[0])
            total += between(down.T, self.x[0] / sx + 1.0 + phase[1]).T * 0.5**octave
        total -= total.mean()
        return f32(np.clip(0.5 + 0.2 * total / (total.std() + 1e-6), 0.0, 1.0))

    def paint(self, mask: Field, colour: Field, where: Patch = np.s_[:, :]) -> None:
        """Cover with a colour, (3,) or one for each pixel, where the mask is 1."""
        self.rgb[where] += (colour - self.rgb[where]) * mask[..., None]

    def shade(self, factor: Field, where: Patch = np.s_[:, :]) -> None:
        """Multiply the light by a factor for each pixel."""
        self.rgb[where] *= factor[..., None]

    def patch(self, center: tuple[float, float], radius: float) -> Patch:
        """Return the slices of the square around a point, cut at the border."""
        (x, y), r = center, radius
        rows, cols = self.rgb.shape[:2]
        spans = [
            slice(*(min(max(int(v * self.px), 0), end) for v in (at - r, at + r)))
            for at, end in ((y, rows), (x, cols))
        ]
        return spans[0], spans[1]

    def local(self, center: tuple[float, float], where: Patch) -> tuple[Field, Field]:
        """Return the patch's coordinates relative to its centre, full grids."""
        dx, dy = self.x[:, where[1]] - center[0], self.y[where[0]] - center[1]
        return f32(dx + 0 * dy), f32(dy + 0 * dx)

    def soften(self, field: Field, radius: float) -> Field:
        """Blur with a Gaussian of the given radius."""
        return f32(cv2.GaussianBlur(field, (0, 0), max(radius * self.px, 0.3)))

    def mask(self, outlines: Iterable[Field], blur: float = 0.0) -> Field:
        """Return 1 inside the outlines, 0 outside, (H, W), optionally blurred."""
        rows, cols = self.rgb.shape[:2]
        image = Image.new("L", (cols, rows))
        pen = ImageDraw.Draw(image)
        for outline in outlines:
            pen.polygon([(float(x), float(y)) for x, y in outline * self.px], fill=255)
        drawn = f32(np.asarray(image)) / 255.0
        return self.soften(drawn, blur) if blur else f32(drawn)

    def draw(self, shapes: Sequence[Shape], blur: float = 0.0) -> None:
        """Draw filled outlines one over the other, optionally out of focus."""
        canvas = np.zeros_like(self.rgb) if blur else self.rgb
        image = Image.fromarray((np.clip(canvas, 0, 1) * 255.0 + 0.5).astype(np.uint8))
        pen = ImageDraw.Draw(image)
        for outline, colour in shapes:
            r, g, b = (int(v) for v in np.clip(colour, 0, 1) * 255.0 + 0.5)
            pen.polygon([(float(x), float(y)) for x, y in outline * self.px], fill=(r, g, b))
        drawn = f32(np.asarray(image)) / 255.0
        if blur:
            cover = self.mask([outline for outline, _ in shapes], blur)
            self.rgb = f32(self.rgb * (1 - cover[..., None]) + self.soften(f32(drawn), blur))
        else:
            self.rgb = f32(drawn)

    def ball(
        self, center: tuple[float, float], radius: float, light: tuple[float, float]
    ) -> tuple[Patch, Field, Field, Field]:
        """Return a sphere's patch, its mask, its Lambert light in 0..1 and its local x and y.

        `light` is the direction to the lamp on the picture plane; x and y come as one (2, h, w).
        """
        where = self.patch(center, radius * 1.05)
        x, y = self.local(center, where)
        x, y = x / radius, y / radius
        r2 = x * x + y * y
        z = np.sqrt(np.clip(1.0 - r2, 0.0, 1.0))
        lx, ly, lz = f32([*light, 0.75]) / np.hypot(np.hypot(*light), 0.75)
        lit = np.clip(x * lx + y * ly + z * lz, 0.0, 1.0)
        edge = 1.5 / (radius * self.px)
        return where, smooth(np.sqrt(r2), 1.0, 1.0 - edge), f32(lit), f32(np.stack([x, y]))

    def finish(self, grain: float = 0.012, vignette: float = 0.18) -> Image.Image:
        """Scale down to the wanted size, darken the corners a little, add film grain."""
        small = f32(cv2.resize(self.rgb, self.size, interpolation=cv2.INTER_AREA))
        cols, rows = self.size
        x, y = np.linspace(-1, 1, cols)[None, :], np.linspace(-1, 1, rows)[:, None]
        small *= f32(1.0 - vignette * ((x * x + y * y) / 2.0) ** 1.5)[..., None]
        small += f32(self.rng.normal(0.0, grain, (rows, cols, 1)))
        return Image.fromarray((np.clip(small, 0, 1) * 255.0 + 0.5).astype(np.uint8))
