"""A catalogue of a test's own."""

from pathlib import Path

import pytest

from imgbatch.index.sqlite.store import Catalogue


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def catalogue(directory):
    with Catalogue.open(directory, "/photos") as opened:
        yield opened
