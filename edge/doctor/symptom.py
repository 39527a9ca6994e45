"""One thing the doctor looked at."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is."""

    WELL = "ok"
    WORRY = "warn"  # parts are judged; somebody should look
    ILL = "fail"  # parts are not judged, or results or proof will be lost


@dataclass(frozen=True, slots=True)
class Symptom:
    """what: one word; detail: what was found, or what is wrong and the mend."""

    what: str
    state: State
    detail: str


def well(what: str, detail: str) -> Symptom:
    """It is as it should be, or nobody can say."""
    return Symptom(what, State.WELL, detail)


def worry(what: str, detail: str) -> Symptom:
    """Somebody should look."""
    return Symptom(what, State.WORRY, detail)


def ill(what: str, detail: str) -> Symptom:
    """Somebody must mend it."""
    return Symptom(what, State.ILL, detail)
