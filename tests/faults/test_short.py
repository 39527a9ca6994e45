"""Every fault once, some at once, on a whole plant: nothing that was committed is lost. `make soak` does it for hours."""

import threading
from pathlib import Path

import pytest

from tests.faults.schedule import Episode, Kind, one_round
from tests.faults.soak import report, soak
from tests.faults.world import World

SEED, LONGEST_S = 3, 2.0


def test_nothing_that_was_committed_is_lost_whatever_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def plan(world: World) -> list[Episode]:
        return one_round(SEED, LONGEST_S, world.kinds)

    soaked = soak(tmp_path, SEED, plan, print, threading.Event())
    print(report(soaked))
    said = capsys.readouterr().out
    assert soaked.books.objections == (), said
    assert soaked.books.missing == soaked.books.counted == soaked.books.waiting == 0, said
    assert soaked.books.committed > len(soaked.faults), said
    done = {fault.kind for fault in soaked.faults}
    assert done >= set(Kind) - {Kind.DISK_FULL}, "a full disk needs somebody who may mount"
