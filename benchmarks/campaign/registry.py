"""All parts of the campaign. A new part: one file, and one line here."""

from campaign import (
    at_once,
    cache,
    cluster,
    configs,
    database,
    disk,
    images,
    interrupts,
    kills,
    links,
    models,
    moves,
    page,
    plans,
    tables,
    worlds,
)
from campaign.base import Part

PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        images.PART,
        cache.PART,
        kills.PART,
        moves.PART,
        at_once.PART,
        interrupts.PART,
        configs.PART,
        plans.PART,
        models.PART,
        tables.PART,
        page.PART,
        worlds.PART,
        links.PART,
        disk.PART,
        database.PART,
        cluster.PART,
    )
}
