"""Every mistake in naming a backbone, its weights or its taps is one sentence with cause and mend."""

import sys
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from edge.errors import BadConfig, BadSource, BadTaps, BadWeights, GoodpartError, Untraceable
from export.design import draw
from export.graph import EncoderModule, write_graph
from export.sources import Wanted, open_source, size_for
from export.sources.preparation import Wish
from export.sources.weights import read_state
from tests.torch_models import ResNet, ViT, resnet, seeded

RESNET, SIZE = "tests.torch_models:resnet", (64, 64)


def design_of(name, size=SIZE, taps=None, weights=None, wish=None):
    source = open_source(Wanted(name, weights, wish or Wish()), size)
    return draw(source, size_for(source, size), taps)


def refused(error, *arguments, **options):
    with pytest.raises(GoodpartError) as caught:
        design_of(*arguments, **options)
    assert type(caught.value) is error
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("resnet", BadSource, "'resnet' names no backbone"),
        ("nowhere.at.all:make", BadSource, "nowhere.at.all: there is no such module"),
        ("tests.torch_models:resnett", BadSource, "has no function resnett; it has"),
        ("tests.torch_models:raises", BadSource, "raised RuntimeError: no disk; mend the factory"),
        ("tests.torch_models:number", BadSource, "returned int; a factory returns a torch.nn.Module"),
        ("tests.torch_models:steers", Untraceable, "cannot follow it at torch_models.py line"),
        ("tests.torch_models:flat", BadSource, "no layer gives features at places of the picture"),
        ("tests.torch_models:vit_registers_last", BadSource, "no layer gives features at places of the picture"),
        ("missing.pt2", BadSource, "missing.pt2: cannot be read"),
        ("timm:resnet18", BadSource, "timm:resnet18 needs timm, which is not installed"),
    ],
)
def test_a_wrong_source_is_told_why(monkeypatch, name, error, words):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert words in refused(error, name)


def test_torchvision_that_does_not_import_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert "torchvision" in refused(BadSource, "torchvision:resnet18")


def test_a_factory_in_the_current_folder_is_found_and_told_the_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_models.py").write_text(
        "from tests.torch_models import vit\n\ndef make(image_size):\n    return vit(image_size)\n"
    )
    assert design_of("my_models:make", (64, 96)).taps[0].cols == 6


def test_a_factory_whose_import_fails_is_told_apart_from_a_missing_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "broken_models.py").write_text("import a_package_nobody_has\n")
    assert "importing broken_models raised ModuleNotFoundError" in refused(BadSource, "broken_models:make")


def test_timm_models_come_by_name_without_a_download_and_say_their_numbers(monkeypatch):
    timm = ModuleType("timm")
    timm.__version__ = "1.0"

    def create_model(name, pretrained, **options):
        assert (name, pretrained) == ("small", False)
        if options:
            raise TypeError("img_size")
        model = resnet()
        model.pretrained_cfg = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.2)}
        return model

    timm.create_model = create_model
    monkeypatch.setitem(sys.modules, "timm", timm)
    source = open_source(Wanted("timm:small"), SIZE)
    assert source.preparation.mean == (127.5, 102, 76.5)
    assert source.origin == "timm 1.0, small"


@pytest.mark.parametrize(
    ("taps", "words"),
    [
        (["layer22"], "there is no layer layer22 that gives one tensor; near it are layer2"),
        (["fc"], "fc gives 1×7, not features at places of the picture"),
    ],
)
def test_wrong_taps_are_told_what_is_there(taps, words):
    assert words in refused(BadTaps, RESNET, taps=taps)


def test_a_size_the_patches_do_not_divide_is_told_which_ones_they_do():
    assert "multiples of 14, here 56 or 70" in refused(BadConfig, "tests.torch_models:vit14", (57, 57))


def test_a_backbone_that_does_not_run_at_the_size_is_told_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "picky_models.py").write_text(
        "from torch import nn\n\nclass Picky(nn.Module):\n    def forward(self, x):\n        raise ValueError('only 224')\n"
    )
    message = refused(BadSource, "picky_models:Picky")
    assert "fails on a picture of 64x64 at picky_models.py line 5: ValueError: only 224" in message


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "backbone.", "module.backbone."])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_checkpoints_are_unwrapped_and_prefixes_taken_off(tmp_path, prefix, wrapper):
    state = {f"{prefix}{key}": value + 1 for key, value in resnet().state_dict().items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "w.pth")
    source = open_source(Wanted(RESNET, tmp_path / "w.pth"), SIZE)
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight + 1)
    assert not source.doubts.missing
    assert not source.doubts.unexpected


def test_safetensors_are_read(tmp_path):
    state = {key: value + 1 for key, value in resnet().state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    source = open_source(Wanted(RESNET, tmp_path / "w.safetensors"), SIZE)
    torch.testing.assert_close(source.backbone.conv1.weight, resnet().conv1.weight + 1)


def test_safetensors_without_the_package_are_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "w.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(BadConfig, match=r"needs safetensors: install 'goodpart\[safetensors\]'\."):
        read_state(tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert "no readable" in refused(BadWeights, RESNET, weights=tmp_path / name)


def test_a_missing_checkpoint_is_one_sentence(tmp_path):
    assert "no such file" in refused(BadWeights, RESNET, weights=tmp_path / "none.pth")


@pytest.mark.parametrize("content", [resnet, print])
def test_a_pickle_that_could_run_code_is_refused(tmp_path, content):
    torch.save(content() if content is resnet else content, tmp_path / "code.pth")
    assert "could run code" in refused(BadWeights, RESNET, weights=tmp_path / "code.pth")


def test_a_checkpoint_without_tensors_is_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    assert "holds no tensors by name" in refused(BadWeights, RESNET, weights=tmp_path / "w.pth")


def test_all_keys_that_do_not_fit_are_one_error(tmp_path):
    state = resnet().state_dict()
    state["layer2.9.conv1.weight"] = state.pop("layer2.1.conv1.weight")
    state["layer1.0.conv1.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    message = refused(BadWeights, RESNET, weights=tmp_path / "w.pth")
    assert (
        "missing layer2.1.conv1.weight; unexpected layer2.9.conv1.weight; of another shape layer1.0.conv1.weight "
        "(1 instead of 8×8×3×3)" in message
    )


def test_another_model_s_checkpoint_is_refused(tmp_path):
    torch.save({"a.b": torch.zeros(1)}, tmp_path / "w.pth")
    assert "none of its 1 keys fits" in refused(BadWeights, RESNET, weights=tmp_path / "w.pth")


def test_a_head_beyond_the_taps_may_be_absent_larger_or_called_otherwise(tmp_path):
    state = seeded(ResNet, classes=9).state_dict()
    state["head.weight"] = torch.zeros(3)
    del state["fc.weight"]
    torch.save(state, tmp_path / "w.pth")
    design = design_of(RESNET, weights=tmp_path / "w.pth")
    assert set(design.unused) == {"head.weight", "fc.bias (9 instead of 7)"}


def test_a_layer_beyond_the_taps_is_not_taken_for_a_head(tmp_path):
    state = dict(resnet().state_dict(), **{"layer5.weight": torch.zeros(1)})
    torch.save(state, tmp_path / "w.pth")
    assert "unexpected layer5.weight" in refused(BadWeights, RESNET, weights=tmp_path / "w.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["layer2.0.conv1.weight", "layer2.0.bn1.running_var"])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value, key):
    state = resnet().state_dict()
    state[key] = torch.full_like(state[key], value)
    torch.save(state, tmp_path / "w.pth")
    assert f"NaN or infinite values in {key}" in refused(BadWeights, RESNET, weights=tmp_path / "w.pth")


def test_positions_of_a_checkpoint_are_resampled_to_the_input(tmp_path):
    trained = seeded(ViT)
    ramp = torch.arange(4.0).reshape(1, 1, 4, 1).expand(1, 4, 4, 16)  # grows from left to right
    trained.pos_embed.data[:, 1:] = ramp.reshape(1, 16, 16)
    torch.save(trained.state_dict(), tmp_path / "w.pth")
    design = design_of("tests.torch_models:vit", (64, 128), weights=tmp_path / "w.pth")
    found = design.source.backbone.pos_embed.detach()
    assert found.shape == (1, 1 + 4 * 8, 16)
    torch.testing.assert_close(found[:, 0], trained.pos_embed[:, 0].detach())
    rows = found[0, 1:, 0].reshape(4, 8)
    torch.testing.assert_close(rows, rows[:1].expand(4, 8))
    assert (rows[0].diff() > 0).all()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(mean=(0.5,)), "--mean and --std belong together"),
        (Wish(mean=(0.5, 0.5), std=(0.5,)), "--mean: 2 numbers; give one for all channels, or three"),
        (Wish(mean=(0.5,), std=(0.0,)), "must be positive"),
    ],
)
def test_wrong_numbers_of_preparation_are_told(wish, words):
    assert words in refused(BadConfig, RESNET, wish=wish)


def test_weights_for_a_source_that_brings_its_own_are_refused(tmp_path):
    assert "brings its own weights" in refused(BadConfig, "efficientnet-lite0", weights=tmp_path / "w.pth")


def program_at(path, module, *inputs):
    torch.export.save(torch.export.export(module, inputs), path)
    return str(path)


def test_a_program_at_another_size_is_told_the_right_one(tmp_path):
    name = program_at(tmp_path / "p.pt2", resnet(), torch.zeros(1, 3, 64, 96))
    message = refused(BadConfig, name, (64, 64))
    assert "was exported for 64x96 pixels only; take --size 64x96 or leave it out" in message


@pytest.mark.parametrize(
    ("module", "inputs", "words"),
    [
        (nn.Conv2d(1, 8, 3), [torch.zeros(1, 1, 64, 64)], "takes 1×1×64×64 torch.float32; a backbone takes one picture"),
        (nn.Conv2d(3, 8, 3), [torch.zeros(2, 3, 64, 64)], "takes 2×3×64×64"),
        (nn.Bilinear(3, 3, 2), [torch.zeros(1, 3), torch.zeros(1, 3)], "takes 2 inputs"),
        (ResNet().train(), [torch.zeros(2, 3, 64, 64)], "was exported in training mode; call .eval()"),
    ],
)
def test_a_program_that_is_no_backbone_is_told_why(tmp_path, module, inputs, words):
    assert words in refused(BadSource, program_at(tmp_path / "p.pt2", module, *inputs))


def test_a_damaged_program_is_one_sentence(tmp_path):
    (tmp_path / "p.pt2").write_bytes(b"PK\x03\x04 cut")
    assert "no torch.export program" in refused(BadSource, str(tmp_path / "p.pt2"))


def test_an_operation_that_onnx_has_no_form_of_is_named(tmp_path):
    with pytest.raises(Untraceable, match=r"cannot write aten\.amax\.default of the backbone; write that operation"):
        write_graph(EncoderModule(design_of("tests.torch_models:Largest", taps=["conv"])), *SIZE, tmp_path / "e.onnx")
