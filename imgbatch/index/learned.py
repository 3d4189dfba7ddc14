"""Points learned from labels: the file that holds them, and what an index reads of it."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.embedding.projection import Descriptors
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import ConfigError, ImgbatchError, UsageError
from imgbatch.files.headed import DAMAGED, HeadedKind
from imgbatch.index.portable import PortableSpace

_ANEW = "run `imgbatch tune FOLDER --learn` anew, or remove space.learned from the config"
LEARNED_FILE = HeadedKind("imgbatch learned points", "file of learned points", 1, _ANEW)


@dataclass(frozen=True, slots=True)
class LearnedPoints:
    """A feature space with a map that was learned in it.

    Attributes
    ----------
    portable
        The space, whose last step is the learned map, and the settings it was fitted under.
    facts
        JSON-able: what it was learned from, and its figures.
    """

    portable: PortableSpace
    facts: Mapping[str, Any]

    def save(self, path: Path) -> None:
        """Write the file in one step.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        packed = self.portable.arrays()
        header = {
            "fingerprint": self.portable.fingerprint,
            "settings": self.portable.settings,
            "digest": _digest(packed),
            "facts": self.facts,
        }
        LEARNED_FILE.write(path, header, {"space": np.frombuffer(packed, np.uint8)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "LearnedPoints":
        """Read what `save` wrote.

        Raises
        ------
        UsageError
            The file is missing, damaged, no file of learned points, or of a newer version.
        """
        header, arrays = LEARNED_FILE.read(path)
        try:
            packed = arrays["space"].tobytes()
            if _digest(packed) != header["digest"]:
                raise ValueError("its space is not the one that was written")
            portable = PortableSpace.restore(header["fingerprint"], header["settings"], packed)
            if portable.space.learned is None:
                raise ValueError("its space holds no learned map")
            if not isinstance(header["facts"], dict):
                raise TypeError("it tells nothing of its training")
            return cls(portable, header["facts"])
        except (ImgbatchError, *DAMAGED) as error:
            reason = error.message if isinstance(error, ImgbatchError) else error
            raise UsageError(
                f"the {LEARNED_FILE.name} {path} is damaged: {reason}", _ANEW
            ) from None


def learned_space(config: Config, descriptors: Descriptors) -> tuple[FeatureSpace, str]:
    """The space that a config names by `space.learned`, and its fingerprint.

    Raises
    ------
    UsageError
        The file is missing or damaged.
    ConfigError
        The config has other weights, or its descriptors say something else, than those that the
        points were learned with.
    """
    file = config.space.learned
    learned = LearnedPoints.load(file)
    theirs = learned.portable.config()
    if theirs.weights != config.weights or theirs.space != config.without_learned.space:
        raise ConfigError(
            f"the points of {file} were learned under other settings than those in force",
            "use the config file that tuning wrote beside it, without `emphasis`; or learn anew",
        )
    if missing := learned.portable.fingerprints - {fingerprint for fingerprint, _ in descriptors}:
        named = ", ".join(
            described["name"]
            for described in learned.portable.settings["descriptors"]
            if described["fingerprint"] in missing
        )
        raise ConfigError(
            f"the points of {file} were learned with other descriptors than these: {named}",
            _ANEW,
        )
    learned.portable.check_lengths(descriptors)
    return learned.portable.space, learned.portable.fingerprint


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()
