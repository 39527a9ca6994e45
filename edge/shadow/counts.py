"""How champion and challenger agree, part by part."""

from collections.abc import Mapping
from enum import StrEnum

from edge.types import Decision


class Agreement(StrEnum):
    """What the two said of one part."""

    BOTH_OK = "both_ok"
    BOTH_NOK = "both_nok"
    ONLY_CHAMPION = "only_champion"  # it alone rejects the part
    ONLY_CHALLENGER = "only_challenger"
    UNDECIDED = "undecided"  # one of them, or both, cannot decide


def compare(champion: Decision, challenger: Decision) -> Agreement:
    """What two verdicts about one part make together."""
    match champion, challenger:
        case Decision.OK, Decision.OK:
            return Agreement.BOTH_OK
        case Decision.NOK, Decision.NOK:
            return Agreement.BOTH_NOK
        case Decision.NOK, Decision.OK:
            return Agreement.ONLY_CHAMPION
        case Decision.OK, Decision.NOK:
            return Agreement.ONLY_CHALLENGER
        case _:
            return Agreement.UNDECIDED


def in_words(counts: Mapping[Agreement, int]) -> str:
    """All of them, the ones that are 0 too."""
    return ", ".join(f"{counts.get(kind, 0)} {kind.replace('_', ' ')}" for kind in Agreement)
