"""The exported graph sees what torch sees, and a broken one is refused."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from edge.errors import BadEncoder
from export.design import draw
from export.graph import EncoderModule, write_graph
from export.parity import Agreement, compare, latency_ratio, open_session, reference, require_fp32, require_quantised
from export.pictures import choose, synthetic
from export.profiles import X86_AVX2
from export.quantize import Settings, quantize
from export.sources import Wanted, open_source
from tests.export_pictures import write_pictures

SIZE = (96, 128)
FLOAT_STEM = Settings(X86_AVX2, excluded=("stem", "blocks.0", "blocks.1"))


@pytest.fixture(scope="module")
def design():
    return draw(open_source(Wanted(), SIZE), SIZE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_pictures(folder)
    return folder


@pytest.fixture(scope="module")
def chosen(folder):
    return choose(folder, 16, 0, *SIZE)


@pytest.fixture(scope="module")
def references(design, chosen):
    return [reference(design, picture) for picture in chosen.parity]


@pytest.fixture(scope="module")
def fp32(design, tmp_path_factory):
    path = tmp_path_factory.mktemp("fp32") / "encoder.onnx"
    write_graph(EncoderModule(design), *SIZE, path)
    return path


@pytest.fixture(scope="module")
def int8(fp32, chosen, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "encoder.onnx"
    quantize(fp32, path, chosen.calibration, FLOAT_STEM)
    return path


def test_fp32_equals_torch_to_rounding(fp32, chosen, references):
    agreement = compare(open_session(fp32), chosen.parity, references)
    require_fp32(agreement)
    assert agreement.max_abs < 1e-4 * agreement.largest
    assert agreement.cosine > 0.999999


def test_int8_stays_close_to_torch(int8, chosen, references):
    agreement = compare(open_session(int8), chosen.parity, references)
    require_quantised(agreement)
    assert agreement.cosine > 0.97


def test_patches_are_the_3x3_means_with_the_coarse_tap_interpolated_row_by_row(design, chosen):
    picture = chosen.parity[0]
    scaled = (picture[:, :, ::-1].astype(np.float32) - 127) / 128
    with torch.inference_mode():
        fine, coarse = (tap[0].numpy() for tap in design.source.backbone(torch.from_numpy(scaled).permute(2, 0, 1)[None]))
    # OpenCV as the oracle: its box filter with a constant border of zeros counts them, its bilinear resize has the
    # half-pixel centres of align_corners=False.
    mean = [np.stack([cv2.blur(c, (3, 3), borderType=cv2.BORDER_CONSTANT) for c in tap]) for tap in (fine, coarse)]
    rows, cols = fine.shape[1:]
    coarse_up = np.stack([cv2.resize(c, (cols, rows), interpolation=cv2.INTER_LINEAR) for c in mean[1]])
    wanted = np.concatenate([mean[0], coarse_up]).reshape(152, rows * cols).T
    found = reference(design, picture)
    np.testing.assert_allclose(found.patches, wanted, atol=1e-4)
    np.testing.assert_allclose(found.embedding, np.concatenate([fine.mean((1, 2)), coarse.mean((1, 2))]), atol=1e-4)


def _swap_colours(module):
    module.backbone.stem.conv.weight = nn.Parameter(module.backbone.stem.conv.weight.flip(1), requires_grad=False)


def _shift_mean(module):
    module.mean += 1


def _change_scale(module):
    module.std -= 1


def _forget_batch_norm(module):
    norm = module.backbone.get_submodule("blocks.7.project.norm")
    norm.weight = nn.Parameter(torch.ones_like(norm.weight), requires_grad=False)


@pytest.mark.parametrize("break_it", [_swap_colours, _shift_mean, _change_scale, _forget_batch_norm])
def test_a_broken_export_is_caught(design, chosen, references, break_it):
    module = EncoderModule(design)
    break_it(module)
    # Torch stands in for the exporter, which would make the same graph of the broken module.
    with pytest.raises(BadEncoder, match="differs from the torch backbone"):
        require_fp32(compare(_TorchSession(module), chosen.parity, references))


def test_a_broken_file_is_caught(fp32, chosen, references, tmp_path):
    model = onnx.load(fp32)
    stem = next(weight for weight in model.graph.initializer if weight.name == "backbone.stem.conv.weight")
    stem.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stem)[:, ::-1].copy(), stem.name))
    onnx.save(model, tmp_path / "swapped.onnx")
    with pytest.raises(BadEncoder, match="differs from the torch backbone"):
        require_fp32(compare(open_session(tmp_path / "swapped.onnx"), chosen.parity, references))


class _TorchSession:
    def __init__(self, module):
        self._module = module

    def run(self, _names, feed):
        with torch.inference_mode():
            return [output.numpy() for output in self._module(torch.from_numpy(feed["image"]))]


@pytest.mark.parametrize("require", [require_fp32, require_quantised])
def test_not_a_number_is_no_agreement(require):
    nan = float("nan")
    with pytest.raises(BadEncoder):
        require(Agreement(1, nan, 1.0, nan, 0.0, 1.0))
    with pytest.raises(BadEncoder):
        require(Agreement(1, 0.0, 1.0, 1.0, nan, nan))


def test_synthetic_pictures_show_a_broken_export_too(design):
    module = EncoderModule(design)
    _swap_colours(module)
    pictures = synthetic(0, *SIZE)
    with pytest.raises(BadEncoder):
        require_fp32(compare(_TorchSession(module), pictures, [reference(design, p) for p in pictures]))


def test_the_graph_is_self_contained_static_and_says_nothing_of_the_machine_it_was_made_on(fp32, int8):
    for path in (fp32, int8):
        model = onnx.load(path, load_external_data=False)
        onnx.checker.check_model(model, full_check=True)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
        assert not any(onnx.external_data_helper.uses_external_data(weight) for weight in model.graph.initializer)
        shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in model.graph.output}
        assert shapes == {"patches": [1, 12 * 16, 152], "embedding": [1, 152]}
        assert {node.op_type for node in model.graph.node}.isdisjoint({"BatchNormalization", "Pad", "Slice", "Gather"})
        assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()


def test_int8_is_a_third_of_fp32_and_its_weights_have_seven_bits(fp32, int8):
    assert int8.stat().st_size < 0.4 * fp32.stat().st_size
    weights = {w.name: numpy_helper.to_array(w) for w in onnx.load(int8).graph.initializer}
    quantised = [w for name, w in weights.items() if name.endswith("weight_quantized")]
    assert len(quantised) == 33 - 6  # all convolutions but those of stem and first two blocks
    # 8 bits would saturate the 16-bit sums of pairs in CPUs without VNNI.
    assert all(w.dtype == np.int8 and np.abs(w.astype(int)).max() <= 64 for w in quantised)


def test_the_same_pictures_and_seed_give_the_same_bytes(design, fp32, int8, folder, chosen, tmp_path):
    write_graph(EncoderModule(design), *SIZE, tmp_path / "fp32.onnx")
    assert (tmp_path / "fp32.onnx").read_bytes() == fp32.read_bytes()
    second = choose(folder, 16, 0, *SIZE)
    assert all(np.array_equal(a, b) for a, b in zip(second.calibration, chosen.calibration, strict=True))
    quantize(fp32, tmp_path / "int8.onnx", second.calibration, FLOAT_STEM)
    assert (tmp_path / "int8.onnx").read_bytes() == int8.read_bytes()


def test_another_seed_chooses_other_pictures(folder, chosen):
    other = choose(folder, 16, 1, *SIZE)
    assert not all(np.array_equal(a, b) for a, b in zip(other.calibration, chosen.calibration, strict=True))


def test_the_proof_uses_other_pictures_than_the_calibration(chosen):
    calibrated = {picture.tobytes() for picture in chosen.calibration}
    assert len(chosen.parity) == 16
    assert not any(picture.tobytes() in calibrated for picture in chosen.parity)


def test_the_latency_ratio_is_a_plain_number(fp32, int8, chosen):
    assert 0.05 < latency_ratio(open_session(fp32), open_session(int8), chosen.parity[0], rounds=3) < 20
