"""What a broker's answers mean for a row, told by a broker that answers as it is told."""

import logging
import random
from dataclasses import dataclass, field, replace

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.connection import Ended, News
from edge.report.delivery import Delivery
from edge.report.hangups import GUILTY, SUSPICIOUS
from edge.report.inbox import to_entry
from edge.report.notices import MOST_WAITING, Notice, Notices
from edge.report.outbox.memory import MemoryOutbox
from tests.results import BIRTH, result

ONLINE = News(connected=True, greet=False, window=16, max_packet_bytes=None, said=())
HEALTH = Notice("plant/health", b"{}", retain=True)


@dataclass
class FakeConnection:
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        assert retain == topic.endswith(("status", "health"))
        self.sent.append((topic, payload))
        return len(self.sent)


class Bench:
    """A delivery with a clock that is set by hand."""

    def __init__(self, results: int = 40) -> None:
        self.now_s = 0.0
        self.connection, self.outbox = FakeConnection(), MemoryOutbox()
        chance = random.Random(1)  # noqa: S311 - nothing secret
        topics = "plant/result", "plant/status"
        self.delivery = Delivery(self.outbox, self.connection, topics, BIRTH, chance, lambda: self.now_s)  # type: ignore[arg-type] # only publish is called
        self.outbox.put([to_entry(result(seq), 0.0) for seq in range(results)])

    def send(self, *, window: int = 16, most: int | None = None) -> int:
        """How many rows went out."""
        before = len(self.connection.sent)
        self.delivery.send(replace(ONLINE, window=window, max_packet_bytes=most))
        return len(self.connection.sent) - before

    def reconnect(self, *unanswered: int, ended_early: bool = False) -> list[Notice]:
        """The connection ended, and the next has begun; paho has forgotten these."""
        return self.delivery.take_back(replace(ONLINE, greet=True, ended=(Ended(unanswered, ended_early),)))

    def turn(self, *notices: Notice) -> list[str]:
        """One of the publisher's, with these to tell if there is room; the topics of what went out."""
        before = len(self.connection.sent)
        self.delivery.send_alone(ONLINE)
        self.delivery.tell(notices[: self.delivery.room(ONLINE)], ONLINE)
        self.delivery.send(ONLINE)
        return [topic.removeprefix("plant/") for topic, _ in self.connection.sent[before:]]

    def hang_up(self, *, early: bool = True) -> list[Notice]:
        """The connection ends with all unanswered that was not answered so far; what is to be told again."""
        return self.reconnect(*range(1, len(self.connection.sent) + 1), ended_early=early)

    def accept(self) -> None:
        """All that is on its way."""
        self.answer(0x00, *range(1, len(self.connection.sent) + 1))

    def answer(self, code: int, *mids: int) -> None:
        self.delivery.settle(tuple((mid, ReasonCode(PacketTypes.PUBACK, identifier=code)) for mid in mids))


def test_no_more_rows_are_on_their_way_than_the_window_has_room_for() -> None:
    bench = Bench()
    assert bench.send() == 16
    assert bench.send() == 0
    bench.answer(0x00, 1, 2, 3)
    assert bench.send() == 3
    assert bench.send(window=4) == 0
    assert bench.outbox.counts.delivered == 3


@pytest.mark.parametrize("code", [0x00, 0x10])
def test_a_result_that_nobody_subscribes_to_is_delivered_too(code: int) -> None:
    bench = Bench(1)
    bench.send()
    bench.answer(code, 1)
    assert (bench.outbox.counts.delivered, bench.outbox.counts.waiting) == (1, 0)


@pytest.mark.parametrize("code", [0x83, 0x90, 0x99])
def test_what_no_waiting_mends_becomes_a_dead_letter_said_once(code: int, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(3)
    bench.send()
    bench.answer(code, 1, 2)
    bench.answer(0x00, 3)
    assert (bench.outbox.counts.dead, bench.outbox.counts.delivered, bench.outbox.counts.waiting) == (2, 1, 0)
    assert [letter.payload for letter in bench.outbox.dead] == [payload for _, payload in bench.connection.sent[:2]]
    assert [r.levelno for r in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(("code", "mend"), [(0x87, "let this user in"), (0x97, "raise the broker's quota"), (0x80, "")])
def test_other_refusals_wait_and_are_tried_one_at_a_time_until_one_is_accepted(
    code: int, mend: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench()
    bench.send()
    bench.answer(code, *range(1, 17))
    assert bench.outbox.counts.waiting == 40
    assert bench.send() == 0, "there is a pause"
    bench.now_s = 1.3
    assert bench.send() == 1
    bench.answer(code, 17)
    assert len(caplog.records) == 1
    assert mend in caplog.text
    bench.now_s = 200.0
    assert bench.send() == 1
    bench.answer(0x00, 18)
    assert bench.send() == 16
    assert "accepts results again" in caplog.text


def test_a_row_larger_than_the_brokers_packets_is_never_sent() -> None:
    bench = Bench(2)
    assert bench.send(most=100) == 0
    assert (bench.outbox.counts.dead, bench.outbox.counts.waiting) == (2, 0)


def test_a_result_sent_late_or_from_an_earlier_boot_says_so() -> None:
    bench = Bench(1)
    bench.outbox.put([to_entry(result(2, boot_id="earlier"), 0.0), to_entry(result(3), 31.0)])
    bench.now_s = 31.0
    bench.send()
    assert [b'"historical":true' in payload for _, payload in bench.connection.sent] == [True, True, False]


def test_what_an_ended_connection_left_unanswered_is_sent_again_and_says_whether_it_is_late_now() -> None:
    bench = Bench(3)
    bench.send()
    bench.answer(0x00, 1)
    bench.now_s = 31.0
    assert bench.reconnect(2, 3) == []
    assert bench.send() == 2
    before, again = bench.connection.sent[1:3], bench.connection.sent[3:]
    assert [payload.replace(b'"historical":true', b'"historical":false') for _, payload in again] == [p for _, p in before]
    assert all(b'"historical":true' in payload for _, payload in again)
    bench.answer(0x00, 4, 5)
    assert (bench.outbox.counts.delivered, bench.outbox.counts.waiting) == (3, 0)


def test_what_was_sent_over_the_next_connection_already_is_not_sent_twice() -> None:
    bench = Bench(2)
    bench.send()
    bench.reconnect(1)
    assert bench.send() == 1
    bench.answer(0x00, 2, 3)
    assert bench.outbox.counts.delivered == 2


def test_news_that_were_left_unanswered_wait_again_but_for_who_we_are_which_each_connect_says() -> None:
    bench = Bench(0)
    bench.delivery.greet()
    event = Notice("plant/event", b"{}", retain=False)
    bench.delivery.tell([event], ONLINE)
    assert bench.reconnect(1, 2) == [event]
    bench.answer(0x00, 1, 2)
    assert bench.reconnect() == []


def test_rows_that_are_left_unanswered_by_three_short_connections_are_sent_one_by_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(3)
    for first in (1, 4, 7):
        assert bench.send() == 3
        bench.reconnect(first, first + 1, first + 2, ended_early=True)
    assert "results are sent one by one" in caplog.text
    assert bench.send() == 1


def test_a_short_connection_is_not_held_against_what_another_one_left_unanswered() -> None:
    bench = Bench(3)
    for first in (1, 4, 7):
        assert bench.send() == 3
        long, short = Ended((first, first + 1, first + 2), was_short=False), Ended((), was_short=True)
        bench.delivery.take_back(replace(ONLINE, greet=True, ended=(long, short)))
    assert bench.send() == 3


def test_an_older_health_is_not_sent_after_a_newer_one() -> None:
    bench = Bench(0)
    assert bench.turn(HEALTH) == ["health"]
    bench.turn(HEALTH)  # over the next connection already
    assert bench.reconnect(1) == []


def held_back(*notices: Notice, results: int = 3) -> Bench:
    """With each of three connections these and the results were on their way when the broker hung up."""
    bench, left = Bench(results), list(notices)
    for _ in range(SUSPICIOUS):
        assert bench.turn(*left) == [*(n.topic.removeprefix("plant/") for n in notices), *["result"] * results]
        left = bench.hang_up()
    assert left == []
    return bench


def test_what_is_told_when_the_broker_hangs_up_waits_apart_and_results_go_on(caplog: pytest.LogCaptureFixture) -> None:
    bench = held_back(HEALTH)
    assert bench.turn(HEALTH) == ["result"], "one by one at first, and before all else"
    bench.accept()
    assert bench.turn(HEALTH) == ["result", "result"]
    for now_s, pause in ((60.0, "has passed"), (120.0, "has doubled")):
        bench.accept()
        bench.now_s = now_s
        bench.outbox.put([to_entry(result(int(now_s)), 0.0)])
        assert bench.turn(HEALTH) == ["health"], f"by itself, when the pause {pause}"
        assert bench.turn(HEALTH) == []
        assert bench.hang_up(early=False) == []
        assert bench.turn(HEALTH) == ["result"]
    assert caplog.text.count("plant/health: a message cannot be sent: the broker hangs up on it") == 1
    assert bench.turn(HEALTH) == []
    bench.accept()
    bench.now_s = 1000.0
    assert bench.turn() == ["health"]
    bench.accept()
    assert bench.reconnect() == []
    assert bench.turn(HEALTH) == ["health"], "the broker takes it again"


def test_what_was_held_back_without_guilt_is_told_in_its_order_as_soon_as_the_first_is_accepted() -> None:
    events = [Notice("plant/event", b"%d" % number, retain=False) for number in range(3)]
    bench = held_back(*events)
    bench.turn()
    bench.accept()
    bench.turn()
    bench.accept()
    bench.now_s = 60.0
    assert bench.turn() == ["event"]
    bench.accept()
    assert bench.reconnect() == events[1:]
    assert bench.turn(*events[1:]) == ["event", "event"]


def test_a_row_at_which_the_broker_hangs_up_does_not_keep_back_what_else_there_is_to_tell() -> None:
    bench = held_back(HEALTH, results=1)
    bench.now_s = 60.0
    for _ in range(GUILTY):
        assert bench.turn() == ["result"]
        bench.hang_up()
    assert bench.turn() == ["health"]
    bench.accept()
    assert bench.turn() == ["result"], "nothing else waits"


def test_who_we_are_is_held_back_as_well_and_said_as_it_is_by_then() -> None:
    bench = Bench(1)
    for _ in range(SUSPICIOUS):
        bench.delivery.greet()
        assert bench.turn() == ["result"]
        bench.hang_up()
    bench.delivery.greet()
    assert bench.turn() == ["result"]
    bench.accept()
    bench.delivery.rename(BIRTH.model_copy(update={"recipe_name": "ring"}), ONLINE)
    bench.now_s = 60.0
    assert bench.turn() == ["status"]
    assert b"ring" in bench.connection.sent[-1][1]


def test_news_that_wait_again_go_before_newer_ones_and_the_newest_are_kept() -> None:
    waiting = Notices()
    waiting.put(Notice("health", b"new", retain=True))
    waiting.put(Notice("event", b"3", retain=False))
    before = [
        Notice("event", b"1", retain=False),
        Notice("health", b"old", retain=True),
        Notice("event", b"2", retain=False),
    ]
    waiting.put_back(before)
    assert [notice.payload for notice in waiting.fetch(4)] == [b"1", b"2", b"3", b"new"]
    for number in range(MOST_WAITING - 1):
        waiting.put(Notice("event", b"%d" % number, retain=False))
    waiting.put_back(before)
    assert [notice.payload for notice in waiting.fetch(2)] == [b"2", b"0"]
