"""Paired tests give what the definitions give, worked out the slow and obvious way."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from calibration.compare.statistics import agreement, delong, mcnemar, spearman
from edge.types import Decision, Doubles


def slow_delong(good: tuple[Doubles, Doubles], bad: tuple[Doubles, Doubles]) -> tuple[float, float]:
    """Difference of AUROCs and its standard error by DeLong's structural components, pair by pair."""
    wins = [[[(y > x) + 0.5 * (y == x) for x in g] for y in b] for g, b in zip(good, bad, strict=True)]
    of_bad, of_good = (np.array([np.mean(w, axis=axis) for w in wins]) for axis in (1, 0))
    covariance = np.cov(of_bad) / len(bad[0]) + np.cov(of_good) / len(good[0])
    contrast = np.array([-1, 1])
    return float(contrast @ of_bad.mean(axis=1)), float(np.sqrt(contrast @ covariance @ contrast))


def test_delong_equals_the_definition_with_ties_and_without() -> None:
    rng = np.random.default_rng(0)
    for digits in (1, 8):
        a_good, a_bad = rng.normal(size=23).round(digits), rng.normal(1, 1, 17).round(digits)
        b_good, b_bad = (a_good + rng.normal(size=23)).round(digits), (a_bad + rng.normal(size=17)).round(digits)
        found = delong((a_good, b_good), (a_bad, b_bad))
        difference, error = slow_delong((a_good, b_good), (a_bad, b_bad))
        truth = np.r_[np.zeros(23), np.ones(17)]
        assert found.a == pytest.approx(roc_auc_score(truth, np.r_[a_good, a_bad]))
        assert found.b == pytest.approx(roc_auc_score(truth, np.r_[b_good, b_bad]))
        assert (found.low, found.high) == (
            pytest.approx(difference - 1.959964 * error),
            pytest.approx(difference + 1.959964 * error),
        )


def test_delongs_interval_covers_no_difference_in_nineteen_of_twenty() -> None:
    rng = np.random.default_rng(1)
    beyond = 0
    for _ in range(400):
        good, bad = rng.normal(size=60), rng.normal(1, 1, 60)
        noisy = [tuple(part + rng.normal(0, 0.7, 60) for _ in "ab") for part in (good, bad)]
        beyond += delong(noisy[0], noisy[1]).beyond_chance
    assert 8 <= beyond <= 34


def test_perfect_or_equal_rankings_and_single_parts_have_no_interval() -> None:
    one, two = np.array([1.0]), np.array([1.0, 2.0])
    assert delong((one, one), (two + 5, two + 5)).low is None
    perfect = delong((two, two), (two + 5, two + 7))
    assert (perfect.a, perfect.b, perfect.low, perfect.beyond_chance) == (1, 1, None, False)


def test_mcnemar_is_the_coin_of_the_discordant_pairs() -> None:
    assert mcnemar(1, 9).p == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(0, 5).p == pytest.approx(2 / 2**5)
    assert mcnemar(0, 0).p == 1
    assert mcnemar(0, 6).beyond_chance
    assert not mcnemar(0, 5).beyond_chance


def test_kappa_takes_the_agreement_by_chance_away() -> None:
    a = [Decision.OK] * 25 + [Decision.NOK] * 25
    b = [Decision.OK] * 20 + [Decision.NOK] * 5 + [Decision.OK] * 10 + [Decision.NOK] * 15
    found = agreement(a, b)
    # By chance: 0.5 · 0.6 + 0.5 · 0.4.
    assert (found.same, found.kappa) == (pytest.approx(0.7), pytest.approx((0.7 - 0.5) / 0.5))
    assert agreement(a[:5], a[:5]).kappa is None


def test_rank_correlation_needs_three_values_that_differ() -> None:
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([10.0, 200, 150, 1000])) == pytest.approx(0.8)
    assert spearman(np.array([1.0, 2]), np.array([1.0, 2])) is None
    assert spearman(np.ones(5), np.arange(5.0)) is None
