"""Verdicts in the words of those who stand beside the line."""

from edge.report.message import Result
from edge.types import Decision, Reason

PLAIN = {
    Reason.WITHIN_THRESHOLD: "Looks like the good parts",
    Reason.ABOVE_THRESHOLD: "Does not look like the good parts",
    Reason.GRAY_ZONE: "Between good and bad: please look at the part",
    Reason.UNREADABLE: "The picture cannot be read",
    Reason.WRONG_DEPTH: "The picture has the wrong number of bits",
    Reason.WRONG_SIZE: "The picture has another size than the good parts",
    Reason.WRONG_COLOUR: "Colour where the good parts are grey, or the other way round",
    Reason.TOO_DARK: "The picture is too dark: check the light",
    Reason.TOO_BRIGHT: "The picture is too bright: check the light",
    Reason.OVER_EXPOSED: "More of the picture is pure white than of the good parts: check the light",
    Reason.NO_CONTRAST: "The picture is one flat tone: check the lens and the light",
    Reason.TOO_BLURRED: "The picture is blurred: check the focus, and whether the lens is clean",
    Reason.NOT_ALIGNED: "The part is not where it should be",
    Reason.CAMERA_LOST: "The camera gives no picture",
    Reason.FROZEN: "The camera repeats its last picture: call the line engineer",
    Reason.WRONG_SETTINGS: "The camera has not taken its settings: call the line engineer",
    Reason.LATE: "The trigger or the verdict came too late",
    Reason.NOT_FINITE: "The computation failed: call the line engineer",
    Reason.NO_RECIPE: "There is no recipe for this job",
    Reason.SHIFT_CHECK_DUE: "A sample is awaited: this shot shows none",
    Reason.SHIFT_CHECK_FAILED: "The shift check failed: no part is judged",
}
"""One sentence without a full stop for each reason."""


def plain(result: Result) -> str:
    """Why the verdict is what it is; of a reject, at how many places."""
    words = PLAIN[result.reason]
    if result.verdict is Decision.NOK and (places := len(result.regions)):
        words += f", at {places} place{'s' if places > 1 else ''}"
    return words
