"""Commands and their answers as they stand on the wire: one JSON object a message."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, model_validator

from edge.command.slots_state import SlotsState
from edge.inspect.card import SHA256_PATTERN
from edge.recipe.manifest import Name
from edge.report.wire import Message, StationName
from edge.strict import Time

COMMAND_FORMAT: Literal["goodpart.command/1"] = "goodpart.command/1"

CommandId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""Chosen by the sender, another one for each command; a UUID serves."""

PlantId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=256)]
"""What the plant calls a part or a job: printable characters."""

Signature = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{86}==$")]
"""The 64 bytes of an Ed25519 signature in Base64 (see `edge.command.signing` for what is signed)."""

CommandName = Literal[
    "trigger",
    "set_job",
    "pause",
    "resume",
    "activate_recipe",
    "rollback_recipe",
    "set_threshold",
    "teach",
    "unteach",
    "status",
    "ping",
]

MUST_BE_SIGNED: frozenset[CommandName] = frozenset(
    {"pause", "activate_recipe", "rollback_recipe", "set_threshold", "teach", "unteach"}
)
"""What takes inspection away or changes what it lets through, and so may let bad parts pass.

A job is the plant's to name; which recipes it chooses among stands in the station file.
"""

CHANGES_NOTHING: frozenset[CommandName] = frozenset({"ping", "status"})
"""What may be done as often as it comes."""


class _Command(Message):
    """What every command says: its number, whom it is for, and from when until when it is meant."""

    format: Literal["goodpart.command/1"]
    command_id: CommandId
    """Chosen by the sender, another one for each command; a UUID serves."""

    station: StationName
    issued_utc: Time
    """From when it is meant: RFC 3339 with its zone."""

    expires_utc: Time
    """Until when it is meant."""

    signature: Signature | None = None
    """Ed25519, in Base64; null where none is needed."""


class Trigger(_Command):
    """Judge the part that lies there now."""

    command: Literal["trigger"]
    """Which command."""

    part_id: PlantId
    """What the plant calls the part."""

    job_id: PlantId
    """The order it belongs to."""

    part_type: PlantId | None = None
    """What kind of part it is; null: the job says it."""


class SetJob(_Command):
    """Parts that are taken from now on belong to another job, where they come without a trigger of their own."""

    command: Literal["set_job"]
    """Which command."""

    job_id: PlantId
    """The order they belong to."""

    part_type: PlantId | None = None
    """What kind of parts they are; null: the job says it."""


class Pause(_Command):
    """Judge no parts until `resume`."""

    command: Literal["pause"]
    """Which command."""


class Resume(_Command):
    """Judge parts again."""

    command: Literal["resume"]
    """Which command."""


class ActivateRecipe(_Command):
    """Judge with another recipe; with a `recipe_store` it goes on trial there."""

    command: Literal["activate_recipe"]
    """Which command."""

    recipe: Name
    """A name that the station file gives under `recipes`; else the name of a recipe in its `recipe_store`, or its id's first
    digits."""


class RollbackRecipe(_Command):
    """Judge without the recipe that is on trial; where none is, with the one that was good before."""

    command: Literal["rollback_recipe"]
    """Which command."""


class SetThreshold(_Command):
    """Reject above another score until the process ends or a recipe is activated."""

    command: Literal["set_threshold"]
    """Which command."""

    recipe_id: str = Field(pattern=SHA256_PATTERN)
    """The recipe it is meant for."""

    threshold: float
    """Scores above it become NOK."""

    min: float
    """The lowest threshold that the sender believes in, which must be the station's."""

    max: float
    """The highest."""

    @model_validator(mode="after")
    def _within_its_own_limits(self) -> "SetThreshold":
        if not self.min <= self.threshold <= self.max:
            raise ValueError("threshold: is not between min and max")
        return self


class Teach(_Command):
    """Count a rejected part that a person accepts as good from now on, through restarts, until `unteach`."""

    command: Literal["teach"]
    """Which command."""

    result_id: PlantId
    """Of its result, or the path of its picture as `evidence` of the result names it."""

    who: PlantId
    """Who accepts the part."""

    reason: PlantId
    """Why."""


class Unteach(_Command):
    """Take a part back that was taught."""

    command: Literal["unteach"]
    """Which command."""

    result_id: PlantId | None = None
    """As in `teach`; null: the last one that was taught."""

    who: PlantId
    """Who takes it back."""

    reason: PlantId
    """Why."""


class Status(_Command):
    """Say what the line does."""

    command: Literal["status"]
    """Which command."""


class Ping(_Command):
    """Say that you hear."""

    command: Literal["ping"]
    """Which command."""


Command = Annotated[
    Trigger | SetJob | Pause | Resume | ActivateRecipe | RollbackRecipe | SetThreshold | Teach | Unteach | Status | Ping,
    Field(discriminator="command"),
]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class Code(StrEnum):
    """How a command ended."""

    OK = "OK"
    DONE_BEFORE = "DONE_BEFORE"  # this command_id has been done; it was not done again
    BUSY = "BUSY"  # this command_id is being done, or another stands in the way for a moment
    FAILED = "FAILED"  # tried, and nothing has changed
    REFUSED_SIZE = "REFUSED_SIZE"  # larger than commands.max_bytes
    REFUSED_RATE = "REFUSED_RATE"  # more than commands.max_per_minute; the next ones are not answered until there is room
    REFUSED_RETAINED = "REFUSED_RETAINED"  # a retained message is a statement, not a wish
    REFUSED_RESPONSE_TOPIC = "REFUSED_RESPONSE_TOPIC"
    REFUSED_SCHEMA = "REFUSED_SCHEMA"  # not one JSON object of this format
    REFUSED_NOT_ALLOWED = "REFUSED_NOT_ALLOWED"  # not in commands.allow
    REFUSED_STATION = "REFUSED_STATION"  # meant for another station
    REFUSED_SIGNATURE = "REFUSED_SIGNATURE"  # missing, or not by the owner of commands.public_key_file
    REFUSED_REUSED_ID = "REFUSED_REUSED_ID"  # another command has this command_id
    REFUSED_EXPIRED = "REFUSED_EXPIRED"  # not meant for now
    REFUSED_CLOCK = "REFUSED_CLOCK"  # this clock cannot tell whether it is meant for now
    REFUSED_LIMITS = "REFUSED_LIMITS"  # a threshold outside commands.threshold, or for another recipe
    REFUSED_STATE = "REFUSED_STATE"  # not as the line is now


class LineState(Message):
    """What the line does."""

    state: Literal["RUNNING", "PAUSED"]
    recipe_name: str
    """As the line engineer called it."""

    recipe_id: str
    """Of the recipe's manifest."""

    threshold: float
    """Scores above it are NOK."""

    threshold_command_id: str | None
    """The command that set the threshold; null: it is the recipe's own."""

    promise_holds: bool
    """Whether the recipe's promise does: not with another threshold, and one about escapes not beside taught parts."""

    taught: int = 0
    """How many rejected parts count as good because people accepted them."""

    activating: str | None
    """The recipe that is being opened."""

    recipes: tuple[str, ...]
    """Names that `activate_recipe` may use; those in the store not among them."""

    slots: SlotsState | None = None
    """Null without a `recipe_store`."""

    job_id: str | None = None
    """Of the last `set_job`; null where there was none."""

    allowed: tuple[CommandName, ...]
    """Commands that are heard."""

    clock_synchronised: bool
    """Whether a time server disciplines the clock."""


class Response(Message):
    """The answer to one command."""

    format: Literal["goodpart.response/1"] = "goodpart.response/1"
    command_id: str | None
    """Of the command; null where the message had none that could be read."""

    station: StationName
    boot_id: str
    """As in the results."""

    answered_utc: AwareDatetime
    """RFC 3339, UTC, by the clock of the device."""

    ok: bool
    """Whether it is as the command wanted."""

    code: Code
    detail: str
    line: LineState | None = None
    """What the line does, for `status`."""
