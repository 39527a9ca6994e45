"""Ways to judge are compared on goods that the trial's bank has not seen, whole and damaged."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.goods import Good, find_goods, part_numbers, sample
from calibration.judgement import LEFT_OUT, Trial
from calibration.limits import learn_limits
from calibration.memory import Sample
from calibration.progress import steps
from calibration.pseudo import DAMAGES
from calibration.reader import Reader
from calibration.trial import make_trial
from edge.errors import BadConfig, BadPicture
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.inspect.eye import Eye
from edge.inspect.view_card import PictureCard, RoiCard, ViewCard
from edge.types import Reason
from tests.conftest import part_picture, write_parts

PARTS = LEFT_OUT + 6
ROI = ViewCard(picture=PictureCard(width=160, height=120), roi=RoiCard(x=20, y=10, width=100, height=100))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(*read_encoder(DEFAULT_ENCODER))


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> list[Good]:
    return find_goods(write_parts(tmp_path_factory.mktemp("goods") / "good", range(PARTS)))


@pytest.fixture(scope="module")
def some(goods: list[Good], encoder: Encoder) -> tuple[Sample, np.ndarray]:
    """A sample of all parts, and which of the goods it shows."""
    numbers, reader = sample(goods, PARTS, 1), Reader(Eye(encoder, ViewCard()))
    return Sample(tuple(reader.kept(goods[i])[0] for i in numbers), part_numbers(goods)[numbers]), numbers


Try = Callable[..., Trial]


@pytest.fixture(scope="module")
def trial_of(goods: list[Good], some: tuple[Sample, np.ndarray]) -> Try:
    def try_out(reader: Reader, defects: Path | None = None) -> Trial:
        with steps() as shown:
            return make_trial(goods, *some, defects, reader, 0, shown)

    return try_out


@pytest.fixture
def reader(encoder: Encoder) -> Reader:
    return Reader(Eye(encoder, ViewCard()))


@pytest.fixture(scope="module")
def painted(trial_of: Try, encoder: Encoder) -> Trial:
    return trial_of(Reader(Eye(encoder, ViewCard())))


@pytest.fixture
def defects(tmp_path: Path) -> Path:
    return write_parts(tmp_path / "defects", range(200, 205), defect=True)


def test_parts_that_are_left_out_are_not_in_the_trials_bank(painted: Trial, some: tuple[Sample, np.ndarray]) -> None:
    taken = some[0]
    assert len(painted.goods) == LEFT_OUT
    assert painted.goods == taken.grids[-LEFT_OUT:]
    assert painted.bank.grids == taken.grids[:-LEFT_OUT]
    assert sorted([*painted.bank.parts, *taken.parts[-LEFT_OUT:]]) == list(range(PARTS))


def test_every_good_that_is_left_out_is_damaged_in_every_way(painted: Trial) -> None:
    assert painted.of is not None
    assert len(painted.defects) == len(painted.of) == LEFT_OUT * len(DAMAGES)
    assert np.bincount(painted.of).tolist() == [len(DAMAGES)] * LEFT_OUT


def test_painted_defects_belong_to_their_good(painted: Trial) -> None:
    assert painted.of is not None
    goods = np.stack([grid.patches for grid in painted.goods])
    for defect, of in zip(painted.defects, painted.of, strict=True):
        apart = np.square(goods - defect.patches).mean(axis=(1, 2))
        assert apart.argmin() == of
        assert apart[of] > 0


def test_painted_defects_change_little_of_the_map(painted: Trial) -> None:
    assert painted.of is not None
    shares = []
    for defect, of in zip(painted.defects, painted.of, strict=True):
        moved = np.linalg.norm(defect.patches - painted.goods[of].patches, axis=1)
        shares.append((moved > moved.max() / 2).mean())
    assert np.median(shares) < 0.05


def test_grids_of_a_trial_share_no_memory(painted: Trial) -> None:
    first, second = painted.defects[:2]
    assert not np.shares_memory(first.patches, second.patches)
    assert not np.array_equal(first.patches, second.patches)


def test_defects_are_painted_where_it_is_looked(goods: list[Good], encoder: Encoder) -> None:
    card = ViewCard(picture=PictureCard(width=160, height=120), roi=RoiCard(x=60, y=40, width=40, height=40))
    reader, numbers = Reader(Eye(encoder, card)), sample(goods, PARTS, 1)
    seen = Sample(tuple(reader.kept(goods[i])[0] for i in numbers), part_numbers(goods)[numbers])
    with steps() as shown:
        trial = make_trial(goods, seen, numbers, None, reader, 0, shown)
    assert trial.of is not None
    unseen = [np.array_equal(d.patches, trial.goods[of].patches) for d, of in zip(trial.defects, trial.of, strict=True)]
    assert sum(unseen) == 0


def test_the_same_seed_paints_the_same(painted: Trial, trial_of: Try, reader: Reader) -> None:
    again = trial_of(reader)
    assert all(np.array_equal(a.patches, b.patches) for a, b in zip(again.defects, painted.defects, strict=True))


def test_given_defects_are_read_instead_of_painted(
    trial_of: Try, some: tuple[Sample, np.ndarray], encoder: Encoder, defects: Path
) -> None:
    trial = trial_of(Reader(Eye(encoder, ROI)), defects)
    assert trial.of is None
    assert trial.goods == some[0].grids[-LEFT_OUT:]
    eye = Eye(encoder, ROI)
    expected = [eye(part_picture(seed, defect=True)).patches.copy() for seed in range(200, 205)]
    found = [grid.patches for grid in trial.defects]
    assert len(found) == len(expected)
    assert all(any(np.array_equal(one, other) for other in found) for one in expected)


def test_given_defects_do_not_teach_what_a_fit_picture_looks_like(
    trial_of: Try, goods: list[Good], reader: Reader, tmp_path: Path
) -> None:
    folder = tmp_path / "defects"
    folder.mkdir()
    cv2.imwrite(str(folder / "dark.png"), part_picture(200, defect=True) // 8)
    cv2.imwrite(str(folder / "large.png"), cv2.resize(part_picture(201, defect=True), None, fx=3, fy=3))
    cv2.imwrite(str(folder / "colour.png"), cv2.applyColorMap(part_picture(202), cv2.COLORMAP_JET))
    for good in goods:
        reader(good)
    of_goods = learn_limits(reader.looks)
    trial_of(reader, folder)
    assert learn_limits(reader.looks) == of_goods


@pytest.mark.parametrize("kind", ["absent", "a file", "empty"])
def test_a_defects_folder_that_cannot_be_used_is_one_sentence(
    trial_of: Try, reader: Reader, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "defects"
    if kind == "a file":
        folder.write_text("not a folder")
    elif kind == "empty":
        folder.mkdir()
    with pytest.raises(BadConfig, match=r"cannot be listed|holds no pictures") as refused:
        trial_of(reader, folder)
    assert str(folder) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_defect_that_is_no_picture_is_named(trial_of: Try, reader: Reader, defects: Path) -> None:
    (defects / "part-202.png").write_bytes(b"text")
    with pytest.raises(BadPicture, match=r"part-202\.png"):
        trial_of(reader, defects)


def test_a_defect_of_another_size_is_named_where_there_is_a_region(trial_of: Try, encoder: Encoder, defects: Path) -> None:
    cv2.imwrite(str(defects / "small.png"), part_picture(9)[::2, ::2])
    with pytest.raises(BadPicture, match=r"small\.png.*80×60.*160×120.*remove it") as refused:
        trial_of(Reader(Eye(encoder, ROI)), defects)
    assert refused.value.reason is Reason.NOT_ALIGNED
