"""What must stay rejected whatever is taught: the shift's red rabbits, and defects that are known."""

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.capture.pictures import list_pictures, read_picture
from edge.errors import BadConfig, BadPicture, NotTaught
from edge.host.files import DRAFT, make_folder
from edge.types import Decision, Pixels, Verdict

log = logging.getLogger(__name__)

MOST_DEFECTS = 200
"""Each is judged once for every part that is taught, in some tens of milliseconds."""

Judge = Callable[[Pixels], Verdict]


class Rabbits:
    """The last picture of each red rabbit, as it was caught: the evidence may drop it, and the sample is in a drawer.

    folder: made when the first is kept; evidence: where the station's pictures are.
    """

    def __init__(self, folder: Path, evidence: Path) -> None:
        self._folder, self._evidence = folder, evidence

    def keep(self, sample: str, picture: str) -> None:
        """Keep the picture of a rabbit that was just caught; where that fails, the one before it stays."""
        target = self.path(sample)
        draft = target.with_name(target.name + DRAFT)
        try:
            make_folder(self._folder)
            draft.unlink(missing_ok=True)
            _link_or_copy(self._evidence / picture, draft)
            draft.replace(target)
        except OSError as err:
            log.warning("teach: the picture of red rabbit %s cannot be kept in %s: %s", sample, self._folder, err.strerror)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def path(self, sample: str) -> Path:
        """Where it is. Names of samples are free text, so the file is called by a hash."""
        return self._folder / f"{hashlib.sha256(sample.encode()).hexdigest()[:32]}.png"


def _link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same bytes where the file system can, which takes no time and no room."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@dataclass(frozen=True, slots=True)
class Guard:
    """samples: names of the red rabbits that the shift check knows; defects: a folder of pictures, None where there is none.

    Raises:
        BadConfig: the folder cannot be listed, or holds more than `MOST_DEFECTS`.
    """

    rabbits: Rabbits
    samples: Sequence[str]
    defects: Path | None

    def __post_init__(self) -> None:
        self._pictures()

    def check(self, before: Judge, after: Judge) -> None:
        """Judge everything that is known to be bad, as it is and as it would be.

        Raises:
            NotTaught: something would escape, or a red rabbit has no picture to try.
        """
        for name, path in self._known():
            if after(_read(name, path)).decision is Decision.NOK:
                continue
            if before(_read(name, path)).decision is Decision.NOK:
                raise NotTaught(f"{name} would no longer be rejected; the part looks too much like it.")
            if path.parent != self.defects:
                raise NotTaught(f"{name} is not rejected as it is; find out why before anything is taught.")

    def _known(self) -> Iterator[tuple[str, Path]]:
        for sample in self.samples:
            yield f"red rabbit {sample}", self.rabbits.path(sample)
        for path in self._pictures():
            yield f"known defect {path.name}", path

    def _pictures(self) -> list[Path]:
        return list_defects(self.defects) if self.defects else []


def list_defects(folder: Path) -> list[Path]:
    """The pictures of known defects.

    Raises:
        BadConfig: the folder cannot be listed, or holds more than `MOST_DEFECTS`.
    """
    found = list_pictures(folder)
    if len(found) > MOST_DEFECTS:
        raise BadConfig(f"teach.defects: {folder} holds {len(found)} pictures; at most {MOST_DEFECTS} are tried.")
    return found


def _read(name: str, path: Path) -> Pixels:
    if not path.exists():
        raise NotTaught(f"{name} has no picture here yet, so nobody can try it; show the samples of the shift check once.")
    try:
        return read_picture(path)
    except BadPicture as err:
        raise NotTaught(f"{name} cannot be tried: {err}") from None
