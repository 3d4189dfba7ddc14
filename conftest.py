"""What tests and doctests share: separate surroundings, and photos for the examples."""

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from imgbatch.runners.cores import usable_cores
from tests.drawing import write_photos

CLEARED = ("IMGBATCH_CONFIG", "IMGBATCH_DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "CLICOLOR")
EXTRAS = {
    "imgbatch.exports.parquet": "pyarrow",
    "imgbatch.exports.postgres": "psycopg",
    "imgbatch.exports.remote": "psycopg",
    "imgbatch.index.shards": "pyarrow",
    "imgbatch.runners.dask": "distributed",
    "imgbatch.words": "bm25s",
    "imgbatch.collection.Collection.search": "bm25s",
    "imgbatch.outputs.pages.search": "bm25s",
}
"""Beginnings of the names of doctests, with the optional library that their examples need."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: tests wait for servers, signals and pages, of two workers a quarter."""
    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip examples whose library is not installed."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            for name, library in EXTRAS.items():
                if item.name.startswith(name) and find_spec(library) is None:
                    item.add_marker(pytest.mark.skip(reason=f"needs {library}"))


@dataclass(frozen=True)
class Examples:
    """What all examples share: a folder of photos, and the cache that holds its index."""

    photos: Path
    cache: Path


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Twenty-four photos in three classes, indexed by the first example that needs it."""
    base = tmp_path_factory.mktemp("examples")
    write_photos(base / "photos", 24, classes=3)
    return Examples(base / "photos", base / "cache")


@pytest.fixture(autouse=True)
def _separate_surroundings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every test has its own cache, user configuration and working directory.

    Examples in docstrings share the cache, and find a folder ``photos`` where they run.
    """
    base = tmp_path_factory.mktemp("surroundings")
    work, cache = base / "work", base / "cache"
    work.mkdir()
    if isinstance(request.node, pytest.DoctestItem):
        shared: Examples = request.getfixturevalue("examples")
        cache = shared.cache
        _link(work / "photos", shared.photos)
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IMGBATCH_CACHE_DIR", str(cache))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(base / "user-config"))
    monkeypatch.chdir(work)


def _link(link: Path, folder: Path) -> None:
    """Make `folder` reachable as `link`; where links need rights, as a copy."""
    try:
        link.symlink_to(folder, target_is_directory=True)
    except OSError:
        shutil.copytree(folder, link)
