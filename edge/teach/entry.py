"""One entry of the ledger: what was taught, by whom and why, or what was taken back."""

import base64
import hashlib
from typing import Annotated, Literal

import numpy as np
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError, model_validator

from edge.inspect.card import SHA256_PATTERN
from edge.recipe.manifest import Name
from edge.recipe.recipe import TaughtPart
from edge.strict import Strict, Text
from edge.types import Floats

FIRST = "0" * 64
"""What the first entry's hash goes on from."""

_HEAD, _MIDDLE, _END = b'{"sha256":"', b'","entry":', b"}"
_BODY_AT = len(_HEAD) + 64 + len(_MIDDLE)
_STORED = np.dtype("<f4")


class TaughtEntry(Strict):
    """A part that counts as good.

    result_id: None where only the picture was known; evidence: that picture in the evidence folder, evidence_sha256: its
    hash. who, reason: who accepted it and why. threshold: above which parts were not OK then; score_before, score_after: of
    the part. places: of its patches in the grid, row by row; patches: as many times d float32, little-endian, in Base64.
    """

    format: Literal["goodpart.taught/1"] = "goodpart.taught/1"
    kind: Literal["taught"] = "taught"
    time_utc: AwareDatetime
    recipe_id: str = Field(pattern=SHA256_PATTERN)
    recipe_name: Name
    result_id: str | None
    part_id: str
    evidence: Text
    evidence_sha256: str = Field(pattern=SHA256_PATTERN)
    who: Text
    reason: Text
    threshold: float
    score_before: float
    score_after: float
    places: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    patches: str

    @model_validator(mode="after")
    def _as_many_patches_as_places(self) -> "TaughtEntry":
        values = np.frombuffer(base64.b64decode(self.patches, validate=True), np.uint8)
        if not len(values) or len(values) % (_STORED.itemsize * len(self.places)):
            raise ValueError("patches: are not one for each place")
        return self

    def called(self, key: str) -> bool:
        """Whether it is meant by a result's id or the name of its picture."""
        return key in (self.result_id, self.evidence)

    def part(self) -> TaughtPart:
        """What a recipe makes of it."""
        values = np.frombuffer(base64.b64decode(self.patches), _STORED).astype(np.float32)
        return TaughtPart(self.evidence, values.reshape(len(self.places), -1), np.array(self.places, np.intp))


class UndoneEntry(Strict):
    """A part that counts as good no longer: the last one that was taught and has this picture."""

    format: Literal["goodpart.taught/1"] = "goodpart.taught/1"
    kind: Literal["undone"] = "undone"
    time_utc: AwareDatetime
    recipe_id: str = Field(pattern=SHA256_PATTERN)
    evidence: Text
    who: Text
    reason: Text


Entry = Annotated[TaughtEntry | UndoneEntry, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def packed(patches: Floats) -> str:
    """K×d float32 as an entry keeps them."""
    return base64.b64encode(patches.astype(_STORED).tobytes()).decode()


def to_line(entry: Entry, before: str) -> tuple[bytes, str]:
    """A line of JSON, and its hash, which goes on from the hash of the line before."""
    body = entry.model_dump_json().encode()
    digest = hashlib.sha256(before.encode() + body).hexdigest()
    return b"".join((_HEAD, digest.encode(), _MIDDLE, body, _END, b"\n")), digest


def from_line(line: bytes, before: str) -> tuple[Entry, str] | None:
    """The entry and its hash; None where the line is damaged, altered, or does not follow the one before."""
    body = line[_BODY_AT:].removesuffix(b"\n").removesuffix(_END)
    digest = hashlib.sha256(before.encode() + body).hexdigest()
    try:
        entry = _ENTRY.validate_json(body)
    except ValidationError:
        return None
    whole = b"".join((_HEAD, digest.encode(), _MIDDLE, body, _END, b"\n"))
    return (entry, digest) if line == whole else None
