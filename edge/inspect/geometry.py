"""Plane geometry of pictures: 3×3 float64 transforms, and what they do to a box.

Points lie on the plane of which a picture covers 0..width × 0..height: pixel i covers i..i+1, and its centre is at i + 0.5.
OpenCV's warps and key points put (0, 0) into the centre of the first pixel; `for_opencv` changes between the two.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edge.inspect.view_card import RoiCard
from edge.types import Doubles


def translation(x: float, y: float) -> Doubles:
    """Move by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(across: float, down: float) -> Doubles:
    """Stretch from the origin."""
    return np.diag([across, down, 1.0])


def for_opencv(transform: Doubles) -> Doubles:
    """The same transform between coordinates whose origin is the centre of the first pixel."""
    return np.asarray(translation(-0.5, -0.5) @ transform @ translation(0.5, 0.5))


def from_opencv(transform: Doubles) -> Doubles:
    """Back from `for_opencv`."""
    return np.asarray(translation(0.5, 0.5) @ transform @ translation(-0.5, -0.5))


def corners(x0: float, y0: float, x1: float, y1: float) -> Doubles:
    """4×2: the corners of a box, clockwise from the upper left."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def apply(transform: Doubles, points: Doubles) -> Doubles:
    """N×2 points through a transform that is finite and positive there."""
    return np.asarray(cv2.perspectiveTransform(points[:, None], transform)[:, 0], np.float64)


def to_box(
    to_picture: Doubles, x0: float, y0: float, x1: float, y1: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """x, y, width, height in whole pixels of the picture around a box x0..x1 × y0..y1 of the canvas.

    Clipped to the picture, since a view can reach beyond it; a box that lies wholly outside has width or height 0.
    """
    # A thousandth of a pixel is rounding, not a pixel more.
    points = apply(to_picture, corners(x0, y0, x1, y1)).round(3)
    size = np.array([width, height])
    low = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


@dataclass(frozen=True, slots=True)
class Motion:
    """How a transform moves a box.

    shift_px: of its centre; rotation_deg: there, 0 to 180; scale_min, scale_max: magnification in any direction at the
    corners; outside: share of the moved box that lies outside the picture.
    """

    shift_px: float
    rotation_deg: float
    scale_min: float
    scale_max: float
    outside: float


def motion_of(transform: Doubles, box: RoiCard, width: int, height: int) -> Motion | None:
    """How `transform` moves `box` on a picture of this size; None if it mirrors, folds or flattens it, or is not finite."""
    ends = corners(box.x, box.y, box.x + box.width, box.y + box.height)
    centre = ends.mean(axis=0)
    jacobians = [_jacobian(transform, point) for point in (centre, *ends)]
    if any(j is None for j in jacobians):
        return None
    stretches = np.linalg.svd(np.array(jacobians), compute_uv=False)
    moved = apply(transform, ends).astype(np.float32)
    frame = corners(0, 0, width, height).astype(np.float32)
    seen, _ = cv2.intersectConvexConvex(moved, frame)
    turned = np.asarray(jacobians[0])
    return Motion(
        shift_px=float(np.linalg.norm(apply(transform, centre[None])[0] - centre)),
        rotation_deg=abs(math.degrees(math.atan2(turned[1, 0] - turned[0, 1], turned[0, 0] + turned[1, 1]))),
        scale_min=float(stretches.min()),
        scale_max=float(stretches.max()),
        outside=max(0.0, 1 - seen / cv2.contourArea(moved)),
    )


_LEAST_DETERMINANT = 1e-6
"""A box that shrinks below a thousandth of its size in both directions has been flattened."""


def _jacobian(transform: Doubles, point: Doubles) -> Doubles | None:
    """2×2 derivative of a homography at a point; None where the plane is mirrored, folded or flattened.

    With w the third coordinate, X' = (A - x' gᵀ) / w (Hartley and Zisserman, Multiple View Geometry, 2.2 and 2.3).
    """
    if not np.isfinite(transform).all():
        return None
    ahead = transform @ np.array([point[0], point[1], 1.0])
    if ahead[2] <= _LEAST_DETERMINANT:
        return None
    jacobian = (transform[:2, :2] - np.outer(ahead[:2] / ahead[2], transform[2, :2])) / ahead[2]
    return np.asarray(jacobian) if np.linalg.det(jacobian) > _LEAST_DETERMINANT else None
