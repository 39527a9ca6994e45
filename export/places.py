"""Do tokens lie row by row? No shape tells; a change of the picture at one place does."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import fx

from edge.errors import BadTaps
from export.stages import Stage

PROBES = 9
"""Places at which the picture is changed."""

NEAR = 1
"""Rows or columns by which the answer may lie beside the change: patches may overlap."""


def check_places(body: fx.GraphModule, size: tuple[int, int], taps: Sequence[Stage]) -> None:
    """Refuse tokens in another order than row by row, such as that of merged windows.

    Attention spreads a change over all tokens, but the one whose own patch it was turns most. By direction, because single
    tokens of large transformers are many times longer than the others.

    Args:
        body: 1×3×H×W float32 to one tensor a tap.
        size: H and W.
        taps: finest first; the first one with tokens is asked.

    Raises:
        BadTaps: they lie otherwise.
    """
    asked = next((place for place, tap in enumerate(taps) if tap.kind == "tokens"), None)
    if asked is None or min(taps[asked].rows, taps[asked].cols) <= 2 * NEAR + 1:
        return
    tap = taps[asked]
    noise = torch.Generator().manual_seed(0)
    picture = torch.randn(1, 3, *size, generator=noise)
    away = []
    with torch.inference_mode():
        before = body(picture)[asked]
        for place in np.random.default_rng(0).integers(0, tap.rows * tap.cols, PROBES):
            row, col = divmod(int(place), tap.cols)
            changed = picture.clone()
            part = (slice(row * tap.stride, (row + 1) * tap.stride), slice(col * tap.stride, (col + 1) * tap.stride))
            changed[0, :, part[0], part[1]] = torch.randn(3, tap.stride, tap.stride, generator=noise) * 3
            turned = 1 - torch.cosine_similarity(body(changed)[asked], before, dim=2)[0, tap.prefix :]
            found = divmod(int(turned.argmax()), tap.cols)
            away.append(max(abs(found[0] - row), abs(found[1] - col)))
    if float(np.median(away)) > NEAR:
        raise BadTaps(
            f"--taps: the tokens of {tap.name} do not lie row by row over the picture, so no place could be told; take a "
            "layer with maps."
        )
