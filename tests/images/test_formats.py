"""Formats by the ends of names and the beginnings of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.images.formats import ENDINGS, HEAD_BYTES, ending_of, format_of, may_be_image
from tests.drawing import encode, photo

WRITABLE = sorted(ENDINGS.keys() - {"HEIF"})


@pytest.mark.parametrize("form", WRITABLE)
def test_every_format_is_known_by_its_first_bytes(form):
    assert format_of(encode(photo(1, 20, 20), form)[:HEAD_BYTES]) == form


@pytest.mark.parametrize(("brands", "form"), [
    ([b"avif", b"mif1"], "AVIF"), ([b"mif1", b"avif"], "AVIF"), ([b"avis"], "AVIF"),
    ([b"heic"], "HEIF"), ([b"mif1", b"heic"], "HEIF"), ([b"mif1"], "HEIF"),
    ([b"isom", b"mp41"], None), ([b"qt  "], None), ([b"M4V ", b"isom"], None),
])  # fmt: skip
def test_files_of_boxes_are_told_apart_by_their_brands(brands, form):
    box = b"ftyp" + brands[0] + bytes(4) + b"".join(brands)
    assert format_of((len(box) + 4).to_bytes(4, "big") + box + b"heicavif" * 4) == form


@given(st.binary(max_size=HEAD_BYTES))
def test_any_bytes_have_a_format_or_none(head):
    assert format_of(head) in {None, *ENDINGS}


@pytest.mark.parametrize("text", [b"P", b"P7 1", b"P10", b"Paris", b"GIF", b"ftyp", b"", b"II"])
def test_text_that_begins_like_a_format_is_none(text):
    assert format_of(text) is None


def test_an_ending_begins_at_the_last_dot_of_the_name_alone():
    names = ["a.b/c", "a.b/c.TAR.GZ", "x.", ".hidden", "a b.jpe g"]
    assert [ending_of(name) for name in names] == ["", ".gz", "", "", ".jpe g"]
    assert not may_be_image(".gz")
