"""The page when the station is stopped while an operator waits for its answer."""

import threading
from pathlib import Path

import pytest

from edge.recipe.recipe import open_recipe
from tests.brokers import PATIENCE_S, wait_until
from tests.lines import BAD
from tests.pages import page_open


class Slow:
    """Learns until it is told to stop."""

    def __init__(self) -> None:
        self.begun, self.enough = threading.Event(), threading.Event()

    def accept(self, _result_id: str, _who: str) -> str:
        self.begun.set()
        self.enough.wait(PATIENCE_S)
        return "learned"

    def undo(self, _result_id: str, _who: str) -> str:
        return "forgotten"


def test_who_waits_for_a_lesson_when_the_station_is_stopped_is_told_so(
    recipe_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slow, got = Slow(), list[tuple[int, str]]()
    with page_open(tmp_path, open_recipe(recipe_dir), accepting=slow) as page:
        told = page.judge(BAD)

        def press() -> None:
            answer = page.rule(told, "accepted")
            got.append((answer.status, answer.text))  # type: ignore[attr-defined] # as `ask` adds it
            slow.enough.set()

        pressing = threading.Thread(target=press)
        pressing.start()
        wait_until(slow.begun.is_set, "the lesson")
    pressing.join()
    assert got == [(503, "The station is being stopped; look later whether this was done.\n")]
    assert "Traceback" not in caplog.text
    assert [entry["decision"] for entry in page.decisions()] == ["accepted"]
