"""Says once that a broker is away, or what it refuses, and once that it is back, however often a client tries."""

import logging
import ssl
import sys

from paho.mqtt.reasoncodes import ReasonCode

from edge.report.broker import Broker, explain, explain_error

log = logging.getLogger(__name__)

_HANGS_UP = "ends the connection before accepting it; is it an MQTT broker that speaks mqtt.protocol"


class Outage:
    """Belongs to the thread of one MQTT client. who: the key of the station file whose connection it is, if not `mqtt`."""

    def __init__(self, broker: Broker, who: str = "") -> None:
        self._broker = broker
        self._address = f"{who}: broker {broker.host}:{broker.port}" if who else f"broker {broker.host}:{broker.port}"
        self._said_away, self._said_refusal = False, ""
        self._was_accepted = False

    def back(self) -> None:
        """The connection is accepted."""
        self._was_accepted = True
        if self.over():
            log.warning("%s is back", self._address)
        else:
            log.info("%s: connected", self._address)

    def over(self) -> bool:
        """All is well. Whether it was not before."""
        was_away = self._said_away
        self._said_away, self._said_refusal = False, ""
        return was_away

    def unreachable(self) -> None:
        """Nobody answers at the address. To be called in paho's `on_connect_fail`."""
        # paho does not pass the error on, but calls this while it handles it.
        err = sys.exception()
        if isinstance(err, ConnectionResetError) and self._was_accepted:
            # Where TLS was agreed on before it is not TLS that is missing: the network, or what stands in it, hangs up.
            why, refused = f"cannot be reached: {err.strerror}", False
        else:
            why = explain_error(err, self._broker)
            refused = self._broker.tls is not None and isinstance(err, (ssl.SSLError, ConnectionResetError))
        if refused:
            self.refuses(why)
        elif not self._said_away:
            self._say(why)

    def refused(self, code: ReasonCode) -> None:
        """The broker answers, and does not let us in."""
        self.refuses(f"refuses the connection: {explain(code)}")

    def refuses(self, why: str) -> None:
        """The broker answers, and refuses something. Said even when it was away before: this has another mend."""
        if why != self._said_refusal:
            self._say(why)
        self._said_refusal = why

    def ended(self, code: ReasonCode, *, was_connected: bool) -> None:
        """The connection ended, and not by us."""
        if not was_connected:
            if not self._said_refusal:
                wants = ", and does it want mqtt.tls.cert_file?" if self._broker.tls else ", and does it want mqtt.tls?"
                self.refuses(_HANGS_UP + wants)
        elif not self._said_away:
            self._say(f"connection lost: {explain(code)}")

    def _say(self, why: str) -> None:
        self._said_away = True
        log.error("%s: %s; trying again for ever", self._address, why)
