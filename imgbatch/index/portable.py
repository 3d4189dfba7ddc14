"""A feature space that travels: it projects new pictures without the folder it was fitted on."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from imgbatch.config import default_config_path, load_config
from imgbatch.config.schema import Config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.decoder import Decoder
from imgbatch.embedding.projection import Descriptors
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import ImgbatchError
from imgbatch.files.names import shortened
from imgbatch.files.unpacked import unpacked_arrays
from imgbatch.images.view import Decoded
from imgbatch.index.extract import with_fingerprints
from imgbatch.index.outside import ImageReader
from imgbatch.index.vectors import VECTORS, no_pictures, vectors_fingerprint
from imgbatch.printable import printable
from imgbatch.types import Floats, View

_DECODER = "decoder."
_TABLES = ("images", "weights", "descriptors", "space")
_MAKE_ANEW = "export the folder, train the model or learn the points anew"
_DAMAGED = (ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class PortableSpace:
    """A fitted space with the settings it came from.

    Attributes
    ----------
    fingerprint
        16 hexadecimal digits. They change with the folder, the descriptors (names, versions,
        parameters), the decoding of pictures, and any number in the space's arrays.
    settings
        JSON-able: "descriptors" (name, version, parameters and fingerprint of each), "config" (the
        tables of config.toml that shape the space), "version" of imgbatch.
    space
        The fitted space.
    decoder
        Makes pictures of its points; None if none was learned.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> space = PortableSpace.of(photos.folder, photos.config, photos.projection.space, "0.1")
    >>> _, point, _ = space.project(photos.paths[0])
    >>> bool(abs(point - photos.points[0]).max() < 1e-4)
    True
    """

    fingerprint: str
    settings: Mapping[str, Any]
    space: FeatureSpace
    decoder: Decoder | None = None

    @classmethod
    def of(cls, folder: str, config: Config, space: FeatureSpace, version: str) -> "PortableSpace":
        """Describe the space of a folder; `version` is that of imgbatch and stands in messages."""
        tables = config.model_dump(mode="json", include=set(_TABLES))
        del tables["space"]["learned"]  # a path of this machine; the arrays travel instead
        described = _described_vectors(space) or _described(config)
        settings = {"descriptors": described, "config": tables}
        digest = hashlib.sha256(json.dumps([ascii(folder), settings], sort_keys=True).encode())
        for name, block in space.blocks.items():
            scale = np.array([block.scale])
            for array in (block.mean, block.axes, block.offset, scale):
                digest.update(f"{name} {array.shape} {array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        if space.learned is not None:
            for name, array in space.learned.arrays().items():
                digest.update(f"learned {name} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return cls(digest.hexdigest()[:16], settings | {"version": version}, space)

    @property
    def dimensions(self) -> int:
        """Number of columns of a point."""
        return self.space.dimensions

    def arrays(self) -> bytes:
        """The arrays of the space, and of the decoder if there is one, in the .npz form."""
        return space_bytes(self.space, self.decoder)

    @classmethod
    def restore(
        cls, fingerprint: str, settings: Mapping[str, Any], arrays: bytes
    ) -> "PortableSpace":
        """Read a stored space; `project` checks whether this version of imgbatch can use it.

        Raises
        ------
        ImgbatchError
            The arrays are damaged.
        """
        try:
            space = FeatureSpace.load(io.BytesIO(arrays))
            _check_settings(settings, space)
            return cls(fingerprint, settings, space, _decoder_in(arrays, space))
        except _DAMAGED as error:
            named = shortened(printable(str(fingerprint)))
            raise ImgbatchError(
                f"the stored feature space {named} is damaged: {error}", _MAKE_ANEW
            ) from None

    def project(
        self, path: str, hint: str = "name an image file"
    ) -> tuple[Decoded, Floats, np.uint64]:
        """Decode a picture and place it in the space.

        Parameters
        ----------
        path
            The image file.
        hint
            What the error advises if the file cannot be used.

        Returns
        -------
        decoded, point, phash
            The picture, its (p,) float32 point, its perceptual hash.

        Raises
        ------
        SelectionError
            The file cannot be read or used.
        ImgbatchError
            This version of imgbatch would describe pictures differently.
        """
        image = self.reader().read(path, hint)
        return image.decoded, image.point(self.space), image.phash

    def picture_of(self, point: Floats) -> View:
        """The picture that a point (p,) keeps: (32, 32, 3) uint8; see `Collection.picture_of`.

        Raises
        ------
        ImgbatchError
            No decoder travels with the space, or the point has another number of columns.
        """
        if self.decoder is None:
            raise ImgbatchError(f"the space {self.fingerprint} makes no pictures", _MAKE_ANEW)
        if np.shape(point) != (self.dimensions,):
            raise ImgbatchError(
                f"the point has the shape {np.shape(point)}, those of the space have"
                f" {(self.dimensions,)}",
                "give a row of the points of the same export",
            )
        return self.decoder.picture(np.asarray(point, np.float32))

    def reader(self) -> ImageReader:
        """Reads pictures exactly as those were read that the space was fitted on.

        Raises
        ------
        ImgbatchError
            This version of imgbatch would describe pictures differently.
        """
        if any(described["name"] == VECTORS for described in self.settings["descriptors"]):
            raise no_pictures("placing a picture")
        config = self.config()
        options = config.images.as_options()
        descriptors = with_fingerprints(build_descriptors(config), options)
        if {fingerprint for fingerprint, _ in descriptors} != self.fingerprints:
            raise self._other_version()
        self.check_lengths(descriptors)
        return ImageReader(descriptors, options)

    def check_lengths(self, descriptors: Descriptors) -> None:
        """Raise `ImgbatchError` unless what descriptors say has the lengths of the space's blocks.

        Only a damaged space has others: fingerprints of the descriptors were compared before.
        """
        for _, descriptor in descriptors:
            block = self.space.blocks.get(descriptor.name)
            codes = np.zeros((1, descriptor.dim), np.uint8)
            if block is not None and descriptor.features(codes).shape[1] != len(block.mean):
                raise ImgbatchError(
                    f"the stored feature space is damaged: its {descriptor.name} has"
                    f" {len(block.mean)} numbers",
                    _MAKE_ANEW,
                )

    @property
    def fingerprints(self) -> set[str]:
        """Of the descriptors that the space needs."""
        return {described["fingerprint"] for described in self.settings["descriptors"]}

    def config(self) -> Config:
        """The default config with the stored tables laid over it; newer descriptors stay off.

        Raises
        ------
        ImgbatchError
            They do not fit this version of imgbatch.
        """
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
        theirs = shortened(printable(str(self.settings.get("version", "an unknown version"))))
        return ImgbatchError(
            f"the stored space is of imgbatch {theirs}, which describes pictures differently",
            f"{_MAKE_ANEW}, or use that version",
        )


def _described(config: Config) -> list[dict[str, Any]]:
    """What must be equal for pictures to be described in the same way."""
    descriptors = with_fingerprints(build_descriptors(config), config.images.as_options())
    return [
        {
            "name": descriptor.name,
            "version": descriptor.version,
            "parameters": descriptor.parameters(),
            "fingerprint": fingerprint,
        }
        for fingerprint, descriptor in descriptors
    ]


def _described_vectors(space: FeatureSpace) -> list[dict[str, Any]]:
    """The same for a space of vectors: their length. Empty for any other space."""
    if VECTORS not in space.blocks:
        return []
    columns = len(space.blocks[VECTORS].mean)
    identity = {"name": VECTORS, "version": 1, "parameters": {"columns": columns}}
    return [identity | {"fingerprint": vectors_fingerprint(columns)}]


def space_bytes(space: FeatureSpace, decoder: Decoder | None = None) -> bytes:
    """A space's arrays in the .npz form; equal bytes place every image at the same point.

    Those of a decoder lie beside them, in half precision, as 32 x 32 pixels need no more.
    """
    file = io.BytesIO()
    space.save(file)
    if decoder is not None:
        arrays = decoder.arrays() | {"weights": decoder.weights.astype(np.float16)}
        with zipfile.ZipFile(file, "a") as archive:
            for name, array in arrays.items():
                # A fixed date: equal decoders give equal bytes.
                entry = zipfile.ZipInfo(f"{_DECODER}{name}.npy")
                with archive.open(entry, "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
    return file.getvalue()


def _decoder_in(arrays: bytes, space: FeatureSpace) -> Decoder | None:
    """The decoder beside a space's arrays; None if there is none."""
    names = {f"{_DECODER}{name}": name for name in Decoder.ARRAYS}
    stored = unpacked_arrays(io.BytesIO(arrays), names)
    if f"{_DECODER}weights" not in stored:
        return None
    decoder = Decoder.of({names[name]: array for name, array in stored.items()})
    if len(decoder.mean) != space.dimensions:
        raise ValueError("its decoder does not fit its blocks")
    return decoder


def _check_settings(settings: object, space: FeatureSpace) -> None:
    """Raise `TypeError` or `ValueError` for settings that `PortableSpace.of` does not make."""
    table = settings if isinstance(settings, dict) else {}
    described, config = table.get("descriptors"), table.get("config")
    if not isinstance(described, list) or not isinstance(config, dict):
        raise TypeError("it does not say how pictures are described")
    for one in described:
        if not isinstance(one, dict) or not all(
            isinstance(one.get(key), str) for key in ("name", "fingerprint")
        ):
            raise TypeError("it does not name its descriptors")
    if missing := space.blocks.keys() - {one["name"] for one in described}:
        raise ValueError(f"it has a block of no descriptor: {printable(min(missing)):.40}")
