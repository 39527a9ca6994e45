"""Pictures, recipes and brokers that many tests need, each made once."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings

from calibration.build import Plan, build
from calibration.goods import PART_PATTERN
from calibration.progress import steps

settings.register_profile("busy", deadline=None)  # a busy machine is slow, and that decides no test
settings.load_profile("busy")

GOODS = 30
MAX_FALSE_REJECT = 0.2  # what 15 held-out goods can promise


def part_picture(seed: int, *, defect: bool = False) -> np.ndarray:
    """A brushed grey plate with a ring, 120×160×3 uint8; a defect is a bright scratch across the ring."""
    rng = np.random.default_rng(seed)
    brushed = cv2.GaussianBlur(rng.normal(110, 30, (120, 160)).astype(np.float32), (0, 0), sigmaX=6, sigmaY=0.8)
    plate = cv2.cvtColor(np.clip(brushed, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    cv2.circle(plate, (80 + int(rng.integers(-2, 3)), 60), 34, (170, 170, 170), 5, cv2.LINE_AA)
    if defect:
        cv2.line(plate, (60, 25), (105, 95), (250, 250, 250), 3, cv2.LINE_AA)
    return plate


def write_parts(folder: Path, seeds: range, *, defect: bool = False) -> Path:
    folder.mkdir(parents=True)
    for seed in seeds:
        cv2.imwrite(str(folder / f"part-{seed:03d}.png"), part_picture(seed, defect=defect))
    return folder


@pytest.fixture(scope="session")
def goods_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty different good parts."""
    return write_parts(tmp_path_factory.mktemp("goods") / "good", range(GOODS))


@pytest.fixture(scope="session")
def recipe_dir(goods_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed recipe built from `goods_dir` with the shipped encoder. Read only: copy it before you break it."""
    out = tmp_path_factory.mktemp("recipes") / "plate"
    with steps() as shown:
        build(Plan(goods_dir, out, "plate", PART_PATTERN, max_false_reject=MAX_FALSE_REJECT, bank_most=1000), shown)
    return out


@pytest.fixture
def test_set(tmp_path: Path) -> Path:
    """Four good and four scratched parts that the recipe has not seen, in the layout of `calibrate evaluate`."""
    write_parts(tmp_path / "test" / "good", range(100, 104))
    write_parts(tmp_path / "test" / "scratch", range(200, 204), defect=True)
    return tmp_path / "test"


def station_file(folder: Path, recipe: Path, source: dict[str, object], **more: object) -> Path:
    """A station's configuration; JSON is YAML."""
    station = {"site": "test", "area": "lab", "line": "line-1", "station": "camera-1"}
    config = {"station": station, "recipe": str(recipe), "source": source, **more}
    path = folder / "station.yaml"
    path.write_text(json.dumps(config))
    return path
