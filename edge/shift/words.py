"""What the check says to the operator: a sentence at each step."""

from edge.shift.card import SampleCard
from edge.types import Verdict

REPEAT = "ask for another round with SIGUSR1 (systemctl reload) or restart"


def begun(present: str, why: str) -> str:
    """A check begins."""
    return f"shift check, {why}: {present}"


def to_present(sample: SampleCard, number: int, of: int, pause_s: float) -> str:
    """What comes next under the camera. number: from 1."""
    when = f" within {pause_s:g} s" if pause_s else ""
    return f"present {sample} ({number} of {of}){when}"


def came_out_right(sample: SampleCard, verdict: Verdict, then: str) -> str:
    """One step further."""
    return f"shift check: {_outcome(sample, verdict)}, as it should; {then}"


def came_out_wrong(sample: SampleCard, verdict: Verdict, failed: int, tries: int, then: str) -> str:
    """A round has failed."""
    return f"shift check: {_outcome(sample, verdict)}, not {sample.expected}; round {failed} of {tries} failed, {then}"


def came_late(sample: SampleCard, verdict: Verdict, again: str) -> str:
    """Neither right nor wrong."""
    return f"shift check: {sample} does not count, it was judged too late: {verdict.detail}; once more, {again}"


def blocked(failed: int, last: SampleCard) -> str:
    """Why no part is judged: the detail of each verdict while the line is blocked."""
    return f"{failed} rounds of the shift check failed, the last at {last}; find the cause, then {REPEAT}"


def _outcome(sample: SampleCard, verdict: Verdict) -> str:
    measured = f" with score {verdict.score.value:.3f} ({sample.score:.3f} when sealed)" if verdict.score else ""
    return f"{sample} is {verdict.decision}{measured}"
