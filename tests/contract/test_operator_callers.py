"""Callers that are too many, do not read, do not finish or talk nonsense keep nobody waiting."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from starlette.types import Receive, Scope, Send

from edge.page.server import Impatient, listen, serving
from edge.recipe.recipe import Recipe, open_recipe
from tests.brokers import HOST, PATIENCE_S, wait_until
from tests.lines import BAD
from tests.pages import page_open

MUCH = 64 * 2**20
"""Bytes: more than the buffers between two programs hold."""


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def test_only_so_many_look_at_once(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, viewers=2) as page:
        viewers = [socket.create_connection((HOST, page.port)) for _ in range(2)]
        for viewer in viewers:
            viewer.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert viewer.recv(12).endswith(b"200")
        assert page.ask("/events").status == 503
        viewers.pop().close()
        wait_until(lambda: page.told("now"), "the place of one who has gone")
        viewers.pop().close()


def test_one_who_does_not_read_keeps_nobody_from_being_told_nor_the_line_from_judging(
    recipe: Recipe, tmp_path: Path
) -> None:
    with page_open(tmp_path, recipe) as page:
        rude = socket.socket()
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        rude.connect((HOST, page.port))
        rude.sendall(
            b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
        )
        for number in range(5):
            newest = page.judge(BAD, f"part-{number}").seq
            wait_until(lambda seq=newest: page.told("now")["seq"] == seq, "the newest part")
        rude.close()


def test_callers_that_break_off_or_talk_nonsense_leave_no_trace(
    recipe: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with page_open(tmp_path, recipe) as page:
        for said in (b"", b"GET / HT", b"\x16\x03\x01" * 50, b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with socket.create_connection((HOST, page.port)) as rude:
                rude.sendall(said)
        with socket.create_connection((HOST, page.port)) as endless, pytest.raises((ConnectionResetError, BrokenPipeError)):
            # Far more than a request's head may have.
            endless.sendall(b"x" * MUCH)
        assert page.ask("/alive").status == 204
    assert capfd.readouterr().err == ""


class Hasty(Impatient):
    patience_s = 0.2
    gave_up: ClassVar[threading.Event]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gave_up.set()


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
def test_who_does_not_finish_a_request_is_hung_up_on(said: bytes) -> None:
    with hasty() as port, socket.create_connection((HOST, port), timeout=PATIENCE_S) as slow:
        slow.sendall(said)
        assert hung_up(slow)


def test_who_does_not_take_what_is_sent_is_hung_up_on() -> None:
    with hasty() as port, socket.create_connection((HOST, port), timeout=PATIENCE_S) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        # Not a byte is taken before, for each one taken would renew the patience.
        assert Hasty.gave_up.wait(PATIENCE_S)
        assert hung_up(slow)


def hung_up(caller: socket.socket) -> bool:
    """Whether the other side breaks off before it has sent all of `endless`."""
    taken = 0
    try:
        while chunk := caller.recv(2**16):
            taken += len(chunk)
    except ConnectionResetError:
        return True
    return taken < MUCH


@contextmanager
def hasty() -> Iterator[int]:
    """A server that loses its patience soon, and sends much to whoever asks."""

    async def application(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(MUCH)})

    Hasty.gave_up = threading.Event()
    listener = listen(HOST, 0, ipv6=False)
    with serving(application, listener, 1, lambda: None, Hasty):
        yield listener.getsockname()[1]
