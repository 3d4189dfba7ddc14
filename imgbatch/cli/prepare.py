"""``prepare``: from a table of ids or links to a clean folder."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from imgbatch.cli.common import command, note, settings_of
from imgbatch.cli.options import OUTPUT, ConfigFile, IndexOptions, Json, Workers, target_path

Table = Annotated[
    str,
    typer.Argument(metavar="TABLE", help="A .parquet, .csv, .tsv or .jsonl table, or a .txt list."),
]
To = Annotated[
    Path,
    typer.Option("--to", metavar="DIR", parser=target_path, help="The folder to make or complete."),
]
Images = Annotated[
    str | None,
    typer.Option("--images", metavar="DIR", help="Folder of the pictures; never written to."),
]
Id = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="COL", help="Column of ids or paths. Default: file_name, path or image."
    ),
]
Pattern = Annotated[
    str, typer.Option(metavar="TEXT", help="A picture's path in --images, from its id.")
]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="COL", help="Column of links to fetch; needs imgbatch[fetch]."),
]
PerHost = Annotated[
    int | None,
    typer.Option(metavar="N", help="Links of one host at the same time. Default: 2."),
]
RetryFailed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLASS",
        help="Try links again that failed so, as dropped.csv says: timeout, busy, connection, ... "
        "or all; may be repeated.",
    ),
]
AllowPrivate = Annotated[
    bool,
    typer.Option("--allow-private", help="Let links lead into private networks and this machine."),
]
IgnoreOptOut = Annotated[
    bool,
    typer.Option(
        "--ignore-opt-out", help="Ignore robots.txt and headers that opt out, such as noai."
    ),
]
Require = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Drop rows where this column is empty; may be repeated."),
]
Size = Annotated[
    str | None,
    typer.Option(metavar="WxH", help="Resize, as JPEG. Default: files are copied as they are."),
]
FitTo = Annotated[
    str,
    typer.Option(
        "--fit",
        metavar="HOW",
        help="cover: fill the size, cut the rest; contain: show all, on the background; stretch.",
    ),
]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help="Write the metadata here, too, as .parquet or .csv. May be repeated.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class Local:
    """Where local pictures are."""

    images: Images = None
    id: Id = None
    pattern: Pattern = "{id}"


@dataclass(frozen=True)
class Links:
    """Where links are, and how they are fetched."""

    url: Url = None
    per_host: PerHost = None
    retry_failed: RetryFailed = None
    allow_private: AllowPrivate = False
    ignore_opt_out: IgnoreOptOut = False


@dataclass(frozen=True)
class Wanted:
    """What rows and pictures must be."""

    require: Require = None
    size: Size = None
    fit: FitTo = "cover"
    output: Output = None


_LOCAL, _LINKS, _WANTED = Local(), Links(), Wanted()


@command
def prepare(
    table: Table,
    to: To,
    local: Local = _LOCAL,
    links: Links = _LINKS,
    wanted: Wanted = _WANTED,
    json: Json = False,
    config: ConfigFile = None,
    workers: Workers = None,
) -> None:
    """Make a clean folder of pictures and metadata from a table of ids or links.

    Rows without a readable picture, and doubled ones, are listed with the reason in dropped.csv.
    The same command again makes only what is missing.
    """
    from imgbatch.files.targets import check_file, refuse_input
    from imgbatch.intake.prepare import prepare as make
    from imgbatch.intake.records import LinkOptions, Prepare, fit_of, size_of
    from imgbatch.outputs import print_json, write_facts
    from imgbatch.outputs.progress import progress_bar

    started = time.perf_counter()
    settings = settings_of(IndexOptions(config=config, workers=workers))
    options = Prepare(
        table,
        to,
        local.images,
        local.id,
        local.pattern,
        links.url,
        tuple(wanted.require or ()),
        None if wanted.size is None else size_of(wanted.size),
        fit_of(wanted.fit),
    )
    fetching = LinkOptions(
        tuple(links.retry_failed or ()), links.allow_private, links.ignore_opt_out, links.per_host
    )
    outputs = wanted.output or []
    for path in outputs:
        refuse_input("-o", path, table)
        check_file(path)
    with progress_bar("preparing") as progress:
        done = make(options, settings, links=fetching, tables=outputs, progress=progress)
    seconds = round(time.perf_counter() - started, 3)
    facts = {"to": str(done.to), "rows": done.rows, "kept": done.kept}
    counts = {"images": done.images, "made": done.made, "seconds": seconds}
    if json:
        print_json({"mode": "prepare"} | facts | {"dropped": dict(done.dropped)} | counts)
    else:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in done.dropped.items())
        where = f"{reasons}  (list: {done.to / 'dropped.csv'})" if reasons else "0"
        write_facts(facts | {"dropped": where} | counts)
    note(done.notes)
