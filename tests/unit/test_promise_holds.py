"""On real scores of parts it has never seen, a threshold keeps what it promises as often as it promises."""

import shutil

import numpy as np
import pytest

from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.goods import PART_PATTERN
from calibration.normal import NEARBY
from calibration.progress import steps
from tests.bench.promise import RESAMPLES, conformal, guarantee, resampled, scores_of

IN_RECIPE, UNSEEN = 80, 160


@pytest.fixture(scope="module")
def unseen_scores(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Scores of real solar cells that are not in the recipe."""
    folder = tmp_path_factory.mktemp("cells")
    cells = labelled(0.0)
    drawn = np.random.default_rng(0).permutation(len(cells))
    for name, numbers in (("good", drawn[:IN_RECIPE]), ("unseen", drawn[IN_RECIPE : IN_RECIPE + UNSEEN])):
        (folder / name).mkdir()
        for number in numbers:
            shutil.copy(cells[number], folder / name)
    plan = Plan(
        folder / "good",
        folder / "recipe",
        "cells",
        PART_PATTERN,
        score="top1",
        scaling="half",
        smoothing=NEARBY,
        bank_most=3000,
        max_false_reject=0.1,
    )
    with steps() as shown:
        build(plan, shown)
        return scores_of(folder / "recipe", folder / "unseen", shown)


@pytest.mark.parametrize(("promise", "parts"), [(0.05, 59), (0.05, 93), (0.1, 29), (0.1, 46)])
def test_the_promised_confidence_holds_in_95_of_100_resamples(unseen_scores: np.ndarray, promise: float, parts: int) -> None:
    assert len(unseen_scores) == UNSEEN
    found = resampled(unseen_scores, guarantee, parts, promise, np.random.default_rng(1))
    assert RESAMPLES == 1000
    assert found.kept >= 0.95


def test_conformal_rejects_no_more_than_it_says_on_average(unseen_scores: np.ndarray) -> None:
    found = resampled(unseen_scores, conformal, 59, 0.05, np.random.default_rng(1))
    # Three standard errors of the mean of so many resamples.
    assert found.mean <= 0.05 + 0.003
