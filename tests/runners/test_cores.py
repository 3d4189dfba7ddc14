"""Cores that may be used: a container's limit counts, and nobody pays for asking in vain."""

import subprocess
import sys

import pytest

from imgbatch.neighbours import search
from imgbatch.runners.cores import usable_cores
from tests.commands import environment


def test_the_number_of_cores_is_that_of_loky_at_least_one(monkeypatch):
    for limit in (1, 3):
        usable_cores.cache_clear()
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(limit))  # counts like a container's limit
        assert 1 <= usable_cores() <= limit
    usable_cores.cache_clear()


@pytest.mark.parametrize(
    "module", ["imgbatch.cli.app", "imgbatch.runners.maps", "imgbatch.collection"]
)
def test_importing_modules_imports_no_loky(module):
    code = f"import sys, {module}; sys.exit('loky' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("mode", ["similar", "different"])
@pytest.mark.parametrize("cluster", [(), ("--cluster", "local")], ids=str)
def test_a_warm_request_imports_no_loky(cli, indexed, tmp_path, mode, cluster):
    if cluster:
        pytest.importorskip("distributed")
        pytest.importorskip("pyarrow")
    index = ("--index", tmp_path / "index", *cluster)
    cli(mode, indexed.folder, *index, "--no-sheet")
    code = (
        "import sys; from imgbatch.cli import main\n"
        "try: main()\n"
        "finally: assert 'loky' not in sys.modules, 'loky was imported'"
    )
    arguments = [mode, indexed.folder, *index, "--no-sheet", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"images"' in done.stdout


def test_a_search_that_is_not_worth_a_thread_asks_for_no_cores(monkeypatch):
    def refuse():
        raise AssertionError("asked for cores")

    monkeypatch.setattr(search, "usable_cores", refuse)
    assert search._parts(16_384, 1000) == [range(16_384)]
    assert search._parts(32_768, 1) == [range(32_768)]
    with pytest.raises(AssertionError, match="asked"):
        search._parts(32_768, 1000)
