"""Any text, such as the name of a file, as text that a terminal can show."""


def printable(text: str) -> str:
    r"""The text with control characters, and bytes that are not text, written as escapes.

    A byte of a name that could not be decoded stands in Python's text as a surrogate (see
    `os.fsdecode`) and is shown as that byte.

    Examples
    --------
    >>> print(printable("sea\n.jpg"), printable("\udcff.jpg"), printable("Zürich.jpg"))
    sea\n.jpg \xff.jpg Zürich.jpg
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
