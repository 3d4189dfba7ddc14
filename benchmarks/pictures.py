"""Pictures for the benchmarks: those of a folder, large ones drawn for the occasion, PNGs."""

from pathlib import Path

import cv2
import numpy as np

ENDINGS = {".jpg", ".jpeg", ".png"}
BIG_IMAGES, PNG_IMAGES = 32, 600


def pictures_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)


def photograph(number: int, width: int, height: int) -> np.ndarray:
    """Like a photograph to a decoder: soft shapes of all sizes, edges, and a little grain."""
    random = np.random.default_rng(number)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (3, 9, 40, 200):
        coarse = random.standard_normal((cells, cells * 3 // 2, 3), dtype=np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.5
    picture = picture * 45 + 120
    for _ in range(12):
        centre = (int(random.integers(width)), int(random.integers(height)))
        colour = tuple(float(one) for one in random.integers(0, 256, 3))
        cv2.circle(picture, centre, int(random.integers(width // 60, width // 8)), colour, -1)
    grain = random.standard_normal((height // 4, width // 4, 1), dtype=np.float32) * 5
    picture += np.tile(grain, (4, 4, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw_big(folder: Path) -> None:
    folder.mkdir()
    bases = [photograph(number, 6000, 4000) for number in range(4)]
    for number in range(BIG_IMAGES):
        picture = np.roll(bases[number % len(bases)], 131 * number, axis=1)
        cv2.imwrite(str(folder / f"{number:03}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])


def draw_pngs(folder: Path, source: Path) -> None:
    folder.mkdir()
    paths = pictures_in(source)
    for number, path in enumerate(paths[:: max(1, len(paths) // PNG_IMAGES)][:PNG_IMAGES]):
        picture = cv2.imread(path)
        if picture is not None:
            cv2.imwrite(str(folder / f"{number:05}.png"), picture)
