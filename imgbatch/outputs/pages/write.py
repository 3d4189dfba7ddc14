"""Writes a page as one HTML file that holds all it needs.

The policy in the file lets a browser load nothing: pictures are data URIs, and the style sheet and
the scripts are named by their hashes. What is not in the script's hash is never run, so a
file name cannot become code, even if it were not escaped.
"""

import base64
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.files.atomic import replacing
from imgbatch.outputs.base import WrittenFile
from imgbatch.outputs.legend import style_of
from imgbatch.outputs.pages.map import map_data
from imgbatch.outputs.pages.records import ImageMap, Page
from imgbatch.outputs.pages.thumbnails import chart_x, segments, thumbnail
from imgbatch.printable import printable
from imgbatch.types import Progress
from imgbatch.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent


def write_page(
    page: Page,
    target: str | os.PathLike[str],
    config: Config | None = None,
    progress: Progress | None = None,
) -> WrittenFile:
    """Write a page as one HTML file; an existing file is replaced at once.

    The same page, files and settings give the same bytes.

    Parameters
    ----------
    page
        What it shows; `selection_page`, `batches_page` and `evaluation_page` make pages.
    target
        Where the file goes.
    config
        Its ``page`` limits the number of images and says how large they are, its ``images`` how
        files are decoded. None takes the settings in force.
    progress
        Called with (pictures made, pictures in all) while a map is written.

    Raises
    ------
    OutputError
        The target cannot be written.

    Examples
    --------
    >>> import imgbatch
    >>> from imgbatch.outputs.pages import selection_page
    >>> photos = imgbatch.load("photos")
    >>> page = selection_page(photos.similar(3, seed=7), photos.config)
    >>> write_page(page, "similar.html", photos.config).shown
    3
    """
    settings = load_config().config if config is None else config
    place = Path(target).absolute()
    limited = page.first(settings.page.images)
    template = environment(settings, progress).get_template("page.html")
    with replacing(place) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(template.generate(page=limited, **_inlined(limited)))
    size = place.stat().st_size
    return WrittenFile("page", place, size_bytes=size, shown=limited.count, images=page.count)


def environment(config: Config, progress: Progress | None = None) -> "Environment":
    """The templates and what they call; text is escaped wherever it is put in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "thumbnail": partial(thumbnail, config=config),
        "segments": segments,
        "chart_x": chart_x,
        "map_data": partial(map_data, config=config, progress=progress),
        "style_of": style_of,
        "linked": lambda _file: None,
    }
    return made


def _shown(value: object) -> object:
    """Text without control characters and bytes that are no text; escaped markup as it is."""
    return printable(value) if type(value) is str else value


def _inlined(page: Page) -> dict[str, Any]:
    """The style sheet and the scripts that the page needs, and the policy that names them."""
    from markupsafe import Markup

    has_map = any(isinstance(section, ImageMap) for section in page.sections)
    style, script, map_script = (
        (_HERE / "static" / name).read_text(encoding="utf-8") if needed else ""
        for name, needed in (("page.css", True), ("page.js", True), ("map.js", has_map))
    )
    scripts = " ".join(f"'{_digest(text)}'" for text in (script, map_script) if text)
    policy = (
        "default-src 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )
    return {
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "map_script": Markup(map_script),  # noqa: S704 - our own file
        "policy": policy,
        "version": __version__,
    }


def _digest(text: str) -> str:
    """The hash of an inline style sheet or script, as a policy names it."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
