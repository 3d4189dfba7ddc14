"""The image folder is never written to, whichever way it is named."""

import os

import pytest

from imgbatch.errors import UsageError
from imgbatch.files.readonly import lies_inside, refuse_inside

posix = pytest.mark.skipif(os.name != "posix", reason="needs links")


@pytest.mark.parametrize(("target", "inside"), [
    ("photos/a.png", True), ("photos/sub/deep/a.png", True), ("photos", True),
    ("photos/../a.png", False), ("photos-2/a.png", False), ("a.png", False),
])  # fmt: skip
def test_inside_is_told_by_the_path(tmp_path, target, inside):
    (tmp_path / "photos").mkdir()
    folder = str(tmp_path / "photos")
    assert lies_inside(tmp_path / target, folder) is inside
    assert lies_inside(tmp_path / target, f"file://{folder}") is inside
    if inside:
        with pytest.raises(UsageError, match=r"-o .* lies inside the image folder"):
            refuse_inside(tmp_path / target, folder, "-o")


@posix
def test_inside_is_told_through_links(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "door").symlink_to(tmp_path / "photos")
    assert lies_inside(tmp_path / "door" / "a.png", str(tmp_path / "photos"))
    assert lies_inside(tmp_path / "photos" / "a.png", str(tmp_path / "door"))


@posix
def test_inside_is_told_of_a_folder_that_is_mounted_at_a_second_path(tmp_path, monkeypatch):
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    (tmp_path / "mounted").symlink_to(tmp_path / "photos")
    monkeypatch.setattr(os.path, "realpath", os.path.abspath)  # a mount is no link to resolve
    for inside in ("", "a.png", "sub/a.png", "new/sub/a.png"):
        assert lies_inside(tmp_path / "mounted" / inside, str(tmp_path / "photos"))
    assert not lies_inside(tmp_path / "mounted" / "a.png", str(tmp_path / "photos" / "sub"))


def test_a_folder_that_became_a_link_to_itself_holds_nothing_else(tmp_path):
    loop = tmp_path / "photos"
    loop.symlink_to(loop)
    refuse_inside(tmp_path / "out" / "a.jpg", str(loop), "-o")
