"""Good parts become a recipe: split → encode → coreset → normal → index → threshold → golden pictures."""

import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import hnswlib
import numpy as np
from numpy.typing import NDArray

from calibration.coreset import Coreset, k_centre
from calibration.goods import Good, Split, count_parts, find_goods, split, split_by_folder
from calibration.limits import learn_limits
from calibration.normal import learn_normal
from calibration.progress import Steps
from calibration.seal import file_cards, may_write, npy_bytes, seal
from calibration.threshold import choose, plan_held_out, require_enough
from edge.capture.fitness import Look, look_at
from edge.capture.pictures import read_picture
from edge.errors import BadEncoder, TooFewGoods
from edge.host.clock import utc_now
from edge.inspect.bank import HnswBank
from edge.inspect.card import CARD_FILE, MODEL_FILE
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.inspect.score import Normal, measure
from edge.recipe.manifest import (
    INDEX_FILE,
    MATRIX_FILE,
    NORMAL_FILE,
    BankCard,
    GoldenCard,
    GoodsCard,
    Guarantee,
    Manifest,
)
from edge.recipe.recipe import load_index
from edge.types import Floats, PatchGrid, ScoreKind

_HNSW_M, _HNSW_EF_CONSTRUCTION, _HNSW_EF = 8, 100, 8
"""Measured on 10,000 patches of real cells: the walk repairs what a small index misses for less than a larger one costs."""

_GOLDEN = 3
_GOLDEN_TOLERANCE = 0.02
"""Of the threshold. Another CPU's kernels round differently; a swapped channel or a wrong mean moves a score far more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the line engineer asked for."""

    goods: Path
    out: Path
    name: str
    part_pattern: str
    held_out: Path | None = None  # goods for the threshold in a folder of their own; else drawn from `goods`
    encoder: Path = DEFAULT_ENCODER
    score: ScoreKind = "top1"
    bank_share: float = 0.1  # of all good patches
    bank_most: int = 10_000
    max_false_reject: float = 0.05
    confidence: float = 0.95
    seed: int = 0
    force: bool = False


@dataclass(frozen=True, slots=True)
class _Bank:
    matrix: Floats
    index: bytes
    card: BankCard
    normal: Normal


@dataclass(frozen=True, slots=True)
class _Threshold:
    value: float
    guarantee: Guarantee
    golden: tuple[GoldenCard, ...]
    golden_files: dict[str, bytes]


def build(plan: Plan, steps: Steps) -> Manifest:
    """Build and seal a recipe; nothing is left behind when it fails.

    Raises:
        TooFewGoods: the promise cannot be kept, said before any long work.
        BadConfig, BadPicture, BadEncoder: the goods or the encoder cannot be used.
    """
    may_write(plan.out, force=plan.force)
    goods = divide(plan)
    raw_model, card = read_encoder(plan.encoder)
    # One thread, as on the device: the held-out goods must be scored by the very path that will judge.
    encoder = Encoder(raw_model, card, threads=1)
    looks: list[Look] = []
    bank = _make_bank(plan, goods.bank, encoder, looks, steps)
    threshold = _make_threshold(plan, goods.held_out, encoder, bank, looks, steps)
    files = threshold.golden_files | {
        MODEL_FILE: raw_model,
        CARD_FILE: card.model_dump_json(indent=1).encode(),
        MATRIX_FILE: npy_bytes(bank.matrix),
        INDEX_FILE: bank.index,
        NORMAL_FILE: npy_bytes(np.stack([bank.normal.mean, bank.normal.std])),
    }
    manifest = Manifest(
        name=plan.name,
        made_utc=utc_now(),
        made_with=_versions(),
        score=plan.score,
        threshold=threshold.value,
        guarantee=threshold.guarantee,
        fitness=learn_limits(looks),
        bank=bank.card,
        goods=_goods_card(goods, plan.seed),
        golden=threshold.golden,
        files=file_cards(files),
    )
    seal(plan.out, manifest, files, force=plan.force)
    return manifest


def divide(plan: Plan) -> Split:
    """Which goods go into the bank and which are held out, after making sure that they suffice.

    Raises:
        TooFewGoods: for the promise, or for a bank.
        BadConfig: the folders cannot be used.
    """
    goods = find_goods(plan.goods, plan.part_pattern)
    if plan.held_out is None:
        held_out_parts = plan_held_out(count_parts(goods), plan.max_false_reject, plan.confidence)
        return split(goods, held_out_parts, plan.seed)
    by_folder = split_by_folder(goods, find_goods(plan.held_out, plan.part_pattern))
    require_enough(count_parts(by_folder.bank), count_parts(by_folder.held_out), plan.max_false_reject, plan.confidence)
    return by_folder


def _make_bank(plan: Plan, goods: tuple[Good, ...], encoder: Encoder, looks: list[Look], steps: Steps) -> _Bank:
    grid = encoder.card.grid
    patches = np.empty((len(goods), grid.rows * grid.cols, grid.patch_dim), np.float32)
    for at, good in enumerate(steps.track(goods, "encoding goods")):
        patches[at] = _encode(good, encoder, looks).patches
    flat = patches.reshape(-1, grid.patch_dim)
    size = min(plan.bank_most, max(1, round(plan.bank_share * len(flat))))
    owners = np.repeat(_part_numbers(goods), grid.rows * grid.cols)
    coreset = k_centre(flat, owners, size, plan.seed, steps.counter(size, "choosing the coreset"))
    matrix = np.ascontiguousarray(flat[coreset.picks])
    return _Bank(
        matrix=matrix,
        index=_index_bytes(matrix, plan.seed),
        card=_bank_card(matrix, len(flat), coreset),
        normal=learn_normal(coreset.to_others.reshape(-1, grid.rows, grid.cols)),
    )


def _make_threshold(
    plan: Plan, held_out: tuple[Good, ...], encoder: Encoder, made: _Bank, looks: list[Look], steps: Steps
) -> _Threshold:
    bank = HnswBank(made.matrix, load_index(made.index, made.card), made.card.ef)
    scores = np.array(
        [
            measure(bank, made.normal, _encode(good, encoder, looks), plan.score)[0].value
            for good in steps.track(held_out, "scoring held-out goods")
        ]
    )
    value, guarantee = choose(_by_part(held_out, scores), plan.max_false_reject, plan.confidence)
    golden = _pick_golden(held_out, scores, value)
    files = {card.file: cv2.imencode(".png", read_picture(good.path))[1].tobytes() for card, good in golden}
    return _Threshold(value, guarantee, tuple(card for card, _ in golden), files)


def _encode(good: Good, encoder: Encoder, looks: list[Look]) -> PatchGrid:
    pixels = read_picture(good.path)
    looks.append(look_at(pixels))
    grid = encoder(pixels)
    if not np.isfinite(grid.patches).all():
        raise BadEncoder(f"encoder {encoder.card.name}: gives NaN or infinity for {good.path}; export it again.")
    return grid


def _part_numbers(goods: tuple[Good, ...]) -> NDArray[np.int32]:
    _, numbers = np.unique([good.part_id for good in goods], return_inverse=True)
    if numbers.max() == 0:
        raise TooFewGoods("all pictures for the bank show one part; give pictures of different parts.")
    return numbers.astype(np.int32)


def _bank_card(matrix: Floats, patches: int, coreset: Coreset) -> BankCard:
    return BankCard(
        vectors=matrix.shape[0],
        dim=matrix.shape[1],
        patches=patches,
        radius=coreset.radius,
        m=_HNSW_M,
        ef_construction=_HNSW_EF_CONSTRUCTION,
        ef=_HNSW_EF,
    )


def _index_bytes(matrix: Floats, seed: int) -> bytes:
    """An HNSW index over the rows of the matrix, the same bytes for the same rows and seed."""
    index = hnswlib.Index(space="l2", dim=matrix.shape[1])
    index.init_index(len(matrix), M=_HNSW_M, ef_construction=_HNSW_EF_CONSTRUCTION, random_seed=seed)
    index.add_items(matrix, num_threads=1)  # more threads would insert in another order each time
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / INDEX_FILE
        index.save_index(str(path))
        return path.read_bytes()


def _by_part(held_out: tuple[Good, ...], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A part is rejected when any of its pictures is, so its score is the highest of theirs."""
    highest: dict[str, float] = {}
    for good, score in zip(held_out, scores, strict=True):
        highest[good.part_id] = max(float(score), highest.get(good.part_id, -np.inf))
    return np.array(list(highest.values()))


def _pick_golden(held_out: tuple[Good, ...], scores: NDArray[np.float64], threshold: float) -> list[tuple[GoldenCard, Good]]:
    """The lowest, the median and the highest held-out good: the whole range of what the device must reproduce."""
    order = np.argsort(scores)
    picked = sorted({int(order[round(share * (len(order) - 1))]) for share in np.linspace(0, 1, _GOLDEN)})
    tolerance = _GOLDEN_TOLERANCE * abs(threshold)
    return [
        (GoldenCard(file=f"golden-{number}.png", score=float(scores[at]), tolerance=tolerance), held_out[at])
        for number, at in enumerate(picked, start=1)
    ]


def _goods_card(goods: Split, seed: int) -> GoodsCard:
    return GoodsCard(
        bank_pictures=len(goods.bank),
        held_out_pictures=len(goods.held_out),
        held_out_parts=count_parts(goods.held_out),
        seed=seed,
    )


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("goodpart", "hnswlib", "numpy", "onnxruntime")}
    return packages | {"python": platform.python_version(), "machine": platform.machine()}
