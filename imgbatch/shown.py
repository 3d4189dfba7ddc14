"""Results that show themselves: as a sheet of pictures, and in a notebook.

Results are made on low floors of the house, what draws them lies on a high one, and imports go down
only. So the package's `__init__` hands in, once, how to get at what draws; nothing of that is
imported before a result is shown.
"""

TYPE_CHECKING = False  # typing's own takes 10 ms; see imgbatch/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from PIL import Image

    class Drawing(Protocol):
        """What draws results: `outputs.notebook`."""

        def sheet(self, result: "Shown", /) -> Image.Image:
            """See `Shown.sheet`."""
            ...

        def bundle(self, result: "Shown", /) -> dict[str, str]:
            """A result as text and HTML, by MIME type."""
            ...


_imports: "list[Callable[[], Drawing]]" = []


def drawn_by(import_drawing: "Callable[[], Drawing]") -> None:
    """Say what draws results; `import_drawing` is called when the first one is shown."""
    _imports[:] = [import_drawing]


class Shown:
    """A result that shows itself. Its ``repr`` is one short line.

    Examples
    --------
    >>> import imgbatch
    >>> picked = imgbatch.load("photos").similar(3, seed=7)
    >>> picked.sheet().size
    (516, 594)
    """

    __slots__ = ()

    def sheet(self) -> "Image.Image":
        """The contact sheet as a Pillow picture; files that cannot be read are grey."""
        return _imports[0]().sheet(self)

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        """What Jupyter and IPython show: text, and HTML with small pictures and no script.

        They say which MIME types they want, and take these from what they get.
        """
        return _imports[0]().bundle(self)
