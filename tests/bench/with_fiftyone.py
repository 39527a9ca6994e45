"""The FiftyOne writer against the real package and database: `python -m tests.bench.with_fiftyone RECIPE TEST_DIR`.

Needs the extra `fiftyone`, and MongoDB in FIFTYONE_DATABASE_URI where FiftyOne brings none. Its packages are too large for
every test run, so this stands apart; what FiftyOne is told is tested there (`tests/unit/test_atlas.py`).
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from calibration.atlas.dataset import fiftyone, tagged
from calibration.atlas.folders import pictures_in
from tests.commands import Ended, goodpart

NAME = "goodpart-check"


def check(true: object, what: str) -> None:
    """Say what holds, and stop at what does not."""
    print("ok  " if true else "FAIL", what)
    if not true:
        sys.exit(1)


def run(*args: object) -> Ended:
    """FiftyOne warns of its own packages."""
    return goodpart("calibrate", "fiftyone", *args, timeout_s=600, warnings="ignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("test_dir", type=Path)
    args = parser.parse_args()
    fo = fiftyone()
    print(f"fiftyone {fo.__version__}")
    command = ("write", args.recipe.resolve(), args.test_dir.resolve(), "--name", NAME)
    check("umap-learn" in run(*command, "--replace", "--method", "umap").sentence, "a missing umap-learn is one sentence")
    written = run(*command, "--replace", "--method", "tsne", "--json")
    check(written.code == 0, f"written: {written.out.strip()} {written.err.strip()[-300:]}")
    check("exists" in run(*command).sentence, "an existing dataset is not replaced unasked")
    dataset = fo.load_dataset(NAME)
    pictures = pictures_in([args.test_dir.resolve()])
    check(len(dataset) == len(pictures), f"{len(dataset)} samples, persistent {dataset.persistent}")
    check(set(dataset.distinct("kind.label")) == {p.kind for p in pictures}, f"kinds {dataset.distinct('kind.label')}")
    check(dataset.list_brain_runs() == ["map", "similarity"], f"brain runs {dataset.list_brain_runs()}")
    check(dataset.info["recipe_name"], f"the dataset says its recipe: {dataset.info}")
    rejected = dataset.match(fo.ViewField("rejected")).first()
    boxes = [detection.bounding_box for detection in rejected.regions.detections]
    check(all(x >= 0 and x + w <= 1 + 1e-9 and y >= 0 and y + h <= 1 + 1e-9 for x, y, w, h in boxes), f"boxes {boxes[:2]}")
    check(np.isfinite(rejected.heat.map).all(), f"heat {rejected.heat.map.shape}, range {rejected.heat.range}")
    alike = dataset.sort_by_similarity(rejected.id, k=5, brain_key="similarity")
    check(alike.first().id == rejected.id, f"nearest: {[Path(s.filepath).name for s in alike]}")
    points = dataset.load_brain_results("map").points
    check(points.shape == (len(dataset.exists("embedding")), 2), f"map of {points.shape}")
    rejected.tags.append("exclude")
    rejected.save()
    check([p.name for p in tagged(fo, NAME, "exclude")] == [Path(rejected.filepath).name], "tags are read back")
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "exclude.txt"
        done = run("exclude", listed, "--name", NAME, "--json")
        check(json.loads(done.out)["pictures"] == [rejected.filepath], "the exclude list names the tagged picture")
        check(listed.read_text().splitlines()[-1] == Path(rejected.filepath).name, listed.read_text().strip())
    check(
        "no dataset" in run("exclude", "x", "--name", "absent").sentence,
        "absent: one sentence",
    )
    with tempfile.TemporaryDirectory() as folder:
        dataset.export(export_dir=folder, dataset_type=fo.types.FiftyOneDataset, export_media=False)
        check((Path(folder) / "samples.json").is_file(), "FiftyOne exports the dataset in its own format")
    fo.delete_dataset(NAME)


if __name__ == "__main__":
    main()
