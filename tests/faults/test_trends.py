"""A leak is found amid noise and outliers, and noise alone is not one."""

import numpy as np
import pytest

from tests.faults.trends import Limit, in_words, trend

DONE = np.arange(0, 1_000_000, 2_000)


def noisy(seed: int, level: float = 136.0, sigma: float = 0.5) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, sigma, len(DONE))


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_flat(seed: int) -> None:
    assert trend("memory", "MB", DONE, noisy(seed), Limit(share=0.01)).flat


def test_a_leak_of_ten_bytes_a_part_is_found_and_measured() -> None:
    found = [trend("memory", "MB", DONE, noisy(seed) + DONE * 10e-6, Limit(share=0.01)) for seed in range(40)]
    assert not any(each.flat for each in found)
    assert [each.growth for each in found] == pytest.approx([5.0] * 40, rel=0.1)
    assert sum(each.low < 5.0 < each.high for each in found) >= 34, "about 95 % of the intervals"


def test_what_only_grows_while_it_warms_up_is_flat() -> None:
    warming = noisy(2) + 40 * np.minimum(DONE / 300_000, 1)
    assert trend("memory", "MB", DONE, warming, Limit(share=0.01)).flat


def test_a_quarter_of_outliers_hides_no_leak_and_makes_none() -> None:
    wild = np.random.default_rng(3).random(len(DONE)) < 0.25
    assert trend("latency", "ms", DONE, np.where(wild, 900.0, noisy(3)), Limit(share=0.02)).flat
    assert not trend("memory", "MB", DONE, np.where(wild, 900.0, noisy(3) + DONE * 10e-6), Limit(share=0.01)).flat


def test_one_descriptor_more_is_a_leak_when_it_stays() -> None:
    growing = 13 + DONE // 200_000
    assert not trend("descriptors", "open", DONE, growing, Limit(amount=0.5)).flat
    assert trend("descriptors", "open", DONE, np.full(len(DONE), 13), Limit(amount=0.5)).flat


def test_too_few_samples_are_refused_instead_of_judged() -> None:
    with pytest.raises(ValueError, match="too few samples"):
        trend("memory", "MB", [0, 1, 2], [1.0, 2.0, 3.0], Limit())


def test_the_table_says_what_rises() -> None:
    rows = in_words(
        [trend("memory", "MB", DONE, DONE * 1e-3, Limit()), trend("threads", "running", DONE, DONE * 0, Limit())]
    )
    assert [line.split()[-1] for line in rows.splitlines()] == ["verdict", "RISES", "flat"]
