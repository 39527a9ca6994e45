"""A video file, frame by frame."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from edge.capture.pictures import to_bgr
from edge.errors import BadConfig, BadPicture
from edge.host.clock import utc_now
from edge.types import Frame, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)


class VideoSource:
    """Every `every`-th frame of a video file.

    Raises:
        BadConfig: OpenCV cannot open the file or finds no frame in it.
    """

    def __init__(self, path: Path, every: int, stop: threading.Event) -> None:
        self._path, self._every, self._stop = path, every, stop
        # Unnamed, OpenCV would also take a picture, and with it all that are numbered like it.
        self._video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not (self._video.isOpened() and self._video.grab()):
            self._video.release()
            raise BadConfig(f"source.path: {path} is not a video OpenCV can read; check the file and its codec.")

    def __iter__(self) -> Iterator[Shot]:
        index = 0
        try:
            more = True  # the first frame was taken when the file was opened
            while more and not self._stop.is_set():
                if index % self._every == 0:
                    yield self._shot(index)
                index += 1
                more = self._video.grab()
            promised = round(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        finally:
            self._video.release()
        if not more and index < promised:
            log.warning("%s ends after %d of about %d frames; is it cut off?", self._path, index, promised)

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """The video stays where it is."""

    def _shot(self, index: int) -> Shot:
        taken_mono_s, taken_utc = time.monotonic(), utc_now()
        part_id = f"{self._path.stem}-{index:06d}"
        found, pixels = self._video.retrieve()
        if not found:
            return Unfit(part_id, index, taken_mono_s, taken_utc, Reason.UNREADABLE, f"frame {index} cannot be decoded")
        try:
            return Frame(part_id, index, taken_mono_s, taken_utc, to_bgr(pixels, f"frame {index}"))
        except BadPicture as err:
            return Unfit(part_id, index, taken_mono_s, taken_utc, err.reason, str(err))
