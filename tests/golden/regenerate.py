"""Write the golden files anew: ``make goldens``, or ``python -m tests.golden.regenerate``.

Bytes that changed are only written under a higher version of their descriptor, since indexes on
users' disks hold bytes of the old one.
"""

import json
import sys
from pathlib import Path

import numpy as np

from imgbatch.config import default_config_path, load_config
from imgbatch.descriptors import DESCRIPTORS
from imgbatch.measures.measured import Measures
from tests.golden.pictures import pictures

FOLDER = Path(__file__).parent

STORED = {**DESCRIPTORS, "measures": lambda _config: Measures()}
"""What an index holds of an image, by name."""
TOLERANCES = {"hog": 1, "phog": 1, "moments": 1, "gist": 1, "measures": 1}
"""Steps of 1/255 a byte may differ by between machines: OpenCV picks vector instructions by CPU,
which add floats in another order. Everything else is exact everywhere."""


def describe(name):
    """What goes into the golden file of one descriptor."""
    descriptor = STORED[name](load_config(default_config_path()).config)
    views = pictures()
    return {
        "version": np.int64(descriptor.version),
        "parameters": np.array(json.dumps(descriptor.parameters(), sort_keys=True)),
        "pictures": np.array(list(views)),
        "codes": np.stack([descriptor.describe(view) for view in views.values()]),
    }


def read(name):
    """The golden file of one descriptor as a dict of arrays, or None if there is none."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def comparable(stored, fresh):
    """Whether two golden files are of the same pictures and parameters."""
    return bool(
        stored["parameters"] == fresh["parameters"]
        and stored["pictures"].tolist() == fresh["pictures"].tolist()
        and stored["codes"].shape == fresh["codes"].shape
    )


def fit(stored, fresh, tolerance=0):
    """Whether two golden files hold the same bytes for the same pictures and parameters."""
    return comparable(stored, fresh) and bool(
        (np.abs(stored["codes"].astype(int) - fresh["codes"]) <= tolerance).all()
    )


def main():
    """Write what changed; refuse bytes that changed under the same version."""
    for name in STORED:
        stored, fresh = read(name), describe(name)
        if stored is not None and int(stored["version"]) == int(fresh["version"]):
            if fit(stored, fresh, TOLERANCES.get(name, 0)):
                continue
            if comparable(stored, fresh):
                return f"{name}: other bytes, but still version {fresh['version']}: raise it first"
        np.savez_compressed(FOLDER / f"{name}.npz", **fresh)
    return None


if __name__ == "__main__":
    sys.exit(main())
