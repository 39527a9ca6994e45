"""EfficientNet-Lite0 as an FP32 graph, and pictures that stand for good and defective parts: crops of photographs."""

import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from edge.capture.pictures import read_picture
from export.design import draw
from export.graph import EncoderModule, write_graph
from export.sources import Wanted, open_source

SIDE = 128


@cache
def folder():
    """Lives as long as the tests."""
    return tempfile.TemporaryDirectory()


@cache
def lite0():
    """The FP32 graph at 128×128."""
    path = Path(folder().name, "lite0.onnx")
    write_graph(EncoderModule(draw(open_source(Wanted(), (SIDE, SIDE)), (SIDE, SIDE))), SIDE, SIDE, path)
    return path


@cache
def goods(count, side=SIDE):
    """Crops of coloured photographs and of textures."""
    rng = np.random.default_rng(0)
    data = Path(find_spec("skimage").origin).parent / "data"
    whole = [read_picture(data / name) for name in ("ihc.png", "coffee.png", "brick.png", "gravel.png")]
    crops = []
    for index in range(count):
        picture = whole[index % len(whole)]
        top, left = (int(rng.integers(0, length - side)) for length in picture.shape[:2])
        crops.append(np.ascontiguousarray(picture[top : top + side, left : left + side]))
    return crops


@cache
def defects(count, side=SIDE):
    """Good crops with a coloured scratch."""
    rng = np.random.default_rng(1)
    crops = [crop.copy() for crop in goods(count, side)]
    for crop in crops:
        ends = rng.integers(0, side, (2, 2)).tolist()
        cv2.line(crop, ends[0], ends[1], rng.integers(0, 256, 3).tolist(), 3)
    return crops
