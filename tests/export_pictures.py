"""The pictures behind the shipped encoder: scikit-image's photographs, whole and in parts.

All are in the public domain or CC0 (see their docstrings in skimage.data) and of many kinds: colour and grey, textures,
faces, print, night sky, microscope. A line's own parts would give narrower INT8 ranges; the shipped encoder must
serve lines nobody has seen. Usage: python tests/export_pictures.py FOLDER
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import cv2

from edge.capture.pictures import read_picture

NAMES = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)

PART = 256
"""Side of the parts in pixels: shrunk less than the whole, they keep the sharp edges that parts on a line show."""


def write_pictures(folder: Path) -> None:
    """Each photograph as it is, and where it is large enough its upper left and lower right corner."""
    package = find_spec("skimage")
    assert package is not None
    assert package.origin is not None
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        whole = read_picture(Path(package.origin).parent / "data" / name)
        views = {"whole": whole}
        if min(whole.shape[:2]) >= PART:
            views |= {"upper-left": whole[:PART, :PART], "lower-right": whole[-PART:, -PART:]}
        for view, pixels in views.items():
            cv2.imwrite(str(folder / f"{Path(name).stem}-{view}.png"), pixels)


if __name__ == "__main__":
    write_pictures(Path(sys.argv[1]))
