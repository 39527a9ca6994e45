"""Whatever a training engineer brings becomes the same features: CNN, transformer, program, any size and colours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from edge.errors import BadEncoder
from export.design import draw
from export.graph import EncoderModule, write_graph
from export.parity import compare, open_session, reference, require_fp32
from export.pictures import synthetic
from export.sources import Wanted, open_source, size_for
from export.sources.preparation import Wish
from tests.torch_models import ResNet, ViT, resnet, seeded


def design_of(factory, size, taps=None, wish=None, weights=None):
    name = factory if ":" in factory or factory.endswith(".pt2") else f"tests.torch_models:{factory}"
    source = open_source(Wanted(name, weights, wish or Wish()), size)
    return draw(source, size_for(source, size), taps)


def agreement_of(design, path):
    write_graph(EncoderModule(design), *design.size, path / "encoder.onnx")
    pictures = synthetic(0, *design.size)
    model = onnx.load(path / "encoder.onnx", load_external_data=False)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    assert not any(onnx.external_data_helper.uses_external_data(weight) for weight in model.graph.initializer)
    assert str(Path(__file__).parents[2]).encode() not in (path / "encoder.onnx").read_bytes()
    agreement = compare(open_session(path / "encoder.onnx"), pictures, [reference(design, p) for p in pictures])
    require_fp32(agreement)
    return agreement


CALIBRATED = Wish(mean=(10, 20, 30), std=(40.0, 60.0, 80.0))


@pytest.mark.parametrize(
    ("factory", "size", "wish", "taps", "dims"),
    [
        ("resnet", (64, 96), CALIBRATED, ["layer2", "layer3"], (8, 12, 28, 28)),
        ("resnet", (96, 64), replace(CALIBRATED, colour="bgr"), ["layer2", "layer3"], (12, 8, 28, 28)),
        ("plain", (64, 64), CALIBRATED, ["features.7", "features"], (8, 8, 28, 28)),
        ("vit", (64, 96), CALIBRATED, ["blocks.1", "blocks.3"], (4, 6, 32, 16)),
        ("vit14", (56, 84), None, ["blocks.1", "blocks.3"], (4, 6, 32, 16)),
        ("vit_registers", (64, 64), None, ["blocks.1", "blocks.3"], (4, 4, 32, 16)),
        ("vit_class_and_registers", (64, 64), None, ["blocks.1", "blocks.3"], (4, 4, 32, 16)),
        ("vit_fixed", (96, 64), None, ["blocks.1", "blocks.3"], (6, 4, 32, 16)),
        ("picky_vit", (96, 64), None, ["blocks.1", "blocks.3"], (6, 4, 32, 16)),
        ("resizing_vit", (96, 64), None, ["blocks.1", "blocks.3"], (6, 4, 32, 16)),
        ("Views", (64, 96), None, ["mix"], (8, 12, 8, 8)),
        ("Isotropic", (56, 84), None, ["blocks.1", "blocks.3"], (4, 6, 16, 16)),
        ("Valid", (160, 192), None, ["layers.2", "layers.3"], (19, 23, 28, 28)),
        ("Answers", (64, 96), None, ["backbone.stem", "backbone"], (8, 12, 24, 24)),
    ],
)
def test_the_graph_equals_the_module_as_it_was_found(tmp_path, factory, size, wish, taps, dims):
    design = design_of(factory, size, wish=wish)
    assert [tap.name for tap in design.taps] == taps
    agreement = agreement_of(design, tmp_path)
    assert agreement.max_abs < 1e-4 * agreement.largest
    features = reference(design, synthetic(0, *size)[0])
    rows, cols, patch, whole = dims
    assert features.patches.shape == (rows * cols, patch)
    assert features.embedding.shape == (whole,)


@pytest.mark.parametrize(("model", "dynamic"), [(ResNet, True), (ViT, False)])
def test_a_program_gives_what_its_module_gives(tmp_path, model, dynamic):
    module = seeded(model)
    free = ({2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},) if dynamic else None
    torch.export.save(torch.export.export(module, (torch.zeros(1, 3, 64, 64),), dynamic_shapes=free), tmp_path / "mine.pt2")
    size = (96, 64) if dynamic else (64, 64)
    design = design_of(str(tmp_path / "mine.pt2"), size if dynamic else None)
    assert design.size == size
    agreement_of(design, tmp_path)
    picture = synthetic(1, *size)[0]
    same = replace(design, source=replace(design.source, backbone=module))
    np.testing.assert_allclose(reference(design, picture).patches, reference(same, picture).patches, atol=1e-5)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda module: setattr(module, "turns_picture", True),
        lambda module: setattr(module, "mean", module.mean.flip(1)),
        lambda module: setattr(module, "std", module.std.flip(1)),
    ],
)
def test_a_wrong_input_side_is_caught(break_it):
    design = design_of("resnet", (64, 64), wish=CALIBRATED)
    module = EncoderModule(design)
    break_it(module)
    with pytest.raises(BadEncoder, match="differs from the torch backbone"):
        torch_agreement(module, design)


def test_a_cut_at_another_layer_is_caught():
    design, other = (design_of("resnet", (64, 64), taps) for taps in (["layer2", "layer3"], ["layer2.0", "layer3.0"]))
    with pytest.raises(BadEncoder, match="differs from the torch backbone"):
        torch_agreement(EncoderModule(replace(design, body=other.body)), design)


def torch_agreement(module, design):
    """Torch stands in for the exporter."""
    pictures = synthetic(0, *design.size)
    require_fp32(compare(_TorchSession(module), pictures, [reference(design, p) for p in pictures]))


class _TorchSession:
    def __init__(self, module):
        self._module = module

    def run(self, _names, feed):
        with torch.inference_mode():
            return [output.numpy() for output in self._module(torch.from_numpy(feed["image"]))]


def test_the_class_token_is_the_embedding_and_registers_alone_are_not():
    for factory, first in (("vit", True), ("vit_class_and_registers", True), ("vit_registers", False)):
        design = design_of(factory, (64, 64))
        picture = synthetic(0, 64, 64)[0]
        x = (picture[:, :, ::-1] - np.float32(design.source.preparation.mean)) / np.float32(design.source.preparation.std)
        seen = []
        hook = design.source.backbone.blocks[3].register_forward_hook(lambda *a, seen=seen: seen.append(a[2][0].numpy()))
        with torch.inference_mode():
            design.source.backbone(torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None])
        hook.remove()
        wanted = seen[0][0] if first else seen[0][4:].mean(0)
        np.testing.assert_allclose(reference(design, picture).embedding, wanted, atol=1e-4)


def test_a_block_on_its_way_to_a_coarser_stride_is_not_tapped():
    # conv1 and bn1 of EfficientNet-like blocks are wide and still fine; the last layer before is what is meant.
    design = draw(open_source(Wanted("efficientnet-lite0"), None), (64, 64), None)
    again = draw(replace(open_source(Wanted("efficientnet-lite0"), None), taps=None), (64, 64), None)
    assert [tap.name for tap in again.taps] == [tap.name for tap in design.taps] == ["blocks.4", "blocks.10"]


@pytest.mark.parametrize("number", [1, 2])
def test_the_larger_built_in_backbones_work_too(number):
    design = draw(open_source(Wanted(f"efficientnet-lite{number}"), None), (64, 64), None)
    assert [tap.name for tap in design.taps] == ["blocks.6", "blocks.14"]
    assert sum(tap.channels for tap in design.taps) == {1: 152, 2: 168}[number]
    torch_agreement(EncoderModule(design), design)


def test_layers_beyond_the_taps_leave_the_graph():
    design = design_of("resnet", (64, 64), taps=["layer1"])
    assert not any(name.startswith(("layer2", "fc")) for name, _ in design.body.named_parameters())


def test_a_tap_before_a_layer_that_works_in_place_is_what_the_tapped_layer_gave():
    design = design_of("resnet", (64, 64), taps=["layer2.0.bn1"])
    torch_agreement(EncoderModule(design), design)


@pytest.mark.parametrize(
    ("mean", "std", "range_", "wanted"),
    [
        ((0.5, 0.25, 0.1), (0.2,), None, ((127.5, 63.75, 25.5), (51, 51, 51))),
        ((127, 63, 25), (50,), None, ((127, 63, 25), (50, 50, 50))),
        ((0,), (1,), None, ((0, 0, 0), (255, 255, 255))),
        ((0,), (1,), 255, ((0, 0, 0), (1, 1, 1))),
    ],
)
def test_numbers_of_both_ranges_are_understood(mean, std, range_, wanted):
    source = open_source(Wanted("tests.torch_models:resnet", wish=Wish(mean, std, None, range_)), None)
    assert (source.preparation.mean, source.preparation.std) == wanted


def test_what_the_module_says_of_itself_is_used():
    module = resnet()
    assert "ImageNet" in open_source(Wanted("tests.torch_models:resnet"), None).preparation.origin
    from export.sources.preparation import from_module  # noqa: PLC0415

    module.register_buffer("pixel_mean", torch.tensor([100.0, 110.0, 120.0]).reshape(3, 1, 1))
    module.pixel_std = [1.0, 2.0, 3.0]
    assert from_module(module).mean == (100, 110, 120)
    module.default_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    assert from_module(module).mean == (127.5, 127.5, 127.5)


def test_maps_with_channels_last_are_understood():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Conv2d(3, 8, 8, 8)
            self.mix = nn.Linear(8, 24)

        def forward(self, x):
            return self.mix(self.cut(x).permute(0, 2, 3, 1))

    source = replace(open_source(Wanted("tests.torch_models:resnet"), None), backbone=seeded(Last))
    design = draw(source, (64, 96), ["mix"])
    assert (design.taps[0].kind, design.taps[0].rows, design.taps[0].cols) == ("map-last", 8, 12)
    torch_agreement(EncoderModule(design), design)


class Prepares(nn.Module):
    """Takes off its own mean, as detectors do."""

    def __init__(self):
        super().__init__()
        self.register_buffer("pixel_mean", torch.tensor([100.0, 110.0, 120.0]).reshape(3, 1, 1))
        self.register_buffer("pixel_std", torch.tensor([50.0, 51.0, 52.0]).reshape(3, 1, 1))
        self.inner = resnet()

    def forward(self, x):
        return self.inner((x - self.pixel_mean) / self.pixel_std)


def test_a_module_that_prepares_pictures_itself_is_not_prepared_for_twice():
    source = open_source(Wanted(f"{__name__}:Prepares"), None)
    assert source.preparation.mean == (100, 110, 120)
    design = draw(source, (64, 64))
    assert (design.source.preparation.mean, design.source.preparation.std) == ((0, 0, 0), (1, 1, 1))
