"""Solar cells under electroluminescence from elpv-dataset (Buerhop et al. 2018), sorted into folders for the demo."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import elpv_dataset
import numpy as np

from calibration.evaluate.folders import GOOD
from edge.errors import BadConfig

DEFECT = "defect"


@dataclass(frozen=True, slots=True)
class Cells:
    """goods: folder for the recipe; parts: folder of parts to judge; truth: part id to GOOD or DEFECT."""

    goods: Path
    parts: Path
    truth: dict[str, str]


def prepare(out: Path, goods: int, test_goods: int, test_defects: int, seed: int) -> Cells:
    """Copy monocrystalline cells into `out`: certainly good ones (probability 0) and certainly defective ones (1).

    Raises:
        BadConfig: `out` is somebody else's folder, or cannot be written.
    """
    good, defective = labelled(0.0), labelled(1.0)
    rng = np.random.default_rng(seed)
    chosen_good = [good[i] for i in rng.permutation(len(good))[: goods + test_goods]]
    chosen_defective = [defective[i] for i in rng.permutation(len(defective))[:test_defects]]
    cells = Cells(
        goods=out / "goods",
        parts=out / "parts",
        truth=dict.fromkeys((p.stem for p in chosen_good[goods:]), GOOD)
        | dict.fromkeys((p.stem for p in chosen_defective), DEFECT),
    )
    try:
        for folder, pictures in ((cells.goods, chosen_good[:goods]), (cells.parts, chosen_good[goods:] + chosen_defective)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for picture in pictures:
                shutil.copy(picture, folder)
    except OSError as err:
        raise BadConfig(f"--out: {out} cannot be written: {err.strerror}; choose another folder.") from None
    return cells


def labelled(probability: float) -> list[Path]:
    """Monocrystalline cells whose label says that they are defective with this probability."""
    data = Path(elpv_dataset.__file__).parent / "data"
    # Columns are padded with blanks: path, probability, kind.
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines()]
    return [data / path for path, label, kind in rows if kind == "mono" and float(label) == probability]
