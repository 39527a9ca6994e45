"""When health is told."""

import time
from pathlib import Path

import pytest

from edge.capture.sources import Feed
from edge.health.message import Health
from edge.health.teller import telling
from edge.recipe.recipe import Recipe, open_recipe
from tests.brokers import wait_until
from tests.lines import GOOD, Fed, checkup_of, line_of, tell


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def test_it_is_told_at_the_start_and_at_the_end_with_the_last_part(recipe: Recipe) -> None:
    told = list[Health]()
    line = line_of(recipe, ())
    with telling(checkup_of(line), 3600, told.append):
        wait_until(lambda: told, "the first health")
        tell(line, GOOD)
    assert [health.inspected for health in told] == [0, 1]


def test_it_is_told_again_and_again(recipe: Recipe) -> None:
    told = list[Health]()
    with telling(checkup_of(line_of(recipe, ())), 0.01, told.append):
        wait_until(lambda: len(told) >= 4, "some healths")
    assert [h.uptime_s for h in told] == sorted(h.uptime_s for h in told)


def test_a_loss_is_told_long_before_the_next_interval(recipe: Recipe) -> None:
    told = list[Health]()
    source = Fed(Feed(up=True, since_s=0.0))
    with telling(checkup_of(line_of(recipe, (), source)), 3600, told.append):
        wait_until(lambda: told, "the first health")
        source.now = Feed(up=False, since_s=time.monotonic(), losses=1)
        wait_until(lambda: len(told) == 2, "the loss")
    assert [h.source.up for h in told if h.source] == [True, False, False]
