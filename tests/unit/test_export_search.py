"""The search keeps its promise or keeps FP32."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from edge.errors import TooFewGoods
from export.profiles import ARM64, FP16, FP32, X86_AVX2
from export.quantize import Settings
from export.search import Candidate, Found, Promise, fastest, search
from export.sensitivity import encoder
from export.task import Task, TaskChange
from tests.lite0 import defects, goods, lite0
from tests.tiny_graphs import SIDE, write_cnn, write_vit

GOODS, DEFECTS = 40, 16
GENEROUS = Promise(flips=0.05, auroc_drop=0.05)
IMPOSSIBLE = Promise(flips=-1.0)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return write_cnn(tmp_path_factory.mktemp("cnn") / "cnn.onnx")


def _search(graph, out, profile=X86_AVX2, promise=GENEROUS, machine=X86_AVX2, side=SIDE, tell=lambda _: None) -> Found:
    return search(
        graph, out, goods(GOODS, side), defects(DEFECTS, side), profile, promise, seed=0, tell=tell, machine=machine
    )


@pytest.fixture(scope="module")
def on_lite0(tmp_path_factory):
    """As for a device of another kind, so that time on a busy machine decides nothing."""
    out = tmp_path_factory.mktemp("found") / "encoder.onnx"
    heard: list[str] = []
    return _search(lite0(), out, machine=ARM64, side=128, tell=heard.append), out, heard


def test_the_search_finds_integers_that_keep_the_promise(on_lite0):
    found, out, _ = on_lite0
    assert found.chosen is not None
    assert GENEROUS.broken_by(found.chosen.change) is None
    assert out.stat().st_size == found.chosen.onnx_bytes < lite0().stat().st_size
    assert found.chosen.quantisation.reduce_range
    # What was written is what was judged.
    task = Task(encoder(lite0()), goods(GOODS), defects(DEFECTS), seed=0)
    assert task.judge(encoder(out)) == found.chosen.change


def test_sparing_layers_changes_distances_less_than_quantising_all(on_lite0):
    found, _, _ = on_lite0
    everything, automatic = found.tried[:2]
    assert everything.settings.excluded == ()
    # Measured: 0.51.
    assert automatic.change.distance_median < 0.6 * everything.change.distance_median


def test_every_candidate_is_tried_once_and_there_are_few(on_lite0):
    found, _, heard = on_lite0
    settings = [candidate.settings for candidate in found.tried]
    assert len(set(settings)) == len(settings) <= 11
    assert {candidate.settings.calibration for candidate in found.tried} == {"minmax", "percentile", "entropy"}
    assert sum("of FP32's time" in line for line in heard) == len(found.tried)


def test_a_machine_of_another_kind_is_said(on_lite0):
    assert "this machine is none for x86-avx2" in on_lite0[2][0]


def test_the_reason_says_what_few_pictures_can_show(on_lite0):
    assert on_lite0[0].reason.startswith("INT8 by ")
    few = _search(lite0(), on_lite0[1].with_name("half.onnx"), profile=FP16, promise=Promise(), side=128)
    assert few.reason.endswith("so few pictures cannot show a rate below 8.3%.")


def test_a_promise_nobody_keeps_gives_fp32_with_the_reason(cnn, tmp_path):
    found = _search(cnn, tmp_path / "out.onnx", promise=IMPOSSIBLE)
    assert found.chosen is None
    assert (tmp_path / "out.onnx").read_bytes() == cnn.read_bytes()
    assert found.reason.startswith(
        f"FP32: none of {len(found.tried)} candidates keeps the promise; with the nearest (INT8 by "
    )
    assert found.reason.endswith((" would take it.", "; no option loosens that, export without --search asks no verdicts."))
    assert 4 <= len(found.tried) <= 11


def test_fp32_asks_nobody(cnn, tmp_path):
    found = _search(cnn, tmp_path / "out.onnx", profile=FP32)
    assert found == Found(None, (), "FP32, as the profile says.")
    assert (tmp_path / "out.onnx").read_bytes() == cnn.read_bytes()


def test_fp16_is_one_candidate(cnn, tmp_path):
    found = _search(cnn, tmp_path / "out.onnx", profile=FP16)
    assert found.tried == (found.chosen,)
    assert found.chosen.quantisation is None
    assert onnx.load(tmp_path / "out.onnx").graph.initializer[0].data_type != onnx.load(cnn).graph.initializer[0].data_type


def test_a_transformer_is_searched_and_the_same_seed_tries_and_judges_the_same(tmp_path):
    vit = write_vit(tmp_path / "vit.onnx")
    twice = [_search(vit, tmp_path / name, machine=ARM64) for name in "ab"]
    judged = [[(candidate.settings, candidate.change) for candidate in found.tried] for found in twice]
    assert judged[0] == judged[1]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_too_few_pictures_are_one_sentence(cnn, tmp_path):
    with pytest.raises(TooFewGoods, match=r"^39 good pictures; .* add good ones, or take --profile fp32.$"):
        search(cnn, tmp_path / "o", goods(39, SIDE), [], X86_AVX2, Promise(), seed=0, tell=lambda _: None)
    assert not (tmp_path / "o").exists()


UNCHANGED = TaskChange(100, 100, 0.01, 0.05, 0.99, 0, 0, 0.95, 0.95)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (UNCHANGED, None),
        (replace(UNCHANGED, flipped_goods=1), None),
        (replace(UNCHANGED, flipped_goods=1, flipped_defects=1), "2 of 200 verdicts flip, 1.0% where 0.5% are promised"),
        (replace(UNCHANGED, auroc_candidate=0.94), "AUROC falls by 0.0100 where 0.0050 is promised"),
        (replace(UNCHANGED, auroc_candidate=np.nan), "AUROC falls by nan where 0.0050 is promised"),
        (replace(UNCHANGED, auroc_candidate=1.0), None),
        (replace(UNCHANGED, distance_p99=0.3), "patch distances change by up to 30% where 10% is promised"),
        (replace(UNCHANGED, distance_p99=np.nan), "patch distances change by up to nan% where 10% is promised"),
        (replace(UNCHANGED, auroc_reference=None, auroc_candidate=None), None),
    ],
)
def test_the_promise_in_words(change, words):
    assert Promise().broken_by(change) == words


def _candidate(ratio, median=0.01, flipped=0, excluded=()):
    change = replace(UNCHANGED, distance_median=median, flipped_goods=flipped)
    return Candidate(Settings(X86_AVX2, excluded=excluded), change, ratio, 1000, None)


def test_the_fastest_of_those_that_keep_the_promise_is_taken():
    broken, fast, slow = _candidate(0.3, flipped=9), _candidate(0.5), _candidate(0.8)
    assert fastest([slow, broken, fast], Promise(), foreign=False) is fast


def test_within_the_noise_of_the_clock_the_gentler_one_is_taken():
    fast, gentle = _candidate(0.50), _candidate(0.53, median=0.001)
    assert fastest([fast, gentle], Promise(), foreign=False) is gentle


def test_integers_that_are_slower_than_fp32_are_not_taken():
    assert fastest([_candidate(1.1)], Promise(), foreign=False) is None


def test_for_another_machine_fewer_spared_layers_count_instead_of_time():
    fewer, faster = _candidate(1.2, excluded=("a",)), _candidate(0.5, excluded=("a", "b"))
    assert fastest([faster, fewer], Promise(), foreign=True) is fewer


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (replace(UNCHANGED, flipped_goods=3), "--max-flips 0.015"),
        (replace(UNCHANGED, flipped_goods=3, auroc_candidate=0.93), "--max-flips 0.015 --max-auroc-drop 0.02"),
        (replace(UNCHANGED, goods=101, flipped_goods=3, auroc_reference=None), "--max-flips 0.015"),
        (replace(UNCHANGED, flipped_goods=3, distance_p99=0.3), ""),
        (replace(UNCHANGED, auroc_candidate=np.nan), ""),
    ],
)
def test_the_options_that_would_take_a_candidate_do(change, options):
    assert Promise().options_to_keep(change) == options
    words = options.split()
    given = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    wider = Promise(given.get("--max-flips", 0.005), given.get("--max-auroc-drop", 0.005))
    assert (wider.broken_by(change) is None) == bool(options)
