"""Whitening by augmentations: directions in which altered views of an image differ count less.

Descriptors change when a picture is cropped, mirrored or lit otherwise, though it shows the same.
The covariance of these changes, over some images of a folder, says how much each direction of a
descriptor's block is noise; see `noise_covariance` and `whitening_matrix`.

Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker
recognition", Interspeech 2006. Departures: an image and its
altered views are the class, so that no labels are needed; a power, since full whitening lowers the
precision of the very nearest; a blend with white noise in place of a larger sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats

Doubles = npt.NDArray[np.float64]

LEAST_IMAGES = 100
"""Of fewer images the covariance says too little: with 30 nothing was gained."""
_TRUSTED = 0.9
"""Share of the covariance in the blend that is inverted; the rest treats all directions alike."""


@dataclass(frozen=True, slots=True)
class Augmented:
    """What descriptors say of some images, each with altered views of it.

    Attributes
    ----------
    features
        By descriptor name (m, 1 + v, d) float32: for each of m images the image itself, then its v
        altered views.
    power
        0..1: see `whitening_matrix`; 0 changes nothing, 1 whitens, as for principal components.
    adapt
        0..1: how far the shares of blocks follow how much they tell, see `FeatureSpace.fit`.
    """

    features: Mapping[str, Floats]
    power: float
    adapt: float = 0.0


def noise_covariance(images: Floats) -> Doubles:
    """Covariance of the changes that altering views brings: (m, 1 + v, k) -> (k, k).

    Half the mean of (altered - original) (altered - original)^T.

    >>> import numpy as np
    >>> noise_covariance(np.array([[[0.0, 0.0], [2.0, 0.0]]])).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    changes = (images[:, 1:] - images[:, :1]).reshape(-1, images.shape[2]).astype(np.float64)
    covariance: Doubles = changes.T @ changes / (2 * max(1, len(changes)))
    return covariance


def whitening_matrix(covariance: Doubles, power: float) -> Doubles:
    """The symmetric matrix B^(-power / 2); power 1 makes the blended covariance B the identity.

    B = 0.9 C + 0.1 (trace C / k) I, since a covariance of some hundred images is not exact. C must
    have some variance.

    >>> import numpy as np
    >>> whitening_matrix(np.diag([4.0, 4.0]), 1.0).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    from scipy.linalg import eigh

    mean_variance = float(np.trace(covariance)) / len(covariance)
    blended = _TRUSTED * covariance
    blended[np.diag_indices(len(blended))] += (1 - _TRUSTED) * mean_variance
    values, vectors = eigh(blended)
    matrix: Doubles = (vectors * values ** (-power / 2)) @ vectors.T
    return matrix
