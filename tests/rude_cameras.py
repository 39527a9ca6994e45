"""Network cameras that misbehave: they accept and say nothing, stop in the middle, or cut the line."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from tests.brokers import HOST

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


class RudeCamera(AbstractContextManager["RudeCamera"]):
    """Hands each viewer to `treat`, one after the other; a connection that `treat` leaves open stays so to the end."""

    def __init__(self, treat: Callable[[socket.socket], None]) -> None:
        self._treat = treat
        self._server = socket.create_server((HOST, 0))
        self._viewers: list[socket.socket] = []
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def viewers(self) -> int:
        """How often somebody has come."""
        return len(self._viewers)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/video.mjpg"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for viewer in self._viewers:
            viewer.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                viewer, _ = self._server.accept()
                self._viewers.append(viewer)
                with suppress(OSError):
                    self._treat(viewer)


def silent(_viewer: socket.socket) -> None:
    """Accepts, and never answers."""


def show(viewer: socket.socket, picture: np.ndarray, times: int = 6) -> bytes:
    """A few pictures; returns one more as it would be sent."""
    viewer.recv(4096)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
    viewer.sendall(_HEAD + part * times)
    return part


def stalls(picture: np.ndarray) -> Callable[[socket.socket], None]:
    """Stops in the middle of a picture."""

    def treat(viewer: socket.socket) -> None:
        part = show(viewer, picture)
        viewer.sendall(part[: len(part) // 2])

    return treat


def resets(picture: np.ndarray) -> Callable[[socket.socket], None]:
    """Cuts the line in the middle of a picture, as a switch that restarts."""

    def treat(viewer: socket.socket) -> None:
        part = show(viewer, picture)
        viewer.sendall(part[: len(part) // 2])
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        viewer.close()

    return treat


_SDP = (
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 26\r\na=control:track1\r\n"
)


class RtspDoor:
    """Speaks RTSP (RFC 2326) as far as SETUP, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, viewer: socket.socket) -> None:
        while raw := viewer.recv(4096):
            request = raw.decode()
            self.asked.append(request)
            number = next(line for line in request.splitlines() if line.startswith("CSeq"))
            if request.startswith("OPTIONS"):
                viewer.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n".encode())
            elif request.startswith("DESCRIBE"):
                head = f"RTSP/1.0 200 OK\r\n{number}\r\nContent-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n\r\n"
                viewer.sendall(head.encode() + _SDP)
            else:
                return

    @property
    def transport(self) -> str:
        """What SETUP asked for; empty before."""
        setup = [request for request in self.asked if request.startswith("SETUP")]
        return next((line for line in setup[0].splitlines() if line.startswith("Transport")), "") if setup else ""
