"""Pseudo-defects: small damage painted on pictures of good parts, to compare ways of judging while there are no defects.

Pasted patches follow CutPaste (Li et al. 2021). They are not what real defects look like; they only tell which of two ways
sees small changes better among the variation of these goods.
"""

from typing import Literal

import cv2
import numpy as np

from edge.types import Floats, Pixels

Damage = Literal["patch", "blob", "stroke", "blur"]
DAMAGES: tuple[Damage, ...] = ("patch", "blob", "stroke", "blur")

_AREA = 0.002, 0.02
"""Of the picture: patch, blob and blur."""

_LENGTH = 0.08, 0.4
"""Of the shorter side: stroke."""

_CONTRAST = 0.1, 0.5
"""Of the picture's own range of grey: blob and stroke."""

_LEAST_RANGE = 10.0
"""Grey levels: the range of a picture that is all but flat."""


def damaged(pixels: Pixels, donor: Pixels, kind: Damage, rng: np.random.Generator) -> Pixels:
    """A copy of H×W×3 uint8 with one defect; sizes and contrasts are drawn evenly on a logarithmic scale.

    donor: another good picture, of which a patch is taken.
    """
    size = pixels.shape[:2]
    match kind:
        case "patch":
            return _blend(pixels, _elsewhere(donor, size, rng), _blob(size, rng))
        case "blob":
            return _blend(pixels, pixels + np.float32(_change(pixels, rng)), _blob(size, rng))
        case "blur":
            soft = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(1.5, 5))
            return _blend(pixels, soft.astype(np.float32), _blob(size, rng))
        case "stroke":
            # A line of a pixel or two is diluted on its way to the encoder: twice the contrast of a blob.
            return _blend(pixels, pixels + np.float32(2 * _change(pixels, rng)), _stroke(size, rng))


def _blend(pixels: Pixels, other: Floats, mask: Floats) -> Pixels:
    mixed = pixels + mask[..., None] * (other - pixels.astype(np.float32))
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _change(pixels: Pixels, rng: np.random.Generator) -> float:
    low, high = np.percentile(pixels[::4, ::4], (5, 95))
    return _log_uniform(rng, _CONTRAST) * max(float(high - low), _LEAST_RANGE) * float(rng.choice((-1, 1)))


def _elsewhere(donor: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Another place of the donor, upside down."""
    away = tuple(int(rng.uniform(0.15, 0.85) * side) for side in donor.shape[:2])
    moved = np.roll(donor, away, (0, 1))[::-1, ::-1]
    return np.asarray(cv2.resize(moved, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _blob(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """H×W, 0 to 1: an ellipse whose soft rim smooth noise pushes in and out."""
    height, width = size
    area, aspect = _log_uniform(rng, _AREA) * height * width, _log_uniform(rng, (1, 3))
    angle, along, across = rng.uniform(0, np.pi), np.sqrt(area * aspect / np.pi), np.sqrt(area / aspect / np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - rng.uniform(0.03, 0.97) * height, x - rng.uniform(0.03, 0.97) * width
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    noise = cv2.resize(rng.normal(size=(16, 16)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    inside = 1.2 - np.sqrt(np.square(u / along) + np.square(v / across)) + 0.3 * noise
    return np.asarray(np.clip(inside / 0.4, 0, 1), np.float32)


def _stroke(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """H×W, 0 to 1: a thin crooked line."""
    height, width = size
    length = _log_uniform(rng, _LENGTH) * min(size)
    steps = max(2, round(length / 6))
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.25, steps))
    points = np.cumsum(length / steps * np.stack([np.cos(headings), np.sin(headings)], axis=1), axis=0)
    points += rng.uniform(0.05, 0.95, 2) * (width, height) - points.mean(axis=0)
    mask = np.zeros(size, np.uint8)
    # Four bits of a pixel's fraction.
    line = np.round(points * 16).astype(np.int32)
    cv2.polylines(mask, [line], isClosed=False, color=255, thickness=int(rng.integers(1, 3)), lineType=cv2.LINE_AA, shift=4)
    return np.asarray(mask / 255, np.float32)
