"""goodpart calibrate map; the file is not called map, since that is a word of Python's own."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.atlas.chart import Colour
    from calibration.atlas.gather import Gathered
    from calibration.atlas.outsiders import Outsider
    from calibration.atlas.reduce import Method, Plane


@click.command("map")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    help="How the plane is made; umap needs the package umap-learn  [default: tsne from 30 pictures up, else pca]",
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["group", "score"]),
    default="group",
    show_default=True,
    help="What a mark's colour says; its shape is the verdict.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of t-SNE and UMAP.")
@page_option
@as_json_option
def atlas(
    recipe: Path,
    folders: tuple[Path, ...],
    method: "Method | None",
    colour: "Colour",
    seed: int,
    page: Path | None,
    as_json: bool,
) -> None:
    """Map the pictures of each FOLDER by how RECIPE's encoder sees them, as a page to explore.

    Pictures that look alike stand together, whatever their scores, so the map shows batches, wrong labels, and kinds of
    defects. A table lists the pictures that lie far from their kind: a defect amid goods, or a good amid defects.

    A FOLDER is a plain folder of pictures, whose name is their group; or an evaluation set, with good/ and one folder for
    each kind of defect; or the folder a device watches, with processed/ and failed/; or a device's evidence.

    \b
    Example:
      goodpart calibrate map recipes/cell good/ test/ --color score
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.atlas.folders import pictures_in
    from calibration.atlas.gather import gather
    from calibration.atlas.map_page import map_page
    from calibration.atlas.outsiders import outsiders
    from calibration.atlas.reduce import LEAST, default_method, reduce, require, standardised
    from calibration.atlas.words import map_in_words
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    pictures = pictures_in(folders)
    if method:
        require(method, len(pictures))
    opened = open_recipe(recipe)
    with steps() as shown:
        gathered = gather(opened, pictures, shown, LEAST)
        standard = standardised(gathered.embeddings)
        how = method or default_method(len(gathered.seen))
        (plane,) = [reduce(standard, each, seed) for each in shown.track([how], "mapping")]
    found = outsiders(standard, gathered.kinds)
    target = page_path(page, "map", recipe)
    write_page(map_page(opened, gathered, plane, found, colour), target)
    if as_json:
        click.echo(json.dumps(_as_object(gathered, plane, found) | {"recipe_id": opened.id, "page": str(target)}))
    else:
        click.echo(f"{map_in_words(gathered, plane, found)}\npage: {target}")


def _as_object(gathered: "Gathered", plane: "Plane", found: "list[Outsider]") -> dict[str, object]:
    pictures = [
        {
            "path": str(each.picture.path),
            "group": each.picture.group,
            "verdict": each.decision,
            "reason": each.reason,
            "score": each.score if math.isfinite(each.score) else None,
            "x": x,
            "y": y,
        }
        for each, (x, y) in zip(gathered.seen, plane.points.tolist(), strict=True)
    ]
    outside = [
        {
            "path": str(gathered.seen[each.number].picture.path),
            "kind": gathered.kinds[each.number],
            "how": each.how,
            "neighbours_of_other_kinds": each.others,
            "neighbours": each.asked,
            "among": each.among,
            "modified_z": each.far,
        }
        for each in found
    ]
    unseen = [{"path": str(u.picture.path), "group": u.picture.group, "reason": u.reason} for u in gathered.unseen]
    return {
        "method": plane.method,
        "seed": plane.seed,
        "explained": plane.explained,
        "perplexity": plane.perplexity,
        "pictures": pictures,
        "outsiders": outside,
        "unseen": unseen,
    }
