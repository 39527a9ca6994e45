"""A real Mosquitto on a free port of the loopback, and a real subscriber that hears it."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.certificates import Authority, Signed

HOST = "127.0.0.1"
STEP_S = 0.02
PATIENCE_S = 30.0
"""How long a test waits for what must come. It decides nothing but when a broken program is given up."""


def wait_until(true: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline_s, f"waited in vain: {what}"
        time.sleep(STEP_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class Mosquitto:
    """Debian's broker with a configuration of its own. It may be stopped and started again on the same port.

    users: name to password; without them everybody is let in. acl: lines of an ACL file. more: further lines of the
    configuration. A durable one keeps sessions and messages through a restart.
    """

    def __init__(
        self, folder: Path, *, users: dict[str, str] | None = None, acl: str = "", durable: bool = False, more: str = ""
    ):
        self.port = free_port()
        self._folder = folder / f"broker-{self.port}"
        self._folder.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None
        lines = [f"listener {self.port} {HOST}", "user root", f"allow_anonymous {'false' if users else 'true'}", more]
        if users:
            passwords = self._folder / "passwords"
            passwords.touch(0o600)
            for name, word in users.items():
                subprocess.run(["mosquitto_passwd", "-b", passwords, name, word], check=True, capture_output=True)
            lines.append(f"password_file {passwords}")
        if acl:
            (self._folder / "acl").write_text(acl)
            lines.append(f"acl_file {self._folder / 'acl'}")
        self.database = self._folder / "mosquitto.db"
        if durable:
            lines += ["persistence true", f"persistence_location {self._folder}/"]
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        (self._folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> Self:
        command = ["mosquitto", "-c", self._folder / "mosquitto.conf"]
        with (self._folder / "log").open("ab") as log:
            # A group of its own: Ctrl-C is for who runs the test.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, process_group=0)
        wait_until(self._answers, f"mosquitto on port {self.port}")
        return self

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}:
            self._process.wait()
            self._process = None

    def permit(self, acl: str) -> None:
        """Change who may do what, while it runs."""
        assert self._process is not None
        (self._folder / "acl").write_text(acl)
        self._process.send_signal(signal.SIGHUP)

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        if self._process:
            self.send(signal.SIGKILL)

    @property
    def _ports(self) -> tuple[int, ...]:
        return (self.port,)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return all(is_open(port) for port in self._ports)


class TlsMosquitto(Mosquitto):
    """With TLS at `port`, and a plain listener at `plain_port` for the test's own subscriber."""

    def __init__(
        self,
        folder: Path,
        own: Signed,
        *,
        clients_of: Authority | None = None,
        users: dict[str, str] | None = None,
        acl: str = "",
        more: str = "",
    ) -> None:
        self.plain_port = free_port()
        lines = [f"certfile {own.cert}", f"keyfile {own.key}"]
        lines += [f"cafile {clients_of.cert}", "require_certificate true"] if clients_of else []
        super().__init__(folder, users=users, acl=acl, more="\n".join([*lines, f"listener {self.plain_port} {HOST}", more]))

    @property
    def _ports(self) -> tuple[int, ...]:
        return self.port, self.plain_port


class Subscriber:
    """`mosquitto_sub -v`: every message below `goodpart/`, in the order in which it came."""

    def __init__(self, broker: Mosquitto, *, user: str | None = None, password: str = "", durable: bool = False):
        port = broker.plain_port if isinstance(broker, TlsMosquitto) else broker.port
        self.messages: list[tuple[str, str]] = []
        self._ready = threading.Event()
        command = ["mosquitto_sub", "-h", HOST, "-p", str(port), "-v", "-q", "1", "-t", "goodpart/#", "-d"]
        command += ["-u", user, "-P", password] if user else []
        command += ["-i", "the-plant", "-c"] if durable else []
        # Line by line, though it is no terminal that reads.
        self._process = subprocess.Popen(["stdbuf", "-oL", *command], stdout=subprocess.PIPE, text=True, process_group=0)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def results(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload in list(self.messages) if topic.endswith("/result")]

    def healths(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload in list(self.messages) if topic.endswith("/health")]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload in list(self.messages) if topic.endswith("/event")]

    def states(self) -> list[str]:
        return [json.loads(payload)["state"] for topic, payload in list(self.messages) if topic.endswith("/status")]

    def __enter__(self) -> Self:
        wait_until(self._ready.is_set, "the subscription")
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._reader.join()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            # -d mixes in what the client does, among it that the broker has confirmed the subscription.
            if line.startswith("Subscribed"):
                self._ready.set()
            elif line.startswith("goodpart/"):
                topic, payload = line.rstrip("\n").split(" ", 1)
                self.hear(topic, payload)

    def hear(self, topic: str, payload: str) -> None:
        """One message, in the reader's thread."""
        self.messages.append((topic, payload))


def retained(broker: Mosquitto, leaf: str) -> dict[str, Any]:
    """What somebody who comes later is told."""
    where = ["-h", HOST, "-p", str(broker.port), "-t", f"goodpart/v1/+/+/+/+/{leaf}"]
    done = subprocess.run(["mosquitto_sub", *where, "-C", "1", "-W", "10"], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def answering(answer: bytes, *, stay: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads one packet, gives one answer and hangs up, or stays and never says another word."""
    calls: list[bytes] = []
    kept: list[socket.socket] = []
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    calls.append(client.recv(4096))
                    client.sendall(answer)
                    kept.append(client)
                    if not stay:
                        client.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1]), calls
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in kept:
                client.close()
