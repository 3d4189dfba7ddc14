"""Animals: butterflies over blossoms, fishes over a reef."""

import numpy as np

from scenes.canvas import Canvas, Field, Shape, f32, hsv, mix, moved, oval, ramp, smooth, stroke
from scenes.outdoors import WHITE, flower


def bokeh(c: Canvas, hue: float) -> None:
    """Paint a background far out of focus: leaves, light spots, some blossoms."""
    dark, light = hsv(hue, 0.6, c.u(0.2, 0.45)), hsv(hue - 0.06, 0.45, c.u(0.6, 0.9))
    c.rgb = mix(dark, light, smooth(c.noise(0.7, 3), 0.1, 0.9)[..., None])
    spots: list[Shape] = []
    for _ in range(int(c.rng.integers(6, 22))):
        r = c.u(0.03, 0.12)
        tint = c.pick([light * 1.1, mix(light, WHITE, 0.5), hsv(c.u(0.8, 1.15), 0.5, 0.9)])
        spots.append((oval((c.u(0, c.w), c.u(0, c.h)), r, r), mix(dark, tint, c.u(0.3, 0.8))))
    c.draw(spots, blur=0.025)
    blades: list[Shape] = []
    for _ in range(int(c.rng.integers(2, 9))):
        x = c.u(0, c.w)
        line = [(x, c.h + 0.1), (x + c.u(-0.1, 0.1), c.h * 0.6), (x + c.u(-0.3, 0.3), c.u(0, 0.5))]
        blades.append((stroke(line, c.u(0.02, 0.05)), hsv(hue, 0.6, c.u(0.3, 0.6))))
    c.draw(blades, blur=0.015)


def wing(tip: tuple[float, float], width: float, wave: float) -> Field:
    """Return a wing's outline from the root (0, 0) around the tip."""
    n = np.linspace(0, 2 * np.pi, 90)
    reach = np.hypot(*tip)
    along = 0.5 - 0.5 * np.cos(n)
    across = np.sin(n) * width * along**0.7 * (1 + wave * np.sin(n * 9))
    points = np.stack([along * reach * (1 + 0.3 * wave * np.cos(n * 7)), across * reach], axis=1)
    return moved(points, (0.0, 0.0), float(np.arctan2(tip[1], tip[0])))


def butterfly(c: Canvas) -> None:
    """Paint a butterfly, or two, on blossoms in front of a blurred garden."""
    bokeh(c, c.cycle([0.3, 0.24, 0.52, 0.36, 0.95, 0.42, 0.12]))
    count = c.pick([1, 1, 1, 2])
    for k in range(count):
        size = c.u(0.33, 0.5) if count == 1 else c.u(0.22, 0.3)
        at = (c.w * (k + c.u(0.42, 0.58)) / count, c.h * c.u(0.42, 0.58))
        shapes: list[Shape] = []
        tint = (c.u(0.78, 1.0), c.u(0.1, 0.6), 0.92)
        for _ in range(int(c.rng.integers(1, 5))):
            head = (at[0] + c.u(-0.35, 0.35), at[1] + size * c.u(0.5, 1.1))
            shapes.append(
                (
                    stroke([head, (head[0] + c.u(-0.05, 0.05), c.h + 0.2)], 0.02, 0.02),
                    hsv(0.3, 0.6, 0.4),
                )
            )
            shapes += flower(c, head, c.u(0.09, 0.17), tint, c.pick([8, 13]))
        c.draw(shapes, blur=0.004)
        wings(c, at, size)


def wings(c: Canvas, at: tuple[float, float], size: float) -> None:
    """Paint a butterfly: four wings with veins, edge and spots, and the body."""
    hue = c.pick([0.06, 0.1, 0.56, 0.61, 0.01, 0.15, 0.78, 0.07])
    main, rim = hsv(hue + c.u(-0.02, 0.02), c.u(0.6, 0.95), c.u(0.75, 1.0)), hsv(0.07, 0.5, 0.09)
    second = c.pick([main, mix(main, WHITE, 0.6), hsv(hue + 0.08, 0.8, 0.9)])
    turn, tilt, wave = c.u(-0.7, 0.7), c.u(0.72, 1.0), c.u(0.0, 0.09)
    fore = wing((c.u(0.85, 1.0), c.u(-0.75, -0.5)), c.u(0.36, 0.48), wave * 0.5)
    hind = wing((c.u(0.62, 0.75), c.u(0.5, 0.68)), c.u(0.5, 0.62), wave)
    spots = [(k, c.u(0.02, 0.05)) for k in c.rng.uniform(0.3, 0.7, 7)]
    eye = c.u(0, 1) < 0.5
    pair = [f32(outline * [side, 1.0]) for outline in (hind, fore) for side in (-tilt, 1.0)]
    shadow = [moved(outline, (at[0] + 0.03, at[1] + 0.06), turn, size) for outline in pair]
    c.shade(1 - 0.35 * c.mask(shadow, 0.03))
    for outline, colour in zip(pair, (second, second, main, main), strict=True):
        shapes = pattern(outline, (rim, colour, mix(second, WHITE, 0.7)), spots)
        if eye:
            x, y = outline.mean(axis=0) * 1.1
            ring = [(0.13, rim), (0.1, hsv(hue + 0.45, 0.7, 0.7)), (0.05, WHITE * 0.9)]
            shapes += [(oval((x, y), r * tilt, r), tone) for r, tone in ring]
        c.draw([(moved(part, at, turn, size), tone) for part, tone in shapes])
    covered = c.mask([moved(outline, at, turn, size) for outline in pair])
    c.shade(1 + covered * (0.5 * c.noise(0.03, 3) - 0.25))
    body = [
        (oval((0, 0.14), 0.034, 0.22), rim * 1.6),
        (oval((0, -0.06), 0.045, 0.12), rim * 2.4),
        (oval((0, -0.19), 0.04, 0.04), rim * 1.5),
    ]
    for s in (-1, 1):
        feeler = [(0, -0.22), (s * 0.1, -0.4), (s * 0.2, -0.52)]
        body += [(stroke(feeler, 0.018, 0.008), rim), (oval((s * 0.2, -0.52), 0.02, 0.02), rim)]
    c.draw([(moved(part, at, turn, size), tone) for part, tone in body])


def pattern(
    outline: Field, tones: tuple[Field, Field, Field], spots: list[tuple[float, float]]
) -> list[Shape]:
    """Return a wing's edge, fields, veins and spots; `tones` colour the edge, fields and spots."""
    (rim, colour, pale), middle = tones, outline.mean(axis=0)
    shapes: list[Shape] = []
    rims = [(1.0, rim), (0.86, colour * 0.8), (0.74, colour), (0.5, mix(colour, WHITE, 0.16))]
    for grow, tone in rims:
        shapes.append((f32((outline - middle * 0.8) * grow + middle * 0.8), f32(tone)))
    for k in np.linspace(22, 68, 8):
        line = f32([middle * 0.25, middle * 0.8, outline[int(k)] * 0.98])
        shapes.append((stroke(line, 0.012, 0.02), rim))
    for k, r in spots:
        x, y = outline[int(k * 89)] * 0.93
        shapes.append((oval((x, y), r, r * 0.8), pale))
    return shapes


def fish(c: Canvas, at: tuple[float, float], size: float, scheme: tuple[Field, Field]) -> None:
    """Draw a fish, 2 * `size` long, striped or plain, facing left or right."""
    flip, turn, high = c.pick([-1.0, 1.0]), c.u(-0.25, 0.25), c.u(0.42, 0.68)
    n = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    body = np.stack([np.cos(n), np.sin(n) * high * (0.62 + 0.38 * np.cos(n * 0.5) ** 2)], axis=1)
    tail = f32([(-0.82, 0), (-1.45, -0.48), (-1.28, 0), (-1.45, 0.48)])
    fins = [
        f32([(0.35, -high * 0.8), (-0.1, -high * 1.4), (-0.75, -high * 0.85), (-0.6, -high * 0.4)]),
        f32([(0.1, high * 0.8), (-0.35, high * 1.3), (-0.7, high * 0.8), (-0.5, high * 0.4)]),
    ]
    base, stripe = scheme

    def put(points: Field) -> Field:
        return moved(points * f32([flip, 1.0]), at, turn, size)

    c.draw([(put(p), mix(base, stripe, 0.45)) for p in (tail, *fins)])
    shape = put(f32(body))
    where = c.patch(at, size * 1.7)
    mask = c.mask([shape])[where]
    dx, dy = c.local(at, where)
    x = (dx * np.cos(turn) + dy * np.sin(turn)) * flip / size
    y = (dy * np.cos(turn) - dx * np.sin(turn)) / size
    pattern = c.pick(["bars", "bars", "lines", "half"])
    wobble = c.noise(0.05, 3)[where] - 0.5
    band = {
        "bars": np.sin((x + 0.12 * y * y) * c.u(6, 11) + 0.5),
        "lines": np.sin(y * 16 + wobble),
        "half": (x + 0.3 * y + 0.1) * 4 + wobble,
    }[pattern]
    colour = mix(base, stripe, smooth(f32(band), 0.25, 0.5)[..., None])
    scales = 1 + 0.07 * np.sin(x * 42 + np.sin(y * 42) * 1.2) * np.sin(y * 42)
    light = np.clip(0.95 - 0.55 * y / high, 0.35, 1.35) * scales
    c.paint(mask, f32(colour * light[..., None]), where)
    eye = [(0.1, WHITE * 0.95), (0.06, f32([0.03, 0.03, 0.05]))]
    detail: list[Shape] = [(put(oval((0.66, -0.1), r, r)), tone) for r, tone in eye]
    detail.append((put(oval((0.64, -0.13), 0.02, 0.02)), WHITE))
    detail.append(
        (put(f32([(0.3, 0.05), (0.0, 0.28), (-0.08, 0.08)])), mix(base, stripe, 0.3) * 0.8)
    )
    c.draw(detail)


def coral(c: Canvas, foot: tuple[float, float], size: float, colour: Field) -> list[Shape]:
    """Return the shapes of a branching coral."""
    shapes: list[Shape] = []
    tips = [(foot, -np.pi / 2 + c.u(-0.3, 0.3), size * 0.36, size * 0.13)]
    for level in range(5):
        grown = []
        for (x, y), angle, length, width in tips:
            end = (x + float(np.cos(angle)) * length, y + float(np.sin(angle)) * length)
            tone = colour * (0.55 + 0.13 * level) * c.u(0.9, 1.1)
            shapes.append((stroke([(x, y), end], width, width * 0.72), tone))
            shapes.append((oval(end, width * 0.4, width * 0.4), tone))
            grown += [
                (end, angle + c.u(0.2, 0.65), length * 0.74, width * 0.72),
                (end, angle - c.u(0.2, 0.65), length * 0.74, width * 0.72),
            ]
        tips = grown
    return shapes


def reef(c: Canvas) -> None:
    """Paint a school of fishes in blue water, mostly over corals."""
    hue = c.u(0.48, 0.6)
    bright, deep = (
        hsv(hue - 0.02, c.u(0.4, 0.7), c.u(0.7, 0.95)),
        hsv(hue + 0.04, 0.85, c.u(0.2, 0.45)),
    )
    c.rgb = ramp(f32(c.y / c.h + 0 * c.x), [(0, bright), (0.55, mix(bright, deep, 0.6)), (1, deep)])
    lean = c.x + (c.y - c.h) * c.u(-0.5, 0.5)
    rays = np.sin(lean * 9 + c.u(0, 6)) * np.sin(lean * 23 + c.u(0, 6)) * 0.5 + 0.5
    c.rgb += (0.25 * rays * np.clip(1 - c.y / c.h, 0, 1) ** 1.5)[..., None] * bright
    c.shade(f32(0.9 + 0.2 * c.noise(0.4, 4)))
    if c.u(0, 1) < 0.75:
        floor = c.h - 0.1 - 0.35 * (c.noise(0.5, 4, (1.0, 40.0)) - 0.4)
        sand = mix(deep, hsv(c.u(0.05, 0.13), 0.35, 0.7), 0.6)
        c.paint(
            smooth(f32(c.y - floor), 0, 0.02), f32(sand * (0.6 + 0.8 * c.noise(0.05, 4))[..., None])
        )
        shapes: list[Shape] = []
        for k in range(int(c.rng.integers(3, 8))):
            colour = mix(hsv(c.u(-0.2, 0.14), c.u(0.5, 0.85), c.u(0.6, 0.95)), deep, 0.4 - 0.04 * k)
            shapes += coral(c, (c.u(0, c.w), c.h * c.u(0.96, 1.06)), c.u(0.2, 0.5), colour)
        c.draw(shapes)
    tint, count = c.u(-0.05, 0.2), c.cycle([1, 5, 2, 8, 3])
    stripe = c.pick([WHITE * 0.95, f32([0.06, 0.07, 0.12]), hsv(0.62, 0.85, 0.7)])
    spots: list[tuple[float, float, float]] = []
    for _ in range(500):
        r = c.u(0.2, 0.32) if count < 3 else c.u(0.075, 0.15)
        x, y = c.u(r * 1.2, c.w - r * 1.2), c.u(r, max(r * 1.1, c.h * 0.85 - r * 0.5))
        if all(np.hypot(x - a, (y - b) * 1.5) > 1.35 * (r + q) for a, b, q in spots):
            spots.append((x, y, r))
        if len(spots) == count:
            break
    for x, y, r in sorted(spots, key=lambda spot: spot[2]):
        base = mix(hsv(tint + c.u(-0.02, 0.02), 0.85, 0.98), deep, max(0.0, 0.25 - r))
        fish(c, (x, y), r, (base, stripe))
    bubbles: list[Shape] = []
    for _ in range(int(c.rng.integers(0, 14))):
        at, r = (c.u(0, c.w), c.u(0, c.h)), c.u(0.004, 0.013)
        bubbles += [
            (oval(at, r, r), bright * 1.15),
            (oval(at, r * 0.75, r * 0.75), mix(bright, deep, 0.5)),
        ]
    c.draw(bubbles)
