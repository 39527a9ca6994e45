"""The station file's part about teaching."""

from pydantic import Field

from edge.strict import Place, Strict


class TeachConfig(Strict):
    """Rejected parts that a person accepts count as good from then on, within these limits.

    file: the ledger of what was taught; where none is named, in the state folder of the service that runs the station file,
    or beside the file where none does.
    most_per_day: parts in any 24 hours, those that were taken back among them; most_parts: in force at once, of one recipe;
    most_patches: of one part. max_score_ratio: a part that scores more than so many thresholds is never taught. reach: a
    patch counts at places of the grid that are at most so many rows and columns away from where it was seen. defects: a
    folder of known defects that must stay rejected; red rabbits of the shift check must in any case.
    """

    file: Place | None = None
    most_per_day: int = Field(default=5, ge=1, le=100)
    most_parts: int = Field(default=50, ge=1, le=500)
    most_patches: int = Field(default=16, ge=1, le=64)
    max_score_ratio: float = Field(default=1.5, gt=1, le=10)
    reach: int = Field(default=1, ge=0, le=1000)
    defects: Place | None = None
