"""Chromium for tests, and pages opened in it."""

import shutil

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium_path():
    """Where Chromium is; None if there is none."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    return next(filter(None, found), None)


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
