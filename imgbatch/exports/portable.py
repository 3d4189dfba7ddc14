"""A feature space that travels: all that is needed to project a picture, with no folder at hand."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from imgbatch.config import default_config_path, load_config
from imgbatch.config.schema import Config
from imgbatch.descriptors import ALWAYS, as_integers, build_descriptors
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import ImgbatchError
from imgbatch.images.view import Decoded
from imgbatch.index.extract import describe_file, with_fingerprints
from imgbatch.types import Floats

_TABLES = ("images", "weights", "descriptors", "space")
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class PortableSpace:
    """A fitted space with the settings it came from.

    Attributes
    ----------
    fingerprint
        16 hexadecimal digits that change with the folder, the descriptors' names, versions and
        parameters, how pictures are decoded, and any number in the space's arrays.
    settings
        JSON-able: "descriptors" (name, version, parameters and fingerprint of each), "config" (the
        tables of config.toml that shape the space), "version" of imgbatch.
    space
        The arrays.
    """

    fingerprint: str
    settings: Mapping[str, Any]
    space: FeatureSpace

    @classmethod
    def of(cls, folder: str, config: Config, space: FeatureSpace, version: str) -> "PortableSpace":
        """Describe the space of a folder; the version is imgbatch's, for messages alone."""
        tables = config.model_dump(mode="json", include=set(_TABLES))
        marked = with_fingerprints(build_descriptors(config), config.images.as_options())
        described = [
            {
                "name": one.name,
                "version": one.version,
                "parameters": one.parameters(),
                "fingerprint": mark,
            }
            for mark, one in marked
        ]
        settings = {"descriptors": described, "config": tables}
        digest = hashlib.sha256(json.dumps([ascii(folder), settings], sort_keys=True).encode())
        for name, block in space.blocks.items():
            scale = np.array([block.scale])
            for array in (block.mean, block.axes, block.offset, scale):
                digest.update(f"{name} {array.shape} {array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return cls(digest.hexdigest()[:16], settings | {"version": version}, space)

    @property
    def dimensions(self) -> int:
        """Number of columns of a point."""
        return sum(block.axes.shape[1] for block in self.space.blocks.values())

    def arrays(self) -> bytes:
        """The space's arrays in the .npz form."""
        file = io.BytesIO()
        self.space.save(file)
        return file.getvalue()

    @classmethod
    def restore(
        cls, fingerprint: str, settings: Mapping[str, Any], arrays: bytes
    ) -> "PortableSpace":
        """What was stored; `project` says whether this version of imgbatch can use it.

        Raises
        ------
        ImgbatchError
            The arrays are damaged.
        """
        try:
            return cls(fingerprint, settings, FeatureSpace.load(io.BytesIO(arrays)))
        except _DAMAGED as error:
            raise ImgbatchError(
                f"the exported feature space {fingerprint} is damaged: {error}",
                "export the folder anew",
            ) from None

    def project(self, path: str, hint: str) -> tuple[Decoded, Floats, np.uint64]:
        """Decode a picture and place it in the space.

        Returns
        -------
        decoded, point, hash
            The picture, its (p,) float32 point, its pHash.

        Raises
        ------
        SelectionError
            The picture cannot be read or used, with the hint what to do.
        ImgbatchError
            This version of imgbatch would describe pictures otherwise.
        """
        config = self._config()
        marked = with_fingerprints(build_descriptors(config), config.images.as_options())
        if {mark for mark, _ in marked} != {o["fingerprint"] for o in self.settings["descriptors"]}:
            raise self._other_version()
        decoded, codes = describe_file(path, marked, config.images.as_options(), hint)
        features = {one.name: one.features(codes[one.name][None]) for _, one in marked}
        point: Floats = self.space.transform(features)[0]
        return decoded, point, as_integers(codes[ALWAYS][None])[0]

    def _config(self) -> Config:
        """The default with the stored tables laid over it; descriptors added since stay off."""
        values = load_config(default_config_path()).config.model_dump()
        stored = self.settings["config"]
        try:
            off = dict.fromkeys(values["weights"], 0.0)
            tables = {name: values[name] | stored[name] for name in _TABLES}
            return Config.model_validate(
                values | tables | {"weights": off | stored["weights"], "presets": {}}
            )
        except (ValidationError, KeyError, TypeError):
            raise self._other_version() from None

    def _other_version(self) -> ImgbatchError:
        theirs = self.settings.get("version", "an unknown version")
        return ImgbatchError(
            f"the export was made by imgbatch {theirs}, which describes pictures otherwise",
            "export the folder anew, or use that version",
        )
