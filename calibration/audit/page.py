"""An audit as a page: the pictures that should not teach, beside what they are compared with."""

from pathlib import Path

import numpy as np

from calibration.audit.audit import Audit
from calibration.audit.duplicates import Pair
from calibration.audit.suspects import Suspect
from calibration.audit.words import drift_in_words, groups_in_words, kinds_in_words, lead, sameness
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Text, Tone
from calibration.page.charts import histogram, trend
from calibration.page.pictures import LONGER_SIDE, jpeg, side_by_side
from edge.capture.pictures import read_picture
from edge.report.overlay import tint
from edge.types import Decision, Doubles, Pixels, Reason, Verdict

_MOST = 24
"""Pictures a gallery; the exclude list and --json have them all."""


_PAIR_SIDE = 2 * LONGER_SIDE


def audit_page(found: Audit, folder: Path) -> Page:
    """Read the pictures again and show them."""
    words, tone = lead(found)
    sections = (
        _suspects(found),
        *([_misfits(found)] if found.misfits else []),
        *([_leaks(found)] if found.leaks else []),
        *([_same(found)] if found.pairs else []),
        _drift(found),
        _groups(found),
        Section("Audited", (Facts(_facts(found, folder)),)),
    )
    return Page(f"Audit of {folder.resolve().name}", Text(words, tone), sections)


def _suspects(found: Audit) -> Section:
    suspicion = found.suspicion
    strangest = suspicion.suspects[:_MOST]
    chart = Chart(
        histogram({"goods": suspicion.scores}, threshold=suspicion.limit),
        "Each picture's score against all other parts; what lies above the limit stands apart from the rest.",
    )
    if not strangest:
        return Section("Suspicious goods", (Text("No picture stands apart from the others.", "good"), chart))
    text = Text(
        f"{_shown_of(len(suspicion.suspects))} Each beside the good part most like it; warm colours are where it is "
        "strange. A defect among the goods teaches the recipe to pass that defect, or spoils the threshold."
    )
    pictures = tuple(_suspect(found, suspect) for suspect in strangest)
    return Section("Suspicious goods", (text, Gallery(pictures), chart))


def _suspect(found: Audit, suspect: Suspect) -> Shown:
    pixels = _pixels(found, suspect.number)
    verdict = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, heat=suspect.heat)
    beside = side_by_side([tint(pixels, verdict, found.suspicion.limit), _pixels(found, suspect.like)])
    caption = f"score {suspect.score:.2f}; on the right {_name(found, suspect.like)}"
    return Shown(jpeg(beside, _PAIR_SIDE), _name(found, suspect.number), caption, "bad")


def _misfits(found: Audit) -> Section:
    numbers = {one.good: i for i, one in enumerate(found.seen)}
    unreadable = [misfit for misfit in found.misfits if misfit.good not in numbers]
    shown = tuple(
        Shown(jpeg(_pixels(found, numbers[misfit.good])), misfit.good.path.name, misfit.detail, "warn")
        for misfit in [m for m in found.misfits if m.good in numbers][:_MOST]
    )
    blocks: list[Block] = [Text(f"{kinds_in_words(found)}. {_shown_of(len(found.misfits) - len(unreadable))}")]
    if shown:
        blocks.append(Gallery(shown))
    if unreadable:
        blocks.append(Facts(tuple((misfit.good.path.name, misfit.detail) for misfit in unreadable)))
    return Section("Unfit pictures", tuple(blocks))


def _leaks(found: Audit) -> Section:
    shown = tuple(
        Shown(
            jpeg(side_by_side([_pixels(found, leak.bank), _pixels(found, leak.held_out)]), _PAIR_SIDE),
            f"{_name(found, leak.bank)}, {_name(found, leak.held_out)}",
            leak.why,
            "bad",
        )
        for leak in found.leaks[:_MOST]
    )
    words = "These parts are in the bank and held out for the threshold, which then promises what it cannot keep."
    return Section("In the bank and held out", (Text(f"{words} {_shown_of(len(found.leaks))}", "bad"), Gallery(shown)))


def _same(found: Audit) -> Section:
    words = (
        "The same picture twice, or one part under two names. One of each stays; if they are different pictures of one "
        "part, name them PART__1, PART__2 (or give --part-pattern) and keep them all."
    )
    shown = tuple(_pair(found, pair) for pair in found.pairs[:_MOST])
    return Section("The same part twice", (Text(f"{words} {_shown_of(len(found.pairs))}"), Gallery(shown)))


def _pair(found: Audit, pair: Pair) -> Shown:
    beside = side_by_side([_pixels(found, pair.one), _pixels(found, pair.other)])
    title = f"{_name(found, pair.one)}, {_name(found, pair.other)}"
    return Shown(jpeg(beside, _PAIR_SIDE), title, sameness(pair.sameness, pair.agreement), "warn")


def _drift(found: Audit) -> Section:
    drift = found.drift
    tone: Tone = "warn" if any(one.clear for one in drift.trends) else "plain"
    blocks: list[Block] = [Text(_sentence(words), tone) for words in drift_in_words(drift)]
    running = np.arange(1, len(drift.order) + 1, dtype=np.float64)
    lines = {
        "brightness": _looks(found, "brightness"),
        "contrast": _looks(found, "contrast"),
        "colour": _looks(found, "chroma"),
    }
    plot = trend(
        drift.times or running, lines, y="grey levels", x="time" if drift.times else "picture, in the order of names"
    )
    blocks.append(Chart(plot, "How light each picture is, how much its pixels differ, and how much colour they have."))
    return Section("Light over time", tuple(blocks))


def _looks(found: Audit, look: str) -> Doubles:
    return np.array([getattr(found.seen[i].look, look) for i in found.drift.order], np.float64)


def _groups(found: Audit) -> Section:
    grouping = found.grouping
    words = Text(_sentence(groups_in_words(grouping, len(found.seen))), "warn" if grouping.groups else "plain")
    galleries = tuple(
        Gallery(
            tuple(
                Shown(jpeg(_pixels(found, i)), _name(found, i), f"group {number} of {len(group.numbers)} pictures")
                for i in group.shown
            )
        )
        for number, group in enumerate(grouping.groups, start=1)
    )
    return Section("Groups", (words, *galleries))


def _facts(found: Audit, folder: Path) -> tuple[tuple[str, str], ...]:
    held_out = sum(one.held_out for one in found.seen)
    rows = [("folder", str(folder)), ("pictures", str(len(found.everything)))]
    rows += [("of these held out", str(held_out))] if held_out else []
    rows += [("compared with each other", str(len(found.compared))), ("to leave out", str(len(found.exclusions)))]
    return tuple(rows)


def _name(found: Audit, number: int) -> str:
    return found.seen[number].good.path.name


def _pixels(found: Audit, number: int) -> Pixels:
    return read_picture(found.seen[number].good.path)


def _sentence(words: str) -> str:
    """Without its title; the section has one."""
    said = words.split(": ", 1)[1]
    return said[0].upper() + said[1:]


def _shown_of(count: int) -> str:
    return f"{_MOST} of {count} are shown." if count > _MOST else ""
