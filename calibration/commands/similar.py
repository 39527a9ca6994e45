"""goodpart calibrate similar."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.atlas.similar import Alike
    from calibration.sight import Sight


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("picture", type=click.Path(path_type=Path))
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "most", type=click.IntRange(1), default=12, show_default=True, help="Pictures to show.")
@page_option
@as_json_option
def similar(recipe: Path, picture: Path, folders: tuple[Path, ...], most: int, page: Path | None, as_json: bool) -> None:
    """Find the pictures nearest to PICTURE: has this been seen before?

    With FOLDERs (as `calibrate map` takes them), by the cosine distance of whole-picture embeddings, without PICTURE itself.
    Without, among the good pictures of the recipe's bank: those that supply the nearest patches, searched exactly. (A
    recipe keeps its goods as patches and as small thumbnails, whose embeddings would be those of blurred pictures.)

    \b
    Example:
      goodpart calibrate similar recipes/cell part.png station/incoming -k 6
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.atlas.folders import pictures_in
    from calibration.atlas.gather import gather
    from calibration.atlas.similar import nearest_pictures, suppliers
    from calibration.atlas.similar_page import alike_page, suppliers_page
    from calibration.atlas.words import alike_in_words, left_out, suppliers_in_words
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.sight import see
    from edge.errors import BadPicture
    from edge.recipe.recipe import open_recipe

    pictures = [each for each in pictures_in(folders) if each.path.resolve() != picture.resolve()]
    opened = open_recipe(recipe)
    sight = see(opened, picture)
    if sight.pixels is None or sight.patches is None or sight.embedding is None:
        raise BadPicture(
            f"{sight.verdict.detail.removesuffix('.')}; give a picture that can be judged.", sight.verdict.reason
        )
    target = page_path(page, "similar", picture.with_suffix(""))
    if not folders:
        places = int(opened.normal.watched.sum())
        good = suppliers(opened, sight.patches, most)
        write_page(suppliers_page(opened, sight, sight.pixels, good, places), target)
        found = [asdict(each) for each in good]
        words = f"{_verdict(sight)}\n{suppliers_in_words(good, places)}"
    else:
        with steps() as shown:
            gathered = gather(opened, pictures, shown)
        alike = nearest_pictures(sight.embedding, gathered.seen, most)
        write_page(alike_page(opened, sight, sight.pixels, alike, len(gathered.seen)), target)
        found = [_as_object(each) for each in alike]
        rest = f"\n{left_out(gathered.unseen)}" if gathered.unseen else ""
        words = f"{_verdict(sight)}\n{alike_in_words(alike)}{rest}"
    if as_json:
        by = "embedding" if folders else "patches"
        summary = {"picture": str(picture), "verdict": sight.verdict.decision, "by": by, "found": found}
        click.echo(json.dumps(summary | {"recipe_id": opened.id, "page": str(target)}))
    else:
        click.echo(f"{words}\npage: {target}")


def _verdict(sight: "Sight") -> str:
    score = f", score {sight.score:.2f}" if math.isfinite(sight.score) else ""
    return f"{sight.path}: {sight.verdict.decision} {sight.verdict.reason}{score}; nearest to it are"


def _as_object(alike: "Alike") -> dict[str, object]:
    seen = alike.seen
    return {
        "path": str(seen.picture.path),
        "group": seen.picture.group,
        "distance": alike.distance,
        "verdict": seen.decision,
        "score": seen.score if math.isfinite(seen.score) else None,
    }
