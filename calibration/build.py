"""Good parts become a recipe: split → sketch → coreset → normal → search → threshold → golden pictures."""

import platform
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from calibration.audit.exclude import left_out, read_list
from calibration.audit.outliers import outliers_in_words
from calibration.coreset import Gathering
from calibration.goods import (
    Good,
    Split,
    count_parts,
    find_goods,
    part_numbers,
    refuse_goods_among,
    sample,
    split,
    split_by_folder,
)
from calibration.index import Indexed, choose_search
from calibration.judgement import card as way_card
from calibration.judgement import enough_for_trial, judge_ways, scale_of, ways
from calibration.limits import learn_limits
from calibration.memory import SAMPLE_PARTS, Memory, Sample, learn_sketch, remember
from calibration.normal import learn_normal
from calibration.progress import Steps
from calibration.reader import Reader
from calibration.seal import file_cards, may_write, npy_bytes, seal
from calibration.threshold.order import choose, plan_held_out, require_enough
from calibration.threshold.parts import by_part
from calibration.thumbnails import packed, thumbnail
from calibration.trial import make_trial
from calibration.view import ChosenView, ViewPlan, choose_view
from edge.capture.pictures import read_picture
from edge.host.clock import utc_now
from edge.inspect.card import CARD_FILE, MODEL_FILE
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.inspect.eye import Eye
from edge.inspect.score import Normal, measure
from edge.inspect.view_card import REFERENCE_FILE
from edge.recipe.manifest import (
    INDEX_FILE,
    MATRIX_FILE,
    NORMAL_FILE,
    ORIGIN_FILE,
    SCALE_FILE,
    SKETCH_FILE,
    THUMBNAILS_FILE,
    BankCard,
    GoldenCard,
    GoodCard,
    GoodsCard,
    HeldOutCard,
    JudgementCard,
    Manifest,
    Scaling,
)
from edge.recipe.promise import Guarantee
from edge.types import Floats, ScoreKind

_TRIAL_PICTURES = 8
"""Held-out goods on which searches are timed; the median of so many tells a third from a half."""

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
    exclude: Path | None = None  # list of pictures to leave out
    encoder: Path = DEFAULT_ENCODER
    view: ViewPlan = field(default_factory=ViewPlan)
    score: ScoreKind | None = None  # None: chosen, like the next two
    scaling: Scaling | None = None
    smoothing: float | None = None
    defects: Path | None = None  # known defects, by which to choose
    bank_share: float = 0.2  # of all good patches
    bank_most: int = 20_000  # measured on magnetic tiles, 200 goods at 256²: AUROC 0.906 with 10,000, 0.911 with 20,000
    max_false_reject: float = 0.05
    confidence: float = 0.95
    seed: int = 0
    force: bool = False


@dataclass(frozen=True, slots=True)
class _Threshold:
    value: float
    promise: Guarantee
    held_out: tuple[HeldOutCard, ...]
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
    if plan.defects:
        refuse_goods_among([*goods.bank, *goods.held_out], find_goods(plan.defects, plan.part_pattern))
    raw_model, card = read_encoder(plan.encoder)
    # One thread, as on the device: the held-out goods must be scored by the very path that will judge.
    view = choose_view(plan.view, [*goods.bank, *goods.held_out], Encoder(raw_model, card, threads=1), plan.seed, steps)
    learned = _learn(plan, goods.bank, view, steps)
    memory, judgement, reader = learned.memory, learned.judgement, learned.reader
    normal = learn_normal(memory.apart, view.watched, judgement.smoothing)
    trials = [reader.kept(good)[0] for good in goods.held_out[:_TRIAL_PICTURES]]
    with threadpool_limits(1):  # the device's path again
        indexed = choose_search(memory.matrix, memory.sketch, normal, judgement.score, trials, plan.seed)
        threshold = _make_threshold(plan, goods.held_out, learned, indexed, normal, steps)
    files = threshold.golden_files | {
        MODEL_FILE: raw_model,
        CARD_FILE: card.model_dump_json(indent=1).encode(),
        SCALE_FILE: npy_bytes(learned.scale),
        MATRIX_FILE: npy_bytes(memory.matrix),
        SKETCH_FILE: npy_bytes(memory.sketch.axes),
        ORIGIN_FILE: npy_bytes(memory.origin),
        NORMAL_FILE: npy_bytes(np.stack([normal.mean, normal.std, normal.watched.astype(np.float32)])),
        THUMBNAILS_FILE: packed(learned.thumbnails),
    }
    if indexed.raw:
        files[INDEX_FILE] = indexed.raw
    if reference := view.reference_png():
        files[REFERENCE_FILE] = reference
    manifest = Manifest(
        name=plan.name,
        made_utc=utc_now(),
        made_with=_versions(),
        judgement=judgement,
        threshold=threshold.value,
        promise=threshold.promise,
        fitness=learn_limits(reader.looks),
        view=view.eye.card,
        view_why=view.why,
        bank=_bank_card(memory, indexed),
        goods=_goods_card(plan, goods, threshold.held_out),
        golden=threshold.golden,
        files=file_cards(files),
    )
    seal(plan.out, manifest, files, force=plan.force)
    return manifest


def divide(plan: Plan) -> Split:
    """Which goods go into the bank and which are held out, after making sure that they suffice.

    Raises:
        TooFewGoods: for the promise, or for a bank.
        BadConfig: the folders or the list of pictures to leave out cannot be used.
    """
    goods = find_goods(plan.goods, plan.part_pattern)
    apart = find_goods(plan.held_out, plan.part_pattern) if plan.held_out else []
    out = left_out(read_list(plan.exclude), [*goods, *apart], str(plan.exclude)) if plan.exclude else frozenset()
    goods = [good for good in goods if good.path not in out]
    apart = [good for good in apart if good.path not in out]
    if plan.held_out is None:
        held_out_parts = plan_held_out(count_parts(goods), plan.max_false_reject, plan.confidence)
        return replace(split(goods, held_out_parts, plan.seed), excluded=len(out))
    by_folder = split_by_folder(goods, apart)
    require_enough(count_parts(by_folder.bank), count_parts(by_folder.held_out), plan.max_false_reject, plan.confidence)
    return replace(by_folder, excluded=len(out))


@dataclass(frozen=True, slots=True)
class _Learned:
    """What good patches taught. reader: sees with the scale; thumbnails: of the bank's pictures."""

    judgement: JudgementCard
    scale: Floats
    reader: Reader
    memory: Memory
    thumbnails: list[bytes]


def _learn(plan: Plan, goods: tuple[Good, ...], view: ChosenView, steps: Steps) -> _Learned:
    """Judgement from a sample of the goods, then the bank from all of them."""
    plain = Reader(view.eye)
    parts, numbers = part_numbers(goods), sample(goods, SAMPLE_PARTS, plan.seed)
    places = np.flatnonzero(view.watched)
    raw = Sample(tuple(plain.kept(goods[i])[0] for i in steps.track(numbers, "encoding a sample")), parts[numbers])
    judgement = _choose_judgement(plan, goods, raw, numbers, view.watched, plain, steps)
    scale = scale_of(np.concatenate([grid.patches[places] for grid in raw.grids]), judgement.scaling)
    some = Sample(tuple(replace(grid, patches=grid.patches * scale) for grid in raw.grids), raw.parts)
    reader = Reader(Eye(view.eye.encoder, view.eye.card, view.reference, scale), plain.looks)
    sketch = learn_sketch(some, places)
    size = min(plan.bank_most, max(1, round(plan.bank_share * len(goods) * len(places))))
    gathering = Gathering(size, sketch, plan.seed, steps.counter(size, "choosing the coreset"))
    thumbnails = []
    for number, good in enumerate(steps.track(goods, "encoding goods")):
        grid, pixels = reader(good)
        gathering.add(grid.patches[places], number, places)
        thumbnails.append(thumbnail(pixels, grid))
    return _Learned(judgement, scale, reader, remember(gathering.finish(), sketch, some, parts, places), thumbnails)


def _choose_judgement(
    plan: Plan,
    goods: tuple[Good, ...],
    some: Sample,
    numbers: NDArray[np.intp],
    watched: NDArray[np.bool_],
    reader: Reader,
    steps: Steps,
) -> JudgementCard:
    candidates = ways(plan.scaling, plan.smoothing, plan.score, labelled=plan.defects is not None)
    if len(candidates) == 1:
        return way_card(candidates[0], (), f"{candidates[0]}: as asked for.")
    if not enough_for_trial(len(some.grids)):
        with_what = ", with --defects or without" if plan.defects else ""
        why = f"{candidates[0]}: {len(some.grids)} parts for the bank are too few to compare ways{with_what}."
        return way_card(candidates[0], (), why)
    trial = make_trial(goods, some, numbers, plan.defects, reader, plan.seed, steps)
    return judge_ways(candidates, trial, watched, plan.seed, steps)


def _make_threshold(
    plan: Plan, held_out: tuple[Good, ...], learned: _Learned, indexed: Indexed, normal: Normal, steps: Steps
) -> _Threshold:
    scores = np.array(
        [
            measure(indexed.bank, normal, learned.reader(good)[0], learned.judgement.score)[0].value
            for good in steps.track(held_out, "scoring held-out goods")
        ]
    )
    cards = tuple(
        HeldOutCard(picture=good.path.name, part=good.part_id, sha256=good.sha256, score=float(score))
        for good, score in zip(held_out, scores, strict=True)
    )
    value, promise = choose(by_part(cards), plan.max_false_reject, plan.confidence)
    if outliers := outliers_in_words([good.path.name for good in held_out], scores):
        steps.say(outliers)
    golden = _pick_golden(held_out, scores, value)
    files = {card.file: cv2.imencode(".png", read_picture(good.path))[1].tobytes() for card, good in golden}
    return _Threshold(value, promise, cards, tuple(card for card, _ in golden), files)


def _bank_card(memory: Memory, indexed: Indexed) -> BankCard:
    return BankCard(
        vectors=memory.matrix.shape[0],
        dim=memory.matrix.shape[1],
        sketch_dim=memory.sketch.axes.shape[1],
        patches=memory.patches,
        radius=memory.radius,
        search=indexed.card,
    )


def _pick_golden(held_out: tuple[Good, ...], scores: NDArray[np.float64], threshold: float) -> list[tuple[GoldenCard, Good]]:
    """The lowest, the median and the highest held-out good: the whole range of what the device must reproduce."""
    order = np.argsort(scores)
    picked = sorted({int(order[round(share * (len(order) - 1))]) for share in np.linspace(0, 1, _GOLDEN)})
    tolerance = _GOLDEN_TOLERANCE * abs(threshold)
    return [
        (GoldenCard(file=f"golden-{number}.png", score=float(scores[at]), tolerance=tolerance), held_out[at])
        for number, at in enumerate(picked, start=1)
    ]


def _goods_card(plan: Plan, goods: Split, held_out: tuple[HeldOutCard, ...]) -> GoodsCard:
    return GoodsCard(
        bank=tuple(GoodCard(picture=good.path.name, part=good.part_id, sha256=good.sha256) for good in goods.bank),
        held_out=held_out,
        excluded=goods.excluded,
        part_pattern=plan.part_pattern,
        seed=plan.seed,
    )


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("goodpart", "hnswlib", "numpy", "onnxruntime")}
    return packages | {"python": platform.python_version(), "machine": platform.machine()}
