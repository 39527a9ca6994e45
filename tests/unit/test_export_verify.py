"""An encoder is proved again on the device's own runtime, and a wrong one is caught there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge.errors import BadEncoder
from edge.inspect.encoder import DEFAULT_ENCODER
from edge.recipe.manifest import sha256
from export.vectors import from_bytes, to_bytes
from export.verify import verify
from tests.commands import goodpart


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A copy of the shipped encoder, to be broken."""
    return Path(shutil.copytree(DEFAULT_ENCODER, tmp_path / "encoder"))


def rewrite(encoder: Path, model: onnx.ModelProto) -> None:
    """Put another graph into the folder with a card whose hash agrees, as a careless conversion would."""
    raw = model.SerializeToString()
    card = json.loads((encoder / "encoder.json").read_text()) | {"onnx_sha256": sha256(raw), "onnx_bytes": len(raw)}
    (encoder / "encoder.onnx").write_bytes(raw)
    (encoder / "encoder.json").write_text(json.dumps(card))


def test_the_shipped_encoder_is_proved_from_the_command_line_without_torch() -> None:
    ended = goodpart("export", "verify", DEFAULT_ENCODER)
    assert ended.code == 0, ended.err
    assert "proved on 2 pictures" in ended.out
    found = json.loads(goodpart("export", "verify", DEFAULT_ENCODER, "--json").out)
    assert found["own_cosine"] > 0.99
    assert found["torch_cosine"] > found["torch_cosine_promised"] - 0.02
    code = f"import sys; from pathlib import Path; from export.verify import verify; verify(Path({str(DEFAULT_ENCODER)!r}))"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)


def test_a_file_with_another_mean_is_caught(encoder: Path) -> None:
    model = onnx.load(encoder / "encoder.onnx")
    for weight in model.graph.initializer:
        value = numpy_helper.to_array(weight)
        if value.dtype == np.float32 and value.size and (value == 127).all():
            weight.CopyFrom(numpy_helper.from_array(np.full_like(value, 60), weight.name))
            break
    else:
        pytest.fail("no mean in the graph")
    rewrite(encoder, model)
    with pytest.raises(BadEncoder, match="computes something else here"):
        verify(encoder)


def test_a_file_with_swapped_colour_channels_is_caught(encoder: Path) -> None:
    model = onnx.load(encoder / "encoder.onnx")
    # The first convolution's weights carry the colour order.
    stem = next(w for w in model.graph.initializer if list(w.dims[1:]) == [3, 3, 3])
    stem.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stem)[:, ::-1].copy(), stem.name))
    rewrite(encoder, model)
    with pytest.raises(BadEncoder, match="computes something else here"):
        verify(encoder)


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.json", "reference.npz"])
def test_a_missing_file_is_named(encoder: Path, name: str) -> None:
    (encoder / name).unlink()
    with pytest.raises(BadEncoder, match=name.replace(".", "[.]")):
        verify(encoder)


@pytest.mark.parametrize("name", ["encoder.onnx", "reference.npz"])
def test_a_changed_file_is_refused_before_it_is_opened(encoder: Path, name: str) -> None:
    raw = bytearray((encoder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (encoder / name).write_bytes(raw)
    with pytest.raises(BadEncoder, match=r"(its|the) card describes"):
        verify(encoder)


def test_reference_vectors_come_back_as_they_were_and_as_the_same_bytes() -> None:
    raw = (DEFAULT_ENCODER / "reference.npz").read_bytes()
    references = from_bytes(raw)
    assert to_bytes(references) == raw
    assert references[0].picture.shape == (320, 320, 3)
    assert references[0].torch.patches.shape == references[0].exported.patches.shape == (128, 152)


@pytest.mark.parametrize("raw", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_what_is_no_reference_file_is_one_sentence(raw: bytes) -> None:
    with pytest.raises(BadEncoder, match="export the encoder again"):
        from_bytes(raw)
