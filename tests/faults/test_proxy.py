"""The link does what it is told, and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.brokers import HOST, PATIENCE_S, wait_until
from tests.faults.proxy import Proxy, Traffic

SILENCE_S = 0.2
"""How long is listened for what must not come."""


@contextmanager
def echoing() -> Iterator[int]:
    """A server that gives back what it gets."""
    with socket.create_server((HOST, 0)) as server:

        def serve(client: socket.socket) -> None:
            with client:
                try:
                    while raw := client.recv(65536):
                        client.sendall(raw)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with echoing() as port, Proxy(port) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), PATIENCE_S)


def echo(client: socket.socket, raw: bytes) -> bytes:
    client.sendall(raw)
    found = b""
    while len(found) < len(raw) and (more := client.recv(65536)):
        found += more
    return found


def hears_nothing(client: socket.socket) -> bool:
    client.settimeout(SILENCE_S)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)
    return False


def test_everything_passes_unchanged_in_both_directions(proxy: Proxy) -> None:
    raw = bytes(range(256)) * 4000
    with connected(proxy) as client, connected(proxy) as other:
        sender = threading.Thread(target=client.sendall, args=(raw,))
        sender.start()
        found = b""
        while len(found) < len(raw):
            found += client.recv(65536)
        sender.join()
        assert found == raw
        assert echo(other, b"word") == b"word"


def test_a_stalled_link_holds_back_and_then_delivers(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert echo(client, b"before") == b"before"
        proxy.let(Traffic.STALLS)
        client.sendall(b"held")
        with connected(proxy) as late:
            late.sendall(b"late")
            assert hears_nothing(client)
            assert hears_nothing(late)
            proxy.let(Traffic.PASSES)
            assert client.recv(4) == b"held"
            assert late.recv(4) == b"late"


def test_a_cut_link_ends_in_order_and_what_it_held_is_lost(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert echo(client, b"before") == b"before"
        proxy.let(Traffic.STALLS)
        client.sendall(b"held")
        proxy.cut()
        assert client.recv(1) == b""
    proxy.let(Traffic.PASSES)
    with connected(proxy) as again:
        assert echo(again, b"after") == b"after"


def test_a_reset_link_is_reset(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert echo(client, b"before") == b"before"
        proxy.cut(reset=True)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_refused_link_hangs_up_on_who_connects_and_keeps_who_is_there(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert echo(client, b"before") == b"before"
        proxy.let(Traffic.REFUSED)
        with pytest.raises(ConnectionResetError), connected(proxy) as late:
            late.recv(1)
        assert echo(client, b"still") == b"still"


def test_a_slow_link_is_not_faster_than_it_was_told(proxy: Proxy) -> None:
    with connected(proxy) as client:
        proxy.let(Traffic.PASSES, bytes_per_s=4096)
        began_s = time.monotonic()
        assert echo(client, b"x" * 1024) == b"x" * 1024
        assert time.monotonic() - began_s >= 2 * 1024 / 4096


def test_nobody_behind_it_is_a_connection_that_is_reset() -> None:
    with echoing() as port:
        pass
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(1)


def test_no_connection_stays_behind(proxy: Proxy) -> None:
    for _ in range(20):
        with connected(proxy) as client:
            assert echo(client, b"word") == b"word"
    wait_until(lambda: proxy.open == 0, "all connections to be closed")


def test_a_stranded_connection_stands_and_is_silent_for_ever_while_new_ones_are_as_told(proxy: Proxy) -> None:
    with connected(proxy) as old:
        assert echo(old, b"before") == b"before"
        proxy.strand()
        old.sendall(b"lost")
        with connected(proxy) as new:
            assert echo(new, b"after") == b"after"
        proxy.let(Traffic.STALLS)
        proxy.let(Traffic.PASSES)
        old.settimeout(SILENCE_S)
        with pytest.raises(TimeoutError):
            old.recv(1)
