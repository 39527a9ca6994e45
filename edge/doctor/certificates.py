"""How long certificates are still good for."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from edge.doctor.symptom import Symptom, ill, well, worry
from edge.report.broker import Broker
from edge.report.config import TlsConfig
from edge.report.visit import TIMEOUT_S

_SOON_DAYS = 30

_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


def try_certificates(broker: Broker, tls: TlsConfig, now: datetime | None = None) -> list[Symptom]:
    """The broker's, and those that the station file names. What cannot be read or reached is said by `check`."""
    now = now or datetime.now(UTC)
    found = [_judge("the broker's certificate", _ends_at_broker(broker), now)]
    if tls.ca_file:
        found.append(_judge(f"mqtt.tls.ca_file: {tls.ca_file}", _ends_of_ca(Path(tls.ca_file)), now))
    if tls.cert_file:
        key = Path(tls.key_file) if tls.key_file else None
        found.append(_judge(f"mqtt.tls.cert_file: {tls.cert_file}", _ends_of_own(Path(tls.cert_file), key), now))
    return [symptom for symptom in found if symptom]


def _judge(name: str, ends: datetime | None, now: datetime) -> Symptom | None:
    if ends is None:
        return None
    days = (ends - now).days
    words = f"{name} ends on {ends:%Y-%m-%d}"
    if ends <= now:
        return ill("certificate", f"{words} and is no good any more; renew it.")
    if days < _SOON_DAYS:
        return worry("certificate", f"{words}, in {days} days; renew it.")
    return well("certificate", f"{words}, in {days} days")


def _ends_at_broker(broker: Broker) -> datetime | None:
    assert broker.tls is not None  # noqa: S101 - asked only where there is mqtt.tls
    try:
        with (
            socket.create_connection((broker.host, broker.port), TIMEOUT_S) as plain,
            broker.tls.wrap_socket(plain, server_hostname=broker.host) as wrapped,
        ):
            return _end(wrapped.getpeercert())
    except OSError:
        return None


def _ends_of_ca(path: Path) -> datetime | None:
    """The first that ends of a file of CAs."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
    except OSError:
        return None
    ends = [end for known in context.get_ca_certs() if (end := _end(known))]
    return min(ends, default=None)


def _ends_of_own(cert: Path, key: Path | None) -> datetime | None:
    """When a certificate that only its holder has ends.

    Python reads the dates of a certificate only where it is shown, so it is shown, by a client to a server in memory.
    """
    try:
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        for context in (client, server):
            context.load_cert_chain(cert, key, lambda: "")
        server.verify_mode = ssl.CERT_REQUIRED
        server.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        server.load_verify_locations(cert)
        return _end(_shown(client, server))
    except ssl.SSLCertVerificationError as err:
        return datetime.fromtimestamp(0, UTC) if err.verify_code == _EXPIRED else None
    except OSError:
        return None


def _shown(client: ssl.SSLContext, server: ssl.SSLContext) -> object:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [near, far]
    while waiting:
        one = waiting.pop(0)
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(one)
    return far.getpeercert()


def _end(shown: object) -> datetime | None:
    if not isinstance(shown, dict) or "notAfter" not in shown:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
