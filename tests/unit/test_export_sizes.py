"""A backbone made for one picture size works at another, or says why not; what it says of its numbers is found."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from edge.errors import BadConfig, BadSource, BadTaps
from export.design import draw
from export.sources import Wanted, open_source, size_for
from export.sources.preparation import from_module
from export.transformers import AnySide
from tests.torch_models import resnet, seeded, vit14


def traced(factory, size):
    return draw(open_source(Wanted(factory), size), size)


def test_a_model_s_own_way_to_another_size_goes_before_ours():
    design = traced("tests.torch_models:resizing_vit", (96, 128))
    assert (design.source.backbone.pos_embed == 1).all()


def test_positions_of_a_picture_that_was_not_square_are_not_resampled_as_one():
    with pytest.raises(BadSource, match="fails on a picture of 64x64"):
        traced("tests.torch_models:vit_wide", (64, 64))


def test_any_side_equals_numbers_and_nothing_else():
    side = AnySide(96)
    assert [number for number in (64, 96, "96") if number == side] == [64, 96]
    assert side // 16 == 6


class Strict14(nn.Module):
    """Raises, as timm does, where its patches do not divide the picture."""

    def __init__(self):
        super().__init__()
        self.inner = vit14(56)

    def forward(self, x):
        assert all(side % 14 == 0 for side in x.shape[2:])
        return self.inner(x)


def test_patches_that_do_not_divide_the_size_are_told_even_if_the_model_raises():
    with pytest.raises(BadConfig, match=r"--size: 60 does not work with this backbone's patches; .* 14, here 56 or 70"):
        traced(f"{__name__}:Strict14", (60, 60))


def test_without_a_size_the_patches_decide():
    source = open_source(Wanted("tests.torch_models:vit14"), None)
    assert size_for(source, None) == (322, 322)
    assert source.backbone.pos_embed.shape == (1, 23 * 23 + 1, 16)
    assert size_for(open_source(Wanted("tests.torch_models:resnet"), None), None) == (320, 320)


def test_the_numbers_of_a_model_inside_another_are_found():
    outer = nn.Sequential(resnet(), nn.Linear(7, 2))
    outer[0].pretrained_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    assert from_module(outer).mean == (127.5, 127.5, 127.5)
    # What the outer one does to pictures itself goes before.
    outer.register_buffer("pixel_mean", torch.tensor([100.0, 110.0, 120.0]))
    outer.pixel_std = [1.0, 2.0, 3.0]
    assert from_module(outer).mean == (100, 110, 120)


class Detects(nn.Module):
    """How many boxes it gives depends on the picture."""

    def __init__(self):
        super().__init__()
        self.backbone = seeded(type(resnet()))

    def forward(self, x):
        scores = self.backbone(x)
        return scores[scores > 0].sort().values[: int((scores > 0).sum())]


def test_a_detector_is_told_to_give_its_backbone(capfd):
    with pytest.raises(BadSource, match="of a detector, let the factory return the backbone alone"):
        traced(f"{__name__}:Detects", (64, 64))
    assert "def forward" not in "".join(capfd.readouterr())


def test_tokens_that_do_not_lie_row_by_row_are_refused():
    with pytest.raises(BadTaps, match=r"the tokens of blocks\.1 do not lie row by row"):
        traced("tests.torch_models:vit_backwards", (64, 64))


def test_a_published_model_prepares_its_input_as_with_its_published_weights(monkeypatch):
    library, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    library.__version__ = "0.1"

    def get_model(name, weights):
        assert (name, weights) == ("small", None)
        model = resnet()
        model.transform_input = False
        return model

    models.get_model = get_model
    monkeypatch.setitem(sys.modules, "torchvision", library)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    source = open_source(Wanted("torchvision:small"), (64, 64))
    assert source.backbone.transform_input is True
    assert source.origin == "torchvision 0.1, small"
