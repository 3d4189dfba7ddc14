"""What a terminal shows of any text."""

import pytest

from imgbatch.printable import printable


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
