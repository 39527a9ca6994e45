"""Everything a station file names, tried before the shift starts; one finding each."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from paho.mqtt.reasoncodes import ReasonCode

from edge.app import make_birth_counter, make_broker, make_discovery, make_source
from edge.capture.fitness import look_at, unfit
from edge.config import SourceConfig, SparkplugConfig, WatchConfig, load_config
from edge.errors import BadConfig, BrokerLost, CameraLost, GoodpartError
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.broker import Broker, explain, make_client
from edge.report.jsonl import JsonLines
from edge.shift.card import open_shift_card
from edge.types import Decision, Frame, Unfit

_BROKER_TIMEOUT_S = 5.0


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
        recipe.reproduce_golden()
        card = recipe.manifest
        return f"{card.name} {recipe.id[:12]}, {card.bank.vectors} vectors, {len(card.golden)} golden pictures reproduced"

    findings = [Finding("config", ok=True, detail=str(path)), _try("recipe", try_recipe)]
    if shift := config.shift_check:
        findings.append(_try("samples", lambda: _try_samples(Path(shift.samples), recipe)))
    findings.append(_try("source", lambda: _try_source(config.source, recipe)))
    if mqtt := config.mqtt:
        findings.append(_try("mqtt", lambda: _try_broker(make_broker(mqtt, config.station))))
        if sparkplug := config.sparkplug:
            findings.append(_try("sparkplug", lambda: _try_sparkplug(sparkplug)))
        if assistant := config.home_assistant:
            found = make_discovery(assistant, mqtt.prefix, config.station)
            words = f"{found.topic}{'' if found.payload else ' is cleared'}"
            findings.append(Finding("home_assistant", ok=True, detail=words))
    if results := config.results:
        findings.append(_try("results", lambda: _try_results(Path(results.path))))
    return findings


def _try(what: str, action: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=action())
    except GoodpartError as err:
        return Finding(what, ok=False, detail=str(err))


def _try_samples(path: Path, recipe: Recipe | None) -> str:
    if recipe is None:
        raise BadConfig(f"shift_check.samples: {path} cannot be compared with a recipe that does not open; mend that first.")
    card = open_shift_card(path, recipe.manifest.name, recipe.id)
    golden = sum(sample.expected is Decision.OK for sample in card.samples)
    return f"golden samples {golden}, red rabbits {len(card.samples) - golden}, sealed {card.made_utc:%Y-%m-%d}"


def _try_source(config: SourceConfig, recipe: Recipe | None) -> str:
    stop = threading.Event()
    source = make_source(config, stop)
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
    """Connect once, under another client id so that a running device keeps its connection."""
    answered = threading.Event()
    codes: list[ReasonCode] = []
    client = make_client(replace(broker, client_id=f"{broker.client_id}-check"))
    client.connect_timeout = _BROKER_TIMEOUT_S

    def on_connect(_client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        codes.append(code)
        answered.set()

    client.on_connect = on_connect
    # What is no broker often hangs up; there is nothing more to wait for then.
    client.on_disconnect = lambda *_: answered.set()
    address = f"{broker.host}:{broker.port}"
    try:
        client.connect(broker.host, broker.port)
        client.loop_start()
        answered.wait(_BROKER_TIMEOUT_S)
    except OSError as err:
        raise BrokerLost(
            f"mqtt: {address} cannot be reached: {err.strerror or err}; correct mqtt.host and mqtt.port."
        ) from None
    finally:
        client.disconnect()
        client.loop_stop()
    if not codes:
        raise BrokerLost(f"mqtt: {address} does not answer as an MQTT broker; correct mqtt.host and mqtt.port.")
    if codes[0].is_failure:
        raise BadConfig(f"mqtt: {address} refuses the connection: {explain(codes[0])}.")
    return f"{address} accepts the connection, MQTT {broker.protocol}"


def _try_sparkplug(config: SparkplugConfig) -> str:
    make_birth_counter(config)
    host = f", born when {config.primary_host} is online" if config.primary_host else ""
    return f"spBv1.0/{config.group}/+/{config.edge_node}/{config.device}{host}, births counted in {config.bdseq_file}"


def _try_results(path: Path) -> str:
    JsonLines(path).close()
    return f"{path} can be written"
