"""A command as a person writes it becomes one that a station takes."""

import base64
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import ValidationError

from edge.command.canonical import Json, canonical, read_object
from edge.command.models import COMMAND, COMMAND_FORMAT
from edge.errors import BadCommand


def complete(raw: bytes, now: datetime, valid_s: float) -> dict[str, Json]:
    """The JSON object in `raw`, with what every command needs filled in where it is missing.

    Raises:
        BadCommand: it is not one JSON object.
    """
    blanks: dict[str, Json] = {
        "format": COMMAND_FORMAT,
        "command_id": str(uuid.uuid4()),
        "issued_utc": now.isoformat(),
        "expires_utc": (now + timedelta(seconds=valid_s)).isoformat(),
    }
    return blanks | read_object(raw)


def signed(document: dict[str, Json], sign: Callable[[bytes], bytes]) -> bytes:
    """The command in its canonical form with a signature of all else, in Base64.

    Raises:
        BadCommand: it is no command, or is signed already.
    """
    if "signature" in document:
        raise BadCommand("the command is signed already; remove its signature to sign it anew.")
    try:
        COMMAND.validate_json(canonical(document))
    except ValidationError as err:
        faults = (f"{'.'.join(map(str, e['loc'])) or 'command'}: {e['msg']}" for e in err.errors(include_url=False))
        raise BadCommand(f"no command of {COMMAND_FORMAT}: {'; '.join(faults)}.") from None
    signature = base64.b64encode(sign(canonical(document))).decode()
    return canonical({**document, "signature": signature})
