"""Pages in a real browser, for the tests that need one."""

import pytest

from imgbatch.outputs.pages import write_page
from tests.browsers import Opened
from tests.outputs.pages import CONFIG, PAGES


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """The address of a page of each kind."""
    made = {}
    for kind, page in PAGES.items():
        folder = tmp_path_factory.mktemp(kind)
        write_page(page(folder), folder / "page.html", CONFIG)
        made[kind] = (folder / "page.html").as_uri()
    return made


@pytest.fixture
def open_page(browser, addresses):
    opened = []

    def open_one(kind, **options):
        opened.append(Opened(browser, addresses[kind], **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()
