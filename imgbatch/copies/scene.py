"""Tell pictures of one place or object by keypoints that lie in one arrangement in both."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.types import View

LEAST_INLIERS = 20
_KEYPOINTS = 400
_RATIO = 0.8  # of the distances to the nearest and the second nearest keypoint (Lowe, IJCV 2004)
_REPROJECTION_PX = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Corners of a picture with descriptions: (k, 2) float32 places, (k, 32) uint8."""

    places: npt.NDArray[np.float32]
    codes: npt.NDArray[np.uint8]


def keypoints(view: View | None) -> Keypoints:
    """The keypoints of a picture; none of a file that cannot be read.

    ORB: Rublee, Rabaud, Konolige and Bradski, ICCV 2011.
    """
    if view is not None:
        grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        found, codes = cv2.ORB.create(_KEYPOINTS, fastThreshold=10).detectAndCompute(grey, None)
        if codes is not None:
            places = np.array([point.pt for point in found], np.float32)
            return Keypoints(places, np.asarray(codes, np.uint8))
    return Keypoints(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))


def inliers(a: Keypoints, b: Keypoints) -> int:
    """How many keypoints match and fit one homography; 0 for fewer than `LEAST_INLIERS` matches.

    Deterministic: OpenCV's RANSAC draws with a fixed seed.
    """
    if min(len(a.codes), len(b.codes)) < LEAST_INLIERS:
        return 0
    matches: Sequence[Sequence[cv2.DMatch]] = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(
        a.codes, b.codes, 2
    )
    good = [one for one, two in matches if one.distance < _RATIO * two.distance]
    if len({match.trainIdx for match in good}) < LEAST_INLIERS:
        return 0
    from_a = a.places[[match.queryIdx for match in good]]
    to_b = b.places[[match.trainIdx for match in good]]
    homography, mask = cv2.findHomography(from_a, to_b, cv2.RANSAC, _REPROJECTION_PX)
    if homography is None:
        return 0
    return len({match.trainIdx for match, inside in zip(good, mask.ravel(), strict=True) if inside})
