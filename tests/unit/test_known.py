"""Pictures that a recipe was made from are found by their bytes and by names that say a part."""

from pathlib import Path

from calibration.goods import Good
from calibration.known import Known, Twin, as_record, known_among, twins, warnings
from edge.recipe.manifest import GoodCard, GoodsCard, HeldOutCard

BANK = (GoodCard(picture="p1__1.png", part="p1", sha256="1" * 64), GoodCard(picture="000.png", part="000", sha256="2" * 64))
HELD_OUT = (HeldOutCard(picture="p2__1.png", part="p2", sha256="3" * 64, score=1.0),)
GOODS = GoodsCard(bank=BANK, held_out=HELD_OUT, excluded=0, part_pattern="(?P<part>.+?)__.+", seed=0)

COPY = Good(Path("test/copy.png"), "copy", "2" * 64)
REPEAT = Good(Path("test/p1__2.png"), "p1", "4" * 64)
NUMBERED = Good(Path("test/000.png"), "000", "5" * 64)
HELD = Good(Path("test/p2__9.png"), "p2", "6" * 64)
NEW = Good(Path("test/p3__1.png"), "p3", "7" * 64)


def test_a_copy_and_another_picture_of_a_part_are_known_and_a_number_alone_tells_nothing() -> None:
    found = known_among(GOODS, [COPY, REPEAT, NUMBERED, HELD, NEW])
    assert found.bank == (Twin(COPY.path, "000.png"), Twin(REPEAT.path, "p1__1.png"))
    assert found.held_out == (Twin(HELD.path, "p2__1.png"),)


def test_where_a_name_is_enough_a_number_tells_the_part() -> None:
    assert twins(BANK, [NUMBERED, NEW], plain_names=True) == (Twin(NUMBERED.path, "000.png"),)


def test_what_is_known_is_said_with_the_first_picture_and_nothing_is_said_of_new_ones() -> None:
    bank, held_out = warnings(known_among(GOODS, [COPY, REPEAT, HELD]), "A's")
    assert bank.startswith(
        "2 pictures (the first: test/copy.png, there 000.png) show parts that are in A's bank, which knows"
    )
    assert held_out.startswith("1 picture (test/p2__9.png, there p2__1.png) shows a part that is among A's held-out goods")
    assert warnings(known_among(GOODS, [NUMBERED, NEW])) == []
    assert as_record(Known((), (Twin(HELD.path, "p2__1.png"),))) == {
        "bank": [],
        "held_out": [{"path": "test/p2__9.png", "of": "p2__1.png"}],
    }
