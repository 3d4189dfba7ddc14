"""What pages load: small and large pictures, style sheets, scripts. Nothing is named by a path."""

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from imgbatch.errors import UnreadableImage
from imgbatch.web.rendering import asset_file
from imgbatch.web.site import Site
from imgbatch.web.thumbnails import version_of

_FOR_EVER = "private, max-age=31536000, immutable"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_ASSET = re.compile(r"[a-z_]+\.(css|js)")


def file_routes(site: Site) -> list[Route]:
    """The routes of pictures and assets of a site."""

    def thumbnail(request: Request) -> Response:
        return _picture(request, site, large=False)

    def large(request: Request) -> Response:
        return _picture(request, site, large=True)

    return [
        Route("/thumbnails/{id}", thumbnail),
        Route("/pictures/{id}", large),
        Route("/static/{name}", _static),
    ]


def _picture(request: Request, site: Site, *, large: bool) -> Response:
    with site.readings.kept():
        row = site.row_of(request.path_params["id"])
        if row is None:
            return PlainTextResponse("there is no such image", 404)
        path = site.path_of(row)
    try:
        version = version_of(path)
        # An address with the file's version means these bytes for ever; any other may change.
        named = request.query_params.get("v") == version
        headers = {
            "ETag": f'"{version}"',
            "Cache-Control": _FOR_EVER if named else "private, no-cache",
        }
        if version and headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        jpeg = site.thumbnails.large(path) if large else site.thumbnails.get(path, version)[0]
    except (OSError, UnreadableImage):
        return PlainTextResponse("the file is gone, or no picture any more", 404)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    match = _ASSET.fullmatch(name)
    if match is None or not asset_file(name).is_file():
        return PlainTextResponse("there is no such file", 404)
    caching = _FOR_EVER if request.query_params.get("v") else "no-cache"
    return Response(
        asset_file(name).read_bytes(),
        media_type=_TYPES[match[1]],
        headers={"Cache-Control": caching},
    )
