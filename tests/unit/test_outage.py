"""What the journal says of a broker that is away sends nobody to the wrong key."""

import errno
import os
import ssl

import pytest

from edge.report.broker import Broker
from edge.report.outage import Outage

TLS = ssl.create_default_context()


@pytest.fixture
def outage() -> Outage:
    return Outage(Broker("broker.example", 8883, "5", "goodpart", "camera", None, None, 1.0, TLS))


def reset(outage: Outage) -> None:
    """As paho does: told while the error is handled."""

    def connect() -> None:
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    try:
        connect()
    except ConnectionResetError:
        outage.unreachable()


def test_a_broker_that_never_spoke_tls_and_resets_is_said_not_to_speak_it(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    reset(outage)
    assert "does not speak TLS at this port" in caplog.text


def test_a_link_that_is_reset_is_no_advice_to_remove_tls_that_worked(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    outage.back()
    reset(outage)
    reset(outage)
    (record,) = caplog.records
    assert "cannot be reached: Connection reset by peer; trying again for ever" in record.getMessage()
