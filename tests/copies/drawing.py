"""Pictures for tests of near-duplicates: drawn, with details, and their miniatures."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from imgbatch.descriptors.miniature import Miniature


def scene(seed, width=320, height=240):
    """A picture with shapes of all sizes, so that there are details everywhere."""
    random = np.random.default_rng(seed)
    colors = random.integers(0, 256, (3, 4, 3)).astype(np.uint8)
    picture = Image.fromarray(colors).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = random.integers(0, width), random.integers(0, height)
        side = int(random.integers(8, 70))
        color = tuple(int(c) for c in random.integers(0, 256, 3))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((int(x), int(y), int(x) + side, int(y) + int(side * random.uniform(0.4, 1))), color)
    return picture.filter(ImageFilter.GaussianBlur(1))


def view(image):
    return np.asarray(image.convert("RGB"))


def miniature(image):
    return Miniature().describe(view(image))
