"""Make the sample images: python tools/make_samples.py [FOLDER].

Draws thirteen kinds and crops three photographs that ship with scikit-image. Each kind gets a
subfolder of ten images. The same library versions give the same pixels. Files of other names in
the folder stay as they are.
"""

import argparse
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scenes import creatures, outdoors, photographs, things, town
from scenes.canvas import Canvas

PER_KIND = 10
SEED = 7

# Width and height in pixels. Every kind has all of these sizes, each starting at another size.
SIZES = [
    (288, 192), (240, 240), (192, 288), (320, 200), (256, 192),
    (300, 225), (200, 264), (280, 210), (220, 220), (320, 180),
]  # fmt: skip
EXTENSIONS = ["jpg", "jpg", "jpeg", "jpg", "jpg", "jpg", "jpeg", "jpg", "png", "jpg"]

DRAWN: dict[str, Callable[[Canvas], None]] = {
    "balloons": things.balloons,
    "butterflies": creatures.butterfly,
    "clocks": town.clock,
    "fabrics": things.fabric,
    "fishes": creatures.reef,
    "forests": outdoors.forest,
    "fruit": things.fruit,
    "meadows": outdoors.meadow,
    "mountains": outdoors.mountains,
    "planets": things.planet,
    "sailboats": outdoors.sailing,
    "skylines": town.skyline,
    "sunsets": outdoors.sunset,
}
PHOTOGRAPHS: dict[str, Callable[[int], Image.Image]] = {
    "coffee": photographs.coffee,
    "galaxies": photographs.galaxy,
    "gravel": photographs.gravel,
}


def draw(kind: str, index: int) -> Image.Image:
    """Return a drawn sample; it depends on the kind and the index alone."""
    name = zlib.crc32(kind.encode())
    size = SIZES[(index + name) % len(SIZES)]
    canvas = Canvas(size, np.random.default_rng([SEED, name, index]), index)
    DRAWN[kind](canvas)
    return canvas.finish()


def save(image: Image.Image, target: Path) -> None:
    """Write the image under a temporary name, then rename it."""
    part = target.with_name(target.name + ".part")
    if target.suffix == ".png":
        image.save(part, "PNG", optimize=True)
    else:
        image.save(part, "JPEG", quality=86, optimize=True)
    part.replace(target)


def main() -> None:
    """Read the command line and write all samples."""
    parser = argparse.ArgumentParser(description="Make the sample images.")
    default = Path(__file__).resolve().parent.parent / "samples"
    parser.add_argument("folder", type=Path, nargs="?", default=default, help=f"default: {default}")
    folder: Path = parser.parse_args().folder
    cv2.setNumThreads(1)  # the order of sums must not depend on the machine
    total = 0
    for kind in sorted([*DRAWN, *PHOTOGRAPHS]):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for index in range(PER_KIND):
            image = draw(kind, index) if kind in DRAWN else PHOTOGRAPHS[kind](index)
            target = folder / kind / f"{kind}-{index + 1:02d}.{EXTENSIONS[index]}"
            save(image, target)
            total += target.stat().st_size
        print(f"{kind}: {PER_KIND} images")
    print(f"{total / 1e6:.1f} MB in {folder}")


if __name__ == "__main__":
    main()
