"""Names: how they are cut to what a file system takes."""

import os

import pytest

from imgbatch.files.names import fitted_name, folder_name


@pytest.mark.parametrize("name", ["sea", "n" * 300, "ü" * 200, "x" + "画" * 100, "\udcff" * 300])
def test_a_fitted_name_has_at_most_255_bytes_and_keeps_its_ends(name):
    fitted = fitted_name("similar-", name, "-7.png")
    assert len(os.fsencode(fitted)) <= 255
    assert fitted.startswith("similar-")
    assert fitted.endswith("-7.png")
    assert name.startswith(fitted.removeprefix("similar-").removesuffix("-7.png"))
    assert len(os.fsencode(fitted)) > 250 or fitted == f"similar-{name}-7.png"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("nul", "%6Eul"),
        ("Com1", "%43om1"),
        ("aux.txt", "%61ux.txt"),
        ("console", "console"),
        ("com10", "com10"),
        ("sea.", "sea%2E"),
        ("sea ", "sea%20"),
        ("a\nb", "a%0Ab"),
        (".", "%2E"),
        (".hidden", "%2Ehidden"),
        ("com¹.x", "%63om¹.x"),
        ("conin$", "%63onin$"),
        ("a" * 254 + ".b", "a" * 254),
        ("a" * 254 + " b", "a" * 254),
        ("x" * 253 + "::", "x" * 253),
    ],
)
def test_a_class_becomes_a_folder_that_all_systems_can_hold(name, folder):
    assert folder_name(name) == folder
