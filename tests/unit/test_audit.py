"""Goods are audited: copies, leaks, unfit pictures, drifting light, mixed products, and what to leave out."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.audit.audit import Audit, Request, audit
from calibration.audit.exclude import left_out, read_list
from calibration.audit.outliers import outliers_in_words
from calibration.audit.robust import upper_limit
from calibration.goods import find_goods
from calibration.progress import steps
from edge.errors import BadConfig, TooFewGoods
from tests.browser import PHONE, WIDE, chromium, look
from tests.commands import goodpart
from tests.conftest import part_picture, write_parts

DAY_S = 86400


def audited(folder: Path, held_out: Path | None = None) -> Audit:
    with steps() as shown:
        return audit(Request(folder, held_out), shown)


def excluded(found: Audit) -> dict[str, str]:
    return {each.good.path.name: "; ".join(each.reasons) for each in found.exclusions}


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty goods, and one of everything that can be wrong with a picture."""
    folder = write_parts(tmp_path_factory.mktemp("messy") / "good", range(800, 840))
    one = part_picture(805)
    cv2.imwrite(str(folder / "copy-of-805.bmp"), one)
    cv2.imwrite(str(folder / "again-806.jpg"), part_picture(806), [cv2.IMWRITE_JPEG_QUALITY, 70])
    cv2.imwrite(str(folder / "dark.png"), (part_picture(900) * 0.2).astype(np.uint8))
    cv2.imwrite(str(folder / "blurred.png"), cv2.GaussianBlur(part_picture(901), (0, 0), 4))
    cv2.imwrite(str(folder / "small.png"), part_picture(902)[:60, :80])
    cv2.imwrite(str(folder / "colour.png"), part_picture(903) * np.array([1.0, 0.5, 0.1])[None, None])
    cv2.imwrite(str(folder / "defect.png"), part_picture(904, defect=True))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_everything_that_is_wrong_is_found_and_put_on_the_list_with_its_reason(messy: Path) -> None:
    found = excluded(audited(messy))
    for name, word in {
        "dark.png": "darker",
        "blurred.png": "blurred",
        "small.png": "80×60",
        "colour.png": "colour",
        "defect.png": "suspicious",
        "broken.png": "not a picture",
    }.items():
        assert word in found[name], name
    # Of a picture and its copies one stays.
    assert len({"copy-of-805.bmp", "part-805.png"} & found.keys()) == 1
    assert len({"again-806.jpg", "part-806.png"} & found.keys()) == 1
    assert len(found) <= 9


def test_clean_goods_are_left_alone(goods_dir: Path) -> None:
    found = audited(goods_dir)
    assert len(found.exclusions) <= 1
    assert found.pairs == ()
    assert found.misfits == ()


def test_a_part_on_both_sides_leaks_whatever_it_is_called(tmp_path: Path) -> None:
    bank = write_parts(tmp_path / "bank", range(800, 820))
    held_out = write_parts(tmp_path / "held-out", range(840, 852))
    cv2.imwrite(str(held_out / "other-name.jpg"), part_picture(803), [cv2.IMWRITE_JPEG_QUALITY, 90])
    cv2.imwrite(str(held_out / "part-804__2.png"), part_picture(999))
    (bank / "part-804.png").rename(bank / "part-804__1.png")
    found = audited(bank, held_out)
    leaking = {found.seen[leak.bank].good.path.name for leak in found.leaks}
    assert {"part-803.png", "part-804__1.png"} <= leaking
    assert leaking <= excluded(found).keys()


def test_light_that_drifts_is_a_trend_by_the_times_beside_the_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "drifting"
    folder.mkdir()
    for number in range(30):
        # The order of names is not that of time.
        name = f"part-{(number * 7) % 30:03d}"
        cv2.imwrite(str(folder / f"{name}.png"), cv2.add(part_picture(number), (number, number, number, 0)))
        (folder / f"{name}.json").write_text(json.dumps({"taken_utc": f"2026-03-{number + 1:02d}T08:00:00Z"}))
    drift = audited(folder).drift
    assert drift.clock == "sidecar"
    trends = {trend.look: trend for trend in drift.trends}
    assert trends["brightness"].clear
    assert trends["brightness"].change == pytest.approx(29, abs=6)
    (folder / "part-000.json").write_text("{}")
    with pytest.raises(BadConfig, match="taken_utc"):
        audited(folder)


def test_light_that_only_varies_is_no_trend(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "steady", range(30))
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (number * DAY_S, number * DAY_S))
    drift = audited(folder).drift
    assert drift.clock == "file"
    assert not any(trend.clear for trend in drift.trends)


def test_two_products_in_one_folder_are_two_groups(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "mixed", range(20))
    for number in range(20):
        other = cv2.rotate(part_picture(50 + number), cv2.ROTATE_180)
        cv2.rectangle(other, (20, 20), (140, 100), (30, 30, 30), -1)
        cv2.imwrite(str(folder / f"other-{number}.png"), other)
    found = audited(folder)
    groups = [{found.seen[i].good.path.name[:4] for i in group.numbers} for group in found.grouping.groups]
    assert sorted(map(sorted, groups)) == [["othe"], ["part"]]


def test_the_limit_follows_most_of_the_scores_and_not_the_worst() -> None:
    rng = np.random.default_rng(0)
    usual = rng.normal(3, 1, 300)
    assert upper_limit(np.concatenate([usual, np.full(15, 50.0)]), 3.5) == pytest.approx(upper_limit(usual, 3.5), abs=0.6)
    assert (usual > upper_limit(usual, 3.5)).mean() <= 0.01


def test_a_build_is_warned_of_held_out_goods_far_above_the_others() -> None:
    names = [f"{n}.png" for n in range(60)]
    scores = np.linspace(1, 3, 60)
    assert outliers_in_words(names, scores) is None
    scores[[7, 9]] = (30, 40)
    words = outliers_in_words(names, scores)
    assert words is not None
    assert words.startswith("2 held-out goods score far above the others (9.png, 7.png)")


def test_a_list_names_files_or_paths_and_each_must_be_there_once(goods_dir: Path, tmp_path: Path) -> None:
    goods = find_goods(goods_dir)
    listed = tmp_path / "out.txt"
    listed.write_text(f"# why\npart-003.png\n\n  {goods_dir / 'part-004.png'}  \n")
    assert {path.name for path in left_out(read_list(listed), goods, "out.txt")} == {"part-003.png", "part-004.png"}
    with pytest.raises(BadConfig, match=r"names part-999\.png, which is not among the goods"):
        left_out(("part-999.png",), goods, "out.txt")
    with pytest.raises(BadConfig, match="cannot be read"):
        read_list(tmp_path / "absent.txt")


def test_too_few_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooFewGoods, match="at least 10"):
        audited(write_parts(tmp_path / "few", range(5)))


def test_the_command_writes_page_and_list_and_build_takes_the_list(messy: Path, tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    ended = goodpart("calibrate", "audit", messy, "--exclude-list", listed, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "defect.png" in listed.read_text()
    with chromium() as browser:
        for size in (WIDE, PHONE):
            shown = look(browser, tmp_path / "audit-good.html", size)
            assert (shown.complaints, shown.fetched, shown.broken_pictures, shown.too_wide) == ([], [], 0, False)
            assert "defect.png" in shown.text
    args = ("--out", tmp_path / "r", "--max-false-reject", 0.2, "--bank-most", 500)
    assert "broken.png" in goodpart("calibrate", "build", messy, *args, cwd=tmp_path).sentence
    built = goodpart("calibrate", "build", messy, *args, "--exclude", listed, "--json", cwd=tmp_path)
    assert built.code == 0, built.err
    goods = json.loads(built.out)["goods"]
    assert goods["excluded"] == len(read_list(listed))
    assert not {"defect.png", "dark.png"} & {card["picture"] for card in goods["bank"] + goods["held_out"]}
