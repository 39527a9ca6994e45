"""Whatever a training script wrapped the weights in, they are found; what is left over is said."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from edge.errors import BadSource, BadWeights
from export.design import draw
from export.sources import Wanted, open_source
from export.sources.weights import read_states
from tests.torch_models import ResNet, resnet, seeded

RESNET, SIZE = "tests.torch_models:resnet", (64, 64)


@pytest.fixture
def state():
    """Weights that differ from the factory's, so that a load that did nothing shows."""
    return {key: value + 1 for key, value in resnet().state_dict().items()}


def opened(tmp_path, checkpoint, factory=RESNET):
    torch.save(checkpoint, tmp_path / "w.pth")
    return open_source(Wanted(factory, tmp_path / "w.pth"), SIZE)


def prefixed(prefix, state):
    return {f"{prefix}{key}": value for key, value in state.items()}


@pytest.mark.parametrize("wrap", ["state_dict", "model", "model_state_dict", "net", "ema"])
@pytest.mark.parametrize("prefix", ["", "_orig_mod.", "module._orig_mod.", "student.encoder."])
def test_the_weights_are_found_under_any_name(tmp_path, state, wrap, prefix):
    source = opened(tmp_path, {"epoch": 3, wrap: prefixed(prefix, state), "loss": torch.zeros(())})
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight + 1)
    assert not source.doubts.missing
    assert not source.doubts.unexpected


def test_optimizer_options_and_numbers_beside_the_weights_do_not_hinder(tmp_path, state):
    module = resnet().requires_grad_()
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.zeros(1, 3, 64, 64)).sum().backward()
    optimizer.step()
    beside = {"args": argparse.Namespace(lr=0.1, out=Path("runs")), "best": np.float64(0.9), "curve": np.arange(3.0)}
    source = opened(tmp_path, {"optimizer": optimizer.state_dict(), "state_dict": state, **beside})
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight + 1)


def test_of_several_copies_the_first_is_taken_and_said(tmp_path, state):
    source = opened(tmp_path, {"state_dict": state, "state_dict_ema": resnet().state_dict()})
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight + 1)
    assert source.origin.endswith("weights w.pth (state_dict of state_dict, state_dict_ema)")


def test_keys_outside_the_model_are_no_part_of_it_and_said(tmp_path, state):
    keys = {**prefixed("model.", state), **prefixed("ema_model.module.", state), "criterion.weight": torch.ones(2)}
    design = draw(opened(tmp_path, {"state_dict": keys, "hyper_parameters": {"lr": 0.1}}), SIZE)
    assert {key.partition(".")[0] for key in design.unused} == {"ema_model", "criterion"}


class Wrapper(nn.Module):
    """What a training engineer puts round a backbone; its answer is of a class of his own."""

    def __init__(self):
        super().__init__()
        self.backbone = seeded(ResNet)
        self.head = nn.Linear(7, 2)

    def forward(self, x):
        return {"scores": self.head(self.backbone(x))}


def test_a_backbone_s_checkpoint_fits_the_wrapper_around_it(tmp_path, state):
    source = opened(tmp_path, state, f"{__name__}:Wrapper")
    torch.testing.assert_close(source.backbone.backbone.conv1.weight, resnet().conv1.weight + 1)
    assert [tap.name for tap in draw(source, SIZE).taps] == ["backbone.layer2", "backbone.layer3"]


def test_a_head_of_another_size_is_said_with_both_shapes(tmp_path):
    design = draw(opened(tmp_path, prefixed("module.", seeded(ResNet, classes=3).state_dict())), SIZE)
    assert design.unused == ("fc.weight (3×20 instead of 7×20)", "fc.bias (3 instead of 7)")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_become_float32(tmp_path, kind):
    state = {key: value.to(kind) if value.is_floating_point() else value for key, value in resnet().state_dict().items()}
    source = opened(tmp_path, state)
    assert {value.dtype for value in source.backbone.parameters()} == {torch.float32}
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight, atol=0.01, rtol=0.01)


def checkpoint_filter_fn(state, model):
    """The name by which timm's modules turn published checkpoints into their own."""
    return {key.replace("renamed_", ""): value for key, value in state.items() if key in state and model is not None}


class Converts(ResNet):
    """Its module knows how published weights are called."""


def test_a_published_checkpoint_is_converted_by_the_model_s_own_code(tmp_path):
    published = {f"renamed_{key}": value + 1 for key, value in Converts().state_dict().items()}
    source = opened(tmp_path, published, f"{__name__}:Converts")
    assert not source.doubts.missing
    torch.testing.assert_close(source.backbone.conv1.weight, published["renamed_conv1.weight"])


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:`torch.jit:FutureWarning")
def test_torchscript_is_told_apart_from_damage(tmp_path):
    torch.jit.trace(resnet(), torch.zeros(1, 3, 64, 64)).save(tmp_path / "w.pt")
    with pytest.raises(BadWeights, match="is a TorchScript archive, not a state dict"):
        read_states(tmp_path / "w.pt")


def compiled():
    return torch.compile(resnet())


def compiled_in_place():
    model = resnet()
    model.compile()
    return model


def parallel():
    return nn.DataParallel(resnet())


def averaged():
    return torch.optim.swa_utils.AveragedModel(resnet())


class Holds(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.compile(resnet())

    def forward(self, x):
        return self.inner(x)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize("factory", ["compiled", "compiled_in_place", "parallel", "averaged", "Holds"])
def test_wrappers_round_a_model_are_taken_off(factory):
    backbone = open_source(Wanted(f"{__name__}:{factory}"), SIZE).backbone
    inner = backbone.inner if factory == "Holds" else backbone
    assert type(inner) is ResNet
    assert not any("_orig_mod" in key for key in backbone.state_dict())
    assert "_compiled_call_impl" not in vars(inner)


def on_meta():
    with torch.device("meta"):
        return ResNet()


def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3))


def traced():
    return torch.jit.trace(resnet(), torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize(
    ("factory", "words"), [("on_meta", "has no values yet"), ("lazy", "has no values yet"), ("traced", "is TorchScript")]
)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:`torch.jit:FutureWarning", "ignore:Lazy modules")
def test_a_model_without_weights_or_code_is_told(factory, words):
    with pytest.raises(BadSource, match=words):
        open_source(Wanted(f"{__name__}:{factory}"), SIZE)
