"""Chromium for tests, and pages opened in it."""

import shutil
import time
from pathlib import Path

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium_path():
    """Where Chromium is; None if there is none."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    return next(filter(None, found), None)


class Opened:
    """A page in a tab of its own, and what the browser complained of or asked for meanwhile.

    Parameters
    ----------
    key
        An address that is asked first, for its cookie; the browser does not draw it.
    """

    def __init__(self, browser, address, *, key="", **options):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.tab = self.context.new_page()
        self.complaints, self.requests = [], []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.log(e.violatedDirective))"
        )
        if key:
            self.context.request.get(key, max_redirects=0)
        self.tab.goto(address)

    def ask(self, script, *arguments):
        return self.tab.evaluate(script, *arguments)

    def wait(self, script, *arguments):
        """Wait until a script says true; unlike Playwright's own, a policy cannot forbid it."""
        self.until(lambda: self._holds(script, *arguments), script)

    def until(self, holds, told):
        """Wait until a function says true, while the page goes on."""
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end, told
            self.tab.wait_for_timeout(20)

    def _holds(self, script, *arguments):
        from playwright.sync_api import Error as PlaywrightError

        try:
            return self.ask(script, *arguments)
        except PlaywrightError as error:  # the page is being left for the next one
            if "navigation" not in str(error):
                raise
            return False

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


def barriers(tab):
    """What axe-core finds wrong with a page for people with disabilities, in light and dark colours.

    It needs no network.
    """
    import axe_playwright_python

    source = Path(axe_playwright_python.__file__).with_name("axe.min.js")
    tab.evaluate(source.read_text(encoding="utf-8"))
    told = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        told += [f"{scheme}: {one['id']}: {one['nodes'][0]['html'][:150]}" for one in found]
    return told
