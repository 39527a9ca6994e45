"""goodpart calibrate fiftyone write | exclude."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option

if TYPE_CHECKING:
    from calibration.atlas.reduce import Method


@click.group()
def fiftyone() -> None:
    """Look at pictures in FiftyOne's App, with verdicts, heat maps and embeddings, and take its tags back.

    Needs the extra: pip install 'goodpart[fiftyone]', and a MongoDB where FiftyOne brings none (FIFTYONE_DATABASE_URI).
    """


@fiftyone.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="The dataset's name  [default: the recipe's]")
@click.option("--replace", is_flag=True, help="Replace a dataset of that name.")
@click.option(
    "--similarity",
    "backend",
    type=click.Choice(
        ["sklearn", "qdrant", "milvus", "lancedb", "pgvector", "redis", "elasticsearch", "mongodb", "pinecone"]
    ),
    default="sklearn",
    show_default=True,
    help="Back end of the similarity index; all but sklearn need what FiftyOne's manual says.",
)
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    default="pca",
    show_default=True,
    help="How the App's embeddings panel is made; umap needs the package umap-learn.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of t-SNE and UMAP.")
@as_json_option
def write(
    recipe: Path,
    folders: tuple[Path, ...],
    name: str | None,
    replace: bool,
    backend: str,
    method: "Method",
    seed: int,
    as_json: bool,
) -> None:
    """Judge the pictures of each FOLDER with RECIPE and write a persistent FiftyOne dataset.

    A FOLDER is what `calibrate map` takes. Each sample has verdict, score, threshold, heat (map), regions, truth (masks of
    ground_truth/), embedding, and its group as a tag; the dataset has a similarity index and the plane of `calibrate map`.
    FiftyOne centres embeddings before it compares them, `calibrate similar` does not, so their orders may differ.

    \b
    Example:
      goodpart calibrate fiftyone write recipes/cell test/ --name cells
      fiftyone app launch cells
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.atlas.dataset import fiftyone as load
    from calibration.atlas.dataset import require_new, write_dataset
    from calibration.atlas.folders import pictures_in
    from calibration.atlas.reduce import require
    from calibration.atlas.samples import records
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    pictures = pictures_in(folders)
    require(method, len(pictures))
    opened = open_recipe(recipe)
    title = name or opened.manifest.name
    fo = load()
    require_new(fo, title, replace=replace)
    with steps() as shown:
        found = records(opened, pictures, shown)
        written = write_dataset(fo, title, found, opened, replace=replace, backend=backend, method=method, seed=seed)
    words = f"dataset {title}: {written.samples} samples, {written.embedded} with an embedding; fiftyone app launch {title}"
    click.echo(json.dumps(asdict(written)) if as_json else words)


@fiftyone.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The dataset's name.")
@click.option("--tag", default="exclude", show_default=True, help="The tag that pictures were given in the App.")
@as_json_option
def exclude(out: Path, name: str, tag: str, as_json: bool) -> None:
    """Write the pictures that were tagged in the App to OUT, a list for `calibrate build --exclude`."""
    from calibration.atlas.dataset import fiftyone as load
    from calibration.atlas.dataset import tagged
    from calibration.audit.exclude import entry
    from edge.errors import BadConfig

    pictures = tagged(load(), name, tag)
    names = Counter(path.name for path in pictures)
    entries = [entry(path, alone=names[path.name] == 1, option="OUT") for path in pictures]
    lines = [f"# tagged {tag} in FiftyOne's dataset {name}", *entries]
    try:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as err:
        raise BadConfig(f"{out}: cannot be written: {err.strerror}; choose another file.") from None
    words = f"{len(pictures)} pictures: {out}"
    click.echo(json.dumps({"pictures": [str(path) for path in pictures], "list": str(out)}) if as_json else words)
