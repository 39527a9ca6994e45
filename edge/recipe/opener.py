"""How a station opens recipes: signature, hashes, golden pictures, and a new one in a process of its own first."""

from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadRecipe
from edge.recipe.manifest import MANIFEST_FILE
from edge.recipe.recipe import Recipe, open_recipe
from edge.recipe.rehearsal import Patience, rehearse
from edge.recipe.signature import Signed, check_signature
from edge.strict import MAX_JSON_BYTES, read_limited


@dataclass(frozen=True, slots=True)
class Opener:
    """threads: of the encoder for one part; signed: whose signature a recipe must have, None where it needs none."""

    threads: int
    signed: Signed | None = None

    def open(self, folder: Path) -> Recipe:
        """A recipe that this device has judged with before, or that its station file names.

        Raises:
            BadRecipe, BadEncoder: it cannot be used, or a golden picture is not reproduced.
        """
        recipe = open_recipe(folder, self.threads, self.signed)
        recipe.reproduce_golden()
        return recipe

    def open_new(self, folder: Path, patience: Patience | None = None) -> Recipe:
        """A recipe that comes while parts are judged, or one that the line can do without. patience: None as for the former.

        Raises:
            BadRecipe, BadEncoder: as by `open`, or the process that opened it first did not live through it.
        """
        raw = read_limited(folder / MANIFEST_FILE, MAX_JSON_BYTES, BadRecipe)
        if self.signed:
            check_signature(folder, raw, self.signed)
        identity = rehearse(folder, self.threads, patience)
        recipe = self.open(folder)
        if recipe.id != identity:
            raise BadRecipe(f"{folder}: was changed while it was being opened; activate it when nobody writes it.")
        return recipe
