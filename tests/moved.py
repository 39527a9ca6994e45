"""Photographs seen by a camera under which they move: what alignment must undo."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from edge.inspect.geometry import apply, corners, for_opencv, translation
from edge.inspect.refine import Alignment, NotAligned
from edge.inspect.view_card import AlignmentCard, AlignmentMethod, RoiCard
from edge.types import Doubles, Pixels

WIDTH, HEIGHT = 320, 240
BOX = RoiCard(x=60, y=45, width=200, height=150)
STILL = np.eye(3)


@cache
def _scene(name: str) -> Pixels:
    """A photograph, larger than the camera sees."""
    path = Path(find_spec("skimage").origin).parent / "data" / f"{name}.png"
    return cv2.resize(cv2.imread(str(path)), (480, 400), interpolation=cv2.INTER_AREA)


def see(name: str, movement: Doubles = STILL) -> Pixels:
    """HEIGHT×WIDTH×3 BGR of a photograph that has gone through `movement`."""
    to_scene = translation(80, 80) @ np.linalg.inv(movement)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(_scene(name), for_opencv(to_scene), (WIDTH, HEIGHT), None, how, cv2.BORDER_REFLECT)


def grey(pixels: Pixels) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)


def move(shift: tuple[float, float] = (0, 0), degrees: float = 0, scale: float = 1) -> Doubles:
    """About the middle of the picture."""
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, scale)
    return translation(*shift) @ np.vstack([turn, [0, 0, 1]])


def tilt(movement: Doubles) -> Doubles:
    """The movement of a part that also leans away from the camera."""
    lean = np.array([[1, 0.02, 0], [-0.01, 1, 0], [1.2e-4, -8e-5, 1]])
    return movement @ translation(WIDTH / 2, HEIGHT / 2) @ lean @ translation(-WIDTH / 2, -HEIGHT / 2)


def error_px(found: Alignment | NotAligned, movement: Doubles) -> float:
    """How far the worst corner of BOX is from where it should be."""
    assert isinstance(found, Alignment), found
    ends = corners(BOX.x, BOX.y, BOX.x + BOX.width, BOX.y + BOX.height)
    return float(np.linalg.norm(apply(found.to_picture, ends) - apply(movement, ends), axis=1).max())


def limits(method: AlignmentMethod, **changed: float) -> AlignmentCard:
    """Wide ones, but for the agreement, which is what the goods of a line teach."""
    wide = {
        "largest_shift_px": 40.0,
        "largest_rotation_deg": 10.0 if method == "template" else 40.0,
        "scale_min": 0.8,
        "scale_max": 1.25,
        "largest_outside": 0.3,
        "least_agreement": 0.55,
    }
    return AlignmentCard(method=method, **(wide | changed))
