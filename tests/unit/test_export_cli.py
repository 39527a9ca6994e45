"""`goodpart export`: what it writes, and that every mistake of a user is one sentence."""

import hashlib
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edge.errors import BadConfig, BadEncoder, BadPicture, GoodpartError, TooFewGoods
from edge.inspect.encoder import Encoder, read_encoder
from export.card import check_target, write_encoder
from export.cli import export
from tests.torch_models import resnet

RESNET = "tests.torch_models:resnet"


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
    return out, run("--out", out, "--profile", "fp32", "--size", "32x64")


def test_fp32_without_pictures_is_proved_on_synthetic_ones_and_says_so(small):
    out, result = small
    assert result.exit_code == 0, result.output
    assert "no --pictures given: proved on synthetic pictures" in result.stdout
    model, card = read_encoder(out)
    assert card.name == "efficientnet-lite0-32x64-fp32"
    assert card.quantisation is None
    assert Encoder(model, card)(np.zeros((7, 9, 3), np.uint8)).patches.shape == (4 * 8, 152)


@pytest.mark.parametrize("size", ["16", "0", "4096"])
def test_a_size_out_of_range_is_told_the_range(tmp_path, size):
    message = refused(BadConfig, "--out", tmp_path / "o", "--profile", "fp32", "--size", size)
    assert message.startswith(f"--size: {size} does not work; take sides from 32 to 2048")


@pytest.mark.parametrize(("size", "near"), [("330", "320 or 336"), ("32x33", "32 or 48")])
def test_a_size_that_the_taps_do_not_divide_is_told_which_ones_they_do(tmp_path, size, near):
    message = refused(BadConfig, "--out", tmp_path / "o", "--profile", "fp32", "--size", size)
    assert (
        message
        == f"--size: {size[-2:] if 'x' in size else size} does not work with these taps; take multiples of 16, here {near}."
    )


@pytest.mark.parametrize("size", ["big", "-32", "32x", "32x32x3", "3.5", ""])
def test_a_size_that_is_no_number_is_told_how_to_write_one(tmp_path, size):
    assert "write one number" in refused(BadConfig, "--out", tmp_path / "o", "--profile", "fp32", f"--size={size}")


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
    assert "add --force" in refused(BadConfig, "--out", tmp_path, "--profile", "fp32")
    assert (tmp_path / name).read_text() == "mine"


def test_out_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in refused(BadConfig, "--out", tmp_path / "file", "--profile", "fp32")


def test_out_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    message = refused(BadConfig, "--out", tmp_path / "file" / "below", "--profile", "fp32", "--size", "32")
    assert "cannot be written" in message


def test_force_replaces_both_files_and_leaves_nothing_else(tmp_path, small):
    for name in ("encoder.onnx", "encoder.json"):
        (tmp_path / name).write_text("old")
    check_target(tmp_path, force=True)
    write_encoder(tmp_path, *read_encoder(small[0]), b"vectors")
    assert read_encoder(tmp_path) == read_encoder(small[0])
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"encoder.onnx", "encoder.json", "certificate.txt", "reference.npz"}


def test_a_model_that_is_not_the_card_s_never_reaches_the_folder(tmp_path, small):
    _, card = read_encoder(small[0])
    with pytest.raises(BadEncoder):
        write_encoder(tmp_path / "bad", b"another model", card, b"vectors")
    assert not (tmp_path / "bad").exists()


def test_a_factory_with_weights_becomes_an_int8_encoder_whose_card_says_all(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr("export.numbers.latency_ratio", lambda *_: 0.5)  # of so small a network INT8 may be slower
    torch.save({"state_dict": {f"module.{key}": value for key, value in resnet().state_dict().items()}}, tmp_path / "w.pth")
    order = ("--factory", RESNET, "--weights", tmp_path / "w.pth", "--taps", "layer3,layer2", "--size", "64x96")
    numbers = ("--mean", "0.1,0.2,0.3", "--std", "0.5", "--colour", "bgr")
    result = run("--out", tmp_path / "o", "--pictures", pictures, *order, *numbers)
    assert result.exit_code == 0, result.output
    assert "BGR, mean 25.5 51 76.5, std 127.5 127.5 127.5 of 0..255 (--mean and --std, of values 0..1)" in result.stdout
    _, card = read_encoder(tmp_path / "o")
    assert (card.name, card.source) == ("resnet-64x96-int8", f"factory {RESNET}, weights w.pth")
    assert card.taps == ("layer2", "layer3")
    assert (card.preparation.mean, card.preparation.colour) == ((25.5, 51, 76.5), "bgr")
    assert card.weights_sha256 == hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()


def test_the_search_is_told_what_may_change(tmp_path, monkeypatch):
    orders = []
    monkeypatch.setattr("export.build.build", lambda order, _tell: orders.append(order) or 1 / 0)
    for options in ((), ("--search",), ("--search", "--max-flips", "0.02", "--max-auroc-drop", "0.01")):
        with pytest.raises(ZeroDivisionError):
            CliRunner().invoke(export, ["--out", str(tmp_path / "o"), *options], catch_exceptions=False)
    found = [order.promise and (order.promise.flips, order.promise.auroc_drop) for order in orders]
    assert found == [None, (0.005, 0.005), (0.02, 0.01)]


def test_keys_left_out_are_said(tmp_path):
    torch.save({**resnet().state_dict(), "head.weight": torch.zeros(1)}, tmp_path / "w.pth")
    result = run(
        "--out", tmp_path / "o", "--profile", "fp32", "--factory", RESNET, "--weights", tmp_path / "w.pth", "--size", 64
    )
    assert "1 keys of the checkpoint lie beyond the taps: head.weight" in result.stdout


def test_inspect_shows_stages_and_proposes_taps():
    text = run("inspect", RESNET, "--size", "64").stdout
    assert "tap       layer2   stride  8,   12 channels, map 1×12×8×8" in text
    assert text.endswith("proposed  --taps layer2,layer3\n")
    listed = json.loads(run("inspect", RESNET, "--size", "64", "--json").stdout)
    assert listed["taps"] == ["layer2", "layer3"]
    assert {"name": "layer1.0.bn1", "kind": "map", "stride": 4, "channels": 8, "shape": [1, 8, 16, 16]} in listed["stages"]


def test_inspect_of_a_transformer_shows_its_tokens():
    text = run("inspect", "tests.torch_models:vit", "--size", "64x96").stdout
    assert "tap       blocks.1     stride 16,   16 channels, tokens 1×25×16" in text


def test_out_is_required_and_two_backbones_are_one_too_many(tmp_path):
    assert "Missing option '-o' / '--out'" in run("--profile", "fp32").output
    message = refused(BadConfig, "--out", tmp_path / "o", "--source", "efficientnet-lite1", "--factory", RESNET)
    assert message.startswith("--factory: ")


@pytest.mark.parametrize("option", ["--mean", "--std"])
def test_numbers_that_are_none_are_refused(tmp_path, option):
    assert "is no list of numbers" in refused(BadConfig, "--out", tmp_path / "o", option, "a,b")


def test_a_missing_extra_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    message = refused(BadConfig, "--out", tmp_path / "o", "--profile", "fp32")
    assert message == "goodpart export needs torch: install 'goodpart[export]'."


def test_help_imports_neither_torch_nor_onnx():
    code = "import sys, export.cli; sys.exit(bool({'torch', 'onnx', 'onnxruntime', 'cv2', 'rich'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
