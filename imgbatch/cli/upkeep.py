"""``index``, ``config`` and ``cache``: what keeps the tool going."""

from typing import Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import ClusterOptions, IndexDir, IndexOptions, Json, WholeFolder
from imgbatch.errors import UsageError

_INDEX = ClusterOptions()
_ALONE = IndexOptions()


@command
def index(
    folder: WholeFolder,
    json: Json = False,
    options: ClusterOptions = _INDEX,
) -> None:
    """Bring a folder's index up to date; the other commands do it by themselves."""
    collection = open_folder(folder, options)

    from dataclasses import asdict

    from imgbatch.outputs import print_json, write_facts

    report = collection.report
    facts = {
        "folder": collection.folder,
        "indexed": len(collection),
        "read": report.read,
        "described": report.described,
        "removed": report.removed,
        "index": str(collection.index_directory),
        "seconds": round(collection.seconds, 3),
    }
    if json:
        skipped = [asdict(file) for file in collection.skipped]
        print_json(facts | {"skipped": skipped, "ignored": collection.ignored})
    else:
        where = f"  (list: {collection.skipped_list})" if collection.skipped else ""
        write_facts(facts | {"skipped": f"{len(collection.skipped):,}{where}"})
    note(collection.notes)


@command
def config(
    folder: Annotated[
        str | None,
        typer.Argument(
            metavar="FOLDER", help="Show what the weights come to on this folder's images, too."
        ),
    ] = None,
    json: Json = False,
    options: IndexOptions = _ALONE,
) -> None:
    """Print the settings in force and where each came from."""
    from imgbatch.config import load_config, user_config_path
    from imgbatch.outputs.json import print_json
    from imgbatch.outputs.summaries import write_facts, write_settings, write_shares

    loaded = load_config(options.config)
    settings = loaded.config.with_emphasis(options.emphasis).model_dump(mode="json")
    file = None if loaded.file is None else str(loaded.file)
    shares, notes = None, loaded.notes
    if folder is not None:
        collection = open_folder(folder, options)
        space = collection.projection.space
        shares = {name: round(share, 6) for name, share in space.shares.items()}
        notes = collection.notes  # the others were told when the folder was opened
        if space.learned is not None:
            notes += ("the shares are those before the learned map, which mixes descriptors",)
    if json:
        told = {"file": file, "settings": settings, "sources": loaded.sources}
        print_json(told | {"folder": folder, "shares": shares})
    else:
        write_facts({"config file": file or "none, the defaults", "user's": user_config_path()})
        write_settings(settings, loaded.sources)
        if shares is not None:
            write_shares(shares)
    note(notes)


@command
def cache_dir(index: IndexDir = None) -> None:
    """Print the folder that holds the indexes."""
    from imgbatch.files.cache import cache_root

    print(cache_root(index))


@command
def cache_list(index: IndexDir = None, json: Json = False) -> None:
    """List the indexes with their image folders and sizes."""
    from imgbatch.files.cache import cache_root, list_indexes
    from imgbatch.outputs.json import print_json
    from imgbatch.outputs.summaries import write_rows

    indexes = list_indexes(cache_root(index))
    if json:
        print_json(
            {
                "indexes": [
                    {
                        "folder": entry.folder or None,
                        "index": str(entry.directory),
                        "bytes": entry.size_bytes,
                    }
                    for entry in indexes
                ]
            }
        )
        return
    rows = [
        (
            (entry.folder or f"unknown, {entry.directory}") + (" (gone)" if entry.orphaned else ""),
            f"{entry.size_bytes / 1e6:.1f} MB",
        )
        for entry in indexes
    ]
    many = f"{len(indexes)} index{'es' * (len(indexes) != 1)}"
    write_rows(f"{many} in {cache_root(index)}", ("image folder", "size"), rows)


@command
def cache_clean(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="FOLDER", help="Only this image folder's index. Default: all."),
    ] = None,
    orphaned: Annotated[
        bool, typer.Option("--orphaned", help="Only indexes whose image folder is gone.")
    ] = False,
    index: IndexDir = None,
) -> None:
    """Remove indexes; the next request on a folder makes its index anew.

    Images in the basket of the local page stay there.
    """
    from imgbatch.files.cache import cache_root, find_index, list_indexes, remove_index
    from imgbatch.files.paths import absolute

    if folder is None:
        indexes = list_indexes(cache_root(index))
    else:
        found = find_index(absolute(folder), index)
        if found is None:
            raise UsageError(f"no index of {folder}", "`imgbatch cache list` shows all")
        indexes = [found]
    if orphaned:
        indexes = [entry for entry in indexes if entry.orphaned]
    for entry in indexes:
        baskets = remove_index(entry)
        note(f"what was set aside in the basket stays: {basket}" for basket in baskets)
    megabytes = sum(entry.size_bytes for entry in indexes) / 1e6
    print(f"removed {len(indexes)} indexes, {megabytes:.1f} MB")
