"""The town: night skylines, clocks on walls."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scenes.canvas import Canvas, Field, Shape, f32, hsv, mix, moved, oval, ramp, smooth, stroke
from scenes.outdoors import WHITE, clouds, waves


def skyline(c: Canvas) -> None:
    """Paint lit towers at night over still water."""
    water, hue = c.h * c.u(0.66, 0.86), c.u(0.58, 0.7)
    dusk = hsv(c.cycle([0.05, 0.92, 0.56, 0.08, 0.78, 0.52]), c.u(0.5, 0.7), c.u(0.6, 0.95))
    night = hsv(hue, 0.7, 0.15)
    stops = [(0, night), (0.35, mix(night, dusk, 0.15)), (0.95, dusk)]
    c.rgb = ramp(f32(c.y / water + 0 * c.x), stops)
    clouds(c, mix(dusk, hsv(hue, 0.4, 0.3), 0.5), water, c.u(0, 0.7), 5)
    if c.u(0, 1) < 0.5:
        moon = (c.w * c.u(0.1, 0.9), c.h * c.u(0.08, 0.25))
        far = f32(np.hypot(c.x - moon[0], c.y - moon[1]))
        c.rgb += f32([0.5, 0.5, 0.45]) * np.exp(-far / 0.06)[..., None] * 0.6
        c.paint(smooth(far, 0.045, 0.041), f32([0.97, 0.95, 0.86]))
    for layer in range(3):
        shapes: list[Shape] = []
        x, near = -0.1, layer / 2
        while x < c.w:
            wide, tall = c.u(0.06, 0.16), c.u(0.12, 0.42) * (1.25 - 0.35 * near)
            tall *= 1.5 if c.u(0, 1) < 0.15 else 1.0
            body = mix(
                mix(dusk, hsv(hue, 0.5, 0.3), 0.5) * 0.7, hsv(hue, 0.5, 0.07), 0.4 + 0.6 * near
            )
            top = water - min(tall, water * 0.92)
            shapes.append((f32([(x, water), (x, top), (x + wide, top), (x + wide, water)]), body))
            shapes += roof(c, (x, top), wide, body)
            warm, cell, share = c.u(0.08, 0.16), c.u(0.011, 0.017), c.u(0.25, 0.7)
            for wy in np.arange(top + cell, water - cell, cell * 1.5):
                for wx in np.arange(x + cell * 0.6, x + wide - cell, cell * 1.15):
                    if c.u(0, 1) < share * (0.45 + 0.55 * near):
                        glass = hsv(warm, c.u(0.2, 0.6), c.u(0.6, 1.0) * (0.6 + 0.4 * near))
                        box = [(0, 0), (0.62, 0), (0.62, 0.75), (0, 0.75)]
                        shapes.append((moved(box, (float(wx), float(wy)), 0, cell), glass))
            x += wide + c.u(-0.02, 0.05)
        c.draw(shapes)
    c.rgb += c.soften(f32(np.clip(c.rgb - 0.35, 0, 1)), 0.012) * 0.7
    edge, rows = int(water * c.px), c.rgb.shape[0]
    wave = waves(c, water, 1.2)[edge:]
    back = np.arange(rows - edge)[:, None]
    source = np.clip(edge - 1 - back * 1.5 + wave * 40 * (back / 40 + 0.5), 0, edge - 1)
    cols = np.arange(c.rgb.shape[1])[None, :] + wave * 26
    mirror = f32(
        cv2.remap(c.rgb, f32(cols), f32(source), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    )
    c.rgb[edge:] = f32(cv2.blur(mirror, (1, 25))) * 0.75 + hsv(hue, 0.7, 0.05)


def roof(c: Canvas, corner: tuple[float, float], wide: float, body: Field) -> list[Shape]:
    """Return a spire, a step or nothing on top of a tower."""
    (x, top), mid = corner, corner[0] + wide / 2
    style = c.pick(["flat", "flat", "spire", "step"])
    if style == "spire":
        cone = [(x, top), (mid, top - wide * 0.7), (x + wide, top)]
        mast = [(mid - 0.003, top - wide * 0.6), (mid, top - wide * 1.5), (mid + 0.003, top)]
        return [(f32(cone), body), (f32(mast), body)]
    if style == "step":
        a, b, up = x + wide * 0.2, x + wide * 0.8, top - wide * 0.35
        return [(f32([(a, top), (a, up), (b, up), (b, top)]), body)]
    return []


def clock(c: Canvas) -> None:
    """Paint a clock on a wall, at any time of the day."""
    wall = hsv(c.u(0, 1), c.u(0.05, 0.6), c.u(0.55, 0.95))
    c.rgb = f32(wall * (0.85 + 0.3 * c.noise(0.05, 5))[..., None])
    style = c.cycle(["plain", "brick", "stripes"])
    if style == "brick":
        row = np.floor(c.y / 0.11)
        joint = np.minimum(
            np.abs((c.y / 0.11) % 1 - 0.5), np.abs((c.x / 0.26 + 0.5 * row) % 1 - 0.5) * 2.4
        )
        gap = np.maximum(
            smooth(f32(np.abs((c.y / 0.11) % 1 - 0.5)), 0.44, 0.48) + 0 * joint,
            smooth(f32(np.abs((c.x / 0.26 + 0.5 * row) % 1 - 0.5)), 0.475, 0.49),
        )
        c.paint(f32(gap), mix(wall, WHITE, 0.5))
    elif style == "stripes":
        c.shade(f32(1 - 0.14 * smooth(f32(np.sin(c.x * c.u(18, 40)) + 0 * c.y), -0.1, 0.1)))
    c.shade(f32(1.15 - 0.45 * np.hypot(c.x - c.w * c.u(0, 1), c.y) / np.hypot(c.w, c.h)))
    r = c.u(0.27, 0.44)
    at = (c.w * c.u(0.42, 0.58), c.h * c.u(0.44, 0.56))
    c.shade(1 - 0.55 * c.mask([oval((at[0] + 0.03, at[1] + 0.05), r * 1.03, r * 1.03)], 0.025))
    dark = c.u(0, 1) < 0.3
    rim = c.pick(
        [hsv(0.12, 0.6, 0.75), hsv(0.6, 0.05, 0.7), hsv(0.06, 0.6, 0.3), hsv(c.u(0, 1), 0.7, 0.5)]
    )
    face = (
        f32([0.12, 0.13, 0.16])
        if dark
        else mix(f32([0.97, 0.95, 0.88]), hsv(c.u(0, 1), 0.2, 1), c.u(0, 0.6))
    )
    ink = f32([0.93, 0.9, 0.8]) if dark else f32([0.1, 0.1, 0.12])
    dx, dy = c.local(at, np.s_[:, :])
    far = f32(np.hypot(dx, dy) / r)
    round_rim = np.clip(0.75 - (dx + dy) / r * 0.35 * np.sign(0.93 - far), 0.3, 1.3)
    c.paint(smooth(far, 1.0, 0.99), f32(rim * round_rim[..., None]))
    c.paint(smooth(far, 0.87, 0.86), f32(face * (0.97 - 0.12 * (dx + dy) / r)[..., None]))
    dial(c, at, r, ink)
    hour, minute = c.u(0, 12), c.u(0, 60)
    red = hsv(0.0, 0.8, 0.8)
    hands = [
        (hour / 12, 0.48, 0.06, ink),
        (minute / 60, 0.72, 0.04, ink),
        (c.u(0, 1), 0.75, 0.012, red),
    ]
    for turn, reach, width, colour in hands:
        line = moved([(0, 0.14), (0, 0), (0, -reach)], at, turn * 2 * np.pi, r)
        c.shade(1 - 0.3 * c.mask([stroke(line + f32([0.012, 0.018]), width * r)], 0.008))
        c.draw([(stroke(line, width * r, width * r * 0.4), colour)])
    c.draw([(oval(at, 0.05 * r, 0.05 * r), ink), (oval(at, 0.02 * r, 0.02 * r), rim)])


def dial(c: Canvas, at: tuple[float, float], r: float, ink: Field) -> None:
    """Draw the marks of the minutes and, on most clocks, the numbers of the hours."""
    style = c.pick(["arabic", "arabic", "roman", "marks"])
    shapes: list[Shape] = []
    for k in range(60):
        long = k % 5 == 0
        reach = (0.68 if style == "marks" else 0.76) if long else 0.79
        line = moved([(0, -0.83), (0, -reach)], at, k * np.pi / 30, r)
        shapes.append(
            (stroke(line, r * (0.035 if long else 0.01), r * (0.035 if long else 0.01)), ink)
        )
    c.draw(shapes)
    if style == "marks":
        return
    roman = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
    rows, cols = c.rgb.shape[:2]
    sheet = Image.new("L", (cols, rows))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(max(8.0, 0.17 * r * c.px))
    for k in range(1, 13):
        x, y = moved([(0.0, -0.62)], at, k * np.pi / 6, r)[0] * c.px
        text = roman[k - 1] if style == "roman" else str(k)
        pen.text((float(x), float(y)), text, fill=255, font=font, anchor="mm")
    c.paint(f32(np.asarray(sheet)) / 255.0, ink)
