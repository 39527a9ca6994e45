"""The health of a line as Prometheus metrics, read anew at every scrape."""

from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.health.checkup import Checkup
from edge.health.message import Health, Latency
from edge.report.wire import to_wire
from edge.types import Reason

HEALTH_PATH = "/health"

_MS = 1e-3

_FAULTS = (Reason.CAMERA_LOST, Reason.FROZEN, Reason.WRONG_SETTINGS)
"""Of a source; each is there also while it is 0, so that an alarm can be written before it is needed."""


class HealthCollector(Collector):
    """Base units, and names by the conventions of Prometheus ("Metric and label naming" in its documentation)."""

    def __init__(self, checkup: Checkup) -> None:
        self._checkup = checkup

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before the first scrape: registering must not examine the line."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics of one moment."""
        health = self._checkup.health()
        yield _info(health)
        yield _gauge("uptime_seconds", "Since the start of this boot.", health.uptime_s)
        yield _results("parts", "Parts of production by verdict and reason.", health)
        yield _results("samples", "Master parts of the shift check by verdict and reason.", health)
        yield from _delivery(health)
        yield from _latency("inspect", "Judging one picture", health.inspect_ms)
        yield from _latency("capture_to_decision", "From a picture's arrival to its verdict", health.capture_to_decision_ms)
        yield from _source(health)
        yield from _broker(health)
        yield from _machine(health)


def application(checkup: Checkup) -> WSGIApplication:
    """Metrics at every path but `/health`, where the health message is; with them the process's own."""
    registry = CollectorRegistry()
    registry.register(HealthCollector(checkup))
    ProcessCollector(registry=registry)
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != HEALTH_PATH:
            return metrics(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [to_wire(checkup.health())]

    return answer


def _info(health: Health) -> Metric:
    labels = health.station.model_dump() | {
        "recipe_name": health.recipe_name,
        "recipe_id": health.recipe_id,
        "boot_id": health.boot_id,
    }
    return InfoMetricFamily("goodpart", "Which station, which recipe, which start.", labels)


def _results(name: str, words: str, health: Health) -> Metric:
    family = CounterMetricFamily(f"goodpart_{name}", words, labels=("verdict", "reason"))
    for count in health.parts if name == "parts" else health.samples:
        family.add_metric((count.verdict, count.reason), count.count)
    return family


def _delivery(health: Health) -> Iterator[Metric]:
    delivered = CounterMetricFamily("goodpart_delivery_delivered", "Results that arrived.", labels=("to",))
    waiting = GaugeMetricFamily("goodpart_delivery_waiting", "Results that wait.", labels=("to",))
    lost = CounterMetricFamily("goodpart_delivery_lost", "Results lost for good, by cause.", labels=("to", "cause"))
    carried = GaugeMetricFamily("goodpart_delivery_carried", "Results that earlier boots left.", labels=("to",))
    oldest = GaugeMetricFamily("goodpart_delivery_oldest_waiting_seconds", "Age of the oldest that waits.", labels=("to",))
    for books in health.delivery:
        delivered.add_metric((books.to,), books.delivered)
        waiting.add_metric((books.to,), books.waiting)
        carried.add_metric((books.to,), books.carried)
        for loss in books.losses:
            lost.add_metric((books.to, loss.cause), loss.count)
        if books.oldest_waiting_s is not None:
            oldest.add_metric((books.to,), books.oldest_waiting_s)
    yield from (delivered, waiting, lost, carried, oldest)
    yield _gauge("reconciles", "1: results + carried = delivered + waiting + lost, everywhere.", health.reconciles)


def _latency(name: str, words: str, latency: Latency | None) -> Iterator[Metric]:
    # SummaryMetricFamily of prometheus-client has no quantiles.
    summary = Metric(f"goodpart_{name}_seconds", f"{words}; quantiles of the last 10,000.", "summary")
    if latency is None:
        yield summary
        return
    for quantile, value in (("0.5", latency.p50), ("0.95", latency.p95), ("0.99", latency.p99)):
        summary.add_sample(summary.name, {"quantile": quantile}, value * _MS)
    summary.add_sample(f"{summary.name}_count", {}, latency.count)
    summary.add_sample(f"{summary.name}_sum", {}, latency.sum * _MS)
    yield summary
    yield _gauge(f"{name}_max_seconds", f"{words}; the longest of the last 10,000.", latency.max * _MS)


def _source(health: Health) -> Iterator[Metric]:
    if (source := health.source) is None:
        return
    yield _gauge("source_up", "1: pictures come; 0: camera or folder lost.", source.up)
    yield _gauge("source_state_seconds", "For how long it has been as it is.", source.for_s)
    yield _counter("source_losses", "How often it was lost.", source.losses)
    yield _counter("source_frames", "Pictures that came.", source.frames)
    yield _counter("source_dropped", "Pictures that a newer one replaced before the line asked.", source.dropped)
    yield _counter("source_reopenings", "How often the camera was opened again.", source.reopenings)
    yield _counter("source_triggers_refused", "Triggers that came while another one waited.", source.refused)
    yield _fault(source.fault)
    if source.freeze_told is not None:
        words = "1: a picture that froze would be found; 0: not before the camera has shown noise."
        yield _gauge("source_freeze_told", words, source.freeze_told)
    if source.newest_age_s is not None:
        yield _gauge("source_newest_age_seconds", "Age of the newest picture.", source.newest_age_s)


def _fault(present: Reason | None) -> Metric:
    family = GaugeMetricFamily("goodpart_source_fault", "1: why no part is judged now.", labels=("reason",))
    for reason in _FAULTS:
        family.add_metric((reason,), reason is present)
    return family


def _broker(health: Health) -> Iterator[Metric]:
    if (broker := health.broker) is None:
        return
    yield _gauge("broker_connected", "1: connected to the MQTT broker.", broker.connected)
    yield _gauge("broker_state_seconds", "For how long it has been as it is.", broker.for_s)
    yield _counter("broker_reconnects", "Connections after the first.", broker.reconnects)


def _machine(health: Health) -> Iterator[Metric]:
    machine = health.machine
    if machine.temperature_c is not None:
        yield _gauge("temperature_celsius", "The hottest thermal zone.", machine.temperature_c)
    if machine.disk_free_bytes is not None:
        yield _gauge("disk_free_bytes", "Room on the disk where results wait.", machine.disk_free_bytes)
    if machine.clock_synced is not None:
        yield _gauge("clock_synced", "1: a time server steers the clock.", machine.clock_synced)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"goodpart_{name}", words, value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(f"goodpart_{name}", words, value)
