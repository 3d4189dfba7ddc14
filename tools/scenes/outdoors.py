"""Wide views: sunsets, sail boats, mountains, forests, meadows."""

import cv2
import numpy as np

from scenes.canvas import Canvas, Field, Shape, f32, hsv, mix, moved, oval, ramp, smooth, stroke

WHITE = f32([1, 1, 1])


def clouds(c: Canvas, colour: Field, below: float, cover: float, stretch: float = 3.0) -> None:
    """Paint clouds that thin out toward the height `below`; `cover`: 0 clear, 1 overcast."""
    body = c.noise(0.35, 6, (stretch, 1.0))
    lit = c.noise(0.3, 4, (stretch, 1.0))
    veil = smooth(body, 0.72 - 0.35 * cover, 0.95 - 0.35 * cover)
    fade = smooth(c.y, below, below * 0.55)
    c.paint(f32(veil * fade * 0.9), f32(colour * (0.87 + 0.26 * lit[..., None])))


def waves(c: Canvas, horizon: float, size: float) -> Field:
    """Return wave heights around 0 for the rows below the horizon, in perspective."""
    texture = c.noise(0.05, 4, (2.2, 1.0)) - 0.5
    rows, cols = texture.shape
    depth = np.clip((c.y - horizon) / (c.h - horizon), 0.0, 1.0) + 0.02
    total = np.zeros_like(texture)
    for scale in (size, size * 1.37):  # two layers hide that the texture is mirrored at its edges
        near = (c.x - c.w / 2) / (depth + 0.25) / scale + c.u(0.0, 2.0) * c.w
        far = 0.5 / (depth + 0.12) / scale + c.u(0.0, 2.0) + 0 * c.x
        map_x = f32(np.abs((near * c.px) % (2 * cols - 2) - (cols - 1)))
        map_y = f32(np.abs((far * c.px) % (2 * rows - 2) - (rows - 1)))
        total += f32(cv2.remap(f32(texture), map_x, map_y, cv2.INTER_LINEAR)) * 0.72
    return f32(total)


def sunset(c: Canvas) -> None:
    """Paint the sun low over the sea."""
    horizon = c.h * c.u(0.5, 0.74)
    hue, pink = c.u(0.02, 0.11), c.u(0.0, 1.0)
    top = mix(hsv(0.62, 0.6, c.u(0.2, 0.45)), hsv(0.83, 0.5, 0.45), pink * 0.7)
    glow, mid = hsv(hue + 0.05, 0.62, 1.0), hsv(hue, 0.85, c.u(0.8, 0.98))
    stops = [(0.0, top), (0.5, mix(top, mid, 0.6)), (0.8, mid), (1.0, glow)]
    c.rgb = ramp(f32(c.y / horizon + 0 * c.x), stops)
    sun, radius = (c.w * c.u(0.18, 0.82), horizon - c.u(-0.02, 0.22)), c.u(0.05, 0.11)
    far = np.hypot(c.x - sun[0], c.y - sun[1])
    clouds(c, mix(top * 0.8, hsv(hue - 0.02, 0.8, 0.75), c.u(0.2, 0.9)), horizon, c.u(0.1, 0.9), 5)
    c.rgb += glow * (0.55 * np.exp(-far / (radius * 2.6)))[..., None]
    c.paint(smooth(f32(far), radius, radius * 0.92), mix(glow, WHITE, 0.65))
    sea = smooth(c.y - horizon, 0.0, 0.004) + 0 * c.x
    depth = np.clip((c.y - horizon) / (c.h - horizon), 0.0, 1.0)
    wave = waves(c, horizon, c.u(0.5, 0.9))
    base = ramp(f32(depth + 0 * c.x), [(0, mix(mid, top, 0.45) * 0.8), (1, top * 0.45)])
    base = f32(base * (1.0 + 1.1 * wave[..., None]))
    width = radius * (0.9 + 3.0 * depth)
    path = np.exp(-(((c.x - sun[0]) / width) ** 2)) * smooth(wave, -0.16, 0.28) * (1 - 0.4 * depth)
    c.paint(sea, f32(base + glow * (1.25 * path)[..., None]))
    if c.u(0, 1) < 0.55:
        side = c.pick([-1, 1])
        n = np.linspace(0, 1, 80)
        rise = (1 - n) ** 0.8 * c.u(0.06, 0.2) + np.cumsum(c.rng.normal(0, 0.003, 80)) * (1 - n)
        x = n * c.w * c.u(0.3, 0.6)
        x = x if side < 0 else c.w - x
        ridge = np.stack([x, horizon - np.maximum(rise, 0) + 0.004], axis=1)
        corner = [[x[-1], horizon + 0.006], [x[0], horizon + 0.006]]
        c.draw([(f32([*ridge, *corner]), top * 0.35)])
    birds: list[Shape] = []
    for _ in range(int(c.rng.integers(0, 7))):
        at, span = (c.w * c.u(0.1, 0.9), horizon * c.u(0.15, 0.7)), c.u(0.015, 0.035)
        for wing in (-1, 1):
            path_xy = [(0, 0), (wing * 0.5, -0.35), (wing, -0.1)]
            birds.append((stroke(moved(path_xy, at, c.u(-0.2, 0.2), span), 0.007), top * 0.3))
    c.draw(birds)


def boat(c: Canvas, foot: tuple[float, float], size: float, sails: tuple[Field, Field]) -> None:
    """Draw a sail boat and its reflection; `size` is the mast's height."""
    lean, flip = c.u(-0.12, 0.12), c.pick([-1.0, 1.0])
    bend = np.linspace(0, 1, 12)
    main = [
        (0.02, -0.12),
        *zip(0.02 + 0.42 * bend + 0.06 * np.sin(np.pi * bend), -0.12 - 0.0 * bend, strict=True),
    ]
    main += list(
        zip(0.44 * (1 - bend) + 0.1 * np.sin(np.pi * bend), -0.12 - 0.86 * bend, strict=True)
    )
    jib = [(-0.02, -0.9), *zip(-0.02 - 0.33 * bend, -0.9 + 0.8 * bend, strict=True), (-0.06, -0.13)]
    hull = [(-0.42, -0.08), (0.46, -0.06), (0.38, 0.03), (-0.28, 0.04)]
    hull_colour = c.pick([hsv(0.6, 0.6, 0.25), hsv(0.0, 0.75, 0.55), f32([0.93, 0.93, 0.9])])
    parts = [
        ([(0, 0), (0.012, 0), (0.012, -1), (0, -1)], f32([0.35, 0.28, 0.2])),
        (main, sails[0]),
        (jib, sails[1]),
        (hull, hull_colour),
    ]
    shapes: list[Shape] = []
    ghosts: list[Shape] = []
    for points, colour in parts:
        p = f32(points) * f32([flip, 1.0])
        shapes.append((moved(p, foot, lean, size), colour))
        ghosts.append((moved(p * f32([1, -0.75]), foot, -lean, size), colour * 0.75))
    clean = c.rgb.copy()
    c.draw(ghosts, blur=0.012)
    c.rgb = mix(clean, c.rgb, 0.45)
    c.draw(shapes)
    x, y = c.local(foot, np.s_[:, :])
    fold = 1.0 - 0.22 * smooth(x * flip / size, 0.3, -0.15) * smooth(y / size, -0.05, -0.1)
    sail_mask = c.mask([outline for outline, _ in shapes[1:3]])
    c.shade(f32(1 - sail_mask * (1 - fold)))


def sailing(c: Canvas) -> None:
    """Paint sail boats on a blue sea by day."""
    horizon, hue = c.h * c.u(0.34, 0.6), c.u(0.5, 0.6)
    sky = hsv(hue + 0.03, c.u(0.35, 0.65), c.u(0.75, 0.95))
    c.rgb = ramp(f32(c.y / horizon + 0 * c.x), [(0, sky), (1, mix(sky, WHITE, 0.7))])
    clouds(c, WHITE * 0.97, horizon, c.u(0.2, 0.8))
    if c.u(0, 1) < 0.6:
        n = np.linspace(0, c.w, 120)
        hills = 0.05 + np.cumsum(c.rng.normal(0, 0.006, 120))
        hills = np.clip(hills * np.sin(np.pi * np.clip(n / c.w * c.u(0.7, 1.3), 0, 1)), 0, 0.12)
        coast = [
            *np.stack([n, horizon - hills], axis=1),
            (c.w, horizon + 0.01),
            (0, horizon + 0.01),
        ]
        c.paint(c.mask([f32(coast)], 0.002), mix(hsv(hue + 0.05, 0.35, 0.5), sky, 0.35))
    depth = f32(np.clip((c.y - horizon) / (c.h - horizon), 0, 1) + 0 * c.x)
    deep = hsv(hue + c.u(-0.03, 0.04), c.u(0.6, 0.85), c.u(0.35, 0.55))
    wave = waves(c, horizon, c.u(0.45, 0.9))
    sea = ramp(depth, [(0, mix(deep, sky, 0.5)), (0.3, deep), (1, deep * 0.75)])
    sea = f32(sea * (1 + 1.1 * wave[..., None]) + 0.3 * smooth(wave, 0.16, 0.42)[..., None])
    c.paint(f32(smooth(c.y - horizon, 0, 0.004) + 0 * c.x), sea)
    count = c.cycle([1, 2, 1, 3, 4])
    for i in range(count):
        size = c.u(0.45, 0.75) if count == 1 else c.u(0.15, 0.28) * (1 + 1.1 * i / count)
        foot = (c.w * (i + c.u(0.3, 0.7)) / count, horizon + 0.02 + size * c.u(0.18, 0.4))
        bright = c.pick([hsv(c.u(0, 1), 0.7, 0.9), WHITE * 0.96, f32([0.95, 0.9, 0.8])])
        boat(c, foot, size, (WHITE * c.u(0.88, 0.98), bright))


def terrain(c: Canvas) -> tuple[Field, Field]:
    """Return a map of mountain heights in 0..1 and of the sunlight on them, near rows last."""
    size = 384
    total = np.zeros((size, size), np.float32)
    for octave in range(8):
        n = 4 * 2**octave if octave < 6 else size // 2 ** (8 - octave)
        grid = c.rng.standard_normal((n + 3, n + 3)).astype(np.float32)
        layer = f32(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC))
        total += (1.0 - 1.3 * np.abs(layer) if octave < 5 else layer * 0.6) * 0.43**octave
    low, high = np.percentile(total, [5, 99.8])
    height = np.clip((total - low) / (high - low), 0, 1.1) ** 1.25
    dy, dx = np.gradient(height * size * 0.24)
    normal = np.sqrt(1 + dx * dx + dy * dy)
    side = c.pick([-1.0, 1.0])
    light = np.clip((side * dx * 0.75 + dy * 0.1 + 0.55) / normal, 0, 1.0)
    return f32(height), f32(light)


def mountains(c: Canvas) -> None:
    """Render a range of mountains, slice by slice, hazier with distance."""
    height, light = terrain(c)
    hue = c.u(0.55, 0.63)
    haze = mix(
        hsv(hue, c.u(0.15, 0.35), c.u(0.78, 0.95)), hsv(c.u(0.03, 0.1), 0.3, 0.95), c.u(0, 0.5)
    )
    c.rgb = ramp(
        f32(c.y / c.h + 0 * c.x), [(0, hsv(hue, c.u(0.4, 0.65), c.u(0.55, 0.9))), (0.55, haze)]
    )
    clouds(c, WHITE * 0.95, c.h * 0.6, c.u(0.1, 0.8))
    snow_line, rock = (
        c.cycle([0.4, 0.6, 0.5, 0.85, 0.7]) + c.u(-0.05, 0.05),
        hsv(c.u(0.04, 0.1), c.u(0.1, 0.3), c.u(0.35, 0.5)),
    )
    green = hsv(c.u(0.2, 0.34), c.u(0.3, 0.5), c.u(0.22, 0.38))
    horizon, scale = c.h * c.u(0.4, 0.5), c.u(0.5, 0.8)
    size, rough = height.shape[0], c.rng.normal(0, 0.04, height.shape)
    cols, grid = np.linspace(-0.5, 0.5, c.rgb.shape[1]), np.arange(height.shape[0])
    tops, colours = [], []
    for z in np.geomspace(0.5, 2.6, 260):  # near to far
        row = (1.0 - (z - 0.5) / 2.1) * (size - 1)
        r, at_x = int(row), (cols * (0.28 + 0.24 * z) + 0.5) * (size - 1)
        step = (row - r) * (height[min(r + 1, size - 1)] - height[r])
        h = np.interp(at_x, grid, height[r] + step)
        lit = f32(np.interp(at_x, grid, light[r]))[:, None]
        patchy = f32(h + np.interp(at_x, grid, rough[r]))[:, None]
        ground = mix(rock, green, smooth(patchy, 0.34, 0.18))
        ground = mix(ground, f32([0.95, 0.97, 1.0]), smooth(patchy, snow_line, snow_line + 0.1))
        shaded = f32(ground * mix(hsv(hue, 0.35, 0.38), f32([1.15, 1.1, 1.02]), lit))
        colours.append(mix(shaded, haze, min(0.85, max(0.0, (z - 0.6) * 0.36))))
        tops.append(horizon + (0.4 - h * scale * min(1.0, 0.1 + 1.2 * (z - 0.5))) / z)
    reach, palette = np.minimum.accumulate(f32(tops), axis=0), f32(colours)
    for col in range(c.rgb.shape[1]):
        # A pixel shows the nearest slice whose top is at or above it.
        seen = len(tops) - np.searchsorted(reach[::-1, col], c.y[:, 0], side="right")
        below = seen < len(tops)
        c.rgb[below, col] = palette[seen[below], col]


def forest(c: Canvas) -> None:
    """Paint tree trunks with leaves; far trees are pale."""
    season = c.cycle(["summer", "autumn", "spring"])
    hue, spread = {"summer": (0.29, 0.05), "spring": (0.23, 0.03), "autumn": (0.1, 0.06)}[season]
    light = hsv(hue - 0.05, c.u(0.2, 0.45), c.u(0.8, 0.98))
    dark = hsv(hue + 0.03, 0.6, 0.28)
    ground = c.h * c.u(0.68, 0.85)
    c.rgb = ramp(f32(c.y / c.h + 0 * c.x), [(0, mix(light, dark, 0.25)), (0.55, light), (1, dark)])
    c.shade(f32(0.75 + 0.5 * c.noise(0.25, 4)))
    birch = c.u(0, 1) < 0.35
    for layer in range(4):
        near = (layer + 1) / 4
        foot = ground + (c.h - ground) * (near - 0.4) * 0.8
        floor: list[Shape] = []
        for _ in range(500):
            at = (c.u(-0.05, c.w + 0.05), foot + abs(float(c.rng.normal(0, 0.12))))
            leaf = hsv(hue + c.u(-spread, spread), c.u(0.4, 0.8), c.u(0.2, 0.6))
            floor.append(
                (oval(at, 0.025, 0.008, c.u(-0.6, 0.6)), mix(light, leaf, 0.4 + 0.6 * near))
            )
        c.draw(floor)
        trunks: list[Shape] = []
        for _ in range(int(c.rng.integers(3, 7)) if layer < 3 else int(c.rng.integers(1, 4))):
            x, width = c.u(0, c.w), c.u(0.02, 0.045) * (0.4 + 1.5 * near)
            bark = f32([0.86, 0.85, 0.8]) if birch else hsv(c.u(0.04, 0.09), 0.45, c.u(0.15, 0.3))
            tone = mix(light, bark, 0.3 + 0.7 * near)
            n = np.linspace(0, 1, 14)
            sway = x + np.cumsum(c.rng.normal(0, 0.006, 14)) + c.u(-0.1, 0.1) * n
            line = np.stack([sway, foot + 0.04 * near - n * (foot + 0.15)], axis=1)
            trunks.append((stroke(line, width, width * 0.55), tone * 0.72))
            trunks.append((stroke(line - f32([width * 0.16, 0]), width * 0.6, width * 0.3), tone))
            for _ in range(26 if birch else 0):
                k = c.u(0.05, 0.95)
                spot = (float(np.interp(k, n, sway)) + c.u(-0.3, 0.3) * width, foot * (1 - k))
                trunks.append((oval(spot, width * c.u(0.1, 0.35), 0.004), tone * 0.3))
        c.draw(trunks)
        leaves: list[Shape] = []
        for _ in range(26):
            cluster = (c.u(0, c.w), c.u(-0.05, ground * (0.35 + 0.25 * c.u(0, 1))))
            tint, value = hue + c.u(-spread, spread), c.u(0.3, 0.85)
            for _ in range(34):
                x, y = (float(v) for v in c.rng.normal(cluster, (0.09, 0.05)))
                leaf = hsv(tint + c.u(-0.02, 0.02), c.u(0.5, 0.9), value * c.u(0.7, 1.2))
                size = c.u(0.006, 0.013) * (0.6 + 0.8 * near)
                leaves.append(
                    (
                        oval((x, y), size, size * 0.5, c.u(0, 3)),
                        mix(light, leaf, 0.35 + 0.65 * near),
                    )
                )
        c.draw(leaves)
    beam = c.noise(0.3, 2, (0.6, 8.0))
    c.rgb += light * (0.16 * smooth(beam, 0.5, 0.9) * (1 - c.y / c.h))[..., None]


def meadow(c: Canvas) -> None:
    """Paint flowers in grass: small and blurred far away, large in front."""
    horizon = c.h * c.u(-0.15, 0.28)
    hue = c.u(0.22, 0.33)
    sky = hsv(0.57, c.u(0.2, 0.5), 0.95)
    lawn = [(0.0, hsv(hue, 0.45, 0.62)), (1.0, hsv(hue + 0.03, 0.7, 0.3))]
    c.rgb = ramp(f32(np.clip((c.y - horizon) / (c.h - horizon), 0, 1) + 0 * c.x), lawn)
    c.shade(f32(0.7 + 0.6 * c.noise(0.12, 5)))
    if horizon > 0:
        edge = horizon - 0.05 * c.noise(0.2, 4)
        c.paint(smooth(f32(c.y - edge), 0.008, -0.008), mix(hsv(hue + 0.04, 0.45, 0.35), sky, 0.2))
        trees = edge - 0.16 * np.clip(c.noise(0.3, 5, (1.0, 40.0)) - 0.3, 0, 1)
        blue = ramp(f32(c.y / horizon + 0 * c.x), [(0, sky), (1, mix(sky, WHITE, 0.6))])
        c.paint(smooth(f32(c.y - trees), 0.006, -0.006), blue)
    kinds = [
        (0.0, 0.85, 0.88),
        (0.14, 0.05, 0.97),
        (0.62, 0.7, 0.9),
        (0.15, 0.85, 0.98),
        (0.88, 0.5, 0.92),
        (0.76, 0.5, 0.8),
    ]
    c.rng.shuffle(kinds)
    chosen, petals = kinds[: c.pick([1, 2, 3])], c.pick([5, 6, 12, 14])
    for step, depth in enumerate(np.linspace(0.06, 1.0, 9)):
        y = horizon + (c.h * 1.08 - horizon) * depth**0.9
        shapes: list[Shape] = []
        for _ in range(int(150 - 70 * depth)):
            foot, tall = (c.u(-0.1, c.w + 0.1), y + c.u(0, 0.12)), c.u(0.12, 0.34) * depth
            n = np.linspace(0, 1, 6)[:, None]
            line = (
                f32(foot)
                + n * f32([c.u(-0.3, 0.3) * tall, -tall])
                + n**2 * f32([c.u(-0.1, 0.1), 0])
            )
            blade = hsv(hue + c.u(-0.05, 0.04), c.u(0.5, 0.8), c.u(0.25, 0.7))
            shapes.append((stroke(line, 0.014 * depth), blade))
        for _ in range(int(20 - 14 * depth)):
            at, r = (c.u(-0.05, c.w + 0.05), y - c.u(0.05, 0.3) * depth), c.u(0.055, 0.085) * depth
            shapes.append(
                (
                    stroke([at, (at[0] + c.u(-0.03, 0.03), at[1] + 0.4 * depth)], 0.012 * depth),
                    hsv(hue, 0.6, 0.4),
                )
            )
            shapes += flower(c, at, r, c.pick(chosen), petals)
        c.draw(shapes, blur=[0.014, 0.008, 0.005, 0.003][step] if step < 4 else 0.0)


def flower(
    c: Canvas, at: tuple[float, float], r: float, tint: tuple[float, float, float], petals: int
) -> list[Shape]:
    """Return the shapes of a flower head, seen a little from the side."""
    h, s, v = tint
    turn, squash, shapes = c.u(0, 6), c.u(0.65, 1.0), []
    width = r * min(0.75, 2.6 / petals)
    for ring, size in ((0, 1.0), (1, 0.72)):
        for k in range(petals):
            a = turn + (k + ring * 0.5) * 2 * np.pi / petals
            mid = (float(np.cos(a)) * r * 0.55 * size, float(np.sin(a)) * r * 0.55 * size)
            petal = oval(mid, r * 0.5 * size, width * 0.6 * size, a) * f32([1, squash]) + f32(at)
            shapes.append(
                (
                    f32(petal),
                    hsv(h + c.u(-0.015, 0.015), s * (1 + 0.15 * ring), v * c.u(0.78, 1.02)),
                )
            )
    eye = hsv(0.13, 0.85, 0.9) if h > 0.18 or s < 0.2 else hsv(0.07, 0.6, 0.25)
    shapes.append((oval(at, r * 0.26, r * 0.26 * squash), eye))
    shapes.append(
        (oval((at[0] - r * 0.05, at[1] - r * 0.06), r * 0.14, r * 0.1), mix(eye, WHITE, 0.25))
    )
    return shapes
