"""A collecting session in words: its live lines, what happened, and its summary."""

import math
from pathlib import Path

from calibration.collect.hints import Glance, Odd
from calibration.collect.outlook import CONFIDENCE, MAX_FALSE_REJECT, Outlook
from calibration.collect.screen import Line
from calibration.collect.session import DUPLICATE, NotTaken, Session, Taken
from edge.types import Reason

KEYS = Line("Enter or Space takes   n next part   u takes the last one back   q ends")
WAITING = Line("waiting for the camera")
BACK = Line("the camera is back", "good")

HINTS = {
    Odd.BLURRED: "less sharp than the others",
    Odd.DARKER: "darker than the others",
    Odd.BRIGHTER: "brighter than the others",
    Odd.FLATTER: "less contrast than the others",
    Odd.WHITE: "much pure white",
    Odd.BLACK: "much pure black",
    Odd.SIZE: "another size than before",
    Odd.UNCHANGED: "hardly differ from the picture before",
}
"""Of several pictures, as a summary lists them."""

REASONS = {
    DUPLICATE: "the very picture was there already",
    Reason.UNREADABLE: "unreadable",
    Reason.WRONG_DEPTH: "not 8 bits a channel",
    Reason.TOO_DARK: "one dark tone",
    Reason.TOO_BRIGHT: "one bright tone",
    Reason.NO_CONTRAST: "one flat tone",
    Reason.CAMERA_LOST: "camera lost",
}
"""Why shots were not stored."""


def headlines(session: Session) -> list[Line]:
    """The present part, the counts, and what they are good for."""
    look = session.outlook
    pictures = session.folder.parts.total()
    now = f"{session.part}, picture {session.pictures_of_part + 1}"
    counts = f"{counted(look.parts, 'part')}, {counted(pictures, 'picture')} in {session.folder.path}"
    return [Line(f"next: {now}   |   {counts}"), Line(outlook_in_words(look), "plain" if look.missing else "good")]


def outlook_in_words(look: Outlook) -> str:
    """How many more, and what these could promise."""
    default = f"at most {MAX_FALSE_REJECT * 100:g} % of good parts rejected, {CONFIDENCE * 100:g} % sure"
    if not look.missing:
        return f"enough for the default promise ({default}); more parts make a better bank"
    missing = f"{look.missing} more {'part' if look.missing == 1 else 'parts'} for the default promise ({default})"
    if look.could is None:
        return f"{missing}; the present ones could promise nothing yet"
    return f"{missing}; the present ones could promise at most {math.ceil(look.could * 1000) / 10:g} %"


def looks(seen: Glance, session: Session) -> list[Line]:
    """The numbers of the picture in view, and what is odd about it."""
    hints = [Line(f"  {hint.words}", "warn") for hint in session.hints_for(seen)]
    return [Line(f"in view: {_numbers(seen)}"), *hints]


def event(happened: Taken | NotTaken) -> Line:
    """A shot that was stored or not."""
    if isinstance(happened, NotTaken):
        return Line(f"not taken: {happened.shot}: {happened.detail}", "bad")
    words = f"{happened.name}: {_numbers(happened.seen)}"
    if happened.hints:
        return Line(f"{words}; {'; '.join(hint.words for hint in happened.hints)}", "warn")
    return Line(words)


def nothing_came(fault: str) -> Line:
    """A key was pressed in vain."""
    return Line(f"nothing was taken: {fault}", "bad")


def lost(fault: str) -> Line:
    """The camera gives no picture any more."""
    return Line(f"the camera is lost: {fault}; trying again for ever", "bad")


def moved_on(session: Session) -> Line:
    """After n."""
    return Line("that was the last part asked for" if session.finished else f"next part: {session.part}")


def undone(last: Taken | None) -> Line:
    """After u."""
    if last is None:
        return Line("nothing was taken in this session that could be taken back", "warn")
    return Line(f"{last.name} was moved to discarded/; {last.sidecar.part} is the part again")


def summary(session: Session, page: Path | None) -> str:
    """The whole session, for people."""
    look = session.outlook
    taken = f"taken: {counted(len(session.taken), 'picture')} of {counted(session.parts, 'part')}"
    if session.discarded:
        taken += f"; {session.discarded} taken back, now in {session.folder.path}/discarded"
    lines = [taken]
    lines += [f"    not taken: {count:4}  {REASONS[reason]}" for reason, count in session.not_taken.most_common()]
    lines += [f"    look at:   {count:4}  {HINTS[kind]}" for kind, count in session.hint_counts().most_common()]
    if doubt := doubt_in_words(session):
        lines.append(doubt)
    total = f"{counted(look.parts, 'part')}, {counted(session.folder.parts.total(), 'picture')}"
    lines.append(f"in {session.folder.path}: {total}; {outlook_in_words(look)}")
    return "\n".join([*lines, f"page: {page}"] if page else lines)


def doubt_in_words(session: Session) -> str:
    """The one thing that makes a promise untrue: pictures of one part that count as several. Empty when there is no sign."""
    parts = [each.sidecar.part for each in session.taken]
    alike = sum(
        Odd.UNCHANGED in {hint.kind for hint in each.hints} and each.sidecar.part != before
        for before, each in zip(parts, session.taken[1:], strict=False)
    )
    if not alike:
        return ""
    return (
        f"{counted(alike, 'picture')} of a new part hardly {'differs' if alike == 1 else 'differ'} from the one before: if "
        f"they show the same part, discard them, or the promise counts one part as several."
    )


def counted(count: int, what: str) -> str:
    """1 part, 2 parts."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _numbers(seen: Glance) -> str:
    look = seen.fitness
    numbers = f"brightness {look.brightness:.0f}, contrast {look.contrast:.0f}, sharpness {look.sharpness:.0f}"
    clipped = f"white {look.white * 100:.1f} %, black {look.black * 100:.1f} %"
    return f"{seen.size[0]}×{seen.size[1]}, {numbers}, {clipped}"
