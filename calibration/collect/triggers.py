"""When a picture is taken: at a key, or whenever the source has one."""

import threading
import time

from calibration.collect import words
from calibration.collect.hints import glance
from calibration.collect.keys import QUIT, Keys, Press
from calibration.collect.live import Live
from calibration.collect.screen import Line, Screen
from calibration.collect.session import NotTaken, Session
from edge.capture.sources import Source
from edge.types import Decision, Frame, Reason, Shot, Unfit, Verdict

_LOOK_EVERY_S = 0.2
_TAKE = frozenset("\n\r ")

_STORED = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD)
_NOT_STORED = Verdict.not_decidable(Reason.UNREADABLE, "not taken")
"""What a source hears of a shot, since it knows verdicts only: a watched folder moves the file to processed/ or failed/."""


def by_source(session: Session, source: Source, screen: Screen, stop: threading.Event) -> None:
    """Take every shot until the source ends, enough is taken, or `stop` is set.

    Raises:
        BadConfig: the disk refuses.
    """
    screen.show(*words.headlines(session))
    said = ""
    for shot in source:
        happened = session.take(shot)
        refused = happened.detail if isinstance(happened, NotTaken) else ""
        source.done(shot, _NOT_STORED if refused else _STORED)
        # A loss the source has said itself, and a camera that froze would say the same for ever.
        if not (isinstance(shot, Unfit) and shot.reason is Reason.CAMERA_LOST) and (not refused or refused != said):
            screen.say(words.event(happened))
        said = refused
        screen.show(*words.headlines(session))
        if session.finished:
            stop.set()


class ByKey:
    """Looks at a camera all the time and does what the keys say. A frame that is taken is never older than its key."""

    def __init__(self, session: Session, camera: Live, keys: Keys, screen: Screen, stop: threading.Event) -> None:
        self._session, self._camera, self._keys, self._screen, self._stop = session, camera, keys, screen, stop
        self._newest_s = time.monotonic()
        self._lost = False
        self._in_view: Shot | None = None

    def run(self) -> None:
        """Until q, enough parts, or `stop`.

        Raises:
            BadConfig: the disk refuses.
        """
        self._show()
        while not (self._stop.is_set() or self._session.finished):
            press = self._keys.next(_LOOK_EVERY_S)
            if press is None:
                self._look()
            elif press.key == QUIT:
                return
            else:
                self._obey(press)
            self._show()

    def _obey(self, press: Press) -> None:
        session, say = self._session, self._screen.say
        if press.key in _TAKE:
            shot = None if self._lost else self._camera.newer_than(press.mono_s, self._camera.timeout_s)
            say(words.event(session.take(shot)) if shot else words.nothing_came(self._camera.fault))
            self._in_view = shot
        elif press.key == "n":
            why_not = session.next_part()
            say(Line(why_not, "warn") if why_not else words.moved_on(session))
        elif press.key == "u":
            say(words.undone(session.undo()))

    def _look(self) -> None:
        """Take note of the newest frame, and say once that the camera is lost or back."""
        shot = self._camera.newer_than(self._newest_s, 0.0)
        if shot:
            self._newest_s, self._in_view = shot.taken_mono_s, shot
            if self._lost:
                self._screen.say(words.BACK)
            self._lost = False
        elif not self._lost and time.monotonic() - self._newest_s > self._camera.timeout_s:
            self._lost, self._in_view = True, None
            self._screen.say(words.lost(self._camera.fault))

    def _show(self) -> None:
        match self._in_view:
            case Frame(pixels=pixels):
                view = words.looks(glance(pixels), self._session)
            case Unfit(detail=detail):
                view = [Line(f"in view: {detail}", "bad")]
            case _:
                view = [words.WAITING]
        self._screen.show(*words.headlines(self._session), *view, words.KEYS)
