"""Does an encoder think here as it did where it was made, and as torch did? Needs neither torch nor the training machine.

Two comparisons on the stored reference vectors. With the exported file's own answers: another CPU's kernels may round
differently, so the cosine is 1 within rounding; a wrong kernel, driver or conversion shows here. With torch's answers: the
certificate says how far the file lay from torch, and it may not lie further here.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import BadEncoder
from edge.inspect.card import EncoderCard
from edge.inspect.encoder import Encoder, read_encoder
from edge.recipe.manifest import sha256
from edge.strict import read_limited
from export.vectors import REFERENCE_FILE, Reference, Vectors, cosines, from_bytes, sample_rows

OWN_COSINE = 0.99
"""Lowest cosine with the file's own answers. INT8 roundings that fall to the other side cost less than 0.001 where tried."""

TORCH_SLACK = 0.02
"""By how much the lowest cosine with torch may lie below the certificate's, which was measured on other pictures, too."""

_MAX_REFERENCE_BYTES = 64 * 1024 * 1024
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. Cosines are the lowest of any patch vector or embedding; median_ms is one picture's, one thread."""

    pictures: int
    own_cosine: float
    own_max_abs: float
    torch_cosine: float
    torch_cosine_promised: float
    median_ms: float


def verify(folder: Path) -> Verified:
    """Run the encoder in `folder` on its reference pictures and compare.

    Raises:
        BadEncoder: files are missing or altered, or the encoder computes something else here.
    """
    model, card = read_encoder(folder)
    encoder = Encoder(model, card, threads=1)
    references = _read_references(folder, card)
    own = torch = 1.0
    apart = 0.0
    for reference in references:
        found = _vectors(encoder, reference)
        own = min(own, lowest_cosine(found, reference.exported))
        torch = min(torch, lowest_cosine(found, reference.torch))
        apart = max(apart, float(np.abs(found.patches - reference.exported.patches).max()))
    promised = card.certificate.shipped.cosine
    # Written so that NaN fails.
    if not own >= OWN_COSINE:
        raise BadEncoder(
            f"{folder}: computes something else here than where it was made (cosine {own:.4f}, at least {OWN_COSINE} is "
            "wanted); this device's runtime is wrong, or the file was converted: export it for this device."
        )
    if not torch >= promised - TORCH_SLACK:
        raise BadEncoder(
            f"{folder}: lies further from torch here (cosine {torch:.4f}) than its certificate says ({promised:.4f}); "
            "export it for this device."
        )
    return Verified(len(references), own, apart, torch, promised, _median_ms(encoder, references[0]))


def lowest_cosine(a: Vectors, b: Vectors) -> float:
    """Lowest cosine similarity of two sides' patch vectors and embeddings; NaN when one is not finite."""
    return min(float(cosines(a.patches, b.patches).min()), float(cosines(a.embedding[None], b.embedding[None]).min()))


def _read_references(folder: Path, card: EncoderCard) -> tuple[Reference, ...]:
    path = folder / REFERENCE_FILE
    raw = read_limited(path, _MAX_REFERENCE_BYTES, BadEncoder)
    if sha256(raw) != card.reference_sha256:
        raise BadEncoder(f"{path}: is not the file the card describes; copy the encoder again or export it anew.")
    return from_bytes(raw)


def _vectors(encoder: Encoder, reference: Reference) -> Vectors:
    grid = encoder(reference.picture)
    return Vectors(grid.patches[sample_rows(len(grid.patches))], grid.embedding)


def _median_ms(encoder: Encoder, reference: Reference) -> float:
    times_s = []
    for _ in range(_ROUNDS):
        began_s = time.perf_counter()
        encoder(reference.picture)
        times_s.append(time.perf_counter() - began_s)
    return float(np.median(times_s)) * 1000
