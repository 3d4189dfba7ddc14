"""Single things and textures: fruit, fabrics, balloons, planets."""

import cv2
import numpy as np

from scenes.canvas import Canvas, Field, Shape, f32, hsv, mix, moved, oval, ramp, smooth, stroke
from scenes.outdoors import WHITE, clouds


def wood(c: Canvas, colour: Field) -> Field:
    """Return planks of wood, (H, W, 3), the grain running from left to right."""
    grain = c.noise(0.5, 5, (4.0, 0.5))
    fine = c.noise(0.03, 3, (14.0, 0.6))
    rings = 0.5 + 0.5 * np.sin(grain * 40.0)
    return f32(colour * (0.72 + 0.2 * rings + 0.35 * fine)[..., None])


def fruit(c: Canvas) -> None:
    """Paint a still life: round fruit of one or two sorts on a table."""
    edge = c.h * c.u(0.3, 0.52)
    wall = c.pick([hsv(c.u(0, 1), c.u(0.1, 0.35), c.u(0.3, 0.85)), hsv(0.09, 0.3, c.u(0.2, 0.8))])
    c.rgb = f32(wall * (0.75 + 0.4 * c.noise(0.5, 5) - 0.15 * c.x / c.w)[..., None])
    cloth = c.u(0, 1) < 0.35
    table = wood(c, hsv(c.u(0.04, 0.1), c.u(0.4, 0.65), c.u(0.4, 0.75)))
    if cloth:
        table = f32(
            hsv(c.u(0, 1), 0.2, 0.85) * (0.8 + 0.4 * c.noise(0.3, 3, (2.0, 0.6)))[..., None]
        )
    c.paint(f32(smooth(c.y - edge, 0, 0.006) + 0 * c.x), table)
    sorts = [
        (0.075, 0.95, 0.98, "pitted"),
        (0.0, 0.85, 0.75, "streaked"),
        (0.24, 0.75, 0.72, "smooth"),
        (0.145, 0.8, 0.96, "pitted"),
        (0.8, 0.55, 0.36, "smooth"),
        (0.06, 0.65, 0.97, "streaked"),
    ]
    chosen = [c.cycle(sorts), c.pick(sorts)][: c.pick([1, 2])]
    count = c.cycle([5, 3, 7, 4, 2, 6])
    size, light = c.u(0.15, 0.22) * (1.25 if count < 4 else 0.95), (c.pick([-0.6, 0.6]), -0.6)
    spots: list[tuple[float, float]] = []
    for _ in range(400):
        spot = (
            c.u(size * 0.6, c.w - size * 0.6),
            edge + c.u(-0.02, max(0.03, c.h - edge - size * 0.7)),
        )
        if all(np.hypot(spot[0] - x, (spot[1] - y) * 1.5) > size * 1.5 for x, y in spots):
            spots.append(spot)
        if len(spots) == count:
            break
    spots.sort(key=lambda spot: spot[1])
    for spot in spots:
        one_fruit(c, spot, size * c.u(0.88, 1.08), c.pick(chosen), light)


def one_fruit(
    c: Canvas,
    at: tuple[float, float],
    r: float,
    sort: tuple[float, float, float, str],
    light: tuple[float, float],
) -> None:
    """Paint a fruit with its shadow, bloom and stalk."""
    hue, s, v, skin = sort
    hue += c.u(-0.015, 0.015)
    shadow = oval((at[0] - light[0] * r * 0.55, at[1] + r * 0.86), r * 1.15, r * 0.3)
    c.shade(1.0 - 0.6 * c.mask([shadow], r * 0.13))
    where, mask, lit, xy = c.ball(at, r, light)
    colour = hsv(hue, s, v) + np.zeros_like(lit)[..., None]
    tone = c.noise(0.09, 4)[where]
    if skin == "pitted":
        pits = c.noise(0.012, 2)[where]
        lit = f32(lit * (0.9 + 0.2 * pits))
    elif skin == "streaked":
        around = np.arctan2(xy[1] + 0.75, xy[0])
        streak = smooth(f32(np.sin(around * 21 + tone * 5) * 0.5 + tone), 0.3, 1.1)
        colour = mix(
            f32(colour), hsv(hue + 0.1, s * 0.85, min(1.0, v * 1.25)), streak[..., None] * 0.45
        )
    colour = mix(f32(colour), hsv(hue + 0.05, s * 0.9, v), smooth(tone, 0.5, 0.9)[..., None] * 0.5)
    bounce = 0.14 * np.clip(xy[1], 0, 1)
    body = colour * (0.2 + 0.95 * lit + bounce)[..., None]
    shine = np.exp(-((xy[0] - light[0] * 0.55) ** 2 + (xy[1] - light[1] * 0.6) ** 2) / 0.03)
    c.paint(mask, f32(body + (0.5 if skin != "pitted" else 0.28) * shine[..., None]), where)
    top = (at[0] + c.u(-0.15, 0.15) * r, at[1] - r * 0.72)
    c.draw([(oval(top, r * 0.2, r * 0.07), hsv(hue, s, v * 0.45))], blur=r * 0.05)
    if sort[3] != "pitted":
        line = [top, (top[0] + 0.05 * r, top[1] - 0.2 * r), (top[0] + 0.18 * r, top[1] - 0.4 * r)]
        c.draw([(stroke(line, 0.08 * r, 0.05 * r), hsv(0.07, 0.6, 0.28))])
    if c.u(0, 1) < 0.4:
        n = np.linspace(0, np.pi, 16)
        half = np.stack([n / np.pi, 0.22 * np.sin(n)], axis=1)
        turn = c.u(-0.9, 0.1)
        green = hsv(c.u(0.26, 0.34), 0.7, c.u(0.35, 0.6))
        for side, shade in ((1.0, 0.8), (-1.0, 1.1)):
            c.draw([(moved(half * f32([1, side]), top, turn, r * 0.9), green * shade)])


def fabric(c: Canvas) -> None:
    """Weave a tartan, a stripe or a plain cloth, thread by thread, and lay it in folds."""
    style = c.cycle(["tartan", "stripe", "tartan", "herringbone"])
    hue, pitch = c.u(0, 1), c.u(0.014, 0.022)
    colours = [
        hsv(hue, c.u(0.4, 0.85), c.u(0.3, 0.75)),
        hsv(hue + c.u(0.3, 0.6), 0.55, c.u(0.15, 0.5)),
        f32([0.92, 0.89, 0.8]),
        hsv(hue + c.u(0.1, 0.25), 0.75, 0.85),
    ]
    sett = [int(k) for k in c.rng.permutation([0, 1, 0, 2, 3, 1][: c.pick([4, 5, 6])])]
    widths = c.rng.choice([2, 3, 6, 9, 14], len(sett))
    run = np.repeat(sett, widths)
    run = np.concatenate([run, run[::-1]])
    turn, fold = c.u(-0.8, 0.8), c.noise(0.7, 2, (1.0, 1.0)) - 0.5
    bend = c.u(0.0, 0.35)
    gy, gx = np.gradient(fold * c.px)
    u = (c.x * np.cos(turn) + c.y * np.sin(turn) + fold * bend) / pitch + 200
    v = (c.y * np.cos(turn) - c.x * np.sin(turn) + fold * bend * 0.6) / pitch + 200
    iu, iv = u.astype(int), v.astype(int)
    table = f32(colours)
    warp = table[run[iu % len(run)]]
    weft = {"tartan": table[run[iv % len(run)]], "stripe": warp * 0.93}.get(
        style, table[2] + 0 * warp
    )
    step = iu + iv if style != "herringbone" else np.where((iu // 12) % 2 == 0, iu + iv, iv - iu)
    over = (step % 4) < 2
    fu, fv = u - iu - 0.5, v - iv - 0.5
    bump = np.where(over, 1.0 - 2.0 * fu * fu, 1.0 - 2.0 * fv * fv)
    thread = np.where(over[..., None], warp, weft) * (0.35 + 0.75 * bump)[..., None]
    light = 1.0 + np.clip(bend * 1.5 * (gx * 0.8 + gy * 0.5), -0.55, 0.45)
    c.rgb = f32(thread * (light * (0.85 + 0.3 * c.noise(0.02, 2)))[..., None])


def balloon(c: Canvas, at: tuple[float, float], r: float, scheme: list[Field]) -> None:
    """Paint a hot-air balloon; `r` is the envelope's half width, `at` its middle."""
    where = c.patch(at, r * 2.1)
    x, y = c.local(at, where)
    x, y = x / r, y / r
    t = np.clip((y + 1.0) / 2.45, 0, 1)  # 0 at the crown, 1 at the mouth
    profile = np.where(
        y < 0, np.sqrt(np.clip(1 - y * y, 0, 1)), 1 - (np.clip(y, 0, 1.62) / 1.62) ** 2.1
    )
    across = np.clip(x / (profile + 1e-3), -1, 1)
    inside = smooth(f32(np.abs(x) - profile), 0.0, -0.02) * (y > -1) * (y < 1.45)
    gore = (np.arcsin(across) / np.pi + 0.5) * 8.0 + c.u(0, 1)
    style = c.pick(["gores", "bands", "zigzag", "gores"])
    shift = {"gores": gore, "bands": t * 7.0, "zigzag": t * 6.0 + np.abs(gore % 2 - 1)}[style]
    colour = f32(scheme)[shift.astype(int) % len(scheme)]
    seam = 1.0 - 0.18 * np.exp(-(((gore + 0.5) % 1 - 0.5) ** 2) / 0.006)
    z = np.sqrt(np.clip(1 - across**2, 0, 1))
    lit = np.clip(0.55 + 0.4 * z - 0.35 * across - 0.25 * y, 0.25, 1.3)
    c.paint(f32(inside), f32(colour * (lit * seam)[..., None]), where)
    foot, half = (at[0], at[1] + r * 1.85), r * 0.14
    ropes = [
        stroke(
            [(at[0] + k * r * 0.36, at[1] + r * 1.4), (foot[0] + k * half, foot[1])], 0.004, 0.004
        )
        for k in (-1.0, -0.3, 0.3, 1.0)
    ]
    brown = hsv(0.07, 0.6, 0.35)
    c.draw([(rope, brown * 0.6) for rope in ropes])
    basket = [(-1, 0), (1, 0), (0.85, 1.5), (-0.85, 1.5)]
    c.draw(
        [
            (moved(basket, foot, 0, half), brown),
            (moved([(-1.1, 0), (1.1, 0), (1.1, 0.3), (-1.1, 0.3)], foot, 0, half), brown * 1.5),
        ]
    )


def balloons(c: Canvas) -> None:
    """Paint hot-air balloons in the sky."""
    hue, low = (
        c.u(0.52, 0.61),
        c.pick([f32([1, 0.93, 0.82]), f32([0.9, 0.95, 1]), f32([1, 0.85, 0.8])]),
    )
    sky = hsv(hue, c.u(0.3, 0.7), c.u(0.7, 0.95))
    c.rgb = ramp(f32(c.y / c.h + 0 * c.x), [(0, sky), (1, mix(sky, low, 0.8))])
    clouds(c, WHITE * 0.98, c.h, c.u(0.1, 0.8))
    if c.u(0, 1) < 0.5:
        for k in range(3):
            line = c.h * (0.84 + 0.06 * k) - 0.12 * (c.noise(0.5, 4, (1.0, 60.0)) - 0.5)
            hill = mix(hsv(c.u(0.25, 0.4), 0.4, 0.35), mix(sky, low, 0.6), 0.65 - 0.27 * k)
            c.paint(smooth(f32(c.y - line), 0, 0.006), hill)
    count = c.cycle([1, 3, 1, 6, 2])
    spots: list[tuple[float, float, float]] = []
    for _ in range(600):
        r = c.u(0.17, 0.27) if count < 3 else c.u(0.05, 0.15)
        x, y = c.u(r, c.w - r), c.u(r * 1.1, max(r * 1.2, c.h - r * 2.2))
        if all(np.hypot(x - a, y - b) > 1.6 * (r + q) for a, b, q in spots):
            spots.append((x, y, r))
        if len(spots) == count:
            break
    for x, y, r in sorted(spots, key=lambda spot: spot[2]):
        tint = c.u(0, 1)
        scheme = [hsv(tint, 0.85, 0.9), hsv(tint + c.u(0.1, 0.5), 0.8, 0.95)]
        scheme += c.pick([[], [WHITE * 0.95], [hsv(tint + 0.6, 0.8, 0.6)]])
        balloon(c, (x, y), r, scheme)


def stars(c: Canvas, count: int) -> None:
    """Sprinkle stars of many sizes over a dark ground."""
    shapes: list[Shape] = []
    for _ in range(count):
        r = 0.0015 + 0.004 * c.u(0, 1) ** 4
        tint = mix(f32([0.7, 0.8, 1]), f32([1, 0.85, 0.7]), c.u(0, 1)) * c.u(0.3, 1.0)
        shapes.append((oval((c.u(0, c.w), c.u(0, c.h)), r, r), tint))
    c.draw(shapes)


def planet(c: Canvas) -> None:
    """Paint a planet among stars: a banded giant or a rocky world, some with rings or a moon."""
    nebula = smooth(c.noise(0.8, 5), 0.45, 0.95)
    c.rgb = f32(hsv(c.u(0.5, 1.0), 0.7, 0.28) * nebula[..., None] + f32([0.01, 0.012, 0.03]))
    stars(c, int(c.rng.integers(60, 320)))
    r = c.u(0.22, 0.42)
    at = (c.w * c.u(0.35, 0.65), c.h * c.u(0.38, 0.62))
    angle = c.u(0, 2 * np.pi)
    light = (float(np.cos(angle)) * c.u(0.3, 1.1), float(np.sin(angle)) * c.u(0.3, 0.8))
    kind, hue = c.cycle(["giant", "ocean", "giant", "rock"]), c.u(0, 1)
    ringed = c.index % 4 == 2
    r = r * 0.72 if ringed else r
    tilt, flat = c.u(-0.6, 0.6), c.u(0.18, 0.4)
    where, mask, lit, xy = c.ball(at, r, light)
    xr = xy[0] * np.cos(tilt) + xy[1] * np.sin(tilt)
    yr = xy[1] * np.cos(tilt) - xy[0] * np.sin(tilt)
    if kind == "giant":
        swirl = c.noise(0.12, 4, (2.5, 0.7))[where] - 0.5
        base = np.linspace(-1.3, 1.3, 14)
        bands = [hsv(hue + c.u(-0.05, 0.07), c.u(0.15, 0.7), c.u(0.45, 0.98)) for _ in base]
        stops = list(zip(base, bands, strict=True))
        colour = ramp(f32(yr + flat * 0.6 * xr**2 + 0.22 * swirl), stops)
        colour = f32(colour * (1.0 + 0.6 * swirl[..., None]))
    else:
        ground = relief(c, f32(xr * r), f32(yr * r), r)
        sea, land = hsv(0.58, 0.8, 0.45), hsv(c.u(0.08, 0.33), 0.5, 0.5)
        stops = [(0.25, sea * 0.7), (0.5, sea), (0.53, land), (0.75, land * 1.25), (1.0, WHITE)]
        if kind == "rock":
            dust = hsv(c.u(-0.02, 0.12), c.u(0.15, 0.75), 0.8)
            stops = [(0.2, dust * 0.35), (0.5, dust * 0.8), (0.85, dust * 1.15)]
        colour = ramp(ground, stops)
        gy, gx = np.gradient(ground)
        lit = f32(lit * np.clip(1 - 22 * (gx * light[0] + gy * light[1]), 0.3, 1.7))
    glow = hsv(0.57 if kind == "ocean" else hue, 0.5, 0.9)
    far = np.hypot(c.x - at[0], c.y - at[1]) / r
    c.rgb += glow * (0.25 * np.exp(-np.clip(far - 1, 0, 9) * 9))[..., None]
    c.paint(mask, f32(colour * (0.04 + 1.05 * lit)[..., None]), where)
    if ringed:
        rings(c, at, r, (tilt, flat), mix(glow, f32([0.95, 0.88, 0.75]), 0.6))
    elif c.u(0, 1) < 0.5:
        orbit, a = r * c.u(1.3, 1.5), c.u(0, 2 * np.pi)
        spot = (at[0] + orbit * float(np.cos(a)), at[1] + orbit * float(np.sin(a)))
        where, mask, lit, _ = c.ball(spot, r * c.u(0.08, 0.16), light)
        lit = f32(0.04 + lit * c.noise(0.03, 3)[where] * 2)
        c.paint(mask, f32(f32([0.8, 0.78, 0.74]) * lit[..., None]), where)


def relief(c: Canvas, x: Field, y: Field, r: float) -> Field:
    """Return heights in 0..1 wrapped on a sphere; x and y are distances from its centre."""
    flat = c.noise(0.22, 7)
    bulge = 0.5 / (0.55 + 0.45 * np.sqrt(np.clip(1 - (x * x + y * y) / (r * r), 0, 1)))
    rows, cols = flat.shape
    at_x = f32(np.clip((x * bulge + 0.5 * c.w) * c.px, 0, cols - 1))
    at_y = f32(np.clip((y * bulge + 0.5 * c.h) * c.px, 0, rows - 1))
    return f32(cv2.remap(flat, at_x, at_y, cv2.INTER_LINEAR))


def rings(
    c: Canvas, at: tuple[float, float], r: float, pose: tuple[float, float], colour: Field
) -> None:
    """Lay rings around a planet; pose is the tilt in radians and the flattening."""
    tilt, flat = pose
    dx, dy = c.local(at, np.s_[:, :])
    x = dx * np.cos(tilt) + dy * np.sin(tilt)
    y = dy * np.cos(tilt) - dx * np.sin(tilt)
    far = f32(np.hypot(x, y / flat) / r)
    edges = np.linspace(1.3, 2.2, 40)
    veil = np.interp(far, edges, c.rng.uniform(0.15, 0.95, 40)) * smooth(far, 1.28, 1.33)
    veil *= smooth(far, 2.2, 2.15) * (1 - 0.85 * np.exp(-(((far - 1.85) / 0.03) ** 2)))
    hidden = (dx * dx + dy * dy < r * r) & (y < 0)
    c.paint(f32(np.where(hidden, 0, veil) * 0.85), colour)
