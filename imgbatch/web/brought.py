"""Pictures that a user brings to the page, to find what looks like them."""

import contextlib
import hashlib
import re
from pathlib import Path

import cv2
import numpy as np

from imgbatch.config.schema import Config
from imgbatch.errors import SelectionError, UnreadableImage
from imgbatch.files.atomic import keep_newest, write_bytes
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.types import View
from imgbatch.web.asked import MissingError

_KEPT = 50
_NAME = re.compile(r"[0-9a-f]{24}")


class Brought:
    """The last pictures that were brought, small, so that addresses with them can be kept.

    What is kept is the view that descriptors see, as PNG: neither the file nor its name.
    """

    def __init__(self, directory: Path, config: Config) -> None:
        self._directory, self._config = directory, config

    def keep(self, data: bytes) -> str:
        """Keep a picture; returns its name in addresses.

        Parameters
        ----------
        data
            The bytes of an image file.

        Raises
        ------
        SelectionError
            They are no picture, or too large a one.
        """
        try:
            with quiet_codecs():
                view = decode(data, self._config.images.as_options()).view
        except UnreadableImage as error:
            hint = "bring a file of a format that the folder may hold, such as JPEG or PNG"
            raise SelectionError(f"the picture cannot be used: {error.message}", hint) from None
        png = cv2.imencode(".png", cv2.cvtColor(view, cv2.COLOR_RGB2BGR))[1].tobytes()
        name = hashlib.blake2b(png, digest_size=12).hexdigest()
        write_bytes(self._file(name), png)
        with contextlib.suppress(OSError):
            keep_newest(self._directory.glob("*.png"), _KEPT)
        return name

    def png(self, name: str) -> bytes:
        """The bytes of a picture that was kept; b"" if it is there no longer."""
        try:
            return self._file(name).read_bytes() if _NAME.fullmatch(name) else b""
        except OSError:
            return b""

    def view(self, name: str) -> View:
        """The picture, (h, w, 3) uint8; raises `MissingError` if it is there no longer."""
        data = self.png(name)
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if bgr is None:
            raise MissingError(
                f"This picture is kept no longer: the last {_KEPT} are. Choose it anew."
            )
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.png"
