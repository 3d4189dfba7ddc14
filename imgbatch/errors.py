"""The one family of errors: what was given, what was expected, and a hint what to do."""


class ImgbatchError(Exception):
    """Base of every error imgbatch raises on purpose.

    Parameters
    ----------
    message
        What was given and what was expected, in one line.
    hint
        What to do about it, in one line; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(ImgbatchError):
    """What was asked for cannot be done as asked; the command line exits with 2."""

    exit_code = 2


class FolderError(UsageError):
    """The image folder is missing, unreadable, not a folder, or holds no readable image."""


class ConfigError(UsageError):
    """A config file is missing, malformed, or holds an unknown key or a value out of range."""


class SelectionError(UsageError):
    """The selection asked for does not fit the images at hand (n too large, unknown image)."""


class LabelError(UsageError):
    """Labels are needed and missing, or the file of labels does not fit the images."""


class UnreadableImage(ImgbatchError):  # noqa: N818 - the field says "unreadable image", not "error"
    """One file's bytes cannot be used as a picture; the reason is shown in the list of skipped."""


class CatalogueError(ImgbatchError):
    """The index on disk cannot be opened, written or understood."""


class OutputError(ImgbatchError):
    """A result could not be written where it was asked for."""


class ClusterError(ImgbatchError):
    """The cluster cannot be reached, was lost, or cannot do the work."""


class DatabaseError(ImgbatchError):
    """A database cannot be reached, lacks something, or refuses; no password is in the message."""
