"""The pictures of the golden files, drawn with whole numbers only: alike on every machine."""

import numpy as np


def _noise(height, width, seed):
    """Bytes of a linear congruential generator: no library may change them."""
    state, values = seed, np.empty(height * width * 3, np.uint8)
    for position in range(values.size):
        state = (1664525 * state + 1013904223) % 2**32
        values[position] = state >> 24
    return values.reshape(height, width, 3)


def pictures():
    """Ten RGB pictures by name: textures, shapes, sizes from 1x9 up. None is flat.

    A flat picture's pHash is decided by the last digit of a zero, which differs by machine.
    """
    y, x = np.mgrid[:96, :128]
    waves = np.dstack([(3 * x + y) % 256, (x * y // 16) % 256, (255 - 2 * y + x // 3) % 256])
    disc = ((x - 40) ** 2 + (y - 50) ** 2 < 900)[..., None]
    bars = ((x // 11 + y // 29) % 3)[..., None]
    coarse = _noise(12, 16, 7).repeat(8, axis=0).repeat(8, axis=1)
    drawn = {
        "noise": _noise(96, 128, 1),
        "waves": waves,
        "disc": np.where(disc, (230, 40, 30), (20, 90 + y[0, 0], 160)) + waves // 16,
        "bars": np.where(bars == 1, (250, 220, 40), np.where(bars == 2, (20, 160, 70), waves // 2)),
        "blocks": coarse,
        "half dark": coarse // np.where(x < 50, 5, 1)[..., None],
        "small": _noise(5, 7, 3),
        "thin": _noise(187, 1, 4),
        "flat strip": _noise(1, 9, 5),
        "wide": np.tile(coarse[:40], (1, 2, 1)),
    }
    return {name: np.ascontiguousarray(view, dtype=np.uint8) for name, view in drawn.items()}
