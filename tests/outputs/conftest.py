"""Pages in a real browser, for the tests that need one."""

import shutil

import pytest

from imgbatch.outputs.pages import write_page
from tests.outputs.pages import CONFIG, PAGES

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    if not any(found):
        pytest.skip("needs Chromium, such as from apt-get install chromium")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(executable_path=next(filter(None, found)), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """The address of a page of each kind."""
    made = {}
    for kind, page in PAGES.items():
        folder = tmp_path_factory.mktemp(kind)
        write_page(page(folder), folder / "page.html", CONFIG)
        made[kind] = (folder / "page.html").as_uri()
    return made


class Opened:
    """A page in a tab of its own, and what the browser complained of or asked for meanwhile."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.tab = self.context.new_page()
        self.complaints, self.requests = [], []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.log(e.violatedDirective))"
        )
        self.tab.goto(address)

    def ask(self, script, *arguments):
        return self.tab.evaluate(script, *arguments)

    def press(self, *keys):
        for key in keys:
            self.tab.keyboard.press(key)

    def focused(self):
        """The alternative text of the focused picture, else the text of what has the focus."""
        return self.ask(
            "(document.activeElement.querySelector('img')?.alt ?? document.activeElement.innerText)"
        )

    def is_open(self, name):
        return self.ask("name => document.getElementById(name).open", name)


@pytest.fixture
def open_page(browser, addresses):
    opened = []

    def open_one(kind, **options):
        opened.append(Opened(browser, addresses[kind], **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()
