"""A collecting session as a page: what was taken, how light and focus went, what to look at again."""

from pathlib import Path

import numpy as np

from calibration.collect.hints import Odd
from calibration.collect.session import Session, Taken
from calibration.collect.sidecar import Sidecar
from calibration.collect.words import HINTS, REASONS, counted, doubt_in_words, outlook_in_words
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Table, Text
from calibration.page.charts import trend
from calibration.page.pictures import jpeg
from calibration.progress import Steps
from edge.capture.pictures import read_picture

_LONGER_SIDE = 240
_MOST_SHOWN = 300
"""About four megabytes of page."""

_LIGHT = "Each dot is a picture, in the order of time. A step means that the light, the exposure or the part has changed."
_FOCUS = "Variance of the Laplacian. A slow fall means that the lens loses focus or gathers dirt."
_WHAT_TO_DO = {
    Odd.BLURRED: "Look at them in full size; discard what is out of focus or moved.",
    Odd.DARKER: "If production has such light too, keep them; else fix the light and discard them.",
    Odd.BRIGHTER: "If production has such light too, keep them; else fix the light and discard them.",
    Odd.FLATTER: "Was the part in view, and was there stray light?",
    Odd.WHITE: "Defects in pure white cannot be seen; shorten the exposure or dim the light.",
    Odd.BLACK: "Defects in pure black cannot be seen; fine where it is background.",
    Odd.SIZE: "Is the camera set as it will be in production? Discard those that are not.",
    Odd.UNCHANGED: "Pictures of one part must share its name; discard those that show a part twice.",
}


def collect_page(session: Session, shown: Steps) -> Page:
    """The page of a session that took at least one picture.

    Raises:
        BadPicture: a picture that was taken cannot be read any more.
    """
    doubt, look = doubt_in_words(session), session.outlook
    parts = f"{counted(look.parts, 'good part')} in {counted(session.folder.parts.total(), 'picture')}"
    lead = Text(f"{parts}: {outlook_in_words(look)}. {doubt}".rstrip(), "warn" if doubt or look.missing else "good")
    odd = [each for each in session.taken if each.hints]
    plain = [each for each in session.taken if not each.hints]
    sections = (
        Section("This session", _facts(session)),
        Section("Light and focus", _charts(session.folder.sidecars)),
        *([_gallery("To look at again", odd, session.folder.path, shown)] if odd else []),
        *([_gallery("What else was taken", plain, session.folder.path, shown)] if plain else []),
    )
    return Page(f"Good parts in {session.folder.path.resolve().name}", lead, sections)


def _facts(session: Session) -> tuple[Block, ...]:
    station = session.station
    rows = [
        ("taken", f"{counted(len(session.taken), 'picture')} of {counted(session.parts, 'part')}"),
        ("taken back", str(session.discarded)),
        ("station", f"{station.site}/{station.area}/{station.line}/{station.station}"),
        ("source", f"{session.source.kind} {session.source.device}"),
        ("folder", str(session.folder.path.resolve())),
    ]
    blocks: list[Block] = [Facts(tuple(rows))]
    if refused := session.not_taken.most_common():
        rows_of = tuple((REASONS[reason], str(count)) for reason, count in refused)
        blocks.append(Table(("not taken", "shots"), rows_of, frozenset({1})))
    if hinted := session.hint_counts().most_common():
        table = tuple((HINTS[kind], str(count), _WHAT_TO_DO[kind]) for kind, count in hinted)
        blocks.append(Table(("look at", "pictures", "what to do"), table, frozenset({1})))
    return tuple(blocks)


def _charts(sidecars: list[Sidecar]) -> tuple[Block, ...]:
    at = [sidecar.taken_utc for sidecar in sidecars]
    brightness = np.array([sidecar.fitness.brightness for sidecar in sidecars])
    contrast = np.array([sidecar.fitness.contrast for sidecar in sidecars])
    sharpness = np.array([sidecar.fitness.sharpness for sidecar in sidecars])
    clipped = {
        "pure white": np.array([100 * sidecar.fitness.white for sidecar in sidecars]),
        "pure black": np.array([100 * sidecar.fitness.black for sidecar in sidecars]),
    }
    return (
        Chart(trend(at, {"brightness": brightness, "contrast": contrast}, y="grey levels", x="time (UTC)"), _LIGHT),
        Chart(trend(at, {"sharpness": sharpness}, y="sharpness", x="time (UTC)"), _FOCUS),
        Chart(
            trend(at, clipped, y="% of the picture", x="time (UTC)"), "Where a picture is clipped, a defect cannot be seen."
        ),
    )


def _gallery(title: str, taken: list[Taken], folder: Path, shown: Steps) -> Section:
    last = taken[-_MOST_SHOWN:]
    pictures = tuple(_shown(folder, each) for each in shown.track(last, title.lower()))
    left_out = len(taken) - len(last)
    note = (Text(f"The last {len(last)}; {left_out} earlier ones are left out."),) if left_out else ()
    return Section(title, (*note, Gallery(pictures)))


def _shown(folder: Path, taken: Taken) -> Shown:
    small = jpeg(read_picture(folder / taken.name), _LONGER_SIDE)
    caption = "; ".join(hint.words for hint in taken.hints)
    return Shown(small, taken.name, caption, "warn" if taken.hints else "plain")
