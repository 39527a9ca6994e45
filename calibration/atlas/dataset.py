"""Records become a FiftyOne dataset, and its tags an exclude list. The only file that imports FiftyOne."""

import importlib.util
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calibration.atlas.reduce import LEAST, Method, reduce, standardised
from calibration.atlas.samples import SampleRecord
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe
from edge.types import Decision, Floats

BACKENDS = ("sklearn", "qdrant", "milvus", "lancedb", "pgvector", "redis", "elasticsearch", "mongodb", "pinecone")
"""Similarity back ends that FiftyOne Brain knows; all but sklearn need a server or package of their own."""

_SIMILARITY_KEY, _MAP_KEY = "similarity", "map"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: samples, how many of them have an embedding, and the similarity and map that were computed."""

    name: str
    samples: int
    embedded: int
    backend: str | None
    method: str | None


def fiftyone() -> Any:  # noqa: ANN401 - FiftyOne ships no types
    """The package, if it is there and its database answers.

    Raises:
        BadConfig: it is not installed, or cannot reach a database.
    """
    if importlib.util.find_spec("fiftyone") is None:
        raise BadConfig("fiftyone is not installed; install it with: pip install 'goodpart[fiftyone]'.")
    # A factory's pictures are nobody else's business, and neither is how often somebody looks at them.
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    try:
        # What it has to say of itself must not stand in our output.
        with redirect_stdout(sys.stderr):
            import fiftyone as fo  # noqa: PLC0415 - takes seconds, and only these commands need it

            fo.list_datasets()
    except Exception as err:  # noqa: BLE001 - whatever its database client raises, the mend is the same
        first = (str(err).strip() or type(err).__name__).splitlines()[0].rstrip(".")
        raise BadConfig(
            f"FiftyOne's database does not answer: {first}; start MongoDB and set FIFTYONE_DATABASE_URI."
        ) from None
    return fo


def require_new(fo: Any, name: str, *, replace: bool) -> None:  # noqa: ANN401 - FiftyOne ships no types
    """Refuse before any picture is looked at.

    Raises:
        BadConfig: the dataset exists and is not to be replaced.
    """
    if fo.dataset_exists(name) and not replace:
        raise BadConfig(f"--name: dataset {name} exists; choose another name, or replace it with --replace.")


def write_dataset(
    fo: Any,  # noqa: ANN401 - FiftyOne ships no types
    name: str,
    records: Iterable[SampleRecord],
    recipe: Recipe,
    *,
    replace: bool,
    backend: str,
    method: Method,
    seed: int,
) -> Written:
    """Make a persistent dataset with verdicts, heat maps, regions, masks and embeddings.

    The dataset gets its name when it is whole, so that one that was interrupted is not taken for it.

    Raises:
        BadConfig: the back end cannot be used, or too few pictures could be looked at for the method.
    """
    require_new(fo, name, replace=replace)
    dataset = fo.Dataset(persistent=False)
    samples = [as_sample(fo, each) for each in records]
    dataset.add_samples(samples, progress=False)
    embedded = np.array([each.embedding for each in samples if each.embedding is not None], np.float32)
    dataset.default_mask_targets = {1: "defect"}
    dataset.info = {"recipe_name": recipe.manifest.name, "recipe_id": recipe.id, "threshold": recipe.manifest.threshold}
    view = dataset.exists("embedding")
    enough = len(embedded) >= LEAST
    if enough:
        _index(view, embedded, backend, method, seed)
    if fo.dataset_exists(name):
        fo.delete_dataset(name)
    dataset.name = name
    dataset.persistent = True
    return Written(name, len(samples), len(embedded), backend if enough else None, method if enough else None)


def _index(view: Any, embedded: Floats, backend: str, method: Method, seed: int) -> None:  # noqa: ANN401 - FiftyOne ships no types
    import fiftyone.brain as fob  # noqa: PLC0415 - slow to import

    try:
        fob.compute_similarity(view, embeddings="embedding", brain_key=_SIMILARITY_KEY, backend=backend)
    except Exception as err:  # noqa: BLE001 - each back end has its own ways to fail
        first = (str(err).strip() or type(err).__name__).splitlines()[0].rstrip(".")
        raise BadConfig(
            f"--similarity {backend}: FiftyOne cannot use it ({first}); set it up as its manual says, or take sklearn."
        ) from None
    # Our own plane, so that the App shows what `calibrate map` shows; FiftyOne's t-SNE needs 50 pictures.
    points = reduce(standardised(embedded), method, seed).points
    fob.compute_visualization(view, embeddings="embedding", points=points, brain_key=_MAP_KEY, verbose=False)


def as_sample(fo: Any, record: SampleRecord) -> Any:  # noqa: ANN401 - FiftyOne ships no types
    """One record as FiftyOne has it; `defect` in its tags marks what people call defective."""
    sample = fo.Sample(filepath=str(record.path), tags=[record.group])
    sample["kind"] = fo.Classification(label=record.kind)
    sample["verdict"] = fo.Classification(label=str(record.decision), reason=str(record.reason), detail=record.detail)
    sample["score"] = record.score
    sample["threshold"] = record.threshold
    sample["rejected"] = record.decision is Decision.NOK
    if record.boxes:
        boxes = [fo.Detection(label="region", bounding_box=[b.x, b.y, b.width, b.height], peak=b.peak) for b in record.boxes]
        sample["regions"] = fo.Detections(detections=boxes)
    if record.heat is not None:
        sample["heat"] = fo.Heatmap(map=record.heat, range=[0.0, max(2 * record.threshold, float(record.heat.max()))])
    if record.embedding is not None:
        sample["embedding"] = record.embedding.astype(np.float64).tolist()
    if record.truth is not None:
        sample["truth"] = fo.Segmentation(mask=record.truth)
    return sample


def tagged(fo: Any, name: str, tag: str) -> list[Path]:  # noqa: ANN401 - FiftyOne ships no types
    """Pictures of a dataset that somebody has tagged, by name.

    Raises:
        BadConfig: there is no such dataset, or nothing has that tag.
    """
    if not fo.dataset_exists(name):
        there = ", ".join(fo.list_datasets()) or "none"
        raise BadConfig(f"--name: there is no dataset {name}; there are: {there}.")
    found = sorted(Path(path) for path in fo.load_dataset(name).match_tags(tag).values("filepath"))
    if not found:
        raise BadConfig(f"--tag: no sample of dataset {name} has the tag {tag}; tag some in the App.")
    return found
