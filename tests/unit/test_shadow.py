"""A challenger judges alongside: it says where it disagrees, skips what it cannot follow, and never holds up the line."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.app.shadow import make_shadow
from edge.errors import BadRecipe
from edge.events import EventCode, Events
from edge.health.ask import Heard
from edge.health.words import in_words
from edge.host.clock import Boot, utc_now
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.message import EvidenceRef, Result, make_result
from edge.shadow.config import ShadowConfig
from edge.shadow.counts import Agreement, compare
from edge.shadow.message import ShadowReport
from edge.shadow.shadow import Shadow, State
from edge.shift.card import SampleCard
from edge.teach.lesson import judged
from edge.types import Decision, Frame, Origin
from tests.brokers import wait_until
from tests.conftest import part_picture
from tests.lines import checkup_of, line_of
from tests.results import STATION
from tests.stained import stained
from tests.unit.test_rehearsal import struck

OK, NOK, OPEN = Decision.OK, Decision.NOK, Decision.NOT_DECIDABLE
KEPT = EvidenceRef(path="day/part.png", sha256="0" * 64, overlay=None)


@pytest.mark.parametrize(
    ("champion", "challenger", "agreement"),
    [
        (OK, OK, Agreement.BOTH_OK),
        (NOK, NOK, Agreement.BOTH_NOK),
        (NOK, OK, Agreement.ONLY_CHAMPION),
        (OK, NOK, Agreement.ONLY_CHALLENGER),
        (OK, OPEN, Agreement.UNDECIDED),
        (OPEN, NOK, Agreement.UNDECIDED),
        (OPEN, OPEN, Agreement.UNDECIDED),
    ],
)
def test_two_verdicts_make_one_agreement(champion: Decision, challenger: Decision, agreement: Agreement) -> None:
    assert compare(champion, challenger) is agreement


@pytest.fixture(scope="module")
def champion(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


@dataclass
class Beside:
    """A champion, and a challenger that the test may hold up."""

    champion: Recipe
    challenger: Recipe
    every: int = 1
    boot: Boot = field(default_factory=Boot)
    reports: list[ShadowReport] = field(default_factory=list)
    said: list[EventCode] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[ShadowReport], None] | None = None

    def __post_init__(self) -> None:
        self.free.set()
        events = Events()
        events.listen(lambda happening: self.said.append(happening.code))
        self.shadow = Shadow(self.challenger, self.every, self._told, events)

    def _told(self, report: ShadowReport) -> None:
        if self.tell:
            self.tell(report)
        self.reports.append(report)
        self.free.wait(60)

    def judge(self, pixels, *, sample: SampleCard | None = None, told: bool = True) -> Result:
        shot = Frame("part", 0, 0.0, utc_now(), pixels)
        verdict = judged(self.champion, pixels)
        result = make_result(
            shot,
            verdict,
            STATION,
            self.champion,
            self.boot,
            0.01,
            sample,
            origin=Origin.LIVE,
            clock_synced=True,
            latency_s=0.01,
        )
        self.shadow.saw(shot, verdict, result)
        if told:
            self.shadow.put(result.model_copy(update={"evidence": KEPT}))
        return result

    def wait(self, reports: int) -> None:
        wait_until(lambda: len(self.reports) == reports, f"{reports} comparisons")


Make = Callable[..., Beside]


@pytest.fixture
def make(champion: Recipe) -> Iterator[Make]:
    made: list[Beside] = []

    def stand(threshold: float | None = None, **more: object) -> Beside:
        other = replace(champion.twin(), id="b" * 64)
        if threshold is not None:
            other = other.with_threshold(threshold, "test")
        made.append(Beside(champion, other, **more))  # type: ignore[arg-type] # as the test says
        return made[-1]

    yield stand
    for beside in made:
        beside.free.set()
        beside.shadow.close()


def test_a_disagreement_names_both_verdicts_and_the_evidence_and_all_are_counted(make: Make) -> None:
    beside = make(threshold=50.0)  # lets everything through
    for number, picture in enumerate((part_picture(100), stained(200), stained(201)), start=1):
        result = beside.judge(picture)
        beside.wait(number)
    report = beside.reports[-1]
    assert (report.agreement, report.result_id, report.evidence) == (Agreement.ONLY_CHAMPION, result.result_id, KEPT)
    assert (report.champion.verdict, report.challenger.verdict) == (NOK, OK)
    assert (report.champion.score, report.challenger.score) == (result.score, result.score)
    assert (report.champion.threshold, report.challenger.threshold) == (result.threshold, 50.0)
    standing = beside.shadow.standing
    assert standing.counts == {Agreement.BOTH_OK: 1, Agreement.ONLY_CHAMPION: 2}
    assert (standing.state, standing.skipped) == (State.JUDGING, 0)
    assert standing.inspect_s
    assert standing.inspect_s.count == 3


def test_only_the_newest_part_waits_for_a_busy_challenger_and_the_others_are_counted(make: Make) -> None:
    beside = make()
    beside.free.clear()
    beside.judge(part_picture(100))
    beside.wait(1)
    results = [beside.judge(part_picture(101)) for _ in range(4)]
    assert beside.shadow.standing.skipped == 3
    beside.free.set()
    beside.wait(2)
    assert beside.reports[1].result_id == results[-1].result_id


def test_one_of_every_so_many_parts_is_compared_and_samples_of_the_shift_check_never_are(make: Make) -> None:
    beside = make(every=3)
    master = SampleCard(name="gold", kind="good", expected=OK, score=1.0)
    for number in range(7):
        beside.judge(part_picture(100), sample=master)
        beside.judge(part_picture(100))
        beside.wait(number // 3 + 1)
    assert beside.shadow.standing.counts == {Agreement.BOTH_OK: 3}


def test_a_comparison_waits_for_the_evidence_of_its_result(make: Make) -> None:
    beside = make()
    result = beside.judge(stained(200), told=False)
    wait_until(lambda: beside.shadow.standing.inspect_s is not None, "the challenger's verdict")
    assert beside.reports == []
    beside.shadow.put(result.model_copy(update={"evidence": KEPT}))
    beside.wait(1)
    assert beside.reports[0].evidence == KEPT


def test_a_challenger_that_throws_drops_out_for_good_and_is_said_once(make: Make) -> None:
    def broken(_report: ShadowReport) -> None:
        raise BadRecipe("the challenger cannot")

    beside = make(tell=broken)
    beside.judge(part_picture(100))
    wait_until(lambda: beside.shadow.standing.state is State.ENDED, "its end")
    beside.judge(part_picture(100))
    beside.shadow.close()
    assert beside.said == [EventCode.SHADOW_ENDED]


def test_the_recipe_in_use_has_nothing_to_compare_with_itself_and_counts_begin_anew_with_another(make: Make) -> None:
    beside = make()
    beside.judge(part_picture(100))
    beside.wait(1)
    beside.champion = beside.challenger.twin()  # as `activate_recipe` does
    beside.judge(part_picture(100))
    assert (beside.shadow.standing.state, beside.shadow.standing.counts) == (State.RESTING, {})
    beside.champion = replace(beside.challenger.twin(), id="c" * 64)
    beside.judge(part_picture(100))
    beside.wait(2)
    assert (beside.shadow.standing.state, beside.shadow.standing.counts) == (State.JUDGING, {Agreement.BOTH_OK: 1})


def test_health_says_how_the_challenger_stands(make: Make, champion: Recipe) -> None:
    beside = make(threshold=50.0)
    beside.judge(stained(200))
    beside.wait(1)
    checkup = checkup_of(line_of(champion, ()), shadow=beside.shadow)
    health = checkup.health()
    assert health.shadow
    assert {count.agreement: count.count for count in health.shadow.counts} == {
        kind: int(kind is Agreement.ONLY_CHAMPION) for kind in Agreement
    }
    words = in_words(STATION, Heard("somebody", "online", health), [], health.sent_utc)
    assert "plate judging: 0 both ok, 0 both nok, 1 only champion" in words


@dataclass(frozen=True)
class FailingOpener:
    """Fails as it is told to."""

    err: Exception
    threads: int = 4

    def open_new(self, _folder: Path, _patience: object) -> Recipe:
        raise self.err


@pytest.mark.parametrize("err", [BadRecipe("was altered."), ValueError("native nonsense"), MemoryError()])
def test_a_challenger_that_fails_in_whatever_way_is_said_once_and_the_line_goes_on(err: Exception) -> None:
    events, said = Events(), []
    events.listen(said.append)
    with ExitStack() as stack:
        assert make_shadow(ShadowConfig(recipe="challenger"), FailingOpener(err), [], events, stack) is None
    assert [happening.code for happening in said] == [EventCode.SHADOW_ENDED]
    assert "the line goes on without a challenger" in said[0].detail
    assert (str(err) if isinstance(err, BadRecipe) else type(err).__name__) in said[0].detail


def test_a_challenger_that_would_crash_the_line_crashes_a_process_of_its_own(recipe_dir: Path) -> None:
    events, said = Events(), []
    events.listen(said.append)
    with struck(signal.SIGSEGV), ExitStack() as stack:
        assert make_shadow(ShadowConfig(recipe=str(recipe_dir)), Opener(threads=1), [], events, stack) is None
    assert "opened it first ended with SIGSEGV" in said[0].detail
