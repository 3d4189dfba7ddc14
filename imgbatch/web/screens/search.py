"""Search: by words, by an image of the folder or one that is brought, or by both."""

from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.outputs.pages.records import Page
from imgbatch.outputs.pages.search import search_page
from imgbatch.outputs.pages.selection import selection_page
from imgbatch.types import Progress, View
from imgbatch.web.asked import MOST_IMAGES, Asked, MissingError, see_other
from imgbatch.web.brought import Brought
from imgbatch.web.screens.base import READ, WRITE, Here, Screen

_BROUGHT = "brought"
"""The folder of pictures that were brought, beside the index."""
_Like = str | View
"""What found images are to look like: a file, or a picture that was brought."""
_N = 20
_ONLY = ("", "known", "unknown")
_ASK = "Give words, or an image that the ones you look for are to look like, or both."
_NO_WORDS = (
    " No image of this folder has a text, a tag or a class, so that there are no words to find"
    " images by. Words come from a metadata file with the columns file_name and text (see"
    " imgbatch browse --metadata), or from class folders. An image alone will do."
)


def search(here: Here, asked: Asked) -> Response:
    """What was found, under the form that asks for it."""
    site, words = here.site, asked.text("q")
    most = min(len(site.photos), MOST_IMAGES)
    n = asked.number("n", min(_N, most), least=1, most=most)
    only, row = asked.choice("only", _ONLY), asked.image(site, "like")
    picture = asked.text("picture") if row is None else ""
    like: _Like | None = None if row is None else site.path_of(row)
    if picture:
        like = _brought(here).view(picture)
    known = site.remembered("has words", _has_words)
    if words and known:
        page = _by_words(here, words, n, only, like)
    elif like is not None:
        page = _by_likeness(here, n, like)
    else:
        page = Page("search", "Search", _ASK + ("" if known else _NO_WORDS))
    form = {
        "q": words, "n": n, "only": only, "like": asked.text("like"), "picture": picture,
        "path": "" if row is None else site.photos.records[row].path,
    }  # fmt: skip
    return here.render.answer(asked.request, "search.html", page, form=form, known=known)


def _by_words(here: Here, words: str, n: int, only: str, like: _Like | None) -> Page:
    here.site.job("words", "The words of the folder are learned", _learn)
    with here.site.asking() as photos:
        found = photos.search(words, n, only=only or None, like=like)
    command = _command(here, like, "search", words, n=n, only=only)
    return search_page(found, photos.config, command)


def _by_likeness(here: Here, n: int, like: _Like) -> Page:
    with here.site.asking() as photos:  # copies are what is looked for, too
        picked = photos.similar(n, like=like, keep_duplicates=True)
    command = _command(here, like, "similar", n=n, keep_duplicates=True)
    return selection_page(picked, photos.config, command)


def _command(here: Here, like: _Like | None, *words: str, **options: object) -> str:
    """The terminal command; none for a picture that was brought, of which it knows no file."""
    known = like is None or isinstance(like, str)
    return here.site.command(*words, **options, like=like) if known else ""


def bring(here: Here, asked: Asked) -> Response:
    """Take what the form sends, with or without a picture, to the address of its answer."""
    kept = {name: asked.text(name) for name in ("q", "n", "only", "like", "picture")}
    if asked.picture:
        kept |= {"like": "", "picture": _brought(here).keep(asked.picture)}
    return see_other("/search", **kept)


def picture(here: Here, asked: Asked) -> Response:
    """A picture that was brought."""
    png = _brought(here).png(asked.text("name"))
    if not png:
        raise MissingError("There is no such picture, or no longer.")
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, no-cache"})


def _has_words(photos: Collection) -> bool:
    from imgbatch.words.documents import Documents

    return Documents.of(photos.metadata).known


def _learn(photos: Collection, _: Progress) -> bool:
    """Keep what searches by words need beside the index, so that each is quick."""
    return photos.words.visual is not None


def _brought(here: Here) -> Brought:
    return Brought(here.site.photos.index_directory / _BROUGHT, here.site.source.config)


SCREEN = Screen(
    "Look",
    "Search",
    "/search",
    {
        "/search": (READ, search),
        "/search/bring": (WRITE, bring),
        "/search/picture": (READ, picture),
    },
)
