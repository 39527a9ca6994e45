"""The same recipe with another threshold, sealed anew."""

from pathlib import Path

from calibration.seal import seal
from calibration.threshold.choose import Chosen
from calibration.threshold.parts import Parts
from edge.recipe.manifest import MANIFEST_FILE, Manifest, read_verified, sha256


def reseal(recipe: Path, out: Path, chosen: Chosen, parts: Parts, *, force: bool) -> tuple[Manifest, str]:
    """Write `recipe` to `out` with the chosen threshold and the goods behind it; returns its manifest and identity.

    Raises:
        BadRecipe: `recipe` is not as it was sealed.
        BadConfig: `out` may not be written.
    """
    manifest, _, files = read_verified(recipe)
    goods = manifest.goods.model_copy(update={"held_out": parts.held_out})
    update = {"threshold": chosen.threshold, "promise": chosen.promise, "gray_zone": chosen.gray_zone, "goods": goods}
    resealed = Manifest.model_validate(dict(manifest) | update)
    seal(out, resealed, files, force=force)
    return resealed, sha256((out / MANIFEST_FILE).read_bytes())
