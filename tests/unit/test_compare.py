"""Two recipes on the same pictures: what changes, what is counted, and what is refused."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.build import Plan, build
from calibration.compare.comparison import compare, flips_by_change
from calibration.compare.latency import time_ratio
from calibration.compare.paired import Pair, Picture, Side, by_part, pictures_in
from calibration.compare.words import notes, verdict
from calibration.goods import PART_PATTERN, Good
from calibration.progress import steps
from edge.capture.pictures import read_picture
from edge.errors import BadConfig
from edge.inspect.refine import NotAligned
from edge.recipe.manifest import Manifest
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Reason
from tests.commands import goodpart
from tests.conftest import MAX_FALSE_REJECT, part_picture

OK, NOK, ND = Decision.OK, Decision.NOK, Decision.NOT_DECIDABLE
REASONS = {OK: Reason.WITHIN_THRESHOLD, NOK: Reason.ABOVE_THRESHOLD, ND: Reason.WRONG_SIZE}


@pytest.fixture(scope="module")
def other_dir(goods_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another recipe from the same goods: another split, a smaller bank."""
    out = tmp_path_factory.mktemp("recipes") / "small"
    with steps() as shown:
        build(Plan(goods_dir, out, "small", PART_PATTERN, max_false_reject=MAX_FALSE_REJECT, bank_most=200, seed=1), shown)
    return out


@pytest.fixture(scope="module")
def manifest(recipe_dir: Path) -> Manifest:
    return open_recipe(recipe_dir).manifest


def side(decision: Decision, ratio: float = float("nan"), inspect_s: float = 0.01) -> Side:
    return Side(decision, REASONS[decision], "", ratio, inspect_s)


def pair(name: str, kind: str | None, a: Side, b: Side) -> Pair:
    return Pair(Picture(Good(Path(f"{name}.png"), name.split("__", maxsplit=1)[0], f"sha256 of {name}"), kind), a, b)


def some(count: int, kind: str | None, a: Decision, b: Decision) -> list[Pair]:
    values = {OK: 0.5, NOK: 1.5, ND: float("nan")}
    return [
        pair(f"{kind}-{a}-{b}-{i}", kind, side(a, values[a] + i / 100), side(b, values[b] + i / 90)) for i in range(count)
    ]


def test_the_lead_counts_what_only_one_recipe_does(manifest: Manifest) -> None:
    pairs = [*some(20, "good", OK, OK), *some(3, "good", OK, NOK), *some(10, "crack", NOK, NOK), *some(7, "crack", OK, NOK)]
    found = compare(tuple(pairs), manifest, manifest)
    assert found.false_rejects is not None
    assert found.escapes is not None
    assert (found.false_rejects.a.count, found.false_rejects.b.count) == (0, 3)
    assert (found.escapes.a.count, found.escapes.b.count) == (7, 0)
    lead = verdict(found)
    assert "B rejects 3 goods that A does not, A none that B does not (p = 0.250, not beyond chance)" in lead
    assert "B catches 7 defects that A lets through, A none that B lets through (p = 0.016, beyond chance)" in lead
    assert found.flips == {(OK, NOK, "good"): 3, (OK, NOK, "crack"): 7}


def test_without_labels_nobody_is_called_right(manifest: Manifest) -> None:
    found = compare(tuple(some(9, None, OK, OK) + some(1, None, NOK, OK)), manifest, manifest)
    assert (found.false_rejects, found.escapes, found.auroc) == (None, None, None)
    assert "Without labels this does not say which is right" in verdict(found)
    assert "A 1 that B does not" in verdict(found)


def test_pictures_that_one_recipe_cannot_judge_are_counted_and_said(manifest: Manifest) -> None:
    pairs = [*some(8, "good", OK, OK), *some(4, "good", OK, ND), *some(2, "good", ND, ND), *some(5, "hole", NOK, NOK)]
    found = compare(tuple(pairs), manifest, manifest)
    assert (found.undecided.only_a, found.undecided.only_b, found.undecided.both) == (0, 4, 2)
    assert "4 that A can judge are NOT_DECIDABLE for B" in verdict(found)
    assert any("4 pictures are NOT_DECIDABLE for B only, A can judge them" in note for note in notes(found))
    assert found.auroc is not None
    assert "No picture can be judged by both" in verdict(compare(tuple(some(3, "good", OK, ND)), manifest, manifest))


def test_parts_in_a_gray_zone_are_ranked_by_their_scores_though_nobody_has_decided(manifest: Manifest) -> None:
    pairs = [*some(8, "good", OK, OK), *some(5, "hole", NOK, NOK), pair("gray", "good", side(ND, 0.95), side(OK, 1.9))]
    found = compare(tuple(pairs), manifest, manifest)
    assert found.auroc is not None
    assert (found.auroc.a, found.auroc.b) == (1.0, pytest.approx(8 / 9))
    assert found.undecided.only_a == 1
    assert found.rejects.a.total == 14


def test_pictures_of_one_part_are_one_piece_of_evidence() -> None:
    pictures = (
        pair("p1__1", "good", side(OK, 0.5), side(OK, 0.4)),
        pair("p1__2", "good", side(OK, 0.7), side(NOK, 1.2)),
        pair("p2__1", "good", side(ND), side(OK, 0.3)),
        pair("p2__2", "good", side(OK, 0.2), side(OK, 0.1)),
        pair("p1__1", "crack", side(NOK, 2), side(NOK, 3)),
    )
    parts = by_part(pictures)
    assert [(p.a.decision, p.b.decision) for p in parts] == [(OK, NOK), (ND, OK), (NOK, NOK)]
    assert (parts[0].a.ratio, parts[0].b.ratio) == (0.7, 1.2)


def test_the_largest_change_of_ratio_comes_first_and_those_without_last() -> None:
    pairs = (
        pair("none", "good", side(OK, 0.5), side(ND)),
        pair("small", "good", side(OK, 0.9), side(NOK, 1.1)),
        pair("large", "good", side(NOK, 2.1), side(OK, 0.6)),
        pair("same", "good", side(OK, 0.1), side(OK, 0.9)),
    )
    assert [p.picture.part_id for p in flips_by_change(pairs)] == ["large", "small", "none"]


def test_time_is_a_ratio_of_pictures_after_the_first_ones() -> None:
    slow_start = [pair(f"w{i}", None, side(OK, 0.5, 0.01), side(OK, 0.5, 9.0)) for i in range(4)]
    rest = [pair(f"p{i}", None, side(OK, 0.5, 0.01 * i), side(OK, 0.5, 0.02 * i)) for i in range(1, 9)]
    ratio = time_ratio((*slow_start, *rest))
    assert ratio is not None
    assert (ratio.low, ratio.median, ratio.high, ratio.pictures) == (pytest.approx(2), pytest.approx(2), pytest.approx(2), 8)
    assert time_ratio(tuple(slow_start)) is None


def test_plain_folders_and_sets_are_told_apart_and_other_folders_refused(test_set: Path, tmp_path: Path) -> None:
    assert {p.kind for p in pictures_in(test_set, PART_PATTERN)} == {"good", "scratch"}
    assert {p.kind for p in pictures_in(test_set / "good", PART_PATTERN)} == {None}
    with pytest.raises(BadConfig, match="cannot be listed"):
        pictures_in(tmp_path / "absent", PART_PATTERN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadConfig, match="holds no pictures and no folders"):
        pictures_in(tmp_path / "empty", PART_PATTERN)
    cv2.imwrite(str(test_set / "stray.png"), part_picture(1))
    with pytest.raises(BadConfig, match="beside good/"):
        pictures_in(test_set, PART_PATTERN)


def test_the_command_compares_a_labelled_set(recipe_dir: Path, other_dir: Path, test_set: Path, tmp_path: Path) -> None:
    (test_set / "good" / "empty.png").touch()
    args = ("calibrate", "compare", recipe_dir, other_dir, test_set)
    ended = goodpart(*args, "--page", tmp_path / "c.html", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "B catches the same defects as A" in ended.out
    assert "1 picture is NOT_DECIDABLE for both" in ended.out
    page = (tmp_path / "c.html").read_text()
    assert "Recipe A" in page
    record = json.loads(goodpart(*args, "--json", cwd=tmp_path).out)
    assert (record["pictures"], record["auroc"]["a"], record["auroc"]["b"]) == (9, 1.0, 1.0)
    assert (tmp_path / record["page"]).is_file()
    threshold = open_recipe(recipe_dir).manifest.threshold
    measured = open_recipe(recipe_dir).measure(read_picture(Path(record["judged"][-1]["path"])))
    assert not isinstance(measured, NotAligned)
    assert record["judged"][-1]["a"]["ratio"] == pytest.approx(measured[0].value / threshold)


def test_pictures_that_a_recipe_was_made_from_are_said_by_their_bytes(
    recipe_dir: Path, other_dir: Path, goods_dir: Path, tmp_path: Path
) -> None:
    """Under other names, and beside another part that is named like one of the bank."""
    cards = open_recipe(recipe_dir).manifest.goods
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, card in enumerate((*cards.bank[:3], *cards.held_out[:2])):
        shutil.copy(goods_dir / card.picture, folder / f"new-{number}.png")
    cv2.imwrite(str(folder / cards.bank[5].picture), part_picture(900))
    record = json.loads(goodpart("calibrate", "compare", recipe_dir, other_dir, folder, "--json", cwd=tmp_path).out)
    known = record["known"]["a"]
    assert [twin["of"] for twin in known["bank"]] == [card.picture for card in cards.bank[:3]]
    assert [Path(twin["path"]).name for twin in known["held_out"]] == ["new-3.png", "new-4.png"]
    assert len(record["known"]["b"]["bank"]) + len(record["known"]["b"]["held_out"]) == 5, "made from the same goods"
    first = f"3 pictures (the first: {folder / 'new-0.png'}, there {cards.bank[0].picture}) show parts that are in A's bank"
    assert any(note.startswith(first) for note in record["notes"])
    assert first in (tmp_path / record["page"]).read_text().replace("&#39;", "'")


def test_the_command_refuses_what_cannot_be_compared(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    refused = goodpart("calibrate", "compare", recipe_dir, tmp_path, test_set, cwd=tmp_path)
    assert "recipe.json: cannot be read" in refused.sentence
    other_size = tmp_path / "small"
    other_size.mkdir()
    cv2.imwrite(str(other_size / "a.png"), np.full((50, 50, 3), 90, np.uint8))
    ended = goodpart("calibrate", "compare", recipe_dir, recipe_dir, other_size, cwd=tmp_path)
    assert "No picture can be judged by both recipes" in ended.out
