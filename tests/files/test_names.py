"""Names: what a terminal shows of them, and how they are cut to what a file system takes."""

import os

import pytest

from imgbatch.files.names import fitted_name, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 画", "plain ü 画"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("caf\udce9", "caf\\xe9"),
        ("\u202egpj", "\\u202egpj"),
        ("[bold]", "[bold]"),
    ],
)
def test_control_characters_and_stray_bytes_are_shown_as_escapes(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("name", ["sea", "n" * 300, "ü" * 200, "x" + "画" * 100, "\udcff" * 300])
def test_a_fitted_name_has_at_most_255_bytes_and_keeps_its_ends(name):
    fitted = fitted_name("similar-", name, "-7.png")
    assert len(os.fsencode(fitted)) <= 255
    assert fitted.startswith("similar-")
    assert fitted.endswith("-7.png")
    assert name.startswith(fitted.removeprefix("similar-").removesuffix("-7.png"))
    assert len(os.fsencode(fitted)) > 250 or fitted == f"similar-{name}-7.png"
