"""Parts that nobody had to take a picture of."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from calibration.goods import Good
from calibration.study.trials import Part, Picture, Trial
from edge.types import Decision, Reason, Score, Verdict
from tests.conftest import part_picture

THRESHOLD = 5.0
_REASONS = {
    Decision.OK: Reason.WITHIN_THRESHOLD,
    Decision.NOK: Reason.ABOVE_THRESHOLD,
    Decision.NOT_DECIDABLE: Reason.TOO_DARK,
}


def scored(name: str, scores: Sequence[float], kind: str = "good") -> Part:
    """A part with these scores, judged at `THRESHOLD`."""
    return answered(name, [Decision.OK if s <= THRESHOLD else Decision.NOK for s in scores], kind, scores)


def answered(name: str, answers: Sequence[Decision], kind: str = "good", scores: Sequence[float] = ()) -> Part:
    """A part of which the device said this; where it is not decidable, nothing was measured."""
    values = scores or [9.0 if answer is Decision.NOK else 1.0 for answer in answers]
    return Part(
        name,
        kind,
        tuple(
            Trial(
                Picture(Good(Path(f"{name}__{number}.png"), name, f"{name}-{number}"), name, kind),
                Verdict(
                    answer,
                    _REASONS[answer],
                    score=None if answer is Decision.NOT_DECIDABLE else Score(value, "top1", 1),
                ),
            )
            for number, (answer, value) in enumerate(zip(answers, values, strict=True), 1)
        ),
    )


def write_repeats(folder: Path, seeds: range, repeats: int, *, defect: bool = False) -> Path:
    """Each part several times, a little brighter each time."""
    folder.mkdir(parents=True)
    for seed in seeds:
        plate = part_picture(seed, defect=defect)
        for repeat in range(1, repeats + 1):
            brighter = cv2.add(plate, np.full_like(plate, repeat - 1))
            cv2.imwrite(str(folder / f"part-{seed:03d}__{repeat}.png"), brighter)
    return folder
