"""A million simulated parts through the real `goodpart run`: are memory, descriptors, threads, disk and latency flat?

    python -m tests.faults.endurance --parts 1000000 --plot endurance.png

Outbox on disk, a real Mosquitto, evidence of rejected parts in a ring that is soon full, health every two seconds. Looked
at from outside (proc(5), file sizes) and by what health says. Exits with 1 when something rises, or a part is missing.

Latency is the computer's as much as ours: run it where nothing else does. The load is printed beside.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.brokers import HOST, Mosquitto, wait_until
from tests.conftest import station_file
from tests.devices import Device
from tests.faults.mes import Mes
from tests.faults.simulated import make_recipe, make_video
from tests.faults.trends import Limit, Trend, in_words, trend
from tests.outboxes import inside

_HEALTH_S = 2.0
_MB = 1e6
_EVIDENCE_MB = 1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the device. Latencies are of the last 10,000 parts; load: of the whole computer, over a minute."""

    at_s: float
    inspected: int
    waiting: int
    rss_mb: float
    descriptors: int
    threads: int
    outbox_mb: float
    evidence_mb: float
    cpu_s: float
    p50_ms: float
    p99_ms: float
    load: float


_WATCHED: Sequence[tuple[str, str, Callable[[Sample], float], Limit]] = (
    ("memory", "MB", lambda s: s.rss_mb, Limit(share=0.01)),
    ("descriptors", "open", lambda s: s.descriptors, Limit(amount=0.5)),
    ("threads", "running", lambda s: s.threads, Limit(amount=0.5)),
    ("outbox and its log", "MB", lambda s: s.outbox_mb, Limit(amount=1.0)),
    ("evidence", "MB", lambda s: s.evidence_mb, Limit(amount=0.2)),
    ("latency p50", "ms", lambda s: s.p50_ms, Limit(share=0.2)),
    ("latency p99", "ms", lambda s: s.p99_ms, Limit(share=0.2)),
)
"""What must be flat."""


def look(device: Device, folder: Path, health: dict[str, Any], began_s: float) -> Sample | None:
    """What the device takes up; None when it has ended or has not judged anything yet."""
    latency, proc = health["capture_to_decision_ms"], Path(f"/proc/{device.pid}")
    if latency is None:
        return None
    try:
        stat = (proc / "stat").read_text().rpartition(")")[2].split()
        descriptors, resident = len(list((proc / "fd").iterdir())), int((proc / "statm").read_text().split()[1])
    except FileNotFoundError:
        return None
    return Sample(
        at_s=round(time.monotonic() - began_s, 3),
        inspected=health["inspected"],
        waiting=health["delivery"][0]["waiting"],
        rss_mb=resident * os.sysconf("SC_PAGE_SIZE") / _MB,
        descriptors=descriptors,
        threads=int(stat[17]),
        outbox_mb=_size(folder.glob("station.outbox*")) / _MB,
        evidence_mb=_size((folder / "evidence").rglob("*.*")) / _MB,
        cpu_s=(int(stat[11]) + int(stat[12])) / _TICKS_PER_S,
        p50_ms=latency["p50"],
        p99_ms=latency["p99"],
        load=os.getloadavg()[0],
    )


def _size(files: Iterator[Path]) -> int:
    """Bytes; a file may go while it is looked at."""
    total = 0
    for file in files:
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total


@dataclass(frozen=True, slots=True)
class Lived:
    """One endurance run. missing: numbers from 1 to the last that the MES never heard; copies: results heard again."""

    parts: int
    received: int
    missing: int
    copies: int
    books: dict[str, int]
    waiting: int
    took_s: float
    samples: tuple[Sample, ...]

    @property
    def whole(self) -> bool:
        """Whether each part reached the MES, and the outbox's own books say so, too."""
        counted = self.books["committed"] == self.books["delivered"] == self.received == self.parts
        return counted and self.missing == self.waiting == 0


def live(folder: Path, parts: int, tell: Callable[[Sample], None], health_s: float = _HEALTH_S) -> Lived:
    """Run the device to the end of its film; Ctrl-C ends it early."""
    source: dict[str, object] = {"kind": "video", "path": str(make_video(folder, parts))}
    evidence = {"path": str(folder / "evidence"), "quota_mb": _EVIDENCE_MB}
    samples: list[Sample] = []
    began_s = time.monotonic()
    with Mosquitto(folder, more="max_queued_messages 0") as broker, Mes(broker) as mes:
        mqtt = {"host": HOST, "port": broker.port}
        more = {"simulated": True, "evidence": evidence, "health": {"interval_s": health_s}, "mqtt": mqtt}
        with Device(station_file(folder, make_recipe(folder), source, **more)) as device:
            try:
                for health in _healths(mes, device):
                    if sample := look(device, folder, health, began_s):
                        samples.append(sample)
                        tell(sample)
            except KeyboardInterrupt:
                device.send(signal.SIGTERM)
            assert device.ended() == 0, device.err
        took_s = time.monotonic() - began_s
        done = mes.healths()[-1]["inspected"]
        wait_until(lambda: len(mes.known) >= done, "the last results at the MES")
    books = {str(name): int(str(value)) for name, value in inside(folder / "station.outbox", "SELECT * FROM counter")}
    ((waiting,),) = inside(folder / "station.outbox", "SELECT count(*) FROM waiting")
    numbers = {key.seq for key in mes.known}
    missing = max(numbers) - len(numbers)
    copies = len(mes.letters) - len(mes.known)
    return Lived(done, len(numbers), missing, copies, books, int(str(waiting)), took_s, tuple(samples))


def _healths(mes: Mes, device: Device) -> Iterator[dict[str, object]]:
    """Each health message once, as it comes, until the device has ended."""
    heard = 0
    while device.runs:
        time.sleep(0.1)
        healths = mes.healths()
        yield from healths[heard:]
        heard = len(healths)


def judge(samples: Sequence[Sample]) -> list[Trend]:
    """The second half of everything that must be flat.

    Raises:
        ValueError: there are too few samples.
    """
    done = [sample.inspected for sample in samples]
    return [trend(name, unit, done, [value(s) for s in samples], limit) for name, unit, value, limit in _WATCHED]


def plot(samples: Sequence[Sample], path: Path) -> None:
    """Every series over the number of parts, as PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only for who asks

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    figure, axes = plt.subplots(len(_WATCHED), 1, sharex=True, figsize=(9, 2 * len(_WATCHED)), layout="constrained")
    done = [sample.inspected for sample in samples]
    for axis, (name, unit, value, _) in zip(axes, _WATCHED, strict=True):
        values = [value(sample) for sample in samples]
        axis.plot(done, values, linewidth=1)
        axis.set_ylabel(f"{name}\n{unit}")
        axis.set_ylim(0, 1.1 * max(values))
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("parts judged")
    figure.savefig(path, dpi=110)


def progress(every: int) -> Callable[[Sample], None]:
    """Print one of the samples for about so many parts."""
    due = 0

    def tell(sample: Sample) -> None:
        nonlocal due
        if sample.inspected >= due:
            due = sample.inspected + every
            print(
                f"{sample.inspected:>9} parts in {sample.at_s:.0f} s: {sample.rss_mb:.1f} MB, {sample.descriptors} "
                f"descriptors, {sample.threads} threads, p50 {sample.p50_ms:.2f} ms, p99 {sample.p99_ms:.2f} ms, "
                f"{sample.waiting} waiting",
                flush=True,
            )

    return tell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=1_000_000, help="rounded up to a thousand")
    parser.add_argument("--plot", type=Path, help="a PNG of all series")
    parser.add_argument("--json", type=Path, help="samples and verdict")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="goodpart-endurance-") as folder:
        lived = live(Path(folder), options.parts, progress(10_000))
    if options.json:
        options.json.write_text(json.dumps(asdict(lived)))
    if options.plot:
        plot(lived.samples, options.plot)
    cpu_ms = 1000 * lived.samples[-1].cpu_s / lived.samples[-1].inspected
    print(
        f"{lived.parts} parts in {lived.took_s:.0f} s, {cpu_ms:.2f} ms of CPU each; {lived.received} received, "
        f"{lived.missing} missing, {lived.copies} came again, {lived.waiting} wait; the outbox's books: {lived.books}"
    )
    trends, loads = judge(lived.samples), [sample.load for sample in lived.samples]
    print(in_words(trends))
    print(f"load of the computer: {min(loads):.1f} to {max(loads):.1f}, {loads[len(loads) // 2]:.1f} at half time")
    sys.exit(0 if lived.whole and all(t.flat for t in trends) else 1)


if __name__ == "__main__":
    main()
