"""One picture file as the device sees it, with what the device does not tell: its embedding, and its pixels."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.capture.sources import shoot_file
from edge.inspect.refine import NotAligned
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.types import AnomalyMap, Floats, Frame, PatchGrid, Pixels, Verdict


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a file gave.

    pixels is None where the file cannot be read. score, heat, patches and embedding are there whenever the eye could look,
    also where the picture is not fit to be judged; else NaN and None. patches: valid until the next picture. embedding: D
    float32, None also where it is not finite.
    """

    path: Path
    verdict: Verdict
    pixels: Pixels | None = None
    score: float = math.nan
    heat: AnomalyMap | None = None
    patches: PatchGrid | None = None
    embedding: Floats | None = None


def see(recipe: Recipe, path: Path) -> Sight:
    """Judge a picture exactly as the device would, with one run of the encoder."""
    shot = shoot_file(path, 0)
    if not isinstance(shot, Frame):
        return Sight(path, inspect(shot, recipe))
    grid = recipe.eye(shot.pixels)
    if isinstance(grid, NotAligned):
        return Sight(path, inspect(shot, recipe, grid), shot.pixels)
    score, heat = recipe.compare(grid)
    verdict = inspect(shot, recipe, (score, heat))
    embedding = grid.embedding if np.isfinite(grid.embedding).all() else None
    return Sight(path, verdict, shot.pixels, score.value, heat, grid, embedding)
