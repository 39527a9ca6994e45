"""What a broker's answers mean for a row, told by a broker that answers as it is told."""

import logging
import random
from dataclasses import dataclass, field

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.connection import News
from edge.report.delivery import Delivery
from edge.report.inbox import to_entry
from edge.report.outbox.memory import MemoryOutbox
from tests.results import BIRTH, result


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
        self.delivery.send(News(connected=True, greet=False, window=window, max_packet_bytes=most, said=()))
        return len(self.connection.sent) - before

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
