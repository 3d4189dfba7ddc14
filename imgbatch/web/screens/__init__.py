"""The screens of the local page, in the order of its menu. A new one is a file and a line here."""

from imgbatch.web.screens import (
    basket,
    batches,
    check,
    duplicates,
    explain,
    folder,
    image,
    images,
    label,
    pick,
    plane,
    search,
    survey,
)
from imgbatch.web.screens.base import Screen

SCREENS: tuple[Screen, ...] = (
    *pick.SCREENS,
    search.SCREEN,
    batches.SCREEN,
    images.SCREEN,
    image.SCREEN,
    plane.SCREEN,
    *survey.SCREENS,
    explain.SCREEN,
    duplicates.SCREEN,
    label.SCREEN,
    check.SCREEN,
    basket.SCREEN,
    folder.SCREEN,
)
