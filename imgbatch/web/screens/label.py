"""Labelling by keyboard: one large image at a time, or a grid of those taken for one class."""

from starlette.responses import Response

from imgbatch.errors import UsageError
from imgbatch.learning.results import AskedImage
from imgbatch.learning.rounds import Measured
from imgbatch.outputs.pages.records import Page
from imgbatch.web.asked import Asked, MissingError, path_named, see_other
from imgbatch.web.labelling import NEXT, OF_CLASS, RANDOM, UNLABELLED
from imgbatch.web.screens.base import READ, WRITE, Here, Screen
from imgbatch.web.wording import undone

COMING, _IN_GRID = 12, 20
_MOST_LABEL = 200
_KEYS = (
    ("1 to 9, 0", "give one of the first ten classes"),
    ("Enter", "take what the model suggests, or accept the grid"),
    ("c", "type the name of a class"),
    ("s", "skip an image"),
    ("Backspace", "undo the last label or skip"),
    ("r", "let the model learn again"),
)


def label(here: Here, asked: Asked) -> Response:
    """The first image of a queue with all classes as buttons; or the grid of a class."""
    labelling, queue = here.site.labelling, asked.text("queue") or NEXT
    of_class = queue.removeprefix(OF_CLASS) if queue.startswith(OF_CLASS) else ""
    in_grid = bool(of_class) and asked.choice("view", ("grid", "one")) == "grid"
    chosen = asked.path(here.site, "image")
    coming = labelling.queue(queue, _IN_GRID if in_grid else COMING + 1)
    if chosen is not None:
        others = [one for one in coming if one.relative != chosen]
        coming = [_plain(here, chosen), *others[:COMING]]
    done = labelling.round()
    counts = here.site.labels
    labelled = sum(counts.values())
    page = Page(
        "label",
        f"Is each of these {of_class}?" if in_grid else "Label",
        highlights=((f"{labelled:,}", f"of {len(here.site.photos):,} images have a label"),),
        command=_command(here, queue),
    )
    return here.render.answer(
        asked.request,
        "label.html",
        page,
        queue=queue,
        queues=_queues(done.classes),
        view="grid" if in_grid else "one",
        of_class=of_class,
        coming=coming,
        classes=[(name, counts.get(name, 0)) for name in labelling.classes],
        labelled=labelled,
        measured=measured_in_words(done.measured),
        learning=labelling.is_learning,
        between=labelling.between,
        skipped=labelling.skipped,
        file=here.site.saved.file,
        keys=_KEYS,
    )


def give(here: Here, asked: Asked) -> Response:
    """Give an image a class, or skip it, and go on with the next one."""
    path, queue = asked.path(here.site, "image"), asked.text("queue")
    if path is None:
        raise UsageError("no image is named", "label an image of the page")
    if asked.flag("skip"):
        here.site.labelling.skip([path])
        return _on(asked, "Skipped.")
    name = checked_label(asked.text("label"))
    former = here.site.label_of(path)  # of another tab, or chosen by hand to be labelled anew
    here.site.labelling.give({path: name}, at_random=queue == RANDOM)
    return _on(asked, f"{path}: {name}{f', in place of {former}' * (former not in ('', name))}.")


def accept(here: Here, asked: Asked) -> Response:
    """Give all images of a grid its class, but for those that are ticked as others."""
    name = checked_label(asked.text("queue").removeprefix(OF_CLASS))
    others = {path_named(here.site, one) for one in asked.texts("not")}
    shown = [path_named(here.site, one) for one in asked.texts("image")]
    accepted = [path for path in shown if path not in others]
    here.site.labelling.refuse(others, name)
    if accepted:
        here.site.labelling.give(dict.fromkeys(accepted, name))
    return _on(asked, f"{len(accepted):,} labelled {name}, {len(others):,} left for later.")


def change(here: Here, asked: Asked) -> Response:
    """Undo, learn again, ask for skipped images once more."""
    labelling = here.site.labelling
    if asked.flag("undo"):
        paths = labelling.undo()
        if len(paths) == 1 and (row := here.site.photos.records.row_of(paths[0])) is not None:
            return _on(asked, undone(paths), image=here.site.id_of(row))
        return _on(asked, undone(paths))
    if asked.flag("learn"):
        labelling.learn()
        return _on(asked, "The model learns again; the images below stay until it is done.")
    return _on(asked, f"{labelling.ask_skipped()} images are asked for once more.")


def checked_label(name: str) -> str:
    """The name of a class as it is typed; raises `UsageError` for what cannot stand in a cell."""
    if not name or len(name) > _MOST_LABEL or not name.isprintable():
        told = f"the class is {name[:40]!r}" if name else "the class has no name"
        raise UsageError(told, f"give a line of 1 to {_MOST_LABEL} characters")
    return name


def measured_in_words(measured: Measured | None) -> str:
    """Balanced accuracy beside random choice; "" if nothing was measured."""
    if measured is None:
        return ""
    figure = measured.figure
    return (
        f"Balanced accuracy {figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%}) on "
        f"{measured.images:,} images kept for measuring; random choice: {measured.random:.0%}."
    )


def _on(asked: Asked, did: str, image: str = "") -> Response:
    """To the next image of the same queue."""
    queue, view = asked.text("queue"), asked.text("view")
    return see_other("/label", queue=queue, view=view, image=image, did=did)


def _plain(here: Here, path: str) -> AskedImage:
    """An image that was chosen by hand."""
    row, label_now = here.site.photos.records.row_of(path), here.site.label_of(path)
    if row is None:
        raise MissingError("This image is no longer in the folder.")
    return AskedImage(row, here.site.file_of(path), path, label_now, "", 0.0, "chosen by you")


def _queues(classes: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (NEXT, "what helps the model most"),
        (RANDOM, "drawn at random, to measure on"),
        (UNLABELLED, "all others, by name"),
        *((OF_CLASS + name, f"taken for {name}") for name in classes),
    ]


def _command(here: Here, queue: str) -> str:
    if queue.startswith(OF_CLASS):
        return here.site.command("label train", o="model.npz")
    return here.site.command("label next", n=COMING + 1, random=queue == RANDOM)


SCREEN = Screen(
    "Curate",
    "Label",
    "/label",
    {
        "/label": (READ, label),
        "/label/give": (WRITE, give),
        "/label/accept": (WRITE, accept),
        "/label/change": (WRITE, change),
    },
)
