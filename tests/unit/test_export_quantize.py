"""Any graph becomes INT8 or FP16, by the profile, without anybody naming its layers."""

from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge.errors import BadConfig
from export.layers import layers_of, op_types_of
from export.profiles import ARM64, FP16, FP32, X86_AVX2, X86_VNNI
from export.quantize import METHODS, Calibrated, Settings, quantize
from export.sensitivity import Probe, encoder, leading, quantize_automatically, worst_first
from tests.lite0 import goods, lite0
from tests.tiny_graphs import SIDE, write_cnn, write_vit

WRITERS = {"cnn": write_cnn, "vit": write_vit}


@pytest.fixture(scope="module", params=WRITERS)
def tiny(request, tmp_path_factory):
    return WRITERS[request.param](tmp_path_factory.mktemp("tiny") / f"{request.param}.onnx")


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    return write_cnn(tmp_path_factory.mktemp("cnn") / "cnn.onnx")


@pytest.fixture(scope="module")
def lite0_ranges():
    return Calibrated(lite0(), goods(24)[:16], "minmax")


def _weights(path):
    return {weight.name: numpy_helper.to_array(weight) for weight in onnx.load(path).graph.initializer}


def _kinds(path):
    return Counter(node.op_type for node in onnx.load(path).graph.node)


@pytest.mark.parametrize(
    ("profile", "method"), [*((X86_AVX2, method) for method in METHODS), (X86_VNNI, "minmax"), (ARM64, "percentile")]
)
def test_every_method_and_profile_gives_a_graph_that_sees_the_same(tiny, tmp_path, profile, method, capsys):
    card = quantize(tiny, tmp_path / "int8.onnx", goods(8, SIDE), Settings(profile, method))
    assert (card.weights, card.per_channel, card.pictures) == ("int8", True, 8)
    assert card.activations == ("int8" if profile is ARM64 else "uint8")
    assert card.reduce_range == (profile is X86_AVX2)
    # 8-bit sums saturate on CPUs without VNNI, of which this may be one.
    assert Probe(tiny, goods(8, SIDE)).damage(tmp_path / "int8.onnx") < (0.02 if profile is X86_AVX2 else 0.1)
    assert capsys.readouterr().out == ""


def test_weights_have_one_scale_a_channel_and_the_bits_of_the_profile(tiny, tmp_path):
    for profile, limit in ((X86_AVX2, 64), (X86_VNNI, 127)):
        quantize(tiny, tmp_path / "int8.onnx", goods(8, SIDE), Settings(profile))
        weights = _weights(tmp_path / "int8.onnx")
        kernels = {name: w for name, w in weights.items() if name.endswith("weight_quantized")}
        assert len(kernels) == len(layers_of(onnx.load(tiny)))
        for name, kernel in kernels.items():
            assert kernel.dtype == np.int8
            assert limit // 2 < np.abs(kernel.astype(int)).max() <= limit
            channels = kernel.shape[0] if kernel.ndim == 4 else kernel.shape[1]
            assert weights[name.replace("_quantized", "_scale")].shape == (channels,)


def test_convolutions_are_quantised_with_what_lies_between_them(cnn, tmp_path):
    assert op_types_of(onnx.load(cnn)) == ("Conv", "Relu", "Add", "MaxPool")
    quantize(cnn, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2))
    kinds = _kinds(tmp_path / "int8.onnx")
    assert kinds["Relu"] == 0  # the rounding clips as well
    packed = {node.input[0] for node in onnx.load(tmp_path / "int8.onnx").graph.node if node.op_type == "QuantizeLinear"}
    assert {"pool", "scaled"} <= packed
    assert "shifted" not in packed  # a sum, but with a constant: the input side stays FP32


def test_of_a_transformer_only_what_has_weights_is_quantised(tmp_path):
    vit = write_vit(tmp_path / "vit.onnx")
    assert op_types_of(onnx.load(vit)) == ("Conv", "MatMul")
    quantize(vit, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2))
    model = onnx.load(tmp_path / "int8.onnx")
    packed = {node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert {f"blocks.{block}.{name}" for block in (0, 1) for name in ("q", "k", "v", "up", "down")} <= packed
    assert packed.isdisjoint({"blocks.0.qk", "blocks.0.av", "blocks.0.attention"})  # attention has no weights


def test_op_types_can_be_named(cnn, tmp_path):
    quantize(cnn, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2, op_types=("Conv",)))
    assert _kinds(tmp_path / "int8.onnx")["Relu"] == 5


@pytest.mark.parametrize("name", ["blocks.0", "backbone.blocks.0", "blocks.0.wide"])
def test_an_excluded_part_keeps_its_weights(tmp_path, name):
    path = write_cnn(tmp_path / "cnn.onnx")
    model = onnx.load(path)
    if name.startswith("backbone."):
        for node in model.graph.node:
            node.input[:] = [f"backbone.{i}" if i.endswith(".weight") else i for i in node.input]
        for weight in model.graph.initializer:
            weight.name = f"backbone.{weight.name}" if weight.name.endswith(".weight") else weight.name
        onnx.save(model, path)
    quantize(path, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2, excluded=(name,)))
    kept = {weight for weight in _weights(tmp_path / "int8.onnx") if weight.endswith(".weight")}
    wanted = {"blocks.0.wide.weight"} if name.endswith("wide") else {"blocks.0.wide.weight", "blocks.0.narrow.weight"}
    assert {weight.removeprefix("backbone.") for weight in kept} == wanted


def test_what_lies_between_excluded_layers_is_not_packed(cnn, tmp_path):
    names = tuple(layer.name for layer in layers_of(onnx.load(cnn)))
    quantize(cnn, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2, excluded=names))
    assert _kinds(tmp_path / "int8.onnx") == _kinds(cnn)


def test_an_excluded_name_that_fits_nothing_is_one_sentence(cnn, tmp_path):
    # 'block' is the beginning of a word, not of a path.
    for name in ("blocks.7", "block"):
        with pytest.raises(
            BadConfig, match=f"excluded layer '{name}': the graph has none of that name, its first is 'stem'"
        ):
            quantize(cnn, tmp_path / "int8.onnx", goods(8, SIDE), Settings(X86_AVX2, excluded=(name,)))


def test_half_precision_is_half_the_file_with_the_same_inputs_and_outputs(tmp_path):
    assert quantize(lite0(), tmp_path / "half.onnx", [], Settings(FP16)) is None
    before, after = onnx.load(lite0()), onnx.load(tmp_path / "half.onnx")
    assert list(after.graph.input) == list(before.graph.input)
    assert list(after.graph.output) == list(before.graph.output)
    assert (tmp_path / "half.onnx").stat().st_size < 0.55 * lite0().stat().st_size
    assert Probe(lite0(), goods(4)).damage(tmp_path / "half.onnx") < 1e-3


def test_fp32_is_the_graph_itself(cnn, tmp_path):
    assert quantize(cnn, tmp_path / "same.onnx", [], Settings(FP32)) is None
    assert (tmp_path / "same.onnx").read_bytes() == cnn.read_bytes()


def test_the_same_pictures_give_the_same_bytes(cnn, tmp_path):
    for method in ("minmax", "percentile"):
        for name in ("a", "b"):
            quantize(cnn, tmp_path / name, goods(8, SIDE), Settings(X86_AVX2, method))
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_layers_that_int8_spoils_are_found_without_naming_them(lite0_ranges, tmp_path):
    probe = Probe(lite0(), goods(24)[16:])
    found = leading(lite0_ranges, X86_AVX2, probe)
    spoiled = []
    for excluded in ((), ("stem", "blocks.0", "blocks.1"), found):
        lite0_ranges.write(tmp_path / "int8.onnx", X86_AVX2, excluded)
        spoiled.append(probe.damage(tmp_path / "int8.onnx"))
    everything, by_hand, automatic = spoiled
    assert automatic <= 1.1 * by_hand < everything / 5
    assert len(found) <= 8


def test_the_group_that_spoils_most_comes_first(lite0_ranges):
    groups = worst_first(lite0_ranges, X86_AVX2, Probe(lite0(), goods(4)))
    assert sorted(name for group in groups for name in group) == sorted(layer.name for layer in lite0_ranges.layers)
    assert any("blocks.0." in name for name in groups[0])


@pytest.mark.parametrize("profile", [X86_AVX2, ARM64, FP16, FP32])
def test_the_quick_way_says_what_it_did(tiny, tmp_path, profile):
    made = quantize_automatically(tiny, tmp_path / "auto.onnx", goods(8, SIDE), profile)
    assert made.settings.profile is profile
    assert (made.card is None) == (profile.precision != "int8")
    assert encoder(tmp_path / "auto.onnx")(goods(1, SIDE)[0]).shape[0] == 64
