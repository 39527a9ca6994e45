"""How often `goodpart calibrate drift` cries wolf on the scores of real goods, and how soon it sees a shift.

Scores of goods that are not in the recipe's bank are drawn again and again, with a hair of noise so that they do not repeat:
a reference, then 20,000 parts that do not drift. Beside the charts as they are: what they would do on the scores themselves
and on their logarithms, with mean, deviation and the textbook's limits.

Run: python -m tests.bench.false_alarms RECIPE GOODS [GOODS…]
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.drift.control import Chart, cusum, ewma, limits_for, standardise
from edge.capture.pictures import list_pictures, read_picture
from edge.inspect.refine import NotAligned
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Doubles

PARTS, REFERENCES, SHIFTS = 20_000, 100, (0.5, 1.0, 1.5)
TEXTBOOK = (2.96, 5.07)


def score_goods(recipe: Recipe, folders: list[Path]) -> Doubles:
    """Scores up to the threshold of the pictures that are not in the bank."""
    bank = set(recipe.manifest.goods.bank)
    paths = [path for folder in folders for path in list_pictures(folder) if path.name not in bank]
    measured = [recipe.measure(read_picture(path)) for path in paths]
    scores = np.array([each[0].value for each in measured if not isinstance(each, NotAligned)])
    return scores[scores <= recipe.manifest.threshold]


def charts(values: Doubles, limits: tuple[float, float]) -> tuple[Chart, Chart, Chart]:
    """The three that are drawn."""
    return ewma(values, limits[0]), cusum(values, limits[1], up=True), cusum(values, limits[1], up=False)


def run_lengths(values: Doubles, limits: tuple[float, float]) -> tuple[float, float]:
    """Parts for each alarm of the EWMA and of the CUSUM."""
    averaged, up, down = charts(values, limits)
    return len(values) / max(1, len(averaged.excursions)), len(values) / max(1, len(up.excursions) + len(down.excursions))


def wrongly_beyond(values: Doubles, limits: tuple[float, float]) -> float:
    """Share of parts after which the lead would say drift."""
    out = np.zeros(len(values), np.bool_)
    for chart in charts(values, limits):
        for excursion in chart.excursions:
            out[excursion.alarmed : excursion.end] = True
    return float(out.mean())


def main() -> None:
    """In-control run lengths and delays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("goods", type=Path, nargs="+")
    asked = parser.parse_args()
    with threadpool_limits(1):
        pool = score_goods(open_recipe(asked.recipe), asked.goods)
    rng = np.random.default_rng(0)

    def draw(parts: int) -> Doubles:
        return rng.choice(pool, parts) * np.exp(rng.normal(0, 0.01, parts))

    print(f"{len(pool)} goods outside the bank; parts for each false alarm: in one reference of ten fewer than | median")
    for reference in (50, 70, 200):
        limits = limits_for(reference)
        samples = [(np.sort(draw(reference)), draw(PARTS)) for _ in range(REFERENCES)]
        ways: dict[str, list[tuple[float, float]]] = {
            "normal scores": [run_lengths(standardise(parts, goods), limits) for goods, parts in samples],
            "scores": [run_lengths(_by_moments(parts, goods, np.asarray), TEXTBOOK) for goods, parts in samples],
            "logarithms": [run_lengths(_by_moments(parts, goods, np.log), TEXTBOOK) for goods, parts in samples],
        }
        for way, lengths in ways.items():
            low, middle = np.quantile(lengths, (0.1, 0.5), axis=0)
            said = (f"{chart} {low[i]:5.0f} | {middle[i]:5.0f}" for i, chart in enumerate(("EWMA", "CUSUM")))
            print(f"  reference {reference:>3}, {way:<13}: {', '.join(said)}")
        wrong = np.mean([wrongly_beyond(standardise(parts, goods), limits) for goods, parts in samples])
        print(f"  reference {reference:>3}: the lead says drift after {wrong:.1%} of parts, though there is none")
        for shift in SHIFTS:
            late = [_delay(standardise(parts[:5000] + shift * pool.std(), goods), limits) for goods, parts in samples]
            print(f"  reference {reference:>3}: a shift of {shift} deviations is seen after {np.median(late):.0f} parts")


def _by_moments(parts: Doubles, goods: Doubles, scale: Callable[[Doubles], Doubles]) -> Doubles:
    return np.asarray((scale(parts) - scale(goods).mean()) / scale(goods).std(ddof=1))


def _delay(values: Doubles, limits: tuple[float, float]) -> float:
    """Parts until the first chart alarms; all of them if none does."""
    first = [chart.excursions[0].alarmed + 1 for chart in charts(values, limits)[:2] if chart.excursions]
    return min(first, default=len(values))


if __name__ == "__main__":
    main()
