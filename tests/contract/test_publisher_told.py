"""What the MQTT sink tells of itself: who it is, for how long results wait, and when they are committed."""

import signal
import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from edge.host.clock import utc_now
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MemoryOutbox
from edge.report.outbox.outbox import Entry
from edge.report.publisher import MqttPublisher
from tests.brokers import PATIENCE_S, Mosquitto, free_port, retained, wait_until
from tests.outboxes import inside
from tests.publishing import broker_at, publishing
from tests.results import BIRTH, result


def test_a_status_that_says_something_else_is_published_at_once_and_after_a_reconnect(tmp_path: Path) -> None:
    other = BIRTH.model_copy(update={"recipe_name": "ring"})
    with Mosquitto(tmp_path) as broker, publishing(broker_at(broker.port)) as publisher:
        wait_until(lambda: publisher.link().connected, "the connection")
        publisher.introduce(BIRTH)
        publisher.introduce(other)
        wait_until(lambda: retained(broker, "status")["recipe_name"] == "ring", "the new name")
        broker.send(signal.SIGKILL)
        wait_until(lambda: not publisher.link().connected, "the end")
        broker.start()
        wait_until(lambda: publisher.link().connected, "the connection")
        assert retained(broker, "status")["recipe_name"] == "ring"


def test_it_is_known_for_how_long_the_oldest_result_waits(tmp_path: Path) -> None:
    path, port = tmp_path / "waiting.outbox", free_port()
    early = result(1).model_copy(update={"taken_utc": utc_now() - timedelta(hours=2)})
    for boot_id, least_s in (("boot", 0), ("later", 7200)):
        opened = partial(LastingOutbox, path, 2**25)
        publisher = MqttPublisher(broker_at(port, close_s=0.0), BIRTH.model_copy(update={"boot_id": boot_id}), opened)
        assert publisher.counts().oldest_waiting_s is None or boot_id == "later"
        publisher.put(early)
        wait_until(lambda p=publisher: p.counts().oldest_waiting_s is not None, "an age")  # type: ignore[misc] # bound at once
        found_s = publisher.counts().oldest_waiting_s
        publisher.close()
        assert found_s is not None
        assert least_s <= found_s < least_s + PATIENCE_S


def test_a_commit_is_waited_for_and_a_disk_that_hangs_only_so_long(tmp_path: Path) -> None:
    goes_on = threading.Event()

    class Slow(MemoryOutbox):
        def put(self, entries: Sequence[Entry], overflowed: int = 0) -> None:
            if entries:
                goes_on.wait(PATIENCE_S)
            super().put(entries, overflowed)

    with publishing(broker_at(free_port(), close_s=0.0), Slow) as publisher:
        assert publisher.commit(PATIENCE_S)
        publisher.put(result(1))
        assert not publisher.commit(0.05)
        goes_on.set()
        assert publisher.commit(PATIENCE_S)
    path = tmp_path / "waiting.outbox"
    with publishing(broker_at(free_port(), close_s=0.0), partial(LastingOutbox, path, 2**25)) as publisher:
        publisher.put(result(1))
        assert publisher.commit(PATIENCE_S)
        assert publisher.counts().waiting == 1
    assert len(inside(path, "SELECT id FROM waiting")) == 1
