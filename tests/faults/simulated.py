"""Parts that cost next to nothing: a recipe with a tiny encoder, and a video of good and scratched plates for ever."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from calibration.build import Plan, build
from calibration.goods import PART_PATTERN
from calibration.progress import steps
from edge.inspect.card import CARD_FILE, MODEL_FILE, GridCard, InputCard
from edge.inspect.encoder import DEFAULT_ENCODER, read_encoder
from tests.conftest import GOODS, MAX_FALSE_REJECT, part_picture
from tests.tiny_graphs import SIDE, write_cnn

_PLACES, _WIDTH = 8, 12  # what write_cnn gives
_PER_SECOND = 25
_FRAMES = 1000
_SCRATCHED_EACH = 50


def small_part(seed: int, *, defect: bool = False) -> np.ndarray:
    """A plate as small as the encoder's input, SIDE×SIDE×3 uint8."""
    return cv2.resize(part_picture(seed, defect=defect), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def make_recipe(folder: Path) -> Path:
    """A recipe whose encoder sees 8×8 places: a part is judged in less than a millisecond."""
    encoder, goods = folder / "encoder", folder / "good"
    for made in (encoder, goods):
        made.mkdir(parents=True)
    raw = write_cnn(encoder / MODEL_FILE).read_bytes()
    _, shipped = read_encoder(DEFAULT_ENCODER)
    card = shipped.model_copy(
        update={
            "name": "tiny",
            "input": InputCard(height=SIDE, width=SIDE),
            "grid": GridCard(rows=_PLACES, cols=_PLACES, patch_dim=_WIDTH, embedding_dim=_WIDTH),
            "onnx_sha256": hashlib.sha256(raw).hexdigest(),
            "onnx_bytes": len(raw),
        }
    )
    (encoder / CARD_FILE).write_text(card.model_dump_json())
    for seed in range(GOODS):
        cv2.imwrite(str(goods / f"part-{seed:03d}.png"), small_part(seed))
    plan = Plan(
        goods, folder / "plate", "plate", PART_PATTERN, encoder=encoder, bank_most=200, max_false_reject=MAX_FALSE_REJECT
    )
    with steps() as shown:
        build(plan, shown)
    return plan.out


def make_video(folder: Path, parts: int) -> Path:
    """At least `parts` frames: a short film, and FFmpeg's list that plays it again and again."""
    film = folder / "plates.avi"
    # Without loss: what is in the bank is found there again.
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"FFV1"), _PER_SECOND, (SIDE, SIDE))
    for number in range(_FRAMES):
        writer.write(small_part(number % GOODS, defect=number % _SCRATCHED_EACH == 0))
    writer.release()
    listed = folder / "plates.ffconcat"
    listed.write_text("ffconcat version 1.0\n" + f"file {film.name}\n" * -(-parts // _FRAMES))
    return listed
