"""Recipes and evaluations in words, as the commands print them."""

from pathlib import Path

from calibration.evaluate import Evaluation, Rate
from edge.recipe.manifest import Manifest


def recipe_in_words(manifest: Manifest, out: Path) -> str:
    """What a recipe promises, for people."""
    goods, bank = manifest.goods, manifest.bank
    left_out = f", {goods.excluded} left out" if goods.excluded else ""
    return (
        f"{manifest.guarantee.sentence()}\n"
        f"threshold {manifest.threshold:.4f} ({manifest.judgement.score}); bank of {bank.vectors} patches out of "
        f"{bank.patches} from {len(goods.bank)} pictures, coverage radius {bank.radius:.3f}; {goods.held_out_pictures} "
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


def evaluation_in_words(found: Evaluation) -> str:
    """What an evaluation found, for people."""
    lines = [
        f"image AUROC    {_number(found.image_auroc)}",
        f"pixel AUROC    {_number(found.pixel_auroc)}",
        f"false rejects  {_rate(found.false_reject)}",
        f"escapes        {_rate(found.escape)}",
        *(f"  {kind:<12} {_rate(rate)}" for kind, rate in found.escape_by_kind.items()),
        f"not decidable  {found.not_decidable} of {len(found.judged)}",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else "- (needs goods, defects and, for pixels, masks)"


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "- (no such pictures)"
    return f"{rate.value:7.2%}  ({rate.count} of {rate.total}; 95 % interval {rate.low:.2%} to {rate.high:.2%})"
