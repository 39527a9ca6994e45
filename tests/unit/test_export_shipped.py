"""The encoder that ships is what the exporter makes of scikit-image's pictures, and a device can open it."""

import json

import cv2
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

from edge.inspect.card import EncoderCard
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, fit_size, read_encoder
from export.cli import export
from export.design import draw
from export.parity import open_session, reference
from export.pictures import choose
from export.sources import Wanted, open_source
from tests.export_pictures import write_pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_pictures(folder)
    return folder


@pytest.fixture(scope="module")
def again(folder, tmp_path_factory):
    """Folder of the shipped encoder made anew by the command that `make encoder` runs, and what it printed."""
    out = tmp_path_factory.mktemp("again") / "encoders" / "new"
    result = CliRunner().invoke(export, ["--out", str(out), "--pictures", str(folder), "--profile", "x86-avx2", "--json"])
    assert result.exit_code == 0, result.output
    return out, result.stdout


def test_json_is_the_card_and_the_folder_holds_the_file_and_its_proof(again):
    out, printed = again
    assert json.loads(printed) == json.loads((out / "encoder.json").read_text())
    assert sorted(path.name for path in out.iterdir()) == [
        "certificate.txt",
        "encoder.json",
        "encoder.onnx",
        "reference.npz",
    ]


def test_a_device_opens_the_encoder_and_gets_what_torch_computes():
    model, card = read_encoder(DEFAULT_ENCODER)
    picture = np.random.default_rng(3).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 3)
    grid = Encoder(model, card)(picture)
    wanted = reference(draw(open_source(Wanted(), None), (320, 320)), fit_size(picture, 320, 320))
    assert (grid.rows, grid.cols) == (40, 40)
    assert _lowest_cosine(grid.patches, wanted.patches) > 0.9


def test_the_shipped_encoder_is_what_the_exporter_makes(again, folder):
    """Not bit for bit: another CPU sums in another order, so a range may differ in its last digits.

    A value on the edge between two INT8 steps may then fall to the other side.
    """
    shipped, made = (onnx.load(path / "encoder.onnx") for path in (DEFAULT_ENCODER, again[0]))
    assert [_shape_of(node) for node in shipped.graph.node] == [_shape_of(node) for node in made.graph.node]
    ours, theirs = ({w.name: numpy_helper.to_array(w) for w in m.graph.initializer} for m in (shipped, made))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert value.dtype == theirs[name].dtype
        if np.issubdtype(value.dtype, np.integer) and value.dtype != np.int64:
            # The int32 biases are counted in input scale × weight scale and follow both.
            slack = 1 if value.dtype != np.int32 else np.maximum(2, np.abs(value) * 1e-3)
            assert (np.abs(value.astype(np.int64) - theirs[name]) <= slack).all(), name
        else:
            np.testing.assert_allclose(value, theirs[name], rtol=1e-3, err_msg=name)
    for picture in choose(folder, 0, 0, 320, 320).parity[:4]:
        a, b = (
            open_session(path / "encoder.onnx").run(["patches"], {"image": picture[None]})[0][0]
            for path in (DEFAULT_ENCODER, again[0])
        )
        assert _lowest_cosine(a, b) > 0.999


def test_the_shipped_card_says_what_the_exporter_says(again):
    _, shipped = read_encoder(DEFAULT_ENCODER)
    made = EncoderCard.model_validate_json(again[1])
    assert shipped.name == DEFAULT_ENCODER.name
    for key in (
        "name",
        "source",
        "weights_sha256",
        "precision",
        "profile",
        "input",
        "preparation",
        "taps",
        "grid",
        "quantisation",
        "opset",
    ):
        assert getattr(shipped, key) == getattr(made, key)
    ours, theirs = shipped.certificate.shipped, made.certificate.shipped
    assert ours.pictures == theirs.pictures
    assert ours.cosine == pytest.approx(theirs.cosine, abs=0.005)


def _shape_of(node):
    attributes = sorted((a.name, str(onnx.helper.get_attribute_value(a))) for a in node.attribute)
    return node.op_type, list(node.input), list(node.output), attributes


def _lowest_cosine(a, b):
    return float(((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))).min())
