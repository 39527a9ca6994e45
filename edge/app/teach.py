"""Who teaches accepted parts, as a station file allows it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.command.controls import Controls
from edge.config import StationConfig
from edge.errors import BadLedger
from edge.events import EventCode, Events
from edge.evidence.config import EvidenceConfig
from edge.recipe.recipe import Recipe
from edge.shift.card import open_shift_card
from edge.teach.config import TeachConfig
from edge.teach.guard import Guard, Rabbits
from edge.teach.ledger import Ledger
from edge.teach.rejects import Rejects
from edge.teach.teacher import Teacher
from edge.types import Decision


def make_rejects(
    config: StationConfig, teach: TeachConfig, evidence: EvidenceConfig, *, unknown_too: bool = False
) -> Rejects:
    """Who remembers what may be taught. unknown_too: also pictures of which nobody has the result."""
    file = Path(config.results.path) if config.results and config.results.path != "-" else None
    return Rejects(_rabbits(teach, evidence), file, Path(evidence.folder) if unknown_too else None)


@dataclass(frozen=True, slots=True)
class Teaching:
    """rejects: who remembers what may be taught, and hears of every result; teacher: None where the ledger is damaged."""

    rejects: Rejects
    teacher: Teacher | None


def open_teaching(config: StationConfig, controls: Controls, events: Events, stack: ExitStack) -> Teaching | None:
    """What was taught is in force from now on, and parts can be taught as long as `stack` is open; None: nobody wants it.

    Raises:
        BadConfig: the ledger, the defects or the samples cannot be used, or another process has the ledger.
    """
    if config.teach is None or config.evidence is None:
        return None
    rejects = make_rejects(config, config.teach, config.evidence)
    try:
        teacher = open_teacher(config, config.teach, config.evidence, controls, rejects, events)
    except BadLedger as err:
        # The line goes on without what it was taught.
        events.say(EventCode.TEACHING_LOST, f"nothing that was taught is in force, and nothing can be taught: {err}")
        return Teaching(rejects, None)
    stack.callback(teacher.close)
    return Teaching(rejects, teacher)


def open_teacher(
    config: StationConfig,
    teach: TeachConfig,
    evidence: EvidenceConfig,
    controls: Controls,
    rejects: Rejects,
    events: Events,
) -> Teacher:
    """Who teaches; from now on what was taught is in force.

    Raises:
        BadConfig: the ledger, the defects or the samples cannot be used, or another process has the ledger.
        BadLedger: it is damaged or was altered.
    """
    samples = _red_rabbits(config, controls.recipe)
    guard = Guard(_rabbits(teach, evidence), samples, Path(teach.defects) if teach.defects else None)
    ledger = Ledger(Path(str(teach.file)))
    if ledger.torn:
        events.say(
            EventCode.TEACHING_LOST, f"an entry of {teach.file} was torn and is not in force; it is kept in {ledger.torn}"
        )
    return Teacher(controls, ledger, teach, rejects, Path(evidence.folder), guard, events)


def _rabbits(teach: TeachConfig, evidence: EvidenceConfig) -> Rabbits:
    return Rabbits(Path(f"{teach.file}.rabbits"), Path(evidence.folder))


def _red_rabbits(config: StationConfig, recipe: Recipe) -> Sequence[str]:
    if config.shift_check is None:
        return ()
    card = open_shift_card(Path(config.shift_check.samples), recipe.manifest.name, recipe.id)
    return [sample.name for sample in card.samples if sample.expected is Decision.NOK]
