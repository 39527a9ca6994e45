"""Recipes in words, as `build` prints them."""

from pathlib import Path

from edge.recipe.manifest import Manifest


def recipe_in_words(manifest: Manifest, out: Path) -> str:
    """What a recipe promises, for people."""
    goods, bank = manifest.goods, manifest.bank
    left_out = f", {goods.excluded} left out" if goods.excluded else ""
    return (
        f"{manifest.promise.sentence()}\n"
        f"threshold {manifest.threshold:.4f} ({manifest.judgement.score}); bank of {bank.vectors} patches out of "
        f"{bank.patches} from {len(goods.bank)} pictures, coverage radius {bank.radius:.3f}; {len(goods.held_out)} "
        f"pictures held out{left_out}; seed {goods.seed}\n"
        f"recipe: {out}"
    )


def explanation(manifest: Manifest) -> str:
    """What was chosen and why, a line each."""
    search = manifest.bank.search
    how = f"HNSW index, asked at every {search.index.stride}. place" if search.index else "everything with everything"
    ways = "".join(f"\n    AUROC {way.auroc:.3f}  {way.way}" for way in manifest.judgement.tried)
    searches = "".join(f"\n    time {t.time:.2f}, recall {t.recall:.2f}  {t.search}" for t in search.audit.tried)
    return "\n".join(
        [
            "view:",
            *(f"    {sentence}" for sentence in manifest.view_why),
            f"judgement: {manifest.judgement.why}{ways}",
            f"search: {how}, the fastest of{searches}",
            f"    exact: {search.audit.verified} places measured in the median of {search.audit.pictures} good pictures",
        ]
    )
