"""The screens of the local page, in the order of its menu. A new one is a file and a line here."""

from imgbatch.web.screens import (
    basket,
    batches,
    explain,
    folder,
    image,
    images,
    pick,
    plane,
    search,
    survey,
)
from imgbatch.web.screens.base import Screen

SCREENS: tuple[Screen, ...] = (
    *pick.SCREENS,
    images.SCREEN,
    image.SCREEN,
    search.SCREEN,
    plane.SCREEN,
    *survey.SCREENS,
    batches.SCREEN,
    explain.SCREEN,
    basket.SCREEN,
    folder.SCREEN,
)
