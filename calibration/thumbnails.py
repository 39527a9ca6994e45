"""Small copies of the good pictures in a bank, so that a verdict can show the good part nearest to a defect."""

import io

import cv2
import numpy as np

from edge.inspect.encoder import fit_size
from edge.inspect.geometry import apply, corners, for_opencv, scaling
from edge.types import PatchGrid, Pixels

LONGER_SIDE = 128
_JPEG_QUALITY = 85


def thumbnail(pixels: Pixels, grid: PatchGrid) -> bytes:
    """A JPEG of what `grid` covers of a picture, with the picture's proportions and at most `LONGER_SIDE` pixels a side."""
    outline = apply(grid.to_picture, corners(0, 0, grid.cols, grid.rows))
    width, height = (float(np.linalg.norm(outline[1] - outline[0])), float(np.linalg.norm(outline[3] - outline[0])))
    share = min(1.0, LONGER_SIDE / max(width, height))
    across, down = max(1, round(width * share)), max(1, round(height * share))
    # Shrunk as a whole first, since only averaging shrinks without artefacts.
    size = max(1, round(pixels.shape[0] * share)), max(1, round(pixels.shape[1] * share))
    small = fit_size(pixels, *size)
    to_small = scaling(size[1] / pixels.shape[1], size[0] / pixels.shape[0]) @ grid.to_picture
    to_small = to_small @ scaling(grid.cols / across, grid.rows / down)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(small, for_opencv(np.asarray(to_small)), (across, down), None, how, cv2.BORDER_REPLICATE)
    return cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def packed(thumbnails: list[bytes]) -> bytes:
    """All in one .npz, each under the number of its picture."""
    buffer = io.BytesIO()
    arrays = {str(number): np.frombuffer(raw, np.uint8) for number, raw in enumerate(thumbnails)}
    np.savez(buffer, **arrays)  # type: ignore[arg-type] # the stub takes any name for savez's own option
    return buffer.getvalue()
