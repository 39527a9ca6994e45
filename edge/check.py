"""Everything a station file names, tried before the shift starts; one finding each."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.app.bridges import make_birth_counter, make_discovery
from edge.app.delivery import make_broker
from edge.app.keys import make_key_verifier
from edge.app.page import try_page
from edge.app.recipes import make_opener, recipe_in_use
from edge.app.sources import free_running, make_source, noise_of
from edge.app.triggers import taking_triggers
from edge.capture.config import LiveConfig, SourceConfig, WatchConfig
from edge.capture.fitness import look_at, unfit
from edge.capture.motion_watch import make_motion
from edge.capture.presence import UNTOLD
from edge.capture.sources import LiveSource
from edge.capture.trigger_config import MotionConfig
from edge.capture.triggers import Triggers
from edge.capture.watch import try_watched
from edge.command.config import CommandsConfig
from edge.command.memory import read_ledger
from edge.command.models import MUST_BE_SIGNED
from edge.config import StationConfig, load_config
from edge.errors import BadConfig, CameraLost, GoodpartError
from edge.events import Events
from edge.evidence.config import EvidenceConfig
from edge.health.trial import try_endpoint
from edge.host.files import hindrance
from edge.recipe.config import RecipeStoreConfig
from edge.recipe.recipe import Recipe
from edge.recipe.slot_file import read_slots
from edge.recipe.store import RecipeStore
from edge.recipe.words import in_words
from edge.report.broker import Broker
from edge.report.config import MqttConfig, OutboxConfig, SparkplugConfig
from edge.report.outbox.trial import try_outbox
from edge.report.visit import visiting
from edge.report.wire import StationName
from edge.shadow.config import ShadowConfig
from edge.shift.card import open_shift_card
from edge.teach.config import TeachConfig
from edge.teach.guard import list_defects
from edge.teach.ledger import in_force, read_account
from edge.types import Decision, Frame, Unfit

_NOISE_S, _LOOK_S = 1.0, 0.05
"""How long a camera has to show its noise, some frames of the slowest, and how often is looked whether it has."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. detail: what was found, or what is wrong and the mend."""

    what: str
    ok: bool
    detail: str


def check_station(path: Path) -> list[Finding]:
    """Try configuration, recipe, source, broker and result file; never raises what it was made to find."""
    try:
        config = load_config(path)
    except GoodpartError as err:
        return [Finding("config", ok=False, detail=str(err))]
    recipe: Recipe | None = None

    def try_recipe() -> str:
        nonlocal recipe
        opener = make_opener(config)
        recipe = opener.open(recipe_in_use(config))
        return _opened(recipe, config)

    findings = [Finding("config", ok=True, detail=str(path)), _try("recipe", try_recipe)]
    if store := config.recipe_store:
        findings.append(_try("recipe_store", lambda: _try_store(store)))
    findings += [_try("recipes", partial(_try_other_recipe, *named, config)) for named in config.recipes.items()]
    if shift := config.shift_check:
        findings.append(_try("samples", lambda: _try_samples(Path(shift.samples), recipe)))
    findings.append(_try("source", lambda: _try_source(config.source, recipe)))
    if config.mqtt:
        findings += _find_at_the_broker(config, config.mqtt)
    return findings + _find_on_this_computer(config, recipe)


def _find_on_this_computer(config: StationConfig, recipe: Recipe | None) -> list[Finding]:
    """What is kept or answered here. recipe: None where it does not open."""
    findings: list[Finding] = []
    if results := config.results:
        findings.append(_try("results", lambda: _try_results(Path(results.path))))
    if evidence := config.evidence:
        findings.append(_try("evidence", lambda: _try_evidence(evidence)))
    if prometheus := config.prometheus:
        findings.append(_try("prometheus", lambda: try_endpoint(prometheus, config.station)))
    if shadow := config.shadow:
        findings.append(_try("shadow", lambda: _try_shadow(shadow, config)))
    if teach := config.teach:
        findings.append(_try("teach", lambda: _try_teach(teach, recipe)))
    if page := config.page:
        findings.append(_try("page", lambda: try_page(page)))
    return findings


def _find_at_the_broker(config: StationConfig, mqtt: MqttConfig) -> list[Finding]:
    """The broker, and what goes there or comes from there."""
    findings = [_try("mqtt", lambda: _try_broker(make_broker(mqtt, config.station)))]
    if isinstance(outbox := mqtt.outbox, OutboxConfig):
        findings.append(_try("outbox", lambda: try_outbox(Path(str(outbox.path)), outbox.quota_mb * 2**20)))
    if sparkplug := config.sparkplug:
        findings.append(_try("sparkplug", lambda: _try_sparkplug(sparkplug)))
    if assistant := config.home_assistant:
        found = make_discovery(assistant, mqtt.prefix, config.station)
        findings.append(Finding("home_assistant", ok=True, detail=found.topic + ("" if found.payload else " is cleared")))
    if commands := config.commands:
        findings.append(_try("commands", lambda: _try_commands(commands, config.station)))
    return findings


def _try(what: str, action: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=action())
    except GoodpartError as err:
        return Finding(what, ok=False, detail=str(err))


def _opened(recipe: Recipe, config: StationConfig) -> str:
    card, key = recipe.manifest, config.recipe_public_key_file
    signed = f", signed by the owner of {Path(key).name}" if key else ""
    older = "" if card.fitness.sharpness_min is not None else "; blur and glare are not looked for, build it again for that"
    bank = f"{card.bank.vectors} vectors, {len(card.golden)} golden pictures reproduced"
    return f"{card.name} {recipe.id[:12]}, {bank}{signed}{older}"


def _try_other_recipe(name: str, folder: str, config: StationConfig) -> str:
    return f"{name}: {_opened(make_opener(config).open(Path(folder)), config)}"


def _try_store(config: RecipeStoreConfig) -> str:
    store = RecipeStore(Path(config.path))
    store.try_out()
    slots = read_slots(store.folder)
    return in_words(slots, config.trial_parts) if slots else f"{store.folder} can be written; begins with recipe:"


def _try_samples(path: Path, recipe: Recipe | None) -> str:
    if recipe is None:
        raise BadConfig(f"shift_check.samples: {path} cannot be compared with a recipe that does not open; mend that first.")
    card = open_shift_card(path, recipe.manifest.name, recipe.id)
    golden = sum(sample.expected is Decision.OK for sample in card.samples)
    return f"golden samples {golden}, red rabbits {len(card.samples) - golden}, sealed {card.made_utc:%Y-%m-%d}"


def _try_source(config: SourceConfig, recipe: Recipe | None) -> str:
    if isinstance(config, LiveConfig):
        with taking_triggers(config, Triggers(), lambda: True, Events()):
            make_motion(config.motion or MotionConfig())
    if isinstance(config, WatchConfig):
        try_watched(Path(config.path))
        return f"{config.path} can be watched"
    stop = threading.Event()
    source = make_source(free_running(config), stop, Triggers(), noise=noise_of(config, keeps=False))
    shots = iter(source)
    shot = next(shots, None)
    untold = isinstance(source, LiveSource) and isinstance(shot, Frame) and not _shows_noise(source, stop)
    stop.set()
    for _ in shots:  # a camera is given back: a thread that still reads it when the process ends would abort it
        pass
    if shot is None:
        raise BadConfig("source: gives no picture.")
    if isinstance(shot, Unfit):
        raise CameraLost(f"source: {shot.detail}")
    assert isinstance(shot, Frame)  # noqa: S101 - a shot is one or the other
    if recipe and (fault := unfit(look_at(shot.pixels), recipe.manifest.fitness)):
        raise BadConfig(f"source: {fault[1]}; use a recipe built from this camera's pictures.")
    doubt = f"; the camera {UNTOLD}" if untold else ""
    return f"first picture {shot.pixels.shape[1]}×{shot.pixels.shape[0]}{_asked_by(config)}{doubt}"


def _shows_noise(source: LiveSource, stop: threading.Event) -> bool:
    """Whether a frozen picture of this camera would be told, after a moment in which it can show its noise."""
    deadline_s = time.monotonic() + _NOISE_S
    while not (told := source.feed().freeze_told) and time.monotonic() < deadline_s:
        stop.wait(_LOOK_S)
    return told is True


def _asked_by(config: SourceConfig) -> str:
    return f", parts asked for by {config.trigger}" if isinstance(config, LiveConfig) else ""


def _try_broker(broker: Broker) -> str:
    with visiting(broker, "check"):
        warning = "; the password goes there unencrypted, add mqtt.tls" if broker.shows_password else ""
        tls = ", TLS" if broker.tls else ""
        return f"{broker.host}:{broker.port} accepts the connection, MQTT {broker.protocol}{tls}{warning}"


def _try_commands(config: CommandsConfig, station: StationName) -> str:
    make_key_verifier("commands.public_key_file", config.public_key_file)
    if config.memory_file:
        # Only looked at: a running device may be writing it.
        read_ledger(Path(config.memory_file), station)
    return "allowed: " + ", ".join(f"{name} (signed)" if name in MUST_BE_SIGNED else name for name in config.allow)


def _try_sparkplug(config: SparkplugConfig) -> str:
    make_birth_counter(config)
    host = f", born when {config.primary_host} is online" if config.primary_host else ""
    return f"spBv1.0/{config.group}/+/{config.edge_node}/{config.device}{host}, births counted in {config.bdseq_file}"


def _try_results(path: Path) -> str:
    if str(path) != "-":
        _must_be_writable("results.path", path)
    return f"{path} can be written"


def _must_be_writable(key: str, path: Path) -> None:
    """Only looked at: a running device may be writing it, and what root would make here is not the service's."""
    if why := hindrance(path):
        raise BadConfig(f"{key}: {path} cannot be written: {why}; give this user access or choose another file.")


def _try_evidence(config: EvidenceConfig) -> str:
    folder = Path(config.folder)
    if why := hindrance(folder, folder=True, parents=True):
        raise BadConfig(
            f"evidence.path: {folder} cannot be made or written: {why}; give this user access or choose another folder."
        )
    disk = next(there for there in (folder, *folder.parents) if there.exists())
    free_mb = shutil.disk_usage(disk).free // 1_000_000
    return f"{folder} can be written, {free_mb} MB are free, at most {config.quota_mb} MB are kept"


def _try_shadow(shadow: ShadowConfig, config: StationConfig) -> str:
    if shadow.results:
        _must_be_writable("shadow.results", Path(shadow.results))
    return _opened(make_opener(config).open(Path(shadow.recipe)), config)


def _try_teach(config: TeachConfig, recipe: Recipe | None) -> str:
    ledger = Path(str(config.file))
    _must_be_writable("teach.file", ledger)
    account = read_account(ledger)
    parts = len(in_force(account.entries, recipe.id)) if recipe else 0
    defects = f", {len(list_defects(Path(config.defects)))} known defects" if config.defects else ""
    return f"{config.file}: {len(account.entries)} entries, {parts} parts in force for this recipe{defects}"
