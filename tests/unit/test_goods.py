"""Goods are grouped by part, and no part is on both sides of the split."""

from pathlib import Path

import pytest

from calibration.goods import count_parts, find_goods, refuse_goods_among, split, split_by_folder
from edge.errors import BadConfig


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return folder


def test_names_that_agree_before_a_double_underscore_are_one_part(tmp_path: Path) -> None:
    goods = find_goods(touch(tmp_path, "a-1__top.png", "a-1__side.png", "a-2__top.png", "b_1.png", "b_2.png"))
    assert [g.part_id for g in goods] == ["a-1", "a-1", "a-2", "b_1", "b_2"]
    assert count_parts(goods) == 4


def test_a_pattern_of_ones_own_groups_otherwise(tmp_path: Path) -> None:
    goods = find_goods(touch(tmp_path, "x7_view1.png", "x7_view2.png", "odd.png"), r"(?P<part>.+)_view\d+")
    assert sorted({g.part_id for g in goods}) == ["odd", "x7"]


@pytest.mark.parametrize("pattern", ["(", "(.+)_view"])
def test_a_pattern_that_cannot_group_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(BadConfig, match="--part-pattern"):
        find_goods(touch(tmp_path, "a.png"), pattern)


def test_copies_of_one_file_are_one_part_whatever_their_names(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a.png", "b.png")
    (folder / "copy of a.png").write_bytes(b"a.png")
    assert count_parts(find_goods(folder)) == 2


def test_all_pictures_of_a_part_fall_on_one_side_and_the_seed_decides_which(tmp_path: Path) -> None:
    goods = find_goods(touch(tmp_path, *(f"p{i}__{view}.png" for i in range(20) for view in "ab")))
    found = split(goods, 6, seed=3)
    bank, held_out = ({g.part_id for g in side} for side in (found.bank, found.held_out))
    assert (len(bank), len(held_out), bank & held_out) == (14, 6, set())
    assert len(found.bank) == 28
    assert split(goods, 6, seed=3) == found
    assert split(goods, 6, seed=4) != found


def test_a_held_out_folder_with_a_part_of_the_bank_is_refused(tmp_path: Path) -> None:
    bank = find_goods(touch(tmp_path / "bank", "a__1.png", "b.png"))
    for name, content in (("a__2.png", b"other"), ("c.png", b"b.png")):
        held_out = touch(tmp_path / name, name)
        (held_out / name).write_bytes(content)
        with pytest.raises(BadConfig, match="same part"):
            split_by_folder(bank, find_goods(held_out))
    fine = split_by_folder(bank, find_goods(touch(tmp_path / "fine", "d.png")))
    assert (len(fine.bank), len(fine.held_out)) == (2, 1)


def test_a_picture_called_both_good_and_defective_is_refused(tmp_path: Path) -> None:
    goods, defects = touch(tmp_path / "good", "a.png", "b.png"), touch(tmp_path / "bad", "c.png")
    refuse_goods_among(find_goods(goods), find_goods(defects))
    (defects / "d.png").write_bytes((goods / "b.png").read_bytes())
    with pytest.raises(BadConfig, match=r"d\.png is also .*b\.png among the goods"):
        refuse_goods_among(find_goods(goods), find_goods(defects))
