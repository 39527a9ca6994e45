"""Reference vectors: a few pictures, what torch made of them, and what the encoder made of them where it was exported.

They travel beside the encoder in `reference.npz`, so that any device can prove its own runtime without torch. The pictures
are kept losslessly; of their patches only a sample of rows, which keeps the file small.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import decode_picture
from edge.errors import BadEncoder
from edge.types import Floats, Pixels

REFERENCE_FILE = "reference.npz"

ROWS = 128
"""Patches kept of each picture: a change of colour order, mean, layout or kernel moves all of them."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What one side makes of one picture. patches: ROWS×d float32, a sample of the grid; embedding: D float32."""

    patches: Floats
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Reference:
    """One picture, H×W×3 uint8 BGR at the encoder's size, and its vectors by torch and by the exported file."""

    picture: Pixels
    torch: Vectors
    exported: Vectors


def sample_rows(patches: int) -> NDArray[np.intp]:
    """Which rows of a picture's patches are kept: evenly over the grid, from the first to the last."""
    return np.unique(np.linspace(0, patches - 1, min(ROWS, patches)).round().astype(np.intp))


def cosines(a: Floats, b: Floats) -> Floats:
    """Cosine similarity of n vectors each, n×d float32, row by row; NaN where one is not finite, 0 where one is zero."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def to_bytes(references: Sequence[Reference]) -> bytes:
    """The file's bytes; the same references give the same bytes."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, reference in enumerate(references):
        arrays[f"picture-{number}"] = np.frombuffer(cv2.imencode(".png", reference.picture)[1].tobytes(), np.uint8)
        for side, vectors in (("torch", reference.torch), ("exported", reference.exported)):
            arrays[f"{side}-patches-{number}"] = vectors.patches
            arrays[f"{side}-embedding-{number}"] = vectors.embedding
    buffer = io.BytesIO()
    # Not np.savez: it stamps each member with the time of day.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def from_bytes(raw: bytes) -> tuple[Reference, ...]:
    """Read the file's bytes, whose hash has been checked.

    Raises:
        BadEncoder: they are no reference vectors.
    """
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
            count = sum(name.startswith("picture-") for name in stored.files)
            references = tuple(
                Reference(
                    decode_picture(stored[f"picture-{n}"].tobytes(), f"{REFERENCE_FILE}: picture {n}"),
                    Vectors(stored[f"torch-patches-{n}"], stored[f"torch-embedding-{n}"]),
                    Vectors(stored[f"exported-patches-{n}"], stored[f"exported-embedding-{n}"]),
                )
                for n in range(count)
            )
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as err:
        raise BadEncoder(f"{REFERENCE_FILE}: no reference vectors ({err}); export the encoder again.") from None
    if not references:
        raise BadEncoder(f"{REFERENCE_FILE}: holds no picture; export the encoder again.")
    return references
