"""What drawn pages share: colours, fonts, fitted pictures and shortened names."""

from PIL import Image, ImageFont

from imgbatch.types import View

PAGE, CELL, INK, FAINT, ACCENT = "#ececec", "#ffffff", "#1c1c1c", "#6a6a6a", "#d9480f"
GAP_PX = 12

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font(size_px: int) -> Font:
    """The font of all text on pages."""
    return ImageFont.load_default(size=size_px)


def fitted(picture: View, width_px: int, height_px: int) -> Image.Image:
    """The whole picture, as large as fits into the box; its proportions stay.

    Examples
    --------
    >>> import numpy as np
    >>> fitted(np.zeros((100, 200, 3), np.uint8), 60, 60).size
    (60, 30)
    """
    image = Image.fromarray(picture)
    scale = min(width_px / image.width, height_px / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def shortened(text: str, used: Font, room_px: float) -> str:
    """The text, shortened in the middle if it is too long: file names differ at their ends.

    Examples
    --------
    >>> shortened("holidays-in-norway-0815.jpg", font(13), 120)
    'holidays-...815.jpg'
    """
    if used.getlength(text) <= room_px:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head = (kept + 1) // 2
        shorter = f"{text[:head]}...{text[len(text) - kept + head :]}"
        if used.getlength(shorter) <= room_px:
            return shorter
    return ""
