"""The backbone is the published one: its structure, its padding, its weights."""

import pytest
import torch
from torch import nn

from edge.errors import BadEncoder
from export.backbones import LITE0, SamePadConv
from export.sources.builtin import load_backbone

WEIGHTS = LITE0.weights_file()


@pytest.fixture(scope="module")
def backbone():
    return load_backbone(LITE0, WEIGHTS)


def test_blocks_have_the_widths_strides_and_kernels_of_the_paper_s_table(backbone):
    assert backbone.widths == [16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112]
    assert backbone.strides == [2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16]
    assert [block.depthwise.conv.kernel_size[0] for block in backbone.blocks] == [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5]
    assert [block.residual for block in backbone.blocks] == [False, False, True] * 1 + [
        False,
        True,
        False,
        True,
        True,
        False,
        True,
        True,
    ]


def test_every_weight_is_the_checkpoint_s_and_only_layers_beyond_the_cut_are_left(backbone):
    checkpoint = torch.load(WEIGHTS, weights_only=True)
    ours = sorted(float(value.double().sum()) for value in backbone.state_dict().values())
    heads = ("_conv_head.", "_bn1.", "_fc.", *(f"_blocks.{index}." for index in range(11, 16)))
    theirs = sorted(float(value.double().sum()) for key, value in checkpoint.items() if not key.startswith(heads))
    assert ours == theirs


def test_taps_have_one_eighth_and_one_sixteenth_of_the_picture(backbone):
    with torch.inference_mode():
        fine, coarse = backbone(torch.zeros(1, 3, 64, 96))
    assert fine.shape == (1, 40, 8, 12)
    assert coarse.shape == (1, 112, 4, 6)


@pytest.mark.parametrize(("kernel", "before", "after"), [(3, 0, 1), (5, 1, 2)])
def test_the_odd_pixel_of_padding_goes_right_and_below_as_in_tensorflow(kernel, before, after):
    layer = SamePadConv(1, 1, kernel, 2, 1, active=False).eval()
    picture = torch.rand(1, 1, 16, 16)
    with torch.inference_mode():
        wanted = layer.norm(
            nn.functional.conv2d(nn.functional.pad(picture, (before, after) * 2), layer.conv.weight, stride=2)
        )
        assert torch.equal(layer(picture), wanted)


def test_a_missing_and_an_unexpected_layer_are_one_error_that_names_both(tmp_path):
    checkpoint = torch.load(WEIGHTS, weights_only=True)
    checkpoint["_blocks.3._novel.weight"] = checkpoint.pop("_blocks.3._project_conv.weight")
    torch.save(checkpoint, tmp_path / "renamed.pth")
    with pytest.raises(BadEncoder, match=r"renamed\.pth: not the weights of efficientnet-lite0.*blocks\.3\.project.*_novel"):
        load_backbone(LITE0, tmp_path / "renamed.pth")


def test_a_layer_of_another_shape_is_refused(tmp_path):
    checkpoint = torch.load(WEIGHTS, weights_only=True)
    checkpoint["_conv_stem.weight"] = torch.zeros(32, 1, 3, 3)
    torch.save(checkpoint, tmp_path / "grey.pth")
    with pytest.raises(BadEncoder, match=r"size mismatch for stem\.conv\.weight"):
        load_backbone(LITE0, tmp_path / "grey.pth")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut", b"root:x:0:0:root:/root:/bin/sh\n"])
def test_a_file_that_is_no_checkpoint_is_one_error(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(BadEncoder, match="no readable torch checkpoint"):
        load_backbone(LITE0, path)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    torch.save(print, tmp_path / "code.pth")
    with pytest.raises(BadEncoder, match="could run code when loaded"):
        load_backbone(LITE0, tmp_path / "code.pth")
