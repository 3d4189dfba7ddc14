"""Batches of an epoch beside random ones: their figures, and a few of them as pictures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from imgbatch.batches.population import DealOptions
from imgbatch.batches.schedule import Comparison, DealtChunk, Schedule
from imgbatch.collection import Collection
from imgbatch.outputs.batches import BatchesResult, shown_batches
from imgbatch.outputs.pages.batches import MOST_BATCHES, batches_page
from imgbatch.seeds import draw_seed
from imgbatch.types import Progress, Rows
from imgbatch.web.asked import Asked
from imgbatch.web.screens.base import READ, Here, Screen

_SIZE, _MOST_SIZE = 32, 2048
"""Images in a batch; of a batch that is shown, all distances are measured."""
_MOST_EPOCHS = 10_000


@dataclass(frozen=True, slots=True)
class _Dealt:
    """An epoch's figures, and the batches of its first chunk beside as many random ones."""

    result: BatchesResult
    batches: Sequence[Rows]
    random: Sequence[Rows]


def batches(here: Here, asked: Asked) -> Response:
    """Figures of an epoch, and some of its batches."""
    site, images = here.site, len(here.site.photos)
    most = min(images, _MOST_SIZE)
    size = asked.number("size", min(_SIZE, most), least=1, most=most)
    epoch = asked.number("epoch", 0, most=_MOST_EPOCHS)
    balance = asked.flag("balance")
    seed = asked.number("seed", draw_seed())
    options = DealOptions(size, seed, epoch, balance=balance)
    if not asked.text("seed"):
        return RedirectResponse(_address(options), 303)

    def work(photos: Collection, progress: Progress) -> _Dealt:
        return _deal(photos, options, progress)

    dealt = site.job(("batches", options), "Batches are dealt", work)
    number = asked.number("batch", 1, least=1, most=len(dealt.batches))
    command = site.command(
        "batches", batch_size=size, seed=options.seed, balance=balance,
        epochs=epoch + 1 if epoch else None, o="plan.jsonl" if epoch else None,
    )  # fmt: skip
    some = slice(number - 1, number - 1 + MOST_BATCHES)
    with site.asking() as photos:
        most_shown = photos.config.page.images
        diverse = shown_batches(photos, dealt.batches[some], most_shown)
        random = shown_batches(photos, dealt.random[some], most_shown)
        classes = len(photos.metadata.column("labels").counts())
    page = batches_page(dealt.result, diverse, random, photos.config, command, first=number - 1)
    pictures = [section for section in page.sections if section.component == "side_by_side"]
    others = [section for section in page.sections if section not in pictures]
    page = replace(page, sections=(*pictures, *others))
    return here.render.answer(
        asked.request, "batches.html", page, options=options, most=most, classes=classes,
        links=_links(options, number, len(dealt.batches)),
    )  # fmt: skip


def _links(options: DealOptions, number: int, last: int) -> dict[str, str]:
    """Where to go on; "" for nowhere."""
    before, after = number - MOST_BATCHES, number + MOST_BATCHES
    return {
        "seed": _address(replace(options, seed=draw_seed())),
        "epoch": _address(replace(options, epoch=options.epoch + 1)),
        "before": _address(options, max(before, 1)) if number > 1 else "",
        "after": _address(options, after) if after <= last else "",
    }


def _address(options: DealOptions, number: int = 1) -> str:
    values = {"size": options.batch_size, "seed": options.seed, "epoch": options.epoch}
    values |= {"balance": 1} if options.balance else {}
    return f"/batches?{urlencode(values | ({'batch': number} if number > 1 else {}))}"


def _deal(photos: Collection, options: DealOptions, progress: Progress) -> _Dealt:
    started = time.perf_counter()
    schedule = Schedule(photos.population, options, start=options.epoch)
    chunks = schedule.chunks()
    comparison = Comparison(schedule, first := next(chunks))
    count = _add(comparison, first)
    for chunk in chunks:
        count += _add(comparison, chunk)
        progress(count * options.batch_size, len(photos))
    notes = (f"figures are those of the first {comparison.images:,} images dealt",)
    result = BatchesResult(
        seed=options.seed,
        folder=photos.folder,
        batch_size=options.batch_size,
        epochs=1,
        batches=count,
        figures=comparison.dealt.figures(),
        random=comparison.random.figures(),
        plan=None,
        preview=None,
        skipped=tuple(photos.skipped),
        skipped_list=photos.skipped_list,
        indexed=len(photos),
        seconds=time.perf_counter() - started,
        notes=() if comparison.images == len(photos) else notes,
    )
    return _Dealt(result, first.batches, schedule.random_batches(len(photos), options.epoch))


def _add(comparison: Comparison, chunk: DealtChunk) -> int:
    comparison.add(chunk)
    return len(chunk.batches)


SCREEN = Screen("Train", "Batches", "/batches", {"/batches": (READ, batches)})
