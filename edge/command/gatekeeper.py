"""Who gets in: the bytes of a message become a command, or a refusal. Pure: no clock, no network, no file."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from edge.command.canonical import Json, canonical, read_object
from edge.command.models import COMMAND, MUST_BE_SIGNED, Code, Command, CommandId, CommandName
from edge.errors import BadCommand
from edge.report.topics import topic
from edge.report.wire import StationName

LONGEST_LIFE = timedelta(hours=24)
"""From issue to expiry; a command that is good for ever is one that can be replayed for ever."""

CLOCK_TOLERANCE = timedelta(seconds=30)
"""How far the sender's clock may be ahead of ours. An expiry has no tolerance."""

_MOST_CORRELATION_BYTES = 256
_MOST_TOPIC_BYTES = 512
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Request:
    """A message as it came. mono_s: when, monotonic seconds."""

    payload: bytes
    mono_s: float
    response_topic: str | None = None
    correlation: bytes | None = None
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the station file allows. signed: whether the key's owner has signed these bytes; None: there is no key."""

    station: StationName
    prefix: str
    allow: frozenset[CommandName]
    max_bytes: int
    signed: Callable[[bytes, bytes], bool] | None
    needs_synchronised_clock: bool


@dataclass(frozen=True, slots=True)
class Now:
    """The wall clock, and whether the kernel holds it for synchronised."""

    utc: datetime
    synchronised: bool


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that is whole, allowed, for us, and signed where it must be. digest: sha256 of its signed form."""

    command: Command
    digest: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, in one sentence; command_id where one could be read."""

    code: Code
    detail: str
    command_id: str | None = None


def admit(request: Request, rules: Rules) -> Admitted | Refusal:
    """Everything that can be said of a message without a clock; never raises."""
    if fault := _envelope_fault(request, rules):
        return fault
    try:
        document = read_object(request.payload)
    except BadCommand as err:
        return Refusal(Code.REFUSED_SCHEMA, str(err))
    command_id = _readable_id(document)
    try:
        whole = canonical(document)
        form = canonical({key: value for key, value in document.items() if key != "signature"})
        # What is looked at is the form that was signed, so that two parsers cannot disagree about it.
        command = COMMAND.validate_json(whole)
    except BadCommand as err:
        return Refusal(Code.REFUSED_SCHEMA, str(err), command_id)
    except ValidationError as err:
        return Refusal(Code.REFUSED_SCHEMA, _in_words(err), command_id)
    if fault := _command_fault(command, form, rules):
        return fault
    return Admitted(command, hashlib.sha256(form).hexdigest())


def stale(command: Command, rules: Rules, now: Now) -> Refusal | None:
    """Whether a command is not meant for now, or nobody can tell.

    A clock that no time server holds may be years off, at a start without a battery for instance. Then what must be signed
    is refused: somebody could have kept it for such a day. The rest is measured by the clock there is.
    """
    if command.command in MUST_BE_SIGNED and rules.needs_synchronised_clock and not now.synchronised:
        return Refusal(
            Code.REFUSED_CLOCK,
            f"the clock here is not synchronised and shows {_shown(now.utc)}; start a time service, or set commands.clock",
            command.command_id,
        )
    if command.expires_utc - command.issued_utc > LONGEST_LIFE:
        fault = f"lives longer than {LONGEST_LIFE / timedelta(hours=1):g} hours; issue it anew with a nearer expires_utc"
    elif command.expires_utc <= now.utc:
        fault = f"expired at {_shown(command.expires_utc)} and the clock here shows {_shown(now.utc)}; issue it anew"
    elif command.issued_utc > now.utc + CLOCK_TOLERANCE:
        fault = f"issued at {_shown(command.issued_utc)} and the clock here shows {_shown(now.utc)}; set the clocks"
    else:
        return None
    return Refusal(Code.REFUSED_EXPIRED, fault, command.command_id)


def may_answer_to(response_topic: str, rules: Rules) -> bool:
    """Below the prefix; among the devices' own topics only below this station's `response`.

    Else a command could make the device forge a result, or command another device.
    """
    if not response_topic.startswith(f"{rules.prefix}/") or len(response_topic.encode()) > _MOST_TOPIC_BYTES:
        return False
    if any(sign in response_topic for sign in "+#\0"):
        return False
    own = topic(rules.prefix, rules.station, "response")
    return not response_topic.startswith(f"{rules.prefix}/v1/") or f"{response_topic}/".startswith(f"{own}/")


def correlation_to_echo(request: Request) -> bytes | None:
    """The sender's mark, if it is of a size that is carried back."""
    mark = request.correlation
    return mark if mark is not None and len(mark) <= _MOST_CORRELATION_BYTES else None


def _envelope_fault(request: Request, rules: Rules) -> Refusal | None:
    if len(request.payload) > rules.max_bytes:
        return Refusal(Code.REFUSED_SIZE, f"has {len(request.payload)} bytes; at most {rules.max_bytes} are read")
    if request.correlation is not None and correlation_to_echo(request) is None:
        return Refusal(Code.REFUSED_SIZE, f"has correlation data of more than {_MOST_CORRELATION_BYTES} bytes")
    if request.retained:
        return Refusal(Code.REFUSED_RETAINED, "the message is retained; publish commands without retain, and clear this one")
    if request.response_topic is not None and not may_answer_to(request.response_topic, rules):
        own = topic(rules.prefix, rules.station, "response")
        return Refusal(
            Code.REFUSED_RESPONSE_TOPIC,
            f"answers go below {rules.prefix}/, and below {rules.prefix}/v1/ only to {own} or below it",
        )
    return None


def _command_fault(command: Command, form: bytes, rules: Rules) -> Refusal | None:
    name = command.command
    if name not in rules.allow:
        return Refusal(Code.REFUSED_NOT_ALLOWED, f"{name} is not in commands.allow of the station file", command.command_id)
    if command.station != rules.station:
        return Refusal(
            Code.REFUSED_STATION, f"is not for this station, {topic(rules.prefix, rules.station, '')}", command.command_id
        )
    if command.signature is None:
        missing = f"{name} must be signed; use `goodpart sign`" if name in MUST_BE_SIGNED else None
        return Refusal(Code.REFUSED_SIGNATURE, missing, command.command_id) if missing else None
    if rules.signed is None or not rules.signed(form, base64.b64decode(command.signature)):
        return Refusal(
            Code.REFUSED_SIGNATURE, "the signature is not by the owner of commands.public_key_file", command.command_id
        )
    return None


_ID: TypeAdapter[str] = TypeAdapter(CommandId)


def _readable_id(document: dict[str, Json]) -> str | None:
    try:
        return _ID.validate_python(document.get("command_id"), strict=True)
    except ValidationError:
        return None


def _in_words(err: ValidationError) -> str:
    """The first fault; the sender's own words come back in ASCII and cut short, for journals and terminals."""
    first = err.errors(include_url=False, include_input=False)[0]
    words = f"{'.'.join(str(part) for part in first['loc']) or 'the command'}: {first['msg']}"
    return ascii(words)[1:-1][:_MOST_WORDS]


def _shown(utc: datetime) -> str:
    return utc.isoformat(timespec="seconds")
