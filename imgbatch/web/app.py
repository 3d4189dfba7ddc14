"""The application: its routes, from the registry of screens, and what becomes of errors."""

import contextlib
import sys
import traceback

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from imgbatch.errors import ImgbatchError
from imgbatch.outputs.pages.records import Page
from imgbatch.web.asked import Asked, MissingError
from imgbatch.web.files import file_routes
from imgbatch.web.guard import MOST_BODY_BYTES, Door, Guard, TooMuch
from imgbatch.web.jobs import WorkingError
from imgbatch.web.readings import OutdatedError
from imgbatch.web.rendering import Renderer
from imgbatch.web.screens import SCREENS
from imgbatch.web.screens.base import Handler, Here
from imgbatch.web.site import Site

_MOST_FIELDS = 5000
_HOME = "/similar"


def application(site: Site, door: Door) -> Guard:
    """The page of a folder, behind its guard."""
    here = Here(site, Renderer(site, SCREENS))
    routes = file_routes(site)
    for screen in SCREENS:
        for path, (methods, handler) in screen.routes.items():
            routes.append(Route(path, _Endpoint(here, handler), methods=list(methods)))
    routes.append(Route("/", lambda _: RedirectResponse(_HOME, 303)))

    async def not_found(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        told = "There is no such page." if status == 404 else str(error)
        return await run_in_threadpool(_failed, here, request, status, told, "")

    app = Starlette(routes=routes, exception_handlers={HTTPException: not_found})
    app.router.redirect_slashes = False  # it leads from /thumbnails/../ to /thumbnails/..
    return Guard(app, door)


class _Endpoint:
    """Reads a request, lets a handler answer it in a thread, and shows what goes wrong."""

    def __init__(self, here: Here, handler: Handler) -> None:
        self._here, self._handler = here, handler

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        request = Request(scope, receive, send)  # type: ignore[arg-type]
        response = await self._answer(request)
        await response(scope, receive, send)  # type: ignore[arg-type]

    async def _answer(self, request: Request) -> Response:
        try:
            asked = await _read(request)
        except TooMuch:
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # the tab was closed; nobody reads it
        except HTTPException as error:
            return await run_in_threadpool(_failed, self._here, request, 400, error.detail, "")
        return await run_in_threadpool(self._shown, asked)

    def _shown(self, asked: Asked) -> Response:
        """The handler's answer, of one reading of the folder; what only reads begins anew once."""
        readings = self._here.site.readings
        if asked.request.method != "POST":
            with readings.kept(), contextlib.suppress(OutdatedError):
                return self._tried(asked)
        with readings.kept():
            try:
                return self._tried(asked)
            except OutdatedError as error:
                return _failed(self._here, asked.request, 409, str(error), "")

    def _tried(self, asked: Asked) -> Response:
        here, request = self._here, asked.request
        try:
            return self._handler(here, asked)
        except WorkingError as working:
            page = Page("working", working.what)
            response = here.render.answer(request, "working.html", page, working=working)
            response.headers["Refresh"] = "1"
            return response
        except MissingError as error:
            return _failed(here, request, 404, str(error), "")
        except OutdatedError:
            raise
        except ImgbatchError as error:
            return _failed(here, request, 400, error.message, error.hint)
        except Exception:  # noqa: BLE001 - a bug is told in the terminal, and the page goes on
            traceback.print_exc(file=sys.stderr)
            told = "Something went wrong inside imgbatch; the terminal shows what."
            return _failed(here, request, 500, told, "")


async def _read(request: Request) -> Asked:
    """The values of a request and the picture that it brings."""
    if request.method != "POST":
        return Asked(request, request.query_params)
    async with request.form(
        max_files=1, max_fields=_MOST_FIELDS, max_part_size=MOST_BODY_BYTES
    ) as form:
        return Asked(request, _texts(form), await _picture(form))


def _texts(form: FormData) -> ImmutableMultiDict[str, str]:
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return ImmutableMultiDict(texts)


async def _picture(form: FormData) -> bytes:
    for value in form.values():
        if isinstance(value, UploadFile):
            return await value.read()
    return b""


def _failed(here: Here, request: Request, status: int, told: str, hint: str) -> Response:
    from imgbatch.web.wording import in_words

    page = Page(
        "error", "That did not work" if status != 404 else "Not found", in_words(told, hint)
    )
    screens = {screen.path: screen for screen in SCREENS if screen.group}
    screen = screens.get("/" + request.url.path.split("/")[1])
    return here.render.answer(request, "failed.html", page, status=status, screen=screen)
