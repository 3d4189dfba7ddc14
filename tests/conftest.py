"""Ways to run the command, folders of photos, and the right to be interrupted."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import imgbatch
from tests.browsers import FLAGS, chromium_path
from tests.commands import (
    ROOT,
    Answer,
    run_in_new_process,
    run_in_this_process,
    start_process,
)
from tests.drawing import write_photos

# A busy machine is no fault of the code: no test fails because drawing its examples takes long.
hypothesis.settings.register_profile(
    "no timings", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no timings")


def pytest_configure() -> None:
    """Let tests send Ctrl-C to processes, even where pytest was started with SIGINT ignored.

    A shell starts background jobs so, and processes inherit it.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the file of the longest tests, so that no worker is left with them at the end."""
    items.sort(key=lambda item: item.path.name != "test_campaign.py")


@pytest.fixture
def cli() -> Callable[..., Answer]:
    """Run ``imgbatch`` with these arguments, in this process."""
    return run_in_this_process


@pytest.fixture
def command() -> Callable[..., Answer]:
    """Run ``python -m imgbatch`` with these arguments; for tests that need a process."""
    return run_in_new_process


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``python -m imgbatch``; what still runs when the test ends is killed."""
    with contextlib.ExitStack() as stack:

        def start_one(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
            process = stack.enter_context(start_process(*arguments, **options))
            stack.callback(process.kill)
            return process

        yield start_one


@pytest.fixture
def as_anybody() -> tuple[str, ...]:
    """Put before a command, takes root's right to read everything from it."""
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")
    if os.geteuid() != 0:
        return ()
    tool = shutil.which("setpriv")
    if tool is None:
        pytest.skip("root may read everything, and there is no setpriv to change that")
    prefix = (tool, "--bounding-set=-dac_override,-dac_read_search", "--")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root may read everything, and setpriv may not change that")
    return prefix


@pytest.fixture(scope="module")
def browser():
    """Chromium, for tests of pages."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = chromium_path()
    if path is None:
        pytest.skip("needs Chromium, such as from apt-get install chromium")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@dataclass(frozen=True)
class Indexed:
    """A folder of photos whose index is up to date; tests only read it."""

    folder: Path
    index: Path
    names: list[str]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    """Twenty-four photos in three classes, indexed once for all tests that only read."""
    base = tmp_path_factory.mktemp("indexed")
    names = write_photos(base / "photos", 24, classes=3)
    settings = imgbatch.load_config(ROOT / "config.toml").config
    collection = imgbatch.load(base / "photos", index=base / "index", config=settings)
    _ = collection.points
    return Indexed(base / "photos", base / "index", names)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photos in a folder that the test may change."""
    folder = tmp_path / "photos"
    write_photos(folder, 12)
    return folder
