"""What is in the folder, what may be wrong with it, and how good its sets are."""

from dataclasses import replace
from urllib.parse import urlencode

from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.evaluation.evaluate import evaluate
from imgbatch.evaluation.results import Evaluation
from imgbatch.outputs.pages.evaluation import evaluation_page
from imgbatch.outputs.pages.overview import overview_page
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.overview.results import Overview, Problem
from imgbatch.types import Progress
from imgbatch.web.asked import Asked, MissingError
from imgbatch.web.pager import Pager
from imgbatch.web.screens.base import READ, WRITE, Here, Screen

_ON_A_PAGE = 120
_SETS, _MOST_SETS = 300, 5000
_EVALUATION = (
    "Similar sets, different sets and batches are drawn many times and measured beside random"
    " choice: how near, how different, and, where classes are known, how often of one class."
)


def overview(here: Here, asked: Asked) -> Response:
    """The overview, or all images that one of its rules found."""
    seed, blur, problem = asked.number("seed", 0), asked.flag("blur"), asked.text("problem")
    seen = _seen(here, seed, blur=blur)
    command = here.site.command("overview", seed=seed or None, blur=blur)
    values = {"seed": seed or "", "blur": "1" if blur else "", "problem": problem}
    pager = None
    if problem:
        found = _found(seen, problem)
        query = tuple((name, str(value)) for name, value in values.items() if value)
        pager = Pager.of(asked, query, found.count, _ON_A_PAGE)
        page = replace(_problem_page(found, pager), command=command)
    else:
        page = overview_page(seen, here.site.photos.config, command)
    links = [
        (f"{one.name} {one.count:,}", f"/overview?{urlencode(values | {'problem': one.name})}")
        for one in seen.problems
    ]
    return here.render.answer(
        asked.request, "overview.html", page, form=values, pager=pager, links=links,
        whole=f"/overview?{urlencode(values | {'problem': ''})}",
    )  # fmt: skip


def _found(seen: Overview, name: str) -> Problem:
    """What a rule found, by its name; raises `MissingError` if that is nothing."""
    found = next((one for one in seen.problems if one.name == name), None)
    if found is None:
        raise MissingError("No rule of this name found anything.")
    return found


def _problem_page(found: Problem, pager: Pager) -> Page:
    images = tuple(
        PageImage(
            image.path, image.relative, f"{rank:,}", facts=(image.detail,) if image.detail else ()
        )
        for rank, image in enumerate(found.images[pager.shown], pager.shown.start + 1)
    )
    told = f"{found.rule.capitalize()}. The worst come first."
    title = f"{found.name.capitalize()}: {found.count:,} of {found.looked_at:,} images"
    return Page("overview", title, sections=(ImageGrid(pager.heading, told, images),))


def to_basket(here: Here, asked: Asked) -> Response:
    """Put all images that a rule found into the basket."""
    seen = _seen(here, asked.number("seed", 0), blur=asked.flag("blur"))
    found = _found(seen, asked.text("problem"))
    added = here.site.basket.add(image.relative for image in found.images)
    return asked.back(f"{added:,} added to the basket.")


def _seen(here: Here, seed: int, *, blur: bool) -> Overview:
    def work(photos: Collection, progress: Progress) -> Overview:
        return photos.overview(seed=seed, blur=blur, progress=progress)

    return here.site.job(("overview", seed, blur), "The folder is looked through", work)


def evaluation(here: Here, asked: Asked) -> Response:
    """Figures of sets and batches, beside those of random choice."""
    site, most = here.site, len(here.site.photos)
    n = asked.number("n", min(10, most), least=2, most=most)
    sets = asked.number("sets", _SETS, least=2, most=_MOST_SETS)
    seed = asked.number("seed", 0)

    def work(photos: Collection, progress: Progress) -> Evaluation:
        return evaluate(photos, n=n, sets=sets, seed=seed, progress=progress)

    page, notes = Page("evaluate", "Evaluation", _EVALUATION), tuple[str, ...]()
    if asked.text("sets"):  # it takes a minute, which nobody should start by looking
        measured = site.job(("evaluate", n, sets, seed), "Sets are drawn and measured", work)
        command = site.command("evaluate", n=n, sets=sets, seed=seed or None)
        page, notes = evaluation_page(measured, site.photos.config, command), measured.notes
    form = {"n": n, "sets": sets, "seed": seed, "most": _MOST_SETS}
    return here.render.answer(asked.request, "evaluate.html", page, form=form, notes=notes)


SCREENS = (
    Screen(
        "Look",
        "Overview",
        "/overview",
        {"/overview": (READ, overview), "/overview/basket": (WRITE, to_basket)},
    ),
    Screen("Measure", "Evaluate", "/evaluate", {"/evaluate": (READ, evaluation)}),
)
