"""A station's health in words, for a terminal."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from edge.health.ask import Heard
from edge.health.message import (
    BrokerHealth,
    Count,
    DeliveryHealth,
    Health,
    Latency,
    MachineHealth,
    ShadowHealth,
    SourceHealth,
)
from edge.report.wire import StationName
from edge.shadow.counts import in_words as in_words_of

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_MIB, _GIB = 2**20, 2**30


def as_json(heard: Heard, troubles: Sequence[str]) -> str:
    """One JSON object."""
    return json.dumps(
        {
            "healthy": not troubles,
            "troubles": list(troubles),
            "state": heard.state,
            "asked": heard.asked,
            "health": heard.health.model_dump(mode="json") if heard.health else None,
        }
    )


def in_words(station: StationName, heard: Heard, troubles: Sequence[str], now_utc: datetime) -> str:
    """A line for each thing that is known, what is wrong first."""
    name = f"{station.site}/{station.area}/{station.line}/{station.station}"
    lines = [f"{name}: {'NOT HEALTHY' if troubles else 'healthy'}  (asked {heard.asked})"]
    lines += [f"  ! {trouble}" for trouble in troubles]
    if heard.health:
        lines += [f"  {what:<11}{words}" for what, words in facts(heard.health, now_utc)]
    return "\n".join(lines)


def facts(health: Health, now_utc: datetime) -> Iterable[tuple[str, str]]:
    """What is known: its name, and a line of words."""
    age_s = max(0.0, (now_utc - health.sent_utc).total_seconds())
    yield "told", f"{_for(age_s)} ago, {_for(health.uptime_s)} after its start"
    taught = f", {health.taught} parts taught" if health.taught else ""
    yield "recipe", f"{health.recipe_name} {health.recipe_id[:12]}{taught}"
    yield "parts", _results(health.inspected, health.parts)
    if health.sampled:
        yield "samples", _results(health.sampled, health.samples)
    for books in health.delivery:
        yield books.to, _books(books)
    if health.inspect_ms:
        yield "inspect", _latency(health.inspect_ms)
    if health.capture_to_decision_ms:
        yield "decision", f"{_latency(health.capture_to_decision_ms)}, from the picture's arrival"
    if health.shadow:
        yield "shadow", _shadow(health.shadow)
    if health.source:
        yield health.source.kind, _source(health.source)
    if health.broker:
        yield "broker", _broker(health.broker)
    yield "device", _machine(health.machine)


def _results(total: int, counts: Sequence[Count]) -> str:
    verdicts: Counter[str] = Counter()
    for count in counts:
        verdicts[count.verdict] += count.count
    words = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items())
    why = ", ".join(f"{c.count:,} {c.reason}" for c in counts if c.verdict == "NOT_DECIDABLE")
    return f"{total:,}" + (f": {words}" if words else "") + (f" ({why})" if why else "")


def _books(books: DeliveryHealth) -> str:
    words = f"{books.delivered:,} delivered, {books.waiting:,} waiting, {books.lost:,} lost"
    if books.oldest_waiting_s is not None:
        words += f"; the oldest waits for {_for(books.oldest_waiting_s)}"
    if why := ", ".join(f"{loss.count:,} {loss.cause}" for loss in books.losses if loss.count):
        words += f" ({why})"
    return words + (f"; {books.carried:,} from before this start" if books.carried else "")


def _latency(latency: Latency) -> str:
    return f"half within {latency.p50:.1f} ms, 95 % {latency.p95:.1f}, 99 % {latency.p99:.1f}, longest {latency.max:.1f}"


def _shadow(shadow: ShadowHealth) -> str:
    counts = {count.agreement: count.count for count in shadow.counts}
    return f"{shadow.recipe_name} {shadow.state.lower()}: {in_words_of(counts)}, {shadow.skipped:,} skipped"


def _source(source: SourceHealth) -> str:
    words = f"{'up' if source.up else 'lost'} for {_for(source.for_s)}, {source.frames:,} pictures"
    if source.newest_age_s is not None:
        words += f", the newest {_for(source.newest_age_s)} old"
    words += f"; lost {source.losses} times" if source.losses else ""
    return words + ("; a frozen picture cannot be told yet" if source.freeze_told is False else "")


def _broker(broker: BrokerHealth) -> str:
    words = f"{'connected' if broker.connected else 'away'} for {_for(broker.for_s)}"
    return words + (f", reconnected {broker.reconnects} times" if broker.reconnects else "")


def _machine(machine: MachineHealth) -> str:
    known = [
        f"{machine.rss_bytes / _MIB:.0f} MiB of memory" if machine.rss_bytes is not None else "",
        f"{machine.temperature_c:.0f} °C" if machine.temperature_c is not None else "",
        f"{machine.disk_free_bytes / _GIB:.1f} GiB free" if machine.disk_free_bytes is not None else "",
        {True: "clock in step", False: "clock not in step with a time server", None: ""}[machine.clock_synced],
    ]
    return ", ".join(words for words in known if words) or "nothing known"


def _for(seconds: float) -> str:
    whole = round(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"
