"""Everything a station file names, tried before the shift starts; one finding each."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.app.bridges import make_birth_counter, make_discovery
from edge.app.commands import make_verifier
from edge.app.delivery import make_broker
from edge.app.page import try_page
from edge.app.sources import free_running, make_source
from edge.capture.config import SourceConfig, WatchConfig
from edge.capture.fitness import look_at, unfit
from edge.capture.triggered import Triggers
from edge.command.config import CommandsConfig
from edge.command.memory import read_ledger
from edge.command.models import MUST_BE_SIGNED
from edge.config import StationConfig, load_config
from edge.errors import BadConfig, CameraLost, GoodpartError
from edge.evidence.config import EvidenceConfig
from edge.evidence.ring import make_usable
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.broker import Broker
from edge.report.config import MqttConfig, OutboxConfig, SparkplugConfig
from edge.report.jsonl import JsonLines
from edge.report.outbox.trial import try_outbox
from edge.report.visit import visiting
from edge.report.wire import StationName
from edge.shift.card import open_shift_card
from edge.types import Decision, Frame, Unfit


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
        recipe = open_recipe(Path(config.recipe), config.threads)
        return _try_golden(recipe)

    findings = [Finding("config", ok=True, detail=str(path)), _try("recipe", try_recipe)]
    if shift := config.shift_check:
        findings.append(_try("samples", lambda: _try_samples(Path(shift.samples), recipe)))
    findings.append(_try("source", lambda: _try_source(config.source, recipe)))
    if config.mqtt:
        findings += _find_at_the_broker(config, config.mqtt)
    if results := config.results:
        findings.append(_try("results", lambda: _try_results(Path(results.path))))
    if evidence := config.evidence:
        findings.append(_try("evidence", lambda: _try_evidence(evidence)))
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
    for name, folder in config.recipes.items():
        findings.append(_try("recipes", partial(_try_other_recipe, name, Path(folder), config.threads)))
    return findings


def _try(what: str, action: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=action())
    except GoodpartError as err:
        return Finding(what, ok=False, detail=str(err))


def _try_golden(recipe: Recipe) -> str:
    recipe.reproduce_golden()
    card = recipe.manifest
    return f"{card.name} {recipe.id[:12]}, {card.bank.vectors} vectors, {len(card.golden)} golden pictures reproduced"


def _try_other_recipe(name: str, folder: Path, threads: int) -> str:
    return f"{name}: {_try_golden(open_recipe(folder, threads))}"


def _try_samples(path: Path, recipe: Recipe | None) -> str:
    if recipe is None:
        raise BadConfig(f"shift_check.samples: {path} cannot be compared with a recipe that does not open; mend that first.")
    card = open_shift_card(path, recipe.manifest.name, recipe.id)
    golden = sum(sample.expected is Decision.OK for sample in card.samples)
    return f"golden samples {golden}, red rabbits {len(card.samples) - golden}, sealed {card.made_utc:%Y-%m-%d}"


def _try_source(config: SourceConfig, recipe: Recipe | None) -> str:
    stop = threading.Event()
    source = make_source(free_running(config), stop, Triggers())
    if isinstance(config, WatchConfig):
        return f"{config.path} can be watched"
    shot = next(iter(source), None)
    stop.set()
    if shot is None:
        raise BadConfig("source: gives no picture.")
    if isinstance(shot, Unfit):
        raise CameraLost(f"source: {shot.detail}")
    assert isinstance(shot, Frame)  # noqa: S101 - a shot is one or the other
    if recipe and (fault := unfit(look_at(shot.pixels), recipe.manifest.fitness)):
        raise BadConfig(f"source: {fault[1]}; use a recipe built from this camera's pictures.")
    return f"first picture {shot.pixels.shape[1]}×{shot.pixels.shape[0]}"


def _try_broker(broker: Broker) -> str:
    with visiting(broker, "check"):
        warning = "; the password goes there unencrypted, add mqtt.tls" if broker.shows_password else ""
        tls = ", TLS" if broker.tls else ""
        return f"{broker.host}:{broker.port} accepts the connection, MQTT {broker.protocol}{tls}{warning}"


def _try_commands(config: CommandsConfig, station: StationName) -> str:
    make_verifier(config)
    if config.memory_file:
        # Only looked at: a running device may be writing it.
        read_ledger(Path(config.memory_file), station)
    return "allowed: " + ", ".join(f"{name} (signed)" if name in MUST_BE_SIGNED else name for name in config.allow)


def _try_sparkplug(config: SparkplugConfig) -> str:
    make_birth_counter(config)
    host = f", born when {config.primary_host} is online" if config.primary_host else ""
    return f"spBv1.0/{config.group}/+/{config.edge_node}/{config.device}{host}, births counted in {config.bdseq_file}"


def _try_results(path: Path) -> str:
    JsonLines(path).close()
    return f"{path} can be written"


def _try_evidence(config: EvidenceConfig) -> str:
    folder = Path(config.folder)
    make_usable(folder)
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    return f"{folder} can be written, {free_mb} MB are free, at most {config.quota_mb} MB are kept"
