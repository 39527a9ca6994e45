"""Real cells with 5 % of defective ones among the goods: audited, they give nearly the recipe that clean goods give."""

import shutil
from pathlib import Path

import numpy as np

from calibration.audit.audit import Request, audit
from calibration.audit.exclude import write_list
from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.evaluate.evaluate import Evaluation, evaluate
from calibration.goods import PART_PATTERN
from calibration.normal import NEARBY
from calibration.progress import steps
from edge.recipe.recipe import open_recipe

GOODS, DEFECTS, TEST = 152, 8, 50


def copy(cells: list[Path], numbers: np.ndarray, folder: Path, prefix: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        shutil.copy(cells[number], folder / f"{prefix}{cells[number].name}")


def recipe_from(goods: Path, test: Path, out: Path, exclude: Path | None = None) -> Evaluation:
    plan = Plan(
        goods,
        out,
        "cells",
        PART_PATTERN,
        exclude=exclude,
        score="top1",
        scaling="half",
        smoothing=NEARBY,
        bank_most=3000,
    )
    with steps() as shown:
        build(plan, shown)
        return evaluate(open_recipe(out), test, shown)


def escapes(found: Evaluation) -> float:
    assert found.escape is not None
    return found.escape.value


def test_defects_among_the_goods_are_found_and_the_recipe_is_usable(tmp_path: Path) -> None:
    good, defective = labelled(0.0), labelled(1.0)
    rng = np.random.default_rng(0)
    of_good, of_defective = rng.permutation(len(good)), rng.permutation(len(defective))
    copy(good, of_good[:GOODS], tmp_path / "clean")
    copy(good, of_good[:GOODS], tmp_path / "mixed")
    copy(defective, of_defective[:DEFECTS], tmp_path / "mixed", "defect-")
    copy(good, of_good[GOODS : GOODS + TEST], tmp_path / "test" / "good")
    copy(defective, of_defective[DEFECTS : DEFECTS + TEST], tmp_path / "test" / "defect")
    with steps() as shown:
        found = audit(Request(tmp_path / "mixed"), shown)
    write_list(tmp_path / "out.txt", found.exclusions, found.everything)
    named = [each.good.path.name.startswith("defect-") for each in found.exclusions]
    assert sum(named) >= DEFECTS / 2
    assert named.count(False) <= 0.05 * GOODS
    clean = recipe_from(tmp_path / "clean", tmp_path / "test", tmp_path / "r-clean")
    mixed = recipe_from(tmp_path / "mixed", tmp_path / "test", tmp_path / "r-mixed")
    mended = recipe_from(tmp_path / "mixed", tmp_path / "test", tmp_path / "r-mended", tmp_path / "out.txt")
    # One defect among the held-out goods, and nearly everything passes.
    assert escapes(mixed) > 0.5
    assert escapes(mended) <= escapes(clean) + 0.15
    assert clean.image_auroc is not None
    assert mended.image_auroc is not None
    assert mended.image_auroc >= clean.image_auroc - 0.03
    assert mended.false_reject is not None
    assert mended.false_reject.value <= 0.05
