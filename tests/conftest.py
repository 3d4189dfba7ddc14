"""Every test has a cache, a user configuration and a working directory of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import imgbatch
from tests.drawing import write_photos

ROOT = Path(imgbatch.__file__).resolve().parents[1]
CLEARED = ("IMGBATCH_CONFIG", "IMGBATCH_DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "CLICOLOR")


@pytest.fixture(autouse=True)
def _own_surroundings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path_factory.mktemp("own")
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IMGBATCH_CACHE_DIR", str(own / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own / "user-config"))
    (own / "work").mkdir()
    monkeypatch.chdir(own / "work")


@dataclass(frozen=True)
class Answer:
    """What a run of the command gave."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def assert_one_clear_line(self, code: int, *words: str) -> None:
        assert self.code == code, self.err
        assert self.out == ""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        assert "unexpected" not in lines[0]
        for word in words:
            assert word in lines[0]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(extra or {})}


@pytest.fixture
def cli() -> Callable[..., Answer]:
    """Run `python -m imgbatch` with these arguments to its end."""

    def run(
        *arguments: object,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        **options: Any,
    ) -> Answer:
        command = [*prefix, sys.executable, "-m", "imgbatch", *map(_argument, arguments)]
        done = subprocess.run(
            command, capture_output=True, env=environment(env), timeout=120, check=False, **options
        )
        out = done.stdout.decode("utf-8").replace("\r\n", "\n")
        err = done.stderr.decode("utf-8", "replace").replace("\r\n", "\n")
        assert "Traceback" not in err or "--debug" in arguments or "IMGBATCH_DEBUG" in (env or {})
        return Answer(done.returncode, out, err, done.stdout)

    return run


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


def _argument(value: object) -> str | bytes:
    return (
        value
        if isinstance(value, bytes)
        else os.fspath(value)
        if isinstance(value, os.PathLike)
        else str(value)
    )


@dataclass(frozen=True)
class Indexed:
    """A folder of photos whose index stands; read-only for tests."""

    folder: Path
    index: Path
    names: list[str]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    """Twenty-four photos in three classes, indexed once for all tests that only ask."""
    base = tmp_path_factory.mktemp("indexed")
    names = write_photos(base / "photos", 24, classes=3)
    made = Indexed(base / "photos", base / "index", names)
    collection = imgbatch.load(
        made.folder,
        index=made.index,
        config=imgbatch.Config.model_validate(
            imgbatch.load_config(ROOT / "config.toml").config.model_dump()
        ),
    )
    _ = collection.points
    return made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photos of a test's own, in a folder it may change."""
    folder = tmp_path / "photos"
    write_photos(folder, 12)
    return folder
