"""The tool that makes the dictionaries: repeatable, and of what the descriptors expect."""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgbatch.descriptors import fisher

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    yield importlib.import_module("make_dictionary")
    sys.modules.pop("make_dictionary", None)


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "samples"
    for number in range(4):
        coarse = np.random.default_rng(number).integers(0, 256, (12, 9, 3)).astype(np.uint8)
        picture = cv2.resize(coarse, (200, 280), interpolation=cv2.INTER_CUBIC)
        (folder / f"kind{number % 2}").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"kind{number % 2}" / f"{number}.png"), picture)
    (folder / "README.md").write_text("no picture")
    return folder


def make(tool, monkeypatch, samples, out):
    monkeypatch.setattr(
        sys, "argv", ["make_dictionary", "--samples", str(samples), "--out", str(out)]
    )
    tool.main()
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_the_same_samples_give_the_same_bytes_and_others_give_others(
    tool, monkeypatch, samples, tmp_path
):
    monkeypatch.setattr(tool, "LOCAL_DESCRIPTORS", 1000)
    first = make(tool, monkeypatch, samples, tmp_path / "a")
    assert make(tool, monkeypatch, samples, tmp_path / "b") == first
    (samples / "kind0" / "0.png").unlink()
    fewer = make(tool, monkeypatch, samples, tmp_path / "c")
    assert set(first) == set(fewer) == {f"{each.name}.npz" for each in tool.KEPT}
    assert all(first[name] != fewer[name] for name in first)


def test_what_the_tool_makes_serves_its_descriptor(tool, monkeypatch, samples, tmp_path):
    monkeypatch.setattr(tool, "LOCAL_DESCRIPTORS", 1000)
    shapes = {each.name: fisher.load_dictionary(each.name).means.shape for each in tool.KEPT}
    make(tool, monkeypatch, samples, tmp_path / "out")
    monkeypatch.setattr(fisher, "_FOLDER", tmp_path / "out")
    fisher.load_dictionary.cache_clear()
    fisher._model.cache_clear()
    try:
        for descriptor, kept in tool.KEPT.items():
            made = fisher.load_dictionary(descriptor.name)
            assert made.means.shape == (32, kept + 2) == shapes[descriptor.name]
            code = descriptor.describe(cv2.imread(str(samples / "kind1" / "1.png")))
            assert code.shape == (descriptor.dim,)
            assert len(set(code.tolist())) > 1
    finally:
        fisher.load_dictionary.cache_clear()
        fisher._model.cache_clear()


def test_views_are_the_pictures_and_changed_versions_of_them(tool, samples):
    views = tool.views(samples)
    assert len(views) == 4 * tool.VERSIONS
    assert all(128 <= max(view.shape) < 256 or max(view.shape) < 128 for view in views)
    plain = cv2.cvtColor(cv2.imread(str(samples / "kind0" / "0.png")), cv2.COLOR_BGR2RGB)
    halved = plain.reshape(140, 2, 100, 2, 3).mean(axis=(1, 3))
    assert np.abs(views[0] - halved).max() <= 1
    sizes = {view.shape for view in views}
    assert len(sizes) > 4
