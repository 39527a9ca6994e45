"""One picture of everything: each part beside its anomaly map, with verdict and truth."""

from pathlib import Path

import cv2
import numpy as np

from calibration.demo.cells import Cells
from edge.capture.sources import shoot_file
from edge.errors import BadConfig
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.report.message import Result
from edge.report.overlay import COLOURS, tint
from edge.types import Frame, Pixels, Verdict

_COLUMNS, _SIDE, _BAR, _GAP = 4, 220, 26, 6
_INK = (255, 255, 255)


def contact_sheet(path: Path, recipe: Recipe, cells: Cells, results: list[Result]) -> None:
    """Write a PNG with a tile for each part, strangest first.

    Raises:
        BadConfig: the file cannot be written.
    """
    ranked = sorted(results, key=lambda r: -(r.score or 0))
    tiles = [_tile(cells, recipe, result) for result in ranked]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    try:
        path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())
    except OSError as err:
        raise BadConfig(f"{path}: cannot be written: {err.strerror}.") from None


def _tile(cells: Cells, recipe: Recipe, result: Result) -> Pixels:
    shot = shoot_file(next(cells.parts.glob(f"{result.part_id}.*")), 0)
    assert isinstance(shot, Frame)  # noqa: S101 - the device has judged this file
    verdict = inspect(shot, recipe)
    threshold = recipe.manifest.threshold
    pixels = np.asarray(cv2.resize(shot.pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    pair = np.hstack([pixels, _with_boxes(tint(pixels, verdict, threshold, shot.pixels.shape[:2]), verdict, shot.pixels)])
    bar = np.full((_BAR, pair.shape[1], 3), COLOURS[result.verdict], np.uint8)
    score = f"{result.score:.2f}" if result.score is not None else "-"
    words = f"{result.verdict} {score} / {threshold:.2f}   {result.part_id}, labelled {cells.truth[result.part_id]}"
    cv2.putText(bar, words, (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return np.asarray(np.pad(np.vstack([bar, pair]), ((0, _GAP), (0, _GAP), (0, 0))), np.uint8)


def _with_boxes(picture: Pixels, verdict: Verdict, original: Pixels) -> Pixels:
    picture = picture.copy()
    across, down = _SIDE / original.shape[1], _SIDE / original.shape[0]
    for r in verdict.regions:
        corner, opposite = (
            (int(r.x * across), int(r.y * down)),
            (int((r.x + r.width) * across), int((r.y + r.height) * down)),
        )
        cv2.rectangle(picture, corner, opposite, COLOURS[verdict.decision], 1)
    return picture
