"""A candidate is judged by the verdicts it changes."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from edge.errors import TooFewGoods
from export.profiles import FP16, X86_AVX2
from export.quantize import Settings, quantize
from export.search import Promise
from export.sensitivity import encoder
from export.task import Distances, Task, auroc, change, halves, spearman
from tests.lite0 import defects, goods, lite0
from tests.tiny_graphs import SIDE, write_cnn

GOODS, DEFECTS = 44, 12


@pytest.fixture(scope="module")
def task():
    return Task(encoder(lite0()), goods(GOODS), defects(DEFECTS), seed=0)


@pytest.fixture(scope="module")
def int8(tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    quantize(lite0(), path, goods(GOODS)[:16], Settings(X86_AVX2, excluded=("stem", "blocks.0", "blocks.1")))
    return path


def test_the_reference_changes_nothing(task):
    same = task.judge(encoder(lite0()))
    assert (same.goods, same.defects) == (22, 12)
    assert (same.distance_median, same.distance_p99, same.flips, same.auroc_drop) == (0, 0, 0, 0)
    assert same.spearman == pytest.approx(1)


def test_half_precision_changes_next_to_nothing(task, tmp_path):
    quantize(lite0(), tmp_path / "half.onnx", [], Settings(FP16))
    half = task.judge(encoder(tmp_path / "half.onnx"))
    assert half.flips == 0
    assert half.distance_p99 < 0.05


def test_a_good_candidate_ranks_pictures_as_the_reference_does(task, int8):
    judged = task.judge(encoder(int8))
    assert 0 < judged.distance_median < 0.03
    assert judged.spearman > 0.97
    assert judged.auroc_drop < 0.02


def test_judging_twice_says_the_same(tmp_path):
    cnn = encoder(write_cnn(tmp_path / "cnn.onnx"))
    other = encoder(write_cnn(tmp_path / "other.onnx", seed=1))
    first, second = (Task(cnn, goods(GOODS, SIDE), defects(DEFECTS, SIDE), seed=0).judge(other) for _ in range(2))
    assert first == second
    assert first.distance_median > 0.1


def _swapped(model):
    for weight in model.graph.initializer:
        if weight.name.endswith("stem.conv.weight"):
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight)[:, ::-1].copy(), weight.name))


def _shuffled(model):
    """The channels of one layer in another order, as a wrong transposition would leave them."""
    weight = next(w for w in model.graph.initializer if w.name.endswith("blocks.4.depthwise.conv.weight_quantized"))
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight)[::-1].copy(), weight.name))


def _saturated(model):
    """Activations of the first quantised layers cut at a fraction of what they reach."""
    steps = [node.input[1] for node in model.graph.node if node.op_type == "QuantizeLinear"][:6]
    for weight in model.graph.initializer:
        if weight.name in steps:
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(0.02), weight.name))


@pytest.mark.parametrize("break_it", [_swapped, _shuffled, _saturated])
def test_a_broken_candidate_breaks_the_promise(task, int8, tmp_path, break_it):
    model = onnx.load(int8)
    before = model.SerializeToString()
    break_it(model)
    assert model.SerializeToString() != before
    onnx.save(model, tmp_path / "broken.onnx")
    judged = task.judge(encoder(tmp_path / "broken.onnx"))
    assert Promise().broken_by(judged)
    assert judged.distance_p99 > 2 * task.judge(encoder(int8)).distance_p99


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_candidate_that_sees_nothing_breaks_the_promise(task, value):
    def blind(picture):
        return np.full_like(encoder(lite0())(picture), value)

    with np.errstate(invalid="ignore"):
        assert Promise().broken_by(task.judge(blind))


def _of(goods_scores, defect_scores=()):
    """Distances whose scores are these: one patch a picture."""
    return Distances(*(np.array(scores, float).reshape(len(scores), 1) for scores in (goods_scores, defect_scores)))


def test_flips_are_counted_at_each_side_s_own_threshold():
    reference = _of(range(1, 21), [30, 19])
    # Ten times larger everywhere is the same order, so the same verdicts.
    assert change(reference, _of(range(10, 210, 10), [300, 190])).flips == 0
    # The candidate's threshold lies between 19 and 20 as before; the first defect is no longer above it.
    flipped = change(reference, _of(range(1, 21), [3, 19]))
    assert (flipped.flipped_goods, flipped.flipped_defects) == (0, 1)
    assert flipped.flips == pytest.approx(1 / 22)
    # 20 and 19 changed places among the goods.
    assert change(reference, _of([*range(1, 19), 20, 19], [30, 19])).flipped_goods == 2


def test_the_change_of_distances_is_relative():
    judged = change(_of([1.0] * 20 + [2.0] * 20), _of([1.1] * 20 + [2.2] * 20))
    assert judged.distance_median == pytest.approx(0.1)
    assert judged.distance_p99 == pytest.approx(0.1)


def test_without_defects_there_is_no_auroc():
    judged = change(_of(range(20)), _of(range(20)))
    assert judged.auroc_reference is judged.auroc_candidate is judged.auroc_drop is None


def test_spearman_and_auroc_equal_the_oracles_ties_included():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 12, (2, 30)).astype(float)
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
        wanted = roc_auc_score([0] * 20 + [1] * 10, np.concatenate([a[:20], b[:10]]))
        assert auroc(a[:20], b[:10]) == pytest.approx(wanted)


def test_what_has_no_rank_has_no_correlation():
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(spearman(np.array([1, np.nan]), np.arange(2.0)))
    assert np.isnan(auroc(np.array([1, np.nan]), np.arange(2.0)))


def test_halves_are_disjoint_complete_and_follow_the_seed():
    bank, held = halves(41, seed=3)
    assert (len(bank), len(held)) == (20, 21)
    assert sorted([*bank, *held]) == list(range(41))
    np.testing.assert_array_equal(bank, halves(41, seed=3)[0])
    assert not np.array_equal(bank, halves(41, seed=4)[0])


def test_too_few_goods_are_one_sentence():
    with pytest.raises(
        TooFewGoods, match=r"^39 good pictures; .* needs at least 40: add good ones, or take --profile fp32.$"
    ):
        Task(encoder(lite0()), goods(39), [], seed=0)
