"""Control limits that keep their promise although the reference is only so many goods.

For a reference of m scores and an in-control score from the same continuous distribution, the share of it in each of the
m + 1 gaps between reference scores is Dirichlet(1, …, 1), whatever the distribution. So the run length of a chart over
normal scores depends on m alone. For each m, references are drawn, and the limit is the one at which nine in ten of them
have an in-control run length of at least 500 (the guarantee of Gandy & Kvaløy 2013). Run lengths by Brook & Evans (1972).

Run: python -m tests.bench.control_limits
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.stats import norm

from calibration.drift.control import ARL0, EWMA_WEIGHT, LIMITS, REFERENCE_VALUE, SURE, normal_scores

STATES = 101
REFERENCES = 400
ENDLESS = 1_000_000
"""Stands for a reference of everything: the normal distribution itself, whose limits the textbooks give."""

Values = NDArray[np.float64]


def gaps(reference: int, seed: int) -> tuple[Values, Values]:
    """Normal scores of the gaps of a reference, and for each of many references what share of goods falls into each."""
    if reference == ENDLESS:
        edges = np.linspace(-6, 6, 2001)
        return (edges[1:] + edges[:-1]) / 2, np.diff(norm.cdf(edges))[None]
    rng = np.random.default_rng(seed)
    return normal_scores(np.arange(reference + 1.0), reference), rng.dirichlet(np.ones(reference + 1), REFERENCES)


def ewma_run_length(scores: Values, shares: Values, limit: float) -> Values:
    """Mean number of parts until the EWMA from zero leaves ±limit standard deviations of its own."""
    reach = limit * np.sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT))
    width = 2 * reach / STATES
    states = -reach + width * (np.arange(STATES) + 0.5)
    following = np.floor(((1 - EWMA_WEIGHT) * states[:, None] + EWMA_WEIGHT * scores + reach) / width).astype(int)
    return run_length(following, shares, STATES // 2)


def cusum_run_length(scores: Values, shares: Values, limit: float) -> Values:
    """Mean number of parts until either one-sided CUSUM from zero passes the limit (Van Dobben de Bruyn 1968)."""
    width = limit / (STATES - 0.5)
    states = width * np.arange(STATES)
    sides = []
    for sign in (1, -1):
        following = np.floor((states[:, None] + sign * scores - REFERENCE_VALUE) / width + 0.5).astype(int)
        sides.append(run_length(np.maximum(following, 0), shares, 0))
    return 1 / (1 / sides[0] + 1 / sides[1])


def run_length(following: NDArray[np.int_], shares: Values, start: int) -> Values:
    """Mean steps of Markov chains until they leave their states, one for each row of shares.

    following: the next state from each state by each gap.
    """
    inside = (following >= 0) & (following < STATES)
    rows, columns = np.nonzero(inside)
    where = (rows * STATES + following[inside], columns)
    moves = csr_array((np.ones(len(rows)), where), (STATES * STATES, following.shape[1])) @ shares.T
    stay = np.eye(STATES) - moves.T.reshape(-1, STATES, STATES)
    return np.linalg.solve(stay, np.ones((len(stay), STATES, 1)))[:, start, 0]


def limit_for(
    reference: int, chart: Callable[[Values, Values, float], Values], low: float, high: float
) -> tuple[float, float]:
    """The limit that keeps the promise, and the run length of the median reference with it."""
    scores, references = gaps(reference, seed=0)

    def beyond(limit: float) -> float:
        return float(np.log(np.quantile(chart(scores, references, limit), 1 - SURE)) - np.log(ARL0))

    limit = float(brentq(beyond, low, high, xtol=0.005))
    return limit, float(np.median(chart(scores, references, limit)))


def main() -> None:
    """The table of `calibration.drift.control`, beside what stands there."""
    print("reference  EWMA  median ARL0  CUSUM  median ARL0  in the table")
    for reference in [*LIMITS, ENDLESS]:
        ewma, ewma_median = limit_for(reference, ewma_run_length, 2.3, 4.5)
        cusum, cusum_median = limit_for(reference, cusum_run_length, 4, 16)
        there = LIMITS.get(reference)
        print(
            f"{reference:>9}  {ewma:.2f}  {ewma_median:>11.0f}  {cusum:>5.2f}  {cusum_median:>11.0f}  {there or 'textbook'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
