"""A recipe that looks at a region, masked, aligned and in tiles: from the command line to the verdict."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.pictures import read_picture
from edge.loop import inspect
from edge.recipe.manifest import Manifest
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Decision, Frame, Pixels, Reason, Region, Verdict
from tests.commands import Ended, goodpart
from tests.conftest import part_picture

WIDTH, HEIGHT = 320, 240
LEFT, TOP = 80, 60
"""Where the plate of 160×120 pixels lies that has not moved."""

ROI = (70, 50, 180, 140)
WATCHED = (80, 60, 190, 180)
"""x0, y0, x1, y1 of the white area: all of the plate but its right third."""

MOST_SHIFT = 6.0
GOODS, MAX_FALSE_REJECT, BANK_MOST = 30, 0.2, 800

Line = tuple[tuple[int, int], tuple[int, int]]
INSIDE: Line = ((20, 25), (45, 75))
MASKED: Line = ((140, 30), (150, 85))
"""Scratches on the plate, from its own upper left corner: in the white area, and in the black."""


def picture(seed: int, shift: tuple[float, float] = (0, 0), scratch: Line | None = None, *, plate: bool = True) -> Pixels:
    """A plate on a rough tray, HEIGHT×WIDTH×3, `shift` pixels from where it should lie."""
    rng = np.random.default_rng(1000 + seed)
    rough = cv2.GaussianBlur(rng.normal(60, 60, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 2)
    frame = cv2.cvtColor(np.clip(rough, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    if plate:
        part = part_picture(seed)
        if scratch:
            cv2.line(part, *scratch, (250, 250, 250), 3, cv2.LINE_AA)
        move = np.array([[1, 0, LEFT + shift[0]], [0, 1, TOP + shift[1]]], np.float64)
        cv2.warpAffine(part, move, (WIDTH, HEIGHT), frame, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    return frame


def shifted(seed: int) -> tuple[float, float]:
    across, down = np.random.default_rng(seed).uniform(-MOST_SHIFT, MOST_SHIFT, 2)
    return float(across), float(down)


@dataclass(frozen=True)
class Built:
    """A recipe, and what building it said."""

    recipe: Recipe
    ended: Ended
    folder: Path
    goods: Path
    mask: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("view")
    goods, mask = folder / "good", folder / "mask.png"
    goods.mkdir()
    for seed in range(GOODS):
        cv2.imwrite(str(goods / f"part-{seed:03d}.png"), picture(seed, shifted(seed) if seed else (0, 0)))
    x0, y0, x1, y1 = WATCHED
    white = np.zeros((HEIGHT, WIDTH), np.uint8)
    white[y0:y1, x0:x1] = 255
    cv2.imwrite(str(mask), white)
    view = ("--roi", ",".join(map(str, ROI)), "--mask", mask, "--align", "template", "--tiles", "1x2")
    reference = ("--reference", goods / "part-000.png")
    few = ("--max-false-reject", MAX_FALSE_REJECT, "--bank-most", BANK_MOST)
    ended = goodpart("calibrate", "build", goods, "--out", folder / "recipe", *few, *view, *reference, "--explain")
    assert ended.code == 0, ended.err
    return Built(open_recipe(folder / "recipe"), ended, folder / "recipe", goods, mask)


def verdict_on(built: Built, pixels: Pixels) -> Verdict:
    return inspect(Frame("part", 1, 0.0, datetime.now(UTC), pixels), built.recipe)


def box_of(scratch: Line, shift: tuple[float, float]) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in pixels of the picture, with half of the line's thickness around it."""
    (x0, y0), (x1, y1) = scratch
    across, down = LEFT + shift[0], TOP + shift[1]
    return x0 + across - 2, y0 + down - 2, x1 + across + 3, y1 + down + 3


def overlap(region: Region, box: tuple[float, float, float, float]) -> tuple[float, float]:
    """Share of the box that lies in the region, and intersection over union."""
    across = max(0.0, min(region.x + region.width, box[2]) - max(region.x, box[0]))
    down = max(0.0, min(region.y + region.height, box[3]) - max(region.y, box[1]))
    area = (box[2] - box[0]) * (box[3] - box[1])
    return across * down / area, across * down / (area + region.width * region.height - across * down)


def test_the_recipe_says_how_it_looks(built: Built) -> None:
    manifest = built.recipe.manifest
    view = manifest.view
    assert view.roi
    assert (view.roi.x, view.roi.y, view.roi.width, view.roi.height) == ROI
    assert view.alignment
    assert view.alignment.method == "template"
    assert view.alignment.largest_shift_px > MOST_SHIFT
    assert (view.tiles.rows, view.tiles.cols) == (1, 2)
    assert built.recipe.normal.watched.shape == (built.recipe.eye.rows, built.recipe.eye.cols)
    watched = (WATCHED[2] - WATCHED[0]) * (WATCHED[3] - WATCHED[1]) / (ROI[2] * ROI[3])
    assert built.recipe.normal.watched.mean() == pytest.approx(watched, abs=0.03)
    assert (built.folder / "reference.png").is_file()


def test_the_bank_holds_no_patch_of_what_the_mask_hides(built: Built) -> None:
    assert built.recipe.normal.watched.ravel()[built.recipe.origin[:, 1]].all()


def test_golden_pictures_that_have_to_be_aligned_are_reproduced(built: Built) -> None:
    built.recipe.reproduce_golden()


def test_explain_tells_view_judgement_and_search(built: Built) -> None:
    words = built.ended.out
    assert "We are 95 % sure" in words
    assert "1×2 tiles as asked for" in words
    assert "All 30 good pictures align with part-000.png" in words
    assert f"The mask leaves {100 * built.recipe.normal.watched.mean():.0f}" in words
    assert "judgement: features half standardised, spread by place, top1: 16 parts for the bank are too few" in words
    assert "search: " in words
    assert "of 8 good pictures" in words
    assert words.index("view:") < words.index("judgement:") < words.index("search:")


def test_json_is_one_object_that_holds_the_view(built: Built, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    for path in sorted(built.goods.iterdir())[:20]:
        shutil.copy(path, tmp_path / "good")
    args = ("--roi", "80,60,160,120", "--mask", built.mask, "--score", "max", "--explain", "--json")
    few = ("--max-false-reject", 0.3, "--bank-most", 200)
    ended = goodpart("calibrate", "build", tmp_path / "good", "--out", tmp_path / "r", *few, *args)
    assert (ended.code, ended.err) == (0, "")
    record = json.loads(ended.out)
    assert record["view"]["roi"] == {"x": 80, "y": 60, "width": 160, "height": 120}
    assert record["view"]["alignment"] is None
    assert any("The mask leaves" in words for words in record["view_why"])
    assert Manifest.model_validate_json(ended.out).judgement.why


def test_most_parts_that_moved_are_ok(built: Built) -> None:
    verdicts = [verdict_on(built, picture(seed, shifted(seed))) for seed in range(100, 112)]
    assert sum(v.decision is Decision.OK for v in verdicts) >= 9
    assert all(v.decision is not Decision.NOT_DECIDABLE for v in verdicts)


@pytest.mark.parametrize("seed", range(200, 204))
def test_a_scratch_where_it_is_watched_is_found_where_it_is(built: Built, seed: int) -> None:
    shift = shifted(seed)
    verdict = verdict_on(built, picture(seed, shift, INSIDE))
    assert (verdict.decision, verdict.reason) == (Decision.NOK, Reason.ABOVE_THRESHOLD)
    first = verdict.regions[0]
    covered, union = overlap(first, box_of(INSIDE, shift))
    assert covered > 0.6, (first, box_of(INSIDE, shift))
    assert union > 0.25, (first, box_of(INSIDE, shift))


def test_regions_move_with_the_part(built: Built) -> None:
    boxes = []
    for shift in ((-5, -4), (5, 4)):
        region = verdict_on(built, picture(300, shift, INSIDE)).regions[0]
        boxes.append((region.x + region.width / 2, region.y + region.height / 2))
    assert np.subtract(boxes[1], boxes[0]) == pytest.approx([10, 8], abs=4)


def test_a_scratch_that_the_mask_hides_changes_no_verdict(built: Built) -> None:
    for seed in range(200, 204):
        shift = shifted(seed)
        clean, scratched = (verdict_on(built, picture(seed, shift, s)) for s in (None, MASKED))
        assert scratched.decision is not Decision.NOT_DECIDABLE
        assert all(overlap(region, box_of(MASKED, shift))[0] == 0 for region in scratched.regions)
        assert scratched.decision == clean.decision


def test_a_scratch_outside_the_region_changes_nothing(built: Built) -> None:
    pixels = picture(201, shifted(201))
    scratched = pixels.copy()
    cv2.line(scratched, (10, 20), (40, 220), (250, 250, 250), 3, cv2.LINE_AA)
    clean, found = verdict_on(built, pixels), verdict_on(built, scratched)
    assert found.decision == clean.decision
    assert found.score
    assert clean.score
    assert found.score.value == pytest.approx(clean.score.value, rel=1e-3)


@pytest.mark.parametrize("seed", range(400, 403))
def test_a_picture_without_the_part_is_not_decidable(built: Built, seed: int) -> None:
    verdict = verdict_on(built, picture(seed, plate=False))
    assert (verdict.decision, verdict.reason) == (Decision.NOT_DECIDABLE, Reason.NOT_ALIGNED)
    assert verdict.detail


def test_a_part_that_moved_too_far_is_not_decidable(built: Built) -> None:
    verdict = verdict_on(built, picture(500, (45, 30)))
    assert (verdict.decision, verdict.reason) == (Decision.NOT_DECIDABLE, Reason.NOT_ALIGNED)


def test_a_region_names_the_good_picture_and_the_watched_place_it_is_nearest_to(built: Built) -> None:
    verdict = verdict_on(built, picture(200, shifted(200), INSIDE))
    assert verdict.regions
    for region in verdict.regions:
        good = built.recipe.good_patch(region.nearest)
        assert read_picture(built.goods / good.picture).shape == (HEIGHT, WIDTH, 3)
        assert built.recipe.manifest.goods.bank[good.number].picture == good.picture
        assert built.recipe.normal.watched[good.row, good.col]


def test_thumbnails_show_the_region_of_the_bank_pictures_aligned(built: Built) -> None:
    bank = built.recipe.manifest.goods.bank
    small = [built.recipe.thumbnail(number) for number in range(len(bank))]
    assert {one.shape for one in small} == {(round(128 * ROI[3] / ROI[2]), 128, 3)}
    plates = [(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) > 85).astype(float) for one in small]
    together = np.mean(plates, axis=0)
    assert ((together < 0.2) | (together > 0.8)).mean() > 0.9


def test_once_shows_the_region_beside_its_nearest_good(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "scratched.png"
    cv2.imwrite(str(path), picture(200, shifted(200), INSIDE))
    ended = goodpart("once", path, "-r", built.folder, "--explain", "--json", cwd=tmp_path)
    record = json.loads(ended.out)
    assert (ended.code, record["verdict"]) == (1, "NOK")
    assert {region["nearest"]["picture"] for region in record["regions"]} <= {p.name for p in built.goods.iterdir()}
    assert cv2.imread(str(tmp_path / "scratched-explained.png")) is not None
    assert cv2.imread(str(tmp_path / "scratched-overlay.png")) is not None


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--roi", "300,200,100,100"), "--roi: reaches beyond the 320×240 pixels"),
        (("--tiles", "9x1"), "--tiles: 9x1 is neither"),
        (("--align", "template", "--roi", "0,0,20,20"), "alignment"),
    ],
)
def test_a_view_that_does_not_suit_the_goods_is_one_sentence(
    built: Built, tmp_path: Path, args: tuple[str, ...], says: str
) -> None:
    ended = goodpart("calibrate", "build", built.goods, "--out", tmp_path / "r", "--max-false-reject", 0.2, *args)
    assert says in ended.sentence
    assert not (tmp_path / "r").exists()
