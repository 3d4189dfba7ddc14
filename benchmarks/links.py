"""`prepare` with links: speed beside bare aiohttp, memory, kills, and a server that misbehaves.

    python benchmarks/links.py speed FOLDER [--links 2000] [--connections 64] [--rounds 5]
    python benchmarks/links.py memory [--links 1000000]
    python benchmarks/links.py kills FOLDER [--kills 200]
    python benchmarks/links.py misbehaving

The server runs in a process of its own on this machine. FOLDER gives the pictures; each answer has
some bytes behind the picture's end, so that all differ. `memory` simulates the answers, one in ten
a failure, and measures all the rest: table, state, threads. `misbehaving` prints what the server of
the tests does, and what comes of it.
"""

import argparse
import asyncio
import csv
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.intake.database import PLACE
from imgbatch.intake.records import LinkOptions, Prepare

sys.path.append(str(Path(__file__).parent.parent))


def serve(folder: str, delay_seconds: float, ports: Any) -> None:
    """Answer /N.jpg with a picture of the folder, after a delay."""
    files = sorted(Path(folder).rglob("*.jpg"))
    pictures = [path.read_bytes() for path in files[:: max(1, len(files) // 200)][:200]]

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not name[:-4].isdecimal():
            raise web.HTTPNotFound
        if delay_seconds:
            await asyncio.sleep(delay_seconds)
        data = pictures[int(name[:-4]) % len(pictures)] + name.encode()
        return web.Response(body=data, content_type="image/jpeg")

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{name}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.put(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]  # noqa: SLF001
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def served(folder: str, delay_seconds: float) -> Iterator[str]:
    """The address of a server that runs inside the block."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=serve, args=(folder, delay_seconds, ports), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ports.get()}"
    process.kill()
    process.join()


def write_list(file: Path, address: str, count: int) -> list[str]:
    links = [f"{address}/{number}.jpg" for number in range(count)]
    file.write_text("".join(f"{link}\n" for link in links))
    return links


def bare(links: list[str], to: Path, connections: int) -> None:
    """The least that aiohttp takes: ask, read, write; no check, no limit, no retry."""

    async def run() -> None:
        slots = asyncio.Semaphore(connections)
        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def one(link: str) -> None:
                async with slots, session.get(link) as response:
                    (to / link.rpartition("/")[2]).write_bytes(await response.read())

            await asyncio.gather(*map(one, links))

    to.mkdir()
    asyncio.run(run())


def config_for(connections: int) -> Config:
    config = load_config().config
    changed = {"connections": connections, "per_host": connections}
    return config.model_copy(update={"prepare": config.prepare.model_copy(update=changed)})


def ours(table: Path, to: Path, connections: int) -> Any:
    from imgbatch.intake.prepare import prepare

    options = Prepare(str(table), to)
    return prepare(options, config_for(connections), links=LinkOptions(allow_private=True))


def speed(options: argparse.Namespace, work: Path) -> None:
    """Links a second, in alternating pairs. Both begin with an empty folder."""
    print("delay    prepare links/s   bare aiohttp links/s   ratio (each pair)")
    for delay_seconds in (float(text) / 1000 for text in options.delays.split(",")):
        with served(options.folder, delay_seconds) as address:
            links = write_list(work / "links.txt", address, options.links)
            mine, theirs = [], []
            for _ in range(options.rounds):
                started = time.perf_counter()
                bare(links, work / "bare", options.connections)
                theirs.append(len(links) / (time.perf_counter() - started))
                started = time.perf_counter()
                done = ours(work / "links.txt", work / "to", options.connections)
                mine.append(len(links) / (time.perf_counter() - started))
                assert done.kept == len(links), done
                shutil.rmtree(work / "bare")
                shutil.rmtree(work / "to")
        ratios = sorted(one / other for one, other in zip(mine, theirs, strict=True))
        print(
            f"{delay_seconds * 1000:3.0f} ms {statistics.median(mine):15.0f} "
            f"{statistics.median(theirs):20.0f} {statistics.median(ratios):14.2f}  "
            f"({', '.join(f'{ratio:.2f}' for ratio in ratios)})",
            flush=True,
        )


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6  # type: ignore[index]


def memory(options: argparse.Namespace, work: Path) -> None:
    """Resident memory while links are done, of a list on 100,000 hosts."""
    from imgbatch.intake import fetch, making
    from imgbatch.intake.prepare import prepare
    from imgbatch.intake.records import Reason
    from imgbatch.intake.state import Outcome
    from imgbatch.runners.serial import SerialRunner

    async def simulated(self: Any, link: Any) -> Any:
        with self._hosts.using(link.source.rpartition("/")[0]) as host:
            await host.allows(link.source, no_robots)
            async with host.turn(), self._slots:
                await asyncio.sleep(0)
        if link.id % 10 == 0:
            return fetch.Failed(link.id, Reason.TIMEOUT, "no answer in time")
        return fetch.Fetched(link.id, "")

    async def no_robots() -> str:
        return ""

    def pretended(chunk: Any) -> list[Outcome]:
        return [
            Outcome(task.id, "", "", "", f"{task.id}.jpg", 1, b"%032d" % task.id)
            for task in chunk.tasks
        ]

    fetch.Fetcher.fetch = simulated  # type: ignore[method-assign]
    making.make_pictures = pretended  # type: ignore[assignment]
    making.build_runner = lambda *_: SerialRunner()  # type: ignore[assignment]
    with (work / "links.txt").open("w") as text:
        for number in range(options.links):
            text.write(f"http://host{number % 100_000}.example.org/{number}.jpg\n")
    shown, started = [0], time.perf_counter()

    def progress(done: int, total: int, _remark: str) -> None:
        if done * 10 // total > shown[0]:
            shown[0] = done * 10 // total
            rate = done / (time.perf_counter() - started)
            print(f"{done:>9,} links: {resident_mb():4.0f} MB, {rate:,.0f} a second", flush=True)

    done = prepare(Prepare(str(work / "links.txt"), work / "to"), config_for(64), progress=progress)
    print(f"{done.kept:,} kept, {dict(done.dropped)}; {resident_mb():.0f} MB in the end")


def command(work: Path, to: Path, config: Path) -> list[str]:
    return [
        sys.executable, "-m", "imgbatch", "prepare", str(work / "links.txt"), "--to", str(to),
        "--allow-private", "--config", str(config), "--size", "384x384",
    ]  # fmt: skip


def kills(options: argparse.Namespace, work: Path) -> None:
    """Kill runs at evenly spread moments; after each ten, one run to the end, which is checked."""
    count, config = 200, work / "config.toml"
    config.write_text("[prepare]\nconnections = 16\nper_host = 16\n")
    killed = finished = 0
    with served(options.folder, 0.02) as address:
        write_list(work / "links.txt", address, count)
        started = time.perf_counter()
        subprocess.run(command(work, work / "whole", config), check=True, stdout=-3)
        whole = time.perf_counter() - started
        for number in range(options.kills):
            if number % 10 == 0:
                shutil.rmtree(work / "to", ignore_errors=True)
            process = subprocess.Popen(command(work, work / "to", config), stdout=-3, stderr=-3)
            try:
                process.wait(whole * 1.1 * (number * 7 % options.kills + 1) / options.kills)
                finished += 1
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            if number % 10 == 9:
                subprocess.run(command(work, work / "to", config), check=True, stdout=-3)
                check(work / "to", work / "whole", count)
    print(f"{killed} kills, {finished} runs that came to their end before; nothing lost or doubled")


def check(to: Path, whole: Path, count: int) -> None:
    """Every link has its picture, and all is as it is without kills."""
    with (to / "metadata.csv").open(newline="") as text:
        names = [row["file_name"] for row in csv.DictReader(text)]
    files = {path.relative_to(to).as_posix() for path in (to / "images").rglob("*.*")}
    assert len(names) == len(set(names)) == count, (len(names), count)
    assert set(names) == files, set(names) ^ files
    assert os.listdir(to / PLACE) == ["prepare.sqlite"], os.listdir(to / PLACE)
    for path in files | {"metadata.csv", "dropped.csv"}:
        assert (to / path).read_bytes() == (whole / path).read_bytes(), path


def misbehaving(_options: argparse.Namespace, work: Path) -> None:
    """What the server of the tests does, one link at a time, and what stands in dropped.csv."""
    from imgbatch.intake.prepare import prepare
    from tests.intake.making import CONFIG
    from tests.intake.server import Misbehaving
    from tests.intake.test_links import CASES, IN_A_HURRY, QUICK

    server = Misbehaving()
    print("| the server | requests | outcome |\n| --- | --: | --- |")
    for number, case in enumerate(CASES):
        (work / "links.txt").write_text(f"{server.url(case)}\n")
        kind = case.split("/")[0]
        settings = QUICK.model_copy(update=IN_A_HURRY.get(kind, {}))
        server.asked.clear()
        prepare(
            Prepare(str(work / "links.txt"), work / f"to{number}"),
            CONFIG.model_copy(update={"prepare": settings}),
            links=LinkOptions(allow_private=True),
        )
        with (work / f"to{number}" / "dropped.csv").open(newline="") as text:
            row = next(csv.DictReader(text), None)
        outcome = f"`{row['reason']}`: {row['detail']}" if row else "kept"
        asked = sum(server.asked.values()) - server.asked["/robots.txt"]
        print(f"| {case} | {asked} | {outcome} |", flush=True)
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=("speed", "memory", "kills", "misbehaving"))
    parser.add_argument("folder", nargs="?", default="samples")
    parser.add_argument("--links", type=int, default=0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delays", default="0,20,100", help="milliseconds, for `speed`")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    options.links = options.links or {"memory": 1_000_000}.get(options.part, 2000)
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        globals()[options.part](options, Path(work))


if __name__ == "__main__":
    main()
