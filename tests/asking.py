"""Commands as the plant sends them, and `mosquitto_rr`, which sends one and waits for its answer."""

import base64
import json
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.command.canonical import canonical
from edge.command.gatekeeper import Rules
from edge.command.models import CommandName
from tests.brokers import HOST, Mosquitto
from tests.results import STATION

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATION_TOPIC = "goodpart/v1/test/lab/line-1/camera-1"
ALL: frozenset[CommandName] = frozenset(
    {"trigger", "set_job", "pause", "resume", "activate_recipe", "set_threshold", "status", "ping"}
)


def wish(command: str, now: datetime | None = None, **more: object) -> dict[str, Any]:
    """A command to the tests' station, good for a minute."""
    now = now or datetime.now(UTC)
    return {
        "format": "goodpart.command/1",
        "command_id": str(uuid.uuid4()),
        "command": command,
        "station": STATION.model_dump(),
        "issued_utc": now.isoformat(),
        "expires_utc": (now + timedelta(minutes=1)).isoformat(),
        **more,
    }


def vouched(document: dict[str, Any], key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    """The same with a signature, made by the definition and not by the code under test's own signer."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert text == canonical(document), "numbers of these tests are written alike by both"
    return {**document, "signature": base64.b64encode(key.sign(text)).decode()}


def verify(message: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, message)
    except Exception:  # noqa: BLE001 - whatever it is, it is no signature
        return False
    return True


def rules(allow: frozenset[CommandName] = ALL, signed: Callable[[bytes, bytes], bool] | None = verify) -> Rules:
    return Rules(STATION, "goodpart", allow, 4096, signed, needs_synchronised_clock=True)


def ask(
    broker: Mosquitto, document: object, *, answers: str = "goodpart/answers/1", version: str = "5", timeout_s: int = 20
) -> dict[str, Any]:
    """Send one command and wait for its answer."""
    text = document if isinstance(document, str) else json.dumps(document)
    command = ["mosquitto_rr", "-h", HOST, "-p", str(broker.port), "-V", version, "-q", "1", "-W", str(timeout_s)]
    command += ["-t", f"{STATION_TOPIC}/command", "-e", answers, "-m", text]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["format"] == "goodpart.response/1"
    return found
