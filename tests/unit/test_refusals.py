"""When a broker that refuses is asked again."""

import random

from edge.report.refusals import Refusals


def refusing(device: str = "camera-1") -> Refusals:
    return Refusals(random.Random(device))  # noqa: S311 - nothing secret


def test_pauses_double_to_a_minute_with_jitter() -> None:
    refusals = refusing()
    now_s, pauses = 0.0, []
    for _ in range(12):
        refusals.refuse(1, now_s)
        pause_s = next(s / 100 for s in range(10_000) if not refusals.pausing(now_s + s / 100))
        pauses.append(pause_s)
        now_s += pause_s
    for pause_s, nominal_s in zip(pauses, [1, 2, 4, 8, 16, 32, *[60] * 6], strict=True):
        assert 0.75 * nominal_s <= pause_s <= 1.25 * nominal_s + 0.01
    assert len(set(pauses[6:])) > 1, "there is jitter"


def test_refusals_of_rows_that_were_on_their_way_together_are_one_pause() -> None:
    refusals = refusing()
    for row in range(16):
        refusals.refuse(row, 0.0)
    assert not refusals.pausing(1.26)


def test_a_row_that_alone_is_refused_is_passed_by_the_others() -> None:
    refusals = refusing()
    refusals.refuse(1, 0.0)
    now_s = next(s / 100 for s in range(1000) if not refusals.pausing(s / 100))
    assert refusals.not_due(now_s) == [1]
    refusals.accept(2)
    assert not refusals.standing
    assert refusals.not_due(now_s) == [1]
    assert refusals.not_due(2.6) == []


def test_devices_draw_different_pauses() -> None:
    ends = set()
    for device in range(5):
        refusals = refusing(f"device-{device}")
        refusals.refuse(1, 0.0)
        ends.add(next(s for s in range(10_000) if not refusals.pausing(s / 1000)))
    assert len(ends) == 5
