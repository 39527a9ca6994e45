"""Rankings of pixels are the textbook's."""

import cv2
import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn.metrics import roc_auc_score

from calibration.evaluate.pixels import PRO_LIMIT, PixelRanking


def test_pixel_auroc_equals_the_librarys_but_for_its_bins() -> None:
    rng = np.random.default_rng(0)
    ranking = PixelRanking()
    all_z, all_truth = [], []
    for _ in range(5):
        truth = rng.uniform(size=(40, 50)) < 0.1
        z = (rng.normal(size=(40, 50)) * 3 + truth * 2).astype(np.float32)
        ranking.add(z, truth)
        all_z.append(z.ravel())
        all_truth.append(truth.ravel())
    assert ranking.auroc() == pytest.approx(roc_auc_score(np.concatenate(all_truth), np.concatenate(all_z)), abs=2e-4)


def test_pixel_auroc_needs_both_classes() -> None:
    ranking = PixelRanking()
    ranking.add(np.ones((4, 4), np.float32), np.zeros((4, 4), np.bool_))
    assert ranking.auroc() is None
    assert ranking.aupro() is None


def slow_aupro(z: list[np.ndarray], truth: list[np.ndarray]) -> float:
    """Thresholds one by one, regions one by one, as the paper says it."""
    levels = np.unique(np.concatenate([each.ravel() for each in z]))[::-1]
    good = sum(int((~t).sum()) for t in truth)
    points = [(0.0, 0.0)]
    for level in levels:
        false = sum(int(((a >= level) & ~t).sum()) for a, t in zip(z, truth, strict=True)) / good
        overlaps = []
        for a, t in zip(z, truth, strict=True):
            count, regions = cv2.connectedComponents(t.astype(np.uint8), connectivity=8)
            overlaps += [float((a[regions == n] >= level).mean()) for n in range(1, count)]
        points.append((false, float(np.mean(overlaps))))
    x, y = np.array(points).T
    grid = np.linspace(0, PRO_LIMIT, 20001)
    return float(trapezoid(np.interp(grid, x, y), grid) / PRO_LIMIT)


def test_aupro_equals_the_papers_definition_computed_slowly() -> None:
    rng = np.random.default_rng(3)
    ranking, all_z, all_truth = PixelRanking(), [], []
    for number in range(4):
        truth = np.zeros((24, 30), np.bool_)
        truth[2:6, 3:9] = truth[12 : 13 + number, 20:22] = True
        if number == 3:
            truth[:] = False
        z = np.round(rng.normal(size=truth.shape) + 1.5 * truth, 1).astype(np.float32)
        ranking.add(z, truth)
        all_z.append(z)
        all_truth.append(truth)
    assert ranking.aupro() == pytest.approx(slow_aupro(all_z, all_truth), abs=1e-3)


def test_aupro_is_one_when_every_defect_lies_above_every_good_pixel() -> None:
    ranking = PixelRanking()
    truth = np.zeros((8, 8), np.bool_)
    truth[1:3, 1:3] = truth[5, 5] = True
    ranking.add(np.where(truth, 9, 1).astype(np.float32), truth)
    assert ranking.aupro() == pytest.approx(1.0)
