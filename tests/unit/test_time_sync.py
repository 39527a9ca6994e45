"""Whether the clock is disciplined is asked of the kernel, seldom, and said with each result; nothing else hangs on it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge.command.controls import Controls
from edge.host.clock import Boot, utc_now
from edge.host.time_sync import ClockSync, ask_kernel
from edge.loop import Line
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Frame, Origin, Shot
from tests.conftest import part_picture
from tests.lines import Heard, Quiet
from tests.results import STATION


def test_the_kernel_is_asked_again_when_the_answer_is_old() -> None:
    answers = iter([True, False, None])
    now_s = 100.0
    sync = ClockSync(lambda: next(answers), lambda: now_s)
    assert [sync(), sync()] == [True, True]
    now_s += 9.9
    assert sync() is True
    now_s += 0.1
    assert sync() is False
    now_s += 1000
    assert sync() is None


def test_asking_the_kernel_changes_nothing_and_answers_yes_no_or_nothing() -> None:
    first = ask_kernel()
    assert first in {True, False, None}
    assert ask_kernel() is first


class Stepped(Quiet):
    """A good part each second, while somebody sets the wall clock back by a day and then forward by two."""

    def __iter__(self) -> Iterator[Shot]:
        for second, step in enumerate((0, -1, 1)):
            yield Frame(f"part-{second}", second, float(second), utc_now() + timedelta(days=step), part_picture(300))


@pytest.mark.parametrize("synced", [False, None])
def test_while_the_clock_steps_parts_are_judged_as_ever_and_each_result_says_what_the_clock_is(
    recipe_dir: Path, synced: bool | None
) -> None:
    heard = Heard()
    now_s = iter(second + part for second in range(3) for part in (0.1, 0.2, 0.25))
    line = Line(
        STATION,
        Controls(open_recipe(recipe_dir)),
        Stepped(),
        [heard],
        Boot(),
        Origin.LIVE,
        clock_synced=lambda: synced,
        takt_s=0.5,
        clock=lambda: next(now_s),
    )
    assert line.run() == {Decision.OK: 3}, "none is late"
    assert [result.clock_synced for result in heard.results] == [synced] * 3
    assert [result.latency_ms for result in heard.results] == [pytest.approx(250)] * 3
    assert [result.part_id for result in heard.results] == ["part-0", "part-1", "part-2"]
    seqs = [result.seq for result in heard.results]
    assert seqs == list(range(seqs[0], seqs[0] + 3))
    taken = [result.taken_utc for result in heard.results]
    assert taken[1] < taken[0] < taken[2], "as the clock said"
