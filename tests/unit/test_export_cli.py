"""`goodpart export`: what it writes, and that every mistake of a user is one sentence."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.errors import BadConfig, BadEncoder, BadPicture, GoodpartError, TooFewGoods
from edge.inspect.encoder import Encoder, read_encoder
from export.card import check_target, write_encoder
from export.cli import export


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "goods"
    folder.mkdir()
    for seed in range(16):
        noise = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{seed:02}.png"), cv2.GaussianBlur(noise, (0, 0), 1 + seed % 4))
    return folder


def run(*arguments):
    result = CliRunner().invoke(export, [str(a) for a in arguments])
    if isinstance(result.exception, GoodpartError):
        raise result.exception
    return result


def refused(error, *arguments):
    with pytest.raises(error) as caught:
        run(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One FP32 export for all tests that only look at it: its folder and the command's result."""
    out = tmp_path_factory.mktemp("small") / "encoder"
    return out, run("--out", out, "--precision", "fp32", "--size", "32x64")


def test_fp32_without_pictures_is_proved_on_synthetic_ones_and_says_so(small):
    out, result = small
    assert result.exit_code == 0, result.output
    assert "on 4 synthetic pictures (no --pictures given)" in result.stdout
    model, card = read_encoder(out)
    assert card.name == "efficientnet-lite0-32x64-fp32"
    assert card.quantisation is None
    assert Encoder(model, card)(np.zeros((7, 9, 3), np.uint8)).patches.shape == (4 * 8, 152)


@pytest.mark.parametrize("size", ["330", "16", "0", "4096", "320x321"])
def test_a_size_that_does_not_work_is_told_which_ones_do(tmp_path, size):
    message = refused(BadConfig, "--out", tmp_path / "o", "--precision", "fp32", "--size", size)
    assert message.startswith("--size: ")
    assert "multiples of 16 from 32 to 2048" in message


@pytest.mark.parametrize("size", ["big", "-32", "32x", "32x32x3", "3.5", ""])
def test_a_size_that_is_no_number_is_told_how_to_write_one(tmp_path, size):
    assert "write one number" in refused(BadConfig, "--out", tmp_path / "o", "--precision", "fp32", f"--size={size}")


def test_int8_without_pictures_is_refused(tmp_path):
    assert refused(BadConfig, "--out", tmp_path / "o").startswith("--pictures: ")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "none").mkdir()
    assert "none: holds no pictures" in refused(BadConfig, "--out", tmp_path / "o", "--pictures", tmp_path / "none")


def test_a_missing_folder_is_refused(tmp_path):
    assert "cannot be listed" in refused(BadConfig, "--out", tmp_path / "o", "--pictures", tmp_path / "nowhere")


def test_too_few_pictures_are_refused(tmp_path, pictures):
    (pictures / "03.png").unlink()
    message = refused(TooFewGoods, "--out", tmp_path / "o", "--pictures", pictures)
    assert "15 pictures; INT8 calibration needs at least 16" in message


def test_an_unreadable_picture_is_named(tmp_path, pictures):
    (pictures / "03.png").write_bytes(b"\x89PNG\r\n\x1a\n half a file")
    assert "03.png" in refused(BadPicture, "--out", tmp_path / "o", "--pictures", pictures)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.json"])
def test_an_encoder_that_is_there_is_kept_without_force(tmp_path, name):
    (tmp_path / name).write_text("mine")
    assert "add --force" in refused(BadConfig, "--out", tmp_path, "--precision", "fp32")
    assert (tmp_path / name).read_text() == "mine"


def test_out_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in refused(BadConfig, "--out", tmp_path / "file", "--precision", "fp32")


def test_out_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    message = refused(BadConfig, "--out", tmp_path / "file" / "below", "--precision", "fp32", "--size", "32")
    assert "cannot be written" in message


def test_force_replaces_both_files_and_leaves_nothing_else(tmp_path, small):
    for name in ("encoder.onnx", "encoder.json"):
        (tmp_path / name).write_text("old")
    check_target(tmp_path, force=True)
    write_encoder(tmp_path, *read_encoder(small[0]))
    assert read_encoder(tmp_path) == read_encoder(small[0])
    assert len(list(tmp_path.iterdir())) == 2


def test_a_model_that_is_not_the_card_s_never_reaches_the_folder(tmp_path, small):
    _, card = read_encoder(small[0])
    with pytest.raises(BadEncoder):
        write_encoder(tmp_path / "bad", b"another model", card)
    assert not (tmp_path / "bad").exists()


def test_a_missing_extra_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    message = refused(BadConfig, "--out", tmp_path / "o", "--precision", "fp32")
    assert message == "goodpart export needs torch: install 'goodpart[export]'."


def test_help_imports_neither_torch_nor_onnx():
    code = "import sys, export.cli; sys.exit(bool({'torch', 'onnx', 'onnxruntime', 'cv2', 'rich'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
