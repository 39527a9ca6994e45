"""What a page says of a recipe."""

from calibration.page.blocks import Facts, Section
from edge.recipe.manifest import Manifest


def recipe_card(manifest: Manifest, identity: str) -> Section:
    """The recipe as its owner would look it up. identity: sha256 of its manifest."""
    goods, bank, judgement = manifest.goods, manifest.bank, manifest.judgement
    made = ", ".join(f"{name} {version}" for name, version in manifest.made_with.items())
    rows = (
        ("name", manifest.name),
        ("identity", identity),
        ("made", f"{manifest.made_utc:%Y-%m-%d %H:%M UTC} with {made}"),
        ("threshold", f"{manifest.threshold:.4f} ({judgement.score})"),
        ("promise", manifest.promise.sentence()),
        ("judgement", judgement.why),
        (
            "bank",
            f"{bank.vectors} of {bank.patches} patches of {len(goods.bank)} pictures, coverage radius {bank.radius:.3f}",
        ),
        ("held out", f"{len(goods.held_out)} pictures of {len({c.part for c in goods.held_out})} parts; seed {goods.seed}"),
        ("view", " ".join(manifest.view_why)),
    )
    return Section("Recipe", (Facts(rows),))
