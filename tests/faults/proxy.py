"""A link that misbehaves when told to: a TCP proxy on the loopback, which understands nothing of what it passes on."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

from tests.brokers import HOST

_CHUNK_BYTES = 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST and throws away what was not sent (socket(7))."""

Answer = TypeVar("Answer")


class Traffic(StrEnum):
    """What becomes of connections and bytes."""

    PASSES = "passes"
    STALLS = "stalls"  # connections stay and are made, and no byte comes through in either direction
    REFUSED = "refused"  # whoever connects is hung up on


@dataclass(frozen=True, slots=True)
class _Pipe:
    """One client's connection and the one made for it."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    pumps: tuple[asyncio.Task[None], asyncio.Task[None]]


class Proxy(AbstractContextManager["Proxy"]):
    """Listens at `port` of the loopback for who wants to go to `to_port`. Any thread may tell it what to do.

    What it is told holds when the call returns.
    """

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._traffic, self._bytes_per_s = Traffic.PASSES, 0.0
        self._changed = asyncio.Event()
        self._accepted = self._alive_from = 0
        self._pipes: set[_Pipe] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._pipes)

    def let(self, traffic: Traffic, bytes_per_s: float = 0.0) -> None:
        """How it is from now on; bytes_per_s: of each direction, 0 as fast as it goes."""
        self._do(self._change(traffic, bytes_per_s))

    def cut(self, *, reset: bool = False) -> None:
        """End all connections there are, in order (FIN) or by RST. What it held back is lost, as on a real link."""
        self._do(self._hang_up(reset=reset))

    def strand(self) -> None:
        """Connections there are stay, and never again does a byte come through: half open. New ones are as told before."""
        self._do(self._leave())

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._accept, HOST, 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[object, object, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    # The loop's thread.

    async def _change(self, traffic: Traffic, bytes_per_s: float) -> None:
        self._traffic, self._bytes_per_s = traffic, bytes_per_s
        self._changed.set()
        self._changed = asyncio.Event()

    async def _end(self) -> None:
        self._server.close()
        await self._hang_up(reset=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._traffic is Traffic.REFUSED:
                raise ConnectionRefusedError
            there, onward = await asyncio.open_connection(HOST, self._to_port)
        except OSError:
            _close(writer, reset=True)
            return
        number, self._accepted = self._accepted, self._accepted + 1
        ways = (reader, onward), (there, writer)
        pumps = asyncio.create_task(self._pump(*ways[0], number)), asyncio.create_task(self._pump(*ways[1], number))
        pipe = _Pipe((writer, onward), pumps)
        self._pipes.add(pipe)
        # The end of one direction is the end of both: MQTT has no use for half a connection.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        self._drop(pipe, reset=False)

    async def _leave(self) -> None:
        self._alive_from = self._accepted

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.transport.set_write_buffer_limits(high=0)
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self._bytes_per_s:
                    await asyncio.sleep(len(chunk) / self._bytes_per_s)
                while self._traffic is Traffic.STALLS or number < self._alive_from:
                    await self._changed.wait()
                writer.write(chunk)
                await writer.drain()

    async def _hang_up(self, *, reset: bool) -> None:
        for pipe in list(self._pipes):
            self._drop(pipe, reset=reset)

    def _drop(self, pipe: _Pipe, *, reset: bool) -> None:
        if pipe not in self._pipes:
            return
        self._pipes.remove(pipe)
        for pump in pipe.pumps:
            pump.cancel()
        for writer in pipe.writers:
            _close(writer, reset=reset)


def _close(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        raw: socket.socket = writer.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()
    else:
        writer.close()
