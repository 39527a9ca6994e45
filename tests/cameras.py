"""A network camera that does what a test tells it: MJPEG over HTTP on the loopback, one picture at a time."""

import socket
import threading
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from tests.brokers import HOST, wait_until

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
_STEP_S = 0.02


class MjpegCamera(AbstractContextManager["MjpegCamera"]):
    """Serves one viewer after the other.

    running: whether pictures go out by themselves, fifty a second. Otherwise one goes out for each `expose`. It may be
    stopped and started again on the same port.
    """

    def __init__(self, picture: np.ndarray, *, running: bool = True) -> None:
        self.running = running
        self.viewers = 0
        self.point_at(picture)
        self._server: socket.socket | None = None
        self._viewer: socket.socket | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/video.mjpg"

    def point_at(self, picture: np.ndarray) -> None:
        """What it shows from now on."""
        self._jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()

    def expose(self) -> None:
        """One picture to whoever is looking."""
        with self._lock, suppress(OSError):
            if self._viewer:
                part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(self._jpeg)
                self._viewer.sendall(part + self._jpeg + b"\r\n")

    def start(self) -> Self:
        self._ended = threading.Event()
        self._server = socket.create_server((HOST, self.port))
        self.port = int(self._server.getsockname()[1])
        self._threads = [
            threading.Thread(target=self._accept, args=(self._server,), daemon=True),
            threading.Thread(target=self._run, args=(self._ended,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        if self._server is None:
            return
        self._ended.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._hang_up()
        for thread in self._threads:
            thread.join()
        self._server.close()
        self._server = None

    def wait_for_viewer(self) -> None:
        wait_until(lambda: self._viewer, "somebody to look at the camera")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                viewer, _ = server.accept()
                viewer.recv(4096)
                viewer.sendall(_HEAD)
                self._hang_up()
                with self._lock:
                    self._viewer = viewer
                    self.viewers += 1

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(_STEP_S):
            if self.running:
                self.expose()

    def _hang_up(self) -> None:
        with self._lock:
            if self._viewer:
                self._viewer.close()
            self._viewer = None
