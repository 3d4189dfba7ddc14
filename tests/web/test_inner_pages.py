"""Pages that no menu leads to, such as that of one image: no barriers, no width too narrow."""

import pytest

from tests.browsers import barriers
from tests.web.test_every_screen import ready

PAGES = {
    "image": "/image?id={a}&copies=1",
    "filtered": "/images?label=class1&tag=landscape&sort=lightness&size=3",
    "nothing": "/images?words=nothing-of-this-name",
    "words": "/search?q=class1&like={a}",
    "compared": "/explain?a={a}&b={b}",
    "alone": "/explain?a={a}",
    "measured": "/evaluate?n=3&sets=3",
    "batch": "/batches?size=5&seed=1&batch=3",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_inner_pages_bar_nobody(served, open_tab, name):
    address = PAGES[name].format(a=served.site.id_of(1), b=served.site.id_of(10))
    page = open_tab(served, address)
    ready(page.tab)
    assert barriers(page.tab) == []
    for width in (320, 390, 2560):
        page.tab.set_viewport_size({"width": width, "height": 900})
        assert page.ask("document.documentElement.scrollWidth") <= width, width
    assert page.complaints == []
