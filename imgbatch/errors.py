"""The one family of errors. Each says what was given, what was expected and what to do."""

from imgbatch.printable import printable


class ImgbatchError(Exception):
    """Base of every error that imgbatch raises on purpose.

    Parameters
    ----------
    message
        What was given and what was expected, in one line.
    hint
        What to do about it, in one line; may be empty.

    Attributes
    ----------
    exit_code
        The exit status of the command line after this error.

    Examples
    --------
    >>> import imgbatch
    >>> try:
    ...     imgbatch.load("photos", emphasis="loud")
    ... except imgbatch.ImgbatchError as error:
    ...     print(error)
    unknown emphasis 'loud' (the presets are color, balanced, shape, extended, best)
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """One line that any terminal can show, whatever names it repeats."""
        return printable(f"{self.message} ({self.hint})" if self.hint else self.message)


class UsageError(ImgbatchError):
    """A request that cannot be carried out as given: a wrong name, number, file or setting."""

    exit_code = 2


class FolderError(UsageError):
    """The image folder is missing, unreadable, not a folder, or holds no readable image."""


class ConfigError(UsageError):
    """A config file is missing, malformed, or holds an unknown key or a value out of range."""


class SelectionError(UsageError):
    """A request does not fit the images of the folder: n is too large, an image is unknown."""


class LabelError(UsageError):
    """The request needs labels and has none, or the file of labels does not fit the images."""


class UnreadableImage(ImgbatchError):  # noqa: N818 - the field says "unreadable image", not "error"
    """The bytes of a file cannot be used as a picture; the list of skipped files has the reason."""


class CatalogueError(ImgbatchError):
    """The index cannot be opened, written or understood."""


class OutputError(ImgbatchError):
    """A result cannot be written to the given file, folder or stream."""


class ClusterError(ImgbatchError):
    """The cluster cannot be reached, is lost during the work, or cannot do the work."""


class DatabaseError(ImgbatchError):
    """A database cannot be reached, lacks an extension or refuses; messages hold no password."""
