"""What a broker's answers mean for a row, told by a broker that answers as it is told."""

import logging
import random
from dataclasses import dataclass, field, replace

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.connection import News
from edge.report.delivery import Delivery
from edge.report.inbox import to_entry
from edge.report.notices import MOST_WAITING, Notice, Notices
from edge.report.outbox.memory import MemoryOutbox
from tests.results import BIRTH, result

ONLINE = News(connected=True, greet=False, window=16, max_packet_bytes=None, said=())


@dataclass
class FakeConnection:
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        assert retain == topic.endswith("status")
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
        return self.delivery.take_back(replace(ONLINE, greet=True, unanswered=unanswered, ended_early=ended_early))

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
