"""All that is known of a line, put together into one message."""

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from edge.capture.sources import LiveSource
from edge.health.board import Kind, Tally
from edge.health.message import (
    AgreementCount,
    BrokerHealth,
    Count,
    DeliveryHealth,
    Health,
    Latency,
    LossCount,
    MachineHealth,
    ShadowHealth,
    SourceHealth,
)
from edge.health.window import Quantiles
from edge.host.clock import utc_now
from edge.host.machine import look_at_machine
from edge.loop import Line
from edge.report.books import Account, Accountable, Linked
from edge.shadow.counts import Agreement
from edge.shadow.shadow import Shadow, Standing

log = logging.getLogger(__name__)


class Checkup:
    """Examines a line whenever somebody asks; the line does not notice.

    kind: the source's, as in the station file. folder: where results wait. interval_s: how often health is told. shadow:
    who judges alongside.
    """

    def __init__(self, line: Line, kind: str, folder: Path, interval_s: float, shadow: Shadow | None = None) -> None:
        self._line, self._kind, self._folder, self._interval_s = line, kind, folder, interval_s
        self._shadow = shadow
        self._one_at_a_time = threading.Lock()
        self._reconciled = True

    def health(self) -> Health:
        """The message as of now. That the books do not add up is logged once, and so is that they do again."""
        with self._one_at_a_time:
            health = self._examine()
            self._say(health)
        return health

    def states(self) -> tuple[object, ...]:
        """What may be lost or ill and come back: equal as long as nothing has."""
        line = self._line
        feed = line.source.feed() if isinstance(line.source, LiveSource) else None
        return feed and (feed.since_s, feed.fault and feed.fault.reason), *(
            sink.link() for sink in line.sinks if isinstance(sink, Linked)
        )

    def _examine(self) -> Health:
        line, recipe = self._line, self._line.controls.recipe
        (accounts, tally), in_hand = line.board.at_rest(self._read_books)
        delivery = tuple(_delivery(account, tally, in_hand) for account in accounts)
        now_s = time.monotonic()
        machine = look_at_machine(self._folder)
        return Health(
            boot_id=line.boot.id,
            station=line.station,
            recipe_name=recipe.manifest.name,
            recipe_id=recipe.id,
            taught=len(recipe.taught),
            sent_utc=utc_now(),
            interval_s=self._interval_s,
            uptime_s=round(now_s - line.board.began_s, 3),
            inspected=sum(tally.parts.values()),
            sampled=sum(tally.samples.values()),
            in_hand=in_hand,
            reconciles=all(books.reconciles for books in delivery),
            parts=_counts(tally.parts),
            samples=_counts(tally.samples),
            delivery=delivery,
            inspect_ms=_latency(line.board.inspect_s.quantiles()),
            capture_to_decision_ms=_latency(line.board.capture_s.quantiles()),
            source=self._source(now_s),
            broker=self._broker(now_s),
            shadow=_shadow(self._shadow.standing) if self._shadow else None,
            machine=MachineHealth(
                rss_bytes=machine.rss_bytes,
                temperature_c=machine.temperature_c,
                disk_free_bytes=machine.disk_free_bytes,
                clock_synced=machine.clock_synced,
            ),
        )

    def _read_books(self) -> tuple[list[Account], Tally]:
        return [sink.counts() for sink in self._line.sinks if isinstance(sink, Accountable)], self._line.board.tally()

    def _source(self, now_s: float) -> SourceHealth | None:
        if not isinstance(self._line.source, LiveSource):
            return None
        feed = self._line.source.feed()
        return SourceHealth(
            kind=self._kind,
            up=feed.up,
            for_s=_since(feed.since_s, now_s),
            losses=feed.losses,
            frames=feed.frames,
            dropped=feed.dropped,
            newest_age_s=None if feed.newest_s is None else _since(feed.newest_s, now_s),
            reopenings=feed.reopenings,
            refused=feed.refused,
            fault=feed.fault.reason if feed.fault else None,
            fault_detail=feed.fault.detail if feed.fault else None,
            freeze_told=feed.freeze_told,
        )

    def _broker(self, now_s: float) -> BrokerHealth | None:
        for sink in self._line.sinks:
            if isinstance(sink, Linked):
                link = sink.link()
                for_s = _since(link.since_s, now_s)
                return BrokerHealth(connected=link.connected, for_s=for_s, reconnects=max(link.connects - 1, 0))
        return None

    def _say(self, health: Health) -> None:
        if health.reconciles == self._reconciled:
            return
        self._reconciled = health.reconciles
        if health.reconciles:
            log.warning("the books of all results add up again")
            return
        results = health.inspected + health.sampled
        for books in health.delivery:
            if not books.reconciles:
                log.error(
                    "the books of %s do not add up: %d results and %d carried over, but %d delivered, %d waiting, %d lost",
                    books.to,
                    results,
                    books.carried,
                    books.delivered,
                    books.waiting,
                    books.lost,
                )


def _delivery(account: Account, tally: Tally, in_hand: int) -> DeliveryHealth:
    return DeliveryHealth(
        to=account.to,
        delivered=account.delivered,
        waiting=account.waiting,
        lost=account.lost,
        losses=tuple(LossCount(cause=cause, count=count) for cause, count in sorted(account.losses.items())),
        carried=account.carried,
        oldest_waiting_s=account.oldest_waiting_s,
        reconciles=abs(account.put - tally.results) <= in_hand,
    )


def _counts(counts: Mapping[Kind, int]) -> tuple[Count, ...]:
    return tuple(Count(verdict=verdict, reason=reason, count=count) for (verdict, reason), count in sorted(counts.items()))


def _shadow(standing: Standing) -> ShadowHealth:
    return ShadowHealth(
        recipe_name=standing.recipe_name,
        recipe_id=standing.recipe_id,
        state=standing.state.value,
        counts=tuple(AgreementCount(agreement=kind, count=standing.counts.get(kind, 0)) for kind in Agreement),
        skipped=standing.skipped,
        inspect_ms=_latency(standing.inspect_s),
    )


def _latency(found: Quantiles | None) -> Latency | None:
    if found is None:
        return None
    p50, p95, p99, highest, total = (
        round(seconds * 1000, 3) for seconds in (found.p50, found.p95, found.p99, found.highest, found.total)
    )
    return Latency(p50=p50, p95=p95, p99=p99, max=highest, count=found.count, sum=total)


def _since(then_s: float, now_s: float) -> float:
    # What was read after `now_s` may be newer by a hair.
    return round(max(0.0, now_s - then_s), 3)
