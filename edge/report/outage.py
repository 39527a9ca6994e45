"""Says once that a broker is away, or what it refuses, and once that it is back, however often a client tries."""

import logging

from paho.mqtt.reasoncodes import ReasonCode

from edge.report.broker import Broker, explain

log = logging.getLogger(__name__)


class Outage:
    """Belongs to the thread of one MQTT client. who: the key of the station file whose connection it is."""

    def __init__(self, who: str, broker: Broker) -> None:
        self._address = f"{who}: broker {broker.host}:{broker.port}"
        self._said_away, self._said_refusal = False, ""

    def back(self) -> None:
        """The connection is accepted."""
        if self._said_away:
            log.warning("%s is back", self._address)
        else:
            log.info("%s: connected", self._address)
        self._said_away, self._said_refusal = False, ""

    def unreachable(self) -> None:
        """Nobody answers at the address."""
        if not self._said_away:
            self._say("cannot be reached")

    def refused(self, code: ReasonCode) -> None:
        """The broker answers, and refuses. Said even when it was away before: this has another mend."""
        self._say_refusal(f"refuses the connection: {explain(code)}")

    def ended(self, code: ReasonCode, *, was_connected: bool) -> None:
        """The connection ended, and not by us."""
        if not was_connected:
            if not self._said_refusal:
                self._say_refusal("ends the connection before accepting it; is it an MQTT broker that speaks mqtt.protocol?")
        elif not self._said_away:
            self._say(f"connection lost: {explain(code)}")

    def _say_refusal(self, why: str) -> None:
        if why != self._said_refusal:
            self._say(why)
        self._said_refusal = why

    def _say(self, why: str) -> None:
        self._said_away = True
        log.error("%s: %s; trying again for ever", self._address, why)
