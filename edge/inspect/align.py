"""Where is the part? Two ways to guess; both are refined and judged in `edge.inspect.refine`."""

import math
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadConfig
from edge.inspect.geometry import for_opencv, from_opencv, scaling, translation
from edge.inspect.refine import (
    FLAT,
    Alignment,
    Grey,
    NotAligned,
    Refiner,
    cut,
    factor_to,
    is_flat,
    shrunk,
    structure,
    to_grey,
)
from edge.inspect.view_card import AlignmentCard, RoiCard
from edge.types import Doubles, Floats, Pixels

_SEARCHED_SIDE = 100
"""Pixels of the longer side with which a template is searched, at every angle."""

_ANGLE_STEP_DEG = 2.0
"""A degree off moves a corner of the template by one reduced pixel. Without, a brick was taken for its neighbour at 3°."""

_REACH = 1.25
"""A template is searched for this much further than it may move, to tell a part that is too far from one that is missing."""

_MATCHED_SIDE = 400
"""Pixels of the longer side on which key points are looked for."""

_KEYPOINTS = 500
_LEAST_INLIERS = 12
"""Measured on nine photographs: a wrong picture gives up to 7, the right one 70 and more."""

_INLIER_PX = 2.0
"""Of the reduced picture; ORB places a key point of its smallest scale within one and of its larger ones within two."""


class Aligner(Protocol):
    """Finds the part of the reference picture."""

    def __call__(self, pixels: Pixels) -> Alignment | NotAligned:
        """H×W×3 uint8 BGR, as large as the reference. Bad pictures give NotAligned, never an exception."""


def open_aligner(card: AlignmentCard, reference: Grey, box: RoiCard) -> Aligner:
    """The aligner that the card names; `box` is the region of the reference by which parts are aligned.

    Raises:
        BadConfig: the reference has nothing to align by inside the box.
    """
    if card.method == "template":
        return TemplateAligner(card, reference, box)
    return KeypointAligner(card, reference, box)


class TemplateAligner:
    """For parts that shift and turn by a few degrees: where the reference fits best at some angles, then a rigid fit."""

    def __init__(self, card: AlignmentCard, reference: Grey, box: RoiCard) -> None:
        self._refine = Refiner(card, reference, box)
        self._factor = factor_to(_SEARCHED_SIDE, box.height, box.width)
        steps = math.ceil(card.largest_rotation_deg / _ANGLE_STEP_DEG)
        angles = np.linspace(-card.largest_rotation_deg, card.largest_rotation_deg, 2 * steps + 1)
        self._turns = [_turn(box, float(angle)) for angle in angles]
        self._templates = [self._template(reference, box, turn) for turn in self._turns]
        self._margin = int(card.largest_shift_px * _REACH / self._factor) + 2
        rows, cols = (side + 2 * self._margin for side in self._templates[0].shape)
        x0, y0 = box.x - self._margin * self._factor, box.y - self._margin * self._factor
        self._window = (x0, y0, x0 + cols * self._factor, y0 + rows * self._factor)

    def __call__(self, pixels: Pixels) -> Alignment | NotAligned:
        """See `Aligner`."""
        window = shrunk(_window(pixels, *self._window), self._factor)
        if is_flat(window):
            return NotAligned(FLAT)
        searched = structure(window)
        peaks = [cv2.minMaxLoc(cv2.matchTemplate(searched, t, cv2.TM_CCOEFF_NORMED)) for t in self._templates]
        best = int(np.argmax([highest for _, highest, _, _ in peaks]))
        across, down = peaks[best][3]
        shift = translation((across - self._margin) * self._factor, (down - self._margin) * self._factor)
        return self._refine(pixels, np.asarray(shift @ self._turns[best]), cv2.MOTION_EUCLIDEAN)

    def _template(self, reference: Grey, box: RoiCard, turn: Doubles) -> Floats:
        size, matrix = (reference.shape[1], reference.shape[0]), for_opencv(turn)[:2]
        turned = cv2.warpAffine(reference, matrix, size, None, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
        return structure(shrunk(cut(np.asarray(turned, np.uint8), box), self._factor))


class KeypointAligner:
    """For parts that also turn freely, come nearer or tilt: ORB key points agree on a homography, then its fit."""

    def __init__(self, card: AlignmentCard, reference: Grey, box: RoiCard) -> None:
        self._refine = Refiner(card, reference, box)
        self._place = _reachable(card, box, *reference.shape)
        self._factor = factor_to(_MATCHED_SIDE, self._place.height, self._place.width)
        self._orb = cv2.ORB.create(_KEYPOINTS)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
        inside = np.zeros_like(reference)
        cut(inside, box)[:] = 255
        self._points, self._descriptors = self._keypoints(cut(reference, self._place), cut(inside, self._place))
        if len(self._points) < 2 * _LEAST_INLIERS:
            raise BadConfig(
                f"alignment: the reference has {len(self._points)} key points in the region of interest, and "
                f"{2 * _LEAST_INLIERS} are needed; align by template instead."
            )

    def __call__(self, pixels: Pixels) -> Alignment | NotAligned:
        """See `Aligner`."""
        points, descriptors = self._keypoints(to_grey(cut(pixels, self._place)))
        # An empty set of descriptors cannot be matched.
        matches = self._matcher.match(self._descriptors, descriptors) if len(points) else ()
        if len(matches) < _LEAST_INLIERS:
            return NotAligned(f"{len(matches)} key points match, fewer than {_LEAST_INLIERS}")
        here = self._points[[m.queryIdx for m in matches]]
        there = points[[m.trainIdx for m in matches]]
        # MAGSAC++ (Barath et al. 2020). OpenCV seeds its sampling alike each time.
        found, inliers = cv2.findHomography(here, there, cv2.USAC_MAGSAC, _INLIER_PX, maxIters=2000, confidence=0.999)
        agreeing = 0 if found is None else int(inliers.sum())
        if agreeing < _LEAST_INLIERS:
            return NotAligned(f"{agreeing} key points agree on one movement, fewer than {_LEAST_INLIERS}")
        from_place = translation(self._place.x, self._place.y) @ scaling(self._factor, self._factor)
        guess = from_place @ from_opencv(np.asarray(found, np.float64)) @ np.linalg.inv(from_place)
        return self._refine(pixels, np.asarray(guess), cv2.MOTION_HOMOGRAPHY)

    def _keypoints(self, grey: Grey, inside: Grey | None = None) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """N×2 points of the reduced place and their N descriptors; `inside` is white where points count."""
        mask = None if inside is None else shrunk(inside, self._factor)
        found, descriptors = self._orb.detectAndCompute(shrunk(grey, self._factor), mask)
        return np.array([k.pt for k in found], np.float32).reshape(-1, 2), np.asarray(descriptors)


def _reachable(card: AlignmentCard, box: RoiCard, height: int, width: int) -> RoiCard:
    """The part of the picture where the box can be, whichever way it turned: the rest only costs time and key points."""
    reach = _REACH * card.largest_shift_px + card.scale_max * math.hypot(box.width, box.height) / 2
    x, y = box.x + box.width / 2, box.y + box.height / 2
    x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
    return RoiCard(x=x0, y=y0, width=min(width, math.ceil(x + reach)) - x0, height=min(height, math.ceil(y + reach)) - y0)


def _turn(box: RoiCard, degrees: float) -> Doubles:
    """About the centre of the box, clockwise as seen, since rows run down."""
    angle = math.radians(degrees)
    centre = box.x + box.width / 2, box.y + box.height / 2
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    return np.asarray(translation(*centre) @ turn @ translation(-centre[0], -centre[1]))


def _window(pixels: Pixels, x0: int, y0: int, x1: int, y1: int) -> Grey:
    """A grey window that may reach beyond the picture, which goes on there as it ends."""
    height, width = pixels.shape[:2]
    inside = to_grey(pixels[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)])
    left, top, right, bottom = (max(v, 0) for v in (-x0, -y0, x1 - width, y1 - height))
    return np.asarray(cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)
