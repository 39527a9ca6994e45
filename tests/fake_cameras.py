"""Cameras that give what a test hands them, frame by frame."""

import queue
import time
from typing import Any

import numpy as np

from edge.capture.settings import Deviation
from edge.capture.stream import Traits
from tests.brokers import PATIENCE_S, wait_until


class HandedStream:
    """What a `HandedCamera` has opened."""

    fails_at_release = False

    def __init__(self, frames: "queue.Queue[np.ndarray | None]", deviations: tuple[Deviation, ...]) -> None:
        self._frames, self.deviations, self.released = frames, deviations, False

    def read(self) -> np.ndarray | None:
        return self._frames.get()

    def release(self) -> None:
        self.released = True
        if self.fails_at_release:
            raise RuntimeError("the device has gone")


class HandedCamera:
    """Gives the frames that are handed to it; None ends its stream, and it can be opened again."""

    def __init__(self, *, deviations: tuple[Deviation, ...] = (), **traits: Any) -> None:
        self.traits = Traits("fake", traits.pop("timeout_s", PATIENCE_S), **traits)
        self.deviations = deviations
        self.streams: list[HandedStream] = []
        self.opened_s: list[float] = []
        self._frames: queue.Queue[np.ndarray | None] = queue.Queue()

    def open(self) -> HandedStream:
        self.opened_s.append(time.monotonic())
        self.streams.append(HandedStream(self._frames, self.deviations))
        return self.streams[-1]

    def hand(self, *frames: np.ndarray | None) -> None:
        for frame in frames:
            self._frames.put(frame)

    def wait_until_read(self) -> None:
        wait_until(self._frames.empty, "every frame to be read")


def noisy(pixels: np.ndarray, seed: int, sigma: float = 2.0) -> np.ndarray:
    """The same scene, seen again by a sensor with noise of `sigma` grey levels."""
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)
