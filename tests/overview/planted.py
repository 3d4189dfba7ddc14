"""A small folder of two classes in two splits, with one picture for each problem."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.copies.drawing import scene
from tests.drawing import jpeg, png, settle

_PER_CLASS = 14

PLANTED = {
    "unreadable": {"night/broken.jpg"},
    "cut off": {"day/half.jpg"},
    "tiny": {"night/tiny.png"},
    "odd size": {"night/tiny.png", "day/huge.jpg"},
    "odd aspect": {"day/pencil.jpg"},
    "dark": {"night/black.png"},
    "low contrast": {"night/black.png", "day/fog.jpg"},
    "blurred": {"day/blurred.jpg"},
    "copies across classes": {"day/day03.jpg", "night/again.jpg"},
    "copies across splits": {"day/day05.jpg", "day/leaked.jpg"},
    "neighbours of another class": {"night/stray.jpg", "night/again.jpg"},
}
"""The files in which each problem must be found; other files may have some problem, too."""
COPIES = {"day/day03.jpg", "night/again.jpg", "day/day05.jpg", "day/leaked.jpg",
          "night/night04.jpg", "night/other-name.jpg"}  # fmt: skip
"""The files that are there twice: resized, mirrored, or equal under another name."""


def sky(seed: int, *, day: bool) -> Image.Image:
    """A bright sky with a sun and clouds over green hills, or a purple night with stars and towers."""
    random = np.random.default_rng(seed + 1000 * day)
    width, height = 480, 360
    top, bottom = ((90, 160, 240), (210, 235, 255)) if day else ((60, 20, 90), (150, 60, 120))
    blend = np.linspace(0, 1, height)[:, None, None]
    pixels = np.broadcast_to((1 - blend) * top + blend * bottom, (height, width, 3))
    picture = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = int(random.integers(0, width)), int(random.integers(0, height // 2))
        if day:
            draw.ellipse((x, y, x + int(random.integers(30, 90)), y + 24), fill=(250, 250, 250))
        else:
            draw.ellipse((x, y, x + 5, y + 5), fill=(255, 255, 200))
    for _ in range(8):
        x, side = int(random.integers(-40, width)), int(random.integers(40, 120))
        tone = int(random.integers(0, 60))
        if day:
            draw.ellipse((x, 300 - side // 2, x + 3 * side, 460), fill=(60 + tone, 150, 40 + tone))
        else:
            draw.rectangle((x, 330 - 2 * side, x + side // 2, height), fill=(30 + tone, 20, 60))
    grain = random.integers(-10, 11, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def plant(folder: Path) -> Path:
    """Write the folder: 14 pictures of each class, the planted ones, and the splits."""
    for name in ("day", "night"):
        (folder / name).mkdir(parents=True)
    for number in range(_PER_CLASS):
        for name in ("day", "night"):
            picture = jpeg(sky(number, day=name == "day"))
            (folder / name / f"{name}{number:02}.jpg").write_bytes(picture)
    whole = jpeg(sky(61, day=True))
    black, fog = (np.full((240, 320, 3), level, np.uint8) for level in (4, 150))
    third = Image.open(io.BytesIO((folder / "day/day03.jpg").read_bytes()))
    fifth = Image.open(io.BytesIO((folder / "day/day05.jpg").read_bytes()))
    files = {
        "night/broken.jpg": b"no picture at all",
        "day/half.jpg": whole[: len(whole) * 9 // 10],
        "night/tiny.png": png(scene(1).resize((5, 5))),
        "night/black.png": png(Image.fromarray(black)),
        "night/again.jpg": jpeg(third.resize((240, 180))),
        "night/other-name.jpg": (folder / "night/night04.jpg").read_bytes(),
        "night/stray.jpg": jpeg(sky(77, day=True)),
        "day/huge.jpg": jpeg(sky(50, day=True).resize((1920, 1440))),
        "day/pencil.jpg": jpeg(scene(2, 80, 960)),
        "day/fog.jpg": jpeg(Image.fromarray(fog + np.eye(240, 320, dtype=np.uint8)[..., None] * 9)),
        "day/leaked.jpg": jpeg(fifth.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        "day/blurred.jpg": jpeg(sky(60, day=True).filter(ImageFilter.GaussianBlur(8))),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    names = sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, inside in os.walk(folder)
        for name in inside
    )
    test = {"day/leaked.jpg"}
    lines = [f"{name},{'test' if name in test else 'train'}" for name in names]
    (folder / "metadata.csv").write_text("\n".join(["file_name,split", *lines]), encoding="utf-8")
    settle(folder)
    return folder
