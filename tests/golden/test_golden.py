"""Descriptors and measures give the bytes they gave when their version was set."""

import numpy as np
import pytest

from tests.golden import regenerate
from tests.golden.pictures import pictures

MAKE = "run `make goldens`"


@pytest.mark.parametrize("name", regenerate.STORED)
def test_the_bytes_are_those_of_the_golden_file_unless_the_version_was_raised(name):
    stored, fresh = regenerate.read(name), regenerate.describe(name)
    assert stored is not None, f"no golden file for {name}: {MAKE}"
    assert int(stored["version"]) == int(fresh["version"]), f"{name} has a new version: {MAKE}"
    assert stored["parameters"] == fresh["parameters"], f"{name} has new defaults: {MAKE}"
    assert stored["pictures"].tolist() == fresh["pictures"].tolist(), f"new pictures: {MAKE}"
    away = np.abs(stored["codes"].astype(int) - fresh["codes"])
    most = regenerate.TOLERANCES.get(name, 0)
    worst = dict(zip(fresh["pictures"].tolist(), away.max(axis=1).tolist(), strict=True))
    assert away.max() <= most, f"{name}: other bytes under the same version (raise it): {worst}"


def test_there_is_a_golden_file_for_every_descriptor_and_for_nothing_else():
    assert {path.stem for path in regenerate.FOLDER.glob("*.npz")} == set(regenerate.STORED)


def test_changed_bytes_are_not_written_under_the_same_version(tmp_path, monkeypatch):
    monkeypatch.setattr(regenerate, "FOLDER", tmp_path)
    assert regenerate.main() is None
    changed = regenerate.read("hsv")
    changed["codes"] = changed["codes"] + np.uint8(9)
    np.savez(tmp_path / "hsv.npz", **changed)
    before = (tmp_path / "hsv.npz").read_bytes()
    assert "raise it first" in regenerate.main()
    assert (tmp_path / "hsv.npz").read_bytes() == before
    changed["version"] = np.int64(0)
    np.savez(tmp_path / "hsv.npz", **changed)
    assert regenerate.main() is None
    assert regenerate.fit(regenerate.read("hsv"), regenerate.describe("hsv"))


def test_the_golden_pictures_are_the_same_each_time_and_all_differ():
    first, second = pictures(), pictures()
    assert all((first[name] == second[name]).all() for name in first)
    assert len({view.tobytes() for view in first.values()}) == len(first)
