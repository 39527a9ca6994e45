"""How well maps find defects, over any number of pictures in bounded memory.

z is counted in bins of 1/256. Two pixels in one bin count as a tie; the error is far below the third digit.
"""

from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from edge.types import Doubles, Floats

_BINS = 256
PRO_LIMIT = 0.3
"""False-positive rate up to which AUPRO integrates (Bergmann et al. 2021, the MVTec anomaly detection data set)."""


class PixelRanking:
    """Counts pixels of goods and of defects by their z, and what share of each defect has which z."""

    def __init__(self) -> None:
        self._counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self._covered: Counter[int] = Counter()  # shares of regions, a float for each bin
        self._regions = 0

    def add(self, z: Floats, defective: NDArray[np.bool_]) -> None:
        """One picture: z and truth for each pixel, same shape."""
        bins = np.floor(z * _BINS).astype(np.int64)
        for label in (False, True):
            self._counts[label].update(_counted(bins[defective == label]))
        if not defective.any():
            return
        count, regions = cv2.connectedComponents(defective.astype(np.uint8), connectivity=8)
        for region in range(1, count):
            inside = bins[regions == region]
            for at, pixels in _counted(inside).items():
                self._covered[at] += pixels / len(inside)  # type: ignore[assignment] # a Counter adds floats as well
        self._regions += count - 1

    def auroc(self) -> float | None:
        """Probability that a defective pixel lies above a good one, ties counting half; None if a class is missing."""
        good, bad = self._counts
        if not good or not bad:
            return None
        n_good, n_bad = self._by_bin(good), self._by_bin(bad)
        below = np.cumsum(n_good) - n_good / 2
        return float((n_bad * below).sum() / (n_good.sum() * n_bad.sum()))

    def aupro(self) -> float | None:
        """Mean share of each defect's pixels that is found, over false-positive rates up to `PRO_LIMIT`; 1 is the best.

        Small defects count as much as large ones (per-region overlap; Bergmann et al. 2021, section 5.2). None if a class
        is missing.
        """
        good = self._counts[False]
        if not good or not self._regions:
            return None
        found = [np.cumsum(self._by_bin(counts)[::-1]) for counts in (good, self._covered)]
        false_positive = np.concatenate([[0.0], found[0] / found[0][-1]])
        overlap = np.concatenate([[0.0], found[1] / self._regions])
        within = false_positive < PRO_LIMIT
        end = np.interp(PRO_LIMIT, false_positive, overlap)
        x = np.append(false_positive[within], PRO_LIMIT)
        return float(trapezoid(np.append(overlap[within], end), x) / PRO_LIMIT)

    def _by_bin(self, counts: Counter[int]) -> Doubles:
        """Counts in ascending order of all bins that occur."""
        return np.array([counts[at] for at in sorted(self._counts[False].keys() | self._counts[True].keys())], np.float64)


def _counted(bins: NDArray[np.int64]) -> dict[int, int]:
    values, counts = np.unique(bins, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
