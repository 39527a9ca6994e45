"""A part comes, stops and lies still: that is one trigger. Pure arithmetic on small grey pictures.

A picture is reduced to places of 24 rows and 32 columns by averaging, which takes most of the noise away. Two pictures are
compared after the median ratio of their places has been taken out, so that light that flickers is no motion.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from edge.types import Floats, Pixels

ROWS, COLS = 24, 32

_SIGMAS = 8.0
"""Standard deviations of a place's own noise. With 768 places, 50 pictures a second and two places needed, chance alone
would be content with 5; what cameras add to their noise, such as rows that flicker, has heavier tails."""

_LOWEST_LIMIT = 1.0
"""Grey levels. A camera without noise, or one that rounds it away, still gives places that differ by that much."""

_STILL_SHARE = 0.2
"""The calmest fifth of the pairs says what the noise is: parts may move while it is learned."""

_MOVED_PLACES = 2
"""One place that changes is a hot pixel or an insect."""

_AWAY_SHARE = 0.05
"""Of all places: what must have changed at some time for a scene that looks as before to be another part."""

_MAD_OF_NORMAL = 0.6745
_DARK = 4.0


def reduced(pixels: Pixels) -> Floats:
    """H×W×3 uint8 BGR to 24×32 float32 grey levels."""
    green = cv2.extractChannel(pixels, 1)
    # In two steps: whole grey levels straight to so few places would round away what noise has left.
    small = cv2.resize(green, (4 * COLS, 4 * ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.resize(small, (COLS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def change(one: Floats, other: Floats) -> Floats:
    """How much each place has changed, in grey levels of `other`, less what the light has changed everywhere."""
    gain = float(np.median((other + _DARK) / (one + _DARK)))
    return np.asarray(np.abs((one + _DARK) * gain - (other + _DARK)), np.float32)


@dataclass(slots=True)
class Motion:
    """Watches the scene in front of one camera, one picture after the other.

    settle_s: for how long a part must lie still. limit: grey levels by which a still place may differ; None: learned in the
    first `learn_s`. empty: what the station looks like without a part, `reduced`; None: every scene that comes and stays is
    taken for a part, an empty one, too, and so is none before the first change.
    """

    settle_s: float
    limit: float | None = None
    empty: Floats | None = None
    learn_s: float = 2.0
    _began_s: float | None = None
    _spreads: list[float] = field(default_factory=list)
    _before: Floats | None = None
    _anchor: Floats | None = None
    _still_since_s: float = 0.0
    _settled: Floats | None = None
    _away: bool = False

    def look(self, small: Floats, mono_s: float) -> bool:
        """Whether a part lies there now that has not been `shot`; the same answer until it is, or moves on."""
        if self.limit is None:
            self._learn(small, mono_s)
            return False
        if self._settled is not None and not self._away:
            self._away = self._share(self._settled, small) >= _AWAY_SHARE
        # Compared with where stillness began and not with the picture before, or slow parts would never move.
        if self._anchor is None or self._moved(self._anchor, small):
            self._anchor, self._still_since_s = small, mono_s
            return False
        if mono_s - self._still_since_s < self.settle_s:
            return False
        return self._is_new(small)

    def shot(self) -> None:
        """The part that lies there has its trigger."""
        self._settle(self._anchor)

    def _is_new(self, small: Floats) -> bool:
        if self.empty is not None and not self._moved(self.empty, small):
            self._settle(small)
            return False
        if self._settled is None and self.empty is None:
            # The first scene: nobody has seen it come.
            self._settle(small)
            return False
        return self._settled is None or self._away or self._moved(self._settled, small)

    def _settle(self, scene: Floats | None) -> None:
        self._settled, self._away = scene, False

    def _moved(self, one: Floats, other: Floats) -> bool:
        return int((change(one, other) > self._reach).sum()) >= _MOVED_PLACES

    def _share(self, one: Floats, other: Floats) -> float:
        return float((change(one, other) > self._reach).mean())

    @property
    def _reach(self) -> float:
        return self.limit if self.limit is not None else 255.0

    def _learn(self, small: Floats, mono_s: float) -> None:
        if self._began_s is None:
            self._began_s = mono_s
        if self._before is not None:
            self._spreads.append(float(np.median(change(self._before, small))) / _MAD_OF_NORMAL)
        self._before = small
        if self._spreads and mono_s - self._began_s >= self.learn_s:
            calm = float(np.quantile(np.array(self._spreads), _STILL_SHARE))
            self.limit = max(_LOWEST_LIMIT, _SIGMAS * calm)
