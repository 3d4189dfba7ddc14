"""Files of arrays with a header that says what they hold; NumPy's .npz form, nothing pickled."""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing
from imgbatch.files.regular import TooLargeError, read_regular
from imgbatch.files.unpacked import unpacked_arrays

DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What a damaged file raises when its arrays are read and put together."""
_MOST_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class HeadedKind:
    """A kind of such files.

    Attributes
    ----------
    kind
        Stands in the header, such as "imgbatch label model".
    name
        What such a file is called in messages, such as "label model".
    version
        Raised when older programs cannot read what is written.
    hint
        What to do about a file that cannot be used.

    Examples
    --------
    >>> notes = HeadedKind("my notes", "note", 1, "give another file")
    >>> notes.write(Path("a.npz"), {"title": "sea"}, {"numbers": np.arange(3)})
    >>> header, arrays = notes.read("a.npz")
    >>> header["title"], arrays["numbers"].tolist()
    ('sea', [0, 1, 2])
    """

    kind: str
    name: str
    version: int
    hint: str

    def write(self, path: Path, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Write arrays under a JSON-able header in one step.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        whole = {"kind": self.kind, "version": self.version, **header}
        packed = np.frombuffer(json.dumps(whole).encode(), np.uint8)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, header=packed, **arrays)

    def read(self, path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The header and the arrays of a file.

        Raises
        ------
        UsageError
            The file is missing, damaged, of another kind or of a newer version.
        """
        try:
            data, _ = read_regular(path, _MOST_BYTES)
        except TooLargeError as error:
            raise UsageError(f"{path} is no {self.name}: it has {error}", self.hint) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            text = f"the {self.name} {path} cannot be read: {reason}"
            raise UsageError(text, self.hint) from None
        try:
            arrays = unpacked_arrays(io.BytesIO(data))
            header = json.loads(arrays.pop("header").tobytes())
            kind, version = header["kind"], header["version"]
            if not isinstance(version, int):
                raise TypeError("its version is no number")
        except (*DAMAGED, RecursionError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UsageError(f"{path} is no {self.name}, or damaged: {reason}", self.hint) from None
        if kind != self.kind:
            raise UsageError(f"{path} is no {self.name}", self.hint)
        if version > self.version:
            raise UsageError(
                f"the {self.name} {path} is of version {version}, and {self.version} is known",
                "use the imgbatch that wrote it, or make it anew",
            )
        return header, arrays
