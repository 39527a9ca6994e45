"""What is typed on the command line is understood, or refused with what was typed and an example."""

import pytest

from calibration.normal import EVERYWHERE, NEARBY
from calibration.options import METHODS, SCALINGS, SCORES, SPREADS, roi_of, tiles_of
from edge.errors import BadConfig
from edge.inspect.view_card import RoiCard


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("0,0,1,1", RoiCard(x=0, y=0, width=1, height=1)),
        ("120,80,640,480", RoiCard(x=120, y=80, width=640, height=480)),
        ("007,0,10,20", RoiCard(x=7, y=0, width=10, height=20)),
    ],
)
def test_four_whole_numbers_are_a_region(text: str | None, wanted: RoiCard | None) -> None:
    assert roi_of(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,0,4",
        "1,2,3,0",
        "-1,2,3,4",
        "1.5,2,3,4",
        "1, 2, 3, 4",
        "1;2;3;4",
        "10x10",
        "a,b,c,d",
    ],
)
def test_anything_else_is_no_region(text: str) -> None:
    with pytest.raises(BadConfig, match=r"^--roi: .*X,Y,WIDTH,HEIGHT.*for example \d+,\d+,\d+,\d+\.$") as refused:
        roi_of(text)
    assert text.strip() in str(refused.value)


@pytest.mark.parametrize(
    ("text", "wanted"), [("auto", None), ("1x1", (1, 1)), ("1x3", (1, 3)), ("8x8", (8, 8)), ("2×4", (2, 4))]
)
def test_rows_and_columns_are_tiles(text: str, wanted: tuple[int, int] | None) -> None:
    assert tiles_of(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "0x1", "1x0", "9x1", "1x9", "-1x2", "1,2", "1x2x3", "3", "Auto", "1 x 2", "1.0x2", "x"]
)
def test_anything_else_is_no_tiles(text: str) -> None:
    with pytest.raises(BadConfig, match=r"^--tiles: .* neither auto nor ROWSxCOLS with 1 to 8 each"):
        tiles_of(text)


def test_auto_leaves_the_choice_open_and_a_name_decides_it() -> None:
    assert SCORES == {"auto": None, "top1": "top1", "max": "max"}
    assert SCALINGS == {"auto": None, "none": "none", "half": "half", "full": "full"}
    assert SPREADS == {"auto": None, "place": NEARBY, "everywhere": EVERYWHERE}
    assert METHODS == {None: None, "template": "template", "keypoints": "keypoints"}
