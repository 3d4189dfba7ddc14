"""Served pages for tests: one that is only read, and one of a folder of the test's own."""

import pytest

import imgbatch
from tests.browsers import Opened
from tests.commands import ROOT
from tests.web.serving import Served

CONFIG = imgbatch.load_config(ROOT / "config.toml").config


@pytest.fixture(scope="module")
def served(indexed, tmp_path_factory):
    """The page of twenty-four photos in three classes, which tests do not change on the disk."""
    base = tmp_path_factory.mktemp("served")
    served = Served(indexed.folder, base / "index", base / "saved.csv", CONFIG)
    yield served
    served.stop()


@pytest.fixture
def own_page(photos, tmp_path):
    """The page of twelve photos that the test may change."""
    served = Served(photos, tmp_path / "index", tmp_path / "out" / "saved.csv", CONFIG)
    yield served
    served.stop()


@pytest.fixture
def open_tab(browser):
    """Open a page of a server in a tab of its own; see `tests.browsers.Opened`."""
    opened = []

    def open_one(served, path="/", **options):
        tab = Opened(browser, f"http://{served.host}{path}", key=served.url, **options)
        opened.append(tab)
        return tab

    yield open_one
    for one in opened:
        one.context.close()
