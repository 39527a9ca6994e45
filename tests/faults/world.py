"""A whole plant in which anything can be made to fail: device, broker with TLS and ACL, MES, link, clock, disk.

What a killed broker loses: the promise ends where the broker acknowledges, and one that is killed may lose what it has
acknowledged and not forwarded yet. So before this kill the plant is drained. The link stalls in both directions: from then
on no acknowledgement reaches the device. Then a mark goes through the broker to the MES. Whatever the device has seen
acknowledged was taken by the broker before the mark, and reaches the MES before it. Only then the broker is killed, with up
to a window of results in flight of which the device knows nothing. A broker stopped in order is not drained, since it keeps
what it has. The session of the MES, without messages, is on the broker's disk from the beginning.
"""

import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.brokers import HOST, TlsMosquitto, wait_until
from tests.cameras import MjpegCamera
from tests.certificates import Authority
from tests.clocks import WallClock
from tests.conftest import station_file
from tests.devices import Device
from tests.disks import FILLER, fill, small_disk
from tests.faults.checker import Life, OutboxFile, Told
from tests.faults.mes import MARK, Letter, Mes, Way, read_letter
from tests.faults.proxy import Proxy, Traffic
from tests.faults.schedule import Fault, Kind
from tests.faults.simulated import make_recipe, small_part
from tests.outboxes import inside

PATIENCE_S = 120.0
"""For what must come in the end. A refused result is tried again after a minute at the latest."""

_CAMERA, _PLANT = "camera", "plant"
_WORDS = {_CAMERA: "a-camera", _PLANT: "a-plant"}
_LETS = f"user {_PLANT}\ntopic readwrite goodpart/#\n\nuser {_CAMERA}\ntopic write goodpart/#\n"
_DENIES = _LETS.replace("topic write goodpart/#", "topic deny goodpart/v1/+/+/+/+/result\ntopic write goodpart/#")

_HOLDS = frozenset({Kind.BROKER_HANGS, Kind.BROKER_STOPPED, Kind.LINK_STALLS, Kind.LINK_SLOW})
"""What had left the device arrives after these as it was; a broker that is stopped in order keeps it on its disk."""

_DISK, _QUOTA_MB = "32m", 16
_HEALTH_S = 1.0

_DAY_S = 86_400
"""The device's clock is a day ahead to begin with: steps back by hours stay within the days of the certificates."""

_CERTIFICATE_DAYS = 30


class World(AbstractContextManager["World"]):
    """Runs when entered.

    kinds: the faults that can be done here; who may not mount has no full disk. objections: what no book shows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._lives: list[Life] = []
        self._device: Device | None = None
        self._read = 0  # of the lines made
        self._marks = self._photographs = 0
        self._traffic, self._bytes_per_s = Traffic.PASSES, 0.0
        self._disk_full = self._disk_was_full = False
        self.kinds = set(Kind)
        self.objections: list[str] = []
        self._way = Way()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._build(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _build(self, stack: ExitStack) -> None:
        folder = self._folder
        if not stack.enter_context(small_disk(folder / "disk", _DISK)):
            self.kinds.discard(Kind.DISK_FULL)
        recipe, authority = make_recipe(folder), Authority(folder / "ca", "plant", days=_CERTIFICATE_DAYS)
        kept = folder / "kept"
        kept.mkdir()
        (folder / "password").write_text(_WORDS[_CAMERA])
        self._clock = WallClock(folder / "clock")
        self._step_clock(0)
        more = f"persistence true\npersistence_location {kept}/\nautosave_interval {_DAY_S}\nmax_queued_messages 0"
        own = authority.sign("broker", days=_CERTIFICATE_DAYS)
        self._broker = stack.enter_context(TlsMosquitto(folder, own, users=_WORDS, acl=_LETS, more=more))
        self.mes = stack.enter_context(Mes(self._broker, user=_PLANT, password=_WORDS[_PLANT], durable=True, way=self._way))
        self._broker.send(signal.SIGUSR1)
        wait_until((kept / "mosquitto.db").exists, "the broker to save the session of the MES")
        self._proxy = stack.enter_context(Proxy(self._broker.port))
        camera = stack.enter_context(MjpegCamera(small_part(1)))
        self._config = station_file(
            folder,
            recipe,
            {"kind": "camera", "device": camera.url, "interval_s": 0},
            simulated=True,
            health={"interval_s": _HEALTH_S},
            results={"path": str(folder / "results.jsonl")},
            mqtt={
                "host": HOST,
                "port": self._proxy.port,
                "tls": {"ca_file": str(authority.cert)},
                "username": _CAMERA,
                "password_file": str(folder / "password"),
                "outbox": {"path": str(self._outbox), "quota_mb": _QUOTA_MB},
                "close_s": PATIENCE_S,
            },
        )
        stack.callback(self._leave_no_device)
        self._start_device()
        wait_until(lambda: self.mes.known or not self._runs, "the first result", PATIENCE_S)
        assert self._runs, self.words

    @property
    def _outbox(self) -> Path:
        return self._folder / "disk" / "station.outbox"

    @property
    def _runs(self) -> bool:
        return self._device is not None and self._device.runs

    @property
    def words(self) -> str:
        """What the device says on its standard error."""
        return self._device.err if self._device else ""

    def begin(self, fault: Fault) -> None:
        """Make it happen."""
        if fault.kind in _HOLDS:
            self._way.hold(time.time())
        match fault.kind.victim:
            case "device":
                self._end_device(signal.SIGKILL)
            case "broker":
                self._harm_broker(fault.kind)
            case "link":
                self._harm_link(fault)
            case "clock":
                self._step_clock(fault.amount)
            case "disk":
                fill(self._outbox.parent)
                self._disk_full = self._disk_was_full = True
            case "ACL":
                self._broker.permit(_DENIES)

    def end(self, fault: Fault) -> None:
        """Make it well again."""
        match fault.kind.victim:
            case "device":
                self._start_device()
            case "broker" if fault.kind is Kind.BROKER_HANGS:
                self._broker.send(signal.SIGCONT)
            case "broker":
                self._broker.start()
            case "link":
                self._link(Traffic.PASSES)
            case "clock":
                self._step_clock(0)
            case "disk":
                (self._outbox.parent / FILLER).unlink()
                self._disk_full = False
            case "ACL":
                self._broker.permit(_LETS)
        if fault.kind in _HOLDS:
            self._way.let_go(time.time())

    def _harm_broker(self, kind: Kind) -> None:
        match kind:
            case Kind.BROKER_KILLED:
                self._way.hold(time.time())
                self._proxy.let(Traffic.STALLS)
                self._mark()
                self._broker.send(signal.SIGKILL)
                self._proxy.cut()
                self._link(self._traffic, self._bytes_per_s)
                self._way.let_go(time.time())
            case Kind.BROKER_STOPPED:
                self._broker.send(signal.SIGTERM)
            case _:
                self._broker.send(signal.SIGSTOP)

    def _harm_link(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.LINK_STALLS:
                self._link(Traffic.STALLS)
            case Kind.LINK_SLOW:
                self._link(Traffic.PASSES, fault.amount)
            case _:
                self._link(Traffic.REFUSED)
                self._proxy.cut(reset=fault.kind is Kind.LINK_RESET)

    def finish(self) -> list[Life]:
        """End the device in order, let the MES hear all, and give account. Everything must be well."""
        self._end_device(signal.SIGTERM)
        self._mark()
        return self._lives

    def _link(self, traffic: Traffic, bytes_per_s: float = 0.0) -> None:
        self._traffic, self._bytes_per_s = traffic, bytes_per_s
        self._proxy.let(traffic, bytes_per_s)

    def _mark(self) -> None:
        """When this returns, the MES has heard all that the broker had taken."""
        self._marks += 1
        mark = str(self._marks)
        where = ["-h", HOST, "-p", str(self._broker.plain_port), "-u", _PLANT, "-P", _WORDS[_PLANT]]
        subprocess.run(["mosquitto_pub", *where, "-q", "1", "-t", MARK, "-m", mark], check=True, timeout=PATIENCE_S)
        self.mes.wait_for_mark(mark)

    def _step_clock(self, hours: float) -> None:
        ahead_s = _DAY_S + round(3600 * hours)
        self._way.step(ahead_s)
        self._clock.step(ahead_s)

    def _start_device(self) -> None:
        self._disk_was_full = self._disk_full
        self._device = Device(self._config, self._clock.env)

    def _end_device(self, number: signal.Signals) -> None:
        assert self._device
        self._device.send(number)
        try:
            self._device.ended(2 * PATIENCE_S)
        except AssertionError as err:
            self.objections.append(f"the device ended with a traceback:\n{err}")
        self._device = None
        self._note_life(killed=number == signal.SIGKILL)

    def _leave_no_device(self) -> None:
        if self._device:
            self._device.__exit__(None, None, None)

    def _note_life(self, *, killed: bool) -> None:
        """What this boot left behind. One that was killed before its first result may have sent what others left."""
        with (self._folder / "results.jsonl").open() as lines:
            lines.seek(self._read)
            made = tuple(read_letter(line.rstrip("\n")) for line in iter(lines.readline, ""))
            self._read = lines.tell()
        boot_id = made[0].key.boot_id if made else f"without results {len(self._lives)}"
        if not killed:
            self._mark()
        told = [said for said in self.mes.healths() if said["boot_id"] == boot_id]
        self._lives.append(Life(boot_id, made, killed, self._disk_was_full, self._photograph(), _last_words(told)))

    def _photograph(self) -> OutboxFile:
        """Read a copy of the outbox's file; nobody has it open."""
        self._photographs += 1
        folder = self._folder / f"photograph-{self._photographs}"
        folder.mkdir()
        for part in self._outbox.parent.glob(f"{self._outbox.name}*"):
            shutil.copy(part, folder / part.name)
        copy = folder / self._outbox.name
        counters = {str(name): int(str(value)) for name, value in inside(copy, "SELECT name, value FROM counter")}
        waiting = tuple(_letter_of(row) for (row,) in inside(copy, "SELECT payload FROM waiting ORDER BY id"))
        shutil.rmtree(folder)
        return OutboxFile(counters, waiting)


def _letter_of(payload: object) -> Letter:
    assert isinstance(payload, bytes)
    return read_letter(payload.decode())


def _last_words(healths: list[dict[str, Any]]) -> Told | None:
    if not healths:
        return None
    last = healths[-1]
    (books,) = [each for each in last["delivery"] if each["to"] == "mqtt"]
    return Told(
        inspected=last["inspected"],
        carried=books["carried"],
        delivered=books["delivered"],
        waiting=books["waiting"],
        lost=books["lost"],
        reconciled=all(said["reconciles"] for said in healths),
    )
