"""Part `links`: `prepare` against a server that misbehaves, killed and interrupted on the way.

A table of some forty links is made into a folder: each link behaves in a way of `badways.WAYS`,
drawn anew, and some are no links at all. Two of three runs are disturbed up to three times, by
SIGKILL or Ctrl-C, and run again. In the end

- each row that the server can answer is kept, with the bytes that the server sent, and was asked
  for once, and once more for each disturbance and each attempt that its way calls for;
- each other row stands in dropped.csv with a reason that is true of it;
- nothing else lies in the folder, and after a disturbance nothing half-written lay there under a
  final name; no password and no query of a link is told;
- the command ends with exit code 0, its counts are those of its tables, and memory stays bounded.
"""

import csv
import io
import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from campaign.badserver import BadServer, picture
from campaign.badways import ROBOTS, WAYS, Way
from campaign.base import Campaign, Failure, Outcome, Part, each_case
from campaign.processes import Command, Ended, run

_LINKS = 40
_SECRET = "sesame"
_CONFIG = """
[prepare]
connections = 24
per_host = 24
connect_seconds = 5
read_seconds = 4
total_seconds = 6
attempts = 3
wait_seconds = 0.02
most_wait_seconds = 0.5
max_download_megabytes = 1
"""
_MOST_SECONDS = 4.0
"""Into a run at which it is disturbed."""
_NO_LINKS = (
    "", "ftp://127.0.0.1/a", "file:///etc/passwd", "http://[::1", "http://127.0.0.1:99999/a",
    "http://127.0.0.1:-1/a", "http://.invalid/", "http://xn--a.invalid/a", "http://a..b/",
    "http://me:se/same@127.0.0.1/a", "http://me:se?same@127.0.0.1/a", "http://\udcff/a",
    "http://" + "a" * 70 + ".invalid/", "https:/a", "//a", "http:\\\\127.0.0.1\\a",
)  # fmt: skip


@dataclass
class _Table:
    """The rows of one case, and what must become of them."""

    path: Path
    rows: list[tuple[str, Way | None]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    """What must be kept, by link."""
    paths: dict[str, str] = field(default_factory=dict)
    """The server's path of each link that must be kept, by link."""

    def add(self, link: str, way: Way | None, data: bytes = b"", path: str = "") -> None:
        self.rows.append((link, way))
        if way is not None and not way.reasons:
            self.pictures[link] = data
            self.paths[link] = path

    def write(self) -> None:
        with self.path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as text:
            writer = csv.writer(text)
            writer.writerow(("url", "title"))
            writer.writerows((link, number) for number, (link, _) in enumerate(self.rows))


_NO_LINK = Way("is no link", lambda _: None, frozenset({"no-link", "empty"}))


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    @contextmanager
    def home(number: int) -> Iterator[Path]:
        yield campaign.folder(f"links-{number}")

    yield from each_case(campaign, cases, home, lambda home, case: _attempt(campaign, home, case))


def _attempt(campaign: Campaign, home: Path, case: int) -> Outcome:
    random = campaign.random("links", case)
    shutil.rmtree(home)
    home.mkdir()
    (home / "config.toml").write_text(_CONFIG)
    robots = random.choice(list(ROBOTS))
    with BadServer() as server, BadServer(ROBOTS[robots][0]) as second:
        table = _table(random, home / "table.csv", server, second, robots)
        table.write()
        arguments = ["prepare", table.path, "--to", home / "to", "--url", "url", "--json",
                     "--allow-private", "--config", "config.toml", "-o", "a.parquet"]  # fmt: skip
        disturbed, found = _disturb(campaign, arguments, home, table, random)
        ended = run(campaign, arguments, home)
        found += _wrong(ended, home, table, disturbed, server.asked + second.asked)
    if found:
        campaign.kept("links", case, table.path, home / "to")
    told = f"robots.txt {robots}, disturbed {disturbed} times"
    failures = tuple(Failure(kind, f"{told}: {text}") for kind, text in found)
    if ended.memory_mb > campaign.limits.memory_mb:
        failures += (Failure("too much memory", f"{told}: {ended.memory_mb:.0f} MB"),)
    return Outcome(case, failures, ended.memory_mb)


def _table(random: Random, path: Path, server: BadServer, second: BadServer, robots: str) -> _Table:
    table = _Table(path)
    slow = [way for way in WAYS if way.slow]
    quick = [way for way in WAYS if not way.slow]
    ways = [random.choice(quick) for _ in range(_LINKS)] + [random.choice(slow)]
    for number, way in enumerate(ways):
        data, place = picture(random.getrandbits(60)), f"/{number}.jpg"
        link = server.put(place, way.answer, data)
        table.add(_dressed(random, link), way, data, place)
    for number in range(2):
        reasons = ROBOTS[robots][1]
        data, place = picture(random.getrandbits(60)), f"/second-{number}.jpg"
        link = second.put(place, WAYS[0].answer, data)
        table.add(link, Way(f"robots.txt {robots}", WAYS[0].answer, reasons), data, place)
    for link in random.sample(_NO_LINKS, 3):
        table.add(link, _NO_LINK)
    random.shuffle(table.rows)
    return table


def _dressed(random: Random, link: str) -> str:
    """The same link, with a password, a query or a fragment."""
    if random.random() < 0.3:
        link = link.replace("http://", f"{random.choice(('http', 'HTTP'))}://me:{_SECRET}@")
    if random.random() < 0.3:
        link += f"?key={_SECRET}&a=%zz\xe9"
    return link


def _disturb(
    campaign: Campaign, arguments: list[object], home: Path, table: _Table, random: Random
) -> tuple[int, list[tuple[str, str]]]:
    """Run some times, each stopped at a random moment; returns how often, and what was wrong."""
    found: list[tuple[str, str]] = []
    times = random.choice((0, 1, 2, 3))
    for _ in range(times):
        number = random.choice((signal.SIGKILL, signal.SIGINT))
        after_seconds, group = random.uniform(0.3, _MOST_SECONDS), random.random() < 0.5
        command = Command(campaign, arguments, home)
        while command.seconds < after_seconds and not command.poll():
            time.sleep(0.005)
        early = command.poll()
        command.send(number, group=group)
        ended = command.end()
        told = f"{number.name} after {after_seconds:.3f} s"
        if ended.strays:
            found.append(("processes are left", f"{told}: {'; '.join(ended.strays)}"))
        if number is signal.SIGINT and not early and not _ends_as_it_must(ended):
            found.append(("Ctrl-C is not one line", f"{told}: {ended.in_short}"))
        found += [(kind, f"{told}: {text}") for kind, text in _half_written(home, table)]
    return times, found


def _ends_as_it_must(ended: Ended) -> bool:
    if ended.code in {0, -signal.SIGINT}:  # at the end; before our first line
        return True
    ours = "/imgbatch/" in ended.err
    before = "KeyboardInterrupt" in ended.err and not ours
    return before or (ended.code == 130 and len(ended.lines) == 1)


def _half_written(home: Path, table: _Table) -> Iterator[tuple[str, str]]:
    whole = set(table.pictures.values())
    for file in (home / "to" / "images").rglob("*"):
        if file.is_file() and file.read_bytes() not in whole:
            yield "half-written under a final name", f"{file.name}, {file.stat().st_size} bytes"
    for name in ("metadata.csv", "dropped.csv"):
        file = home / "to" / name
        if file.is_file() and not file.read_bytes().endswith(b"\n"):
            yield "half-written under a final name", name


# ----- the end ------------------------------------------------------------------------------------


def _wrong(
    ended: Ended, home: Path, table: _Table, disturbed: int, asked: Counter[str]
) -> list[tuple[str, str]]:
    if ended.code != 0:
        return [("the last run fails", ended.in_short)]
    found = [("processes are left", "; ".join(ended.strays))] if ended.strays else []
    kept, dropped = _rows(home / "to" / "metadata.csv"), _rows(home / "to" / "dropped.csv")
    answer = json.loads(ended.out)
    if (answer["kept"], sum(answer["dropped"].values())) != (len(kept), len(dropped)):
        found.append(("counts are not those of the tables", ended.out))
    found += _wrong_rows(table, home, kept, dropped)
    told = ended.out + ended.err + (home / "to" / "dropped.csv").read_text(errors="replace")
    if _SECRET in told or "same@" in told:
        found.append(("a secret is told", told[max(0, told.find(_SECRET) - 80) :][:160]))
    files = {path.relative_to(home / "to").as_posix()
             for path in (home / "to").rglob("*") if path.is_file()}  # fmt: skip
    names = {row["file_name"] for row in kept}
    other = files ^ (names | {"metadata.csv", "dropped.csv", ".imgbatch/prepare.sqlite"})
    if other:
        found.append(("other files than there must be", ", ".join(sorted(other))))
    for link, way in table.rows:
        most = (way.name in _TWICE) + 1 + disturbed * 2
        if link in table.paths and asked[table.paths[link]] > most:
            found.append(("asked for too often", f"{way.name}: {asked[table.paths[link]]} times"))
    return found


_TWICE = {"redirects to itself with a fragment", "busy once", "resets once"}


def _wrong_rows(
    table: _Table, home: Path, kept: list[dict[str, str]], dropped: list[dict[str, str]]
) -> Iterator[tuple[str, str]]:
    files = {row["title"]: home / "to" / row["file_name"] for row in kept}
    reasons = {row["row"]: row for row in dropped}
    for number, (link, way) in enumerate(table.rows):
        assert way is not None
        file, row = files.get(str(number)), reasons.get(str(number + 2))
        if (file is None) == (row is None):
            yield "a row is kept and dropped, or neither", f"{way.name}: {file}, {row}"
        elif row is not None and not way.reasons:
            yield "a good picture is dropped", f"{way.name}: {row['reason']}, {row['detail']}"
        elif row is not None and row["reason"] not in way.reasons:
            yield "dropped for another reason", f"{way.name}: {row['reason']}, {row['detail']}"
        elif file is not None and way.reasons:
            yield "kept, although there is no picture", way.name
        elif file is not None and file.read_bytes() != table.pictures[link]:
            yield "another picture is kept", way.name


def _rows(file: Path) -> list[dict[str, str]]:
    text = file.read_bytes().decode("utf-8", "replace")
    return list(csv.DictReader(io.StringIO(text, newline="")))


PART = Part("links", "links of a bad server end as they must, in spite of kills", 100, _run)
