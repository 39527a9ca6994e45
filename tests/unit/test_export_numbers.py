"""Without a search, integers are shipped where they see the same and are faster, else FP32 with the reason."""

import pytest

from export import numbers
from export.numbers import choose_numbers
from export.parity import Agreement
from export.pictures import Chosen
from export.profiles import ARM64, FP16, FP32, X86_AVX2
from tests.lite0 import goods
from tests.tiny_graphs import SIDE, write_cnn

NEAR, FAR = Agreement(1, 0.1, 1.0, 0.98, 0.1, 0.99), Agreement(1, 0.1, 1.0, 0.71, 0.1, 0.99)
NAN = Agreement(1, 0.1, 1.0, float("nan"), 0.1, 0.99)


@pytest.fixture
def cnn(tmp_path):
    return write_cnn(tmp_path / "cnn.onnx")


def made(cnn, monkeypatch, *, ratio, found=NEAR, profile=X86_AVX2, machine=X86_AVX2, float_parts=()):
    monkeypatch.setattr(numbers, "latency_ratio", lambda *_: ratio)
    return choose_numbers(
        cnn,
        cnn.with_name("out.onnx"),
        Chosen(tuple(goods(8, SIDE)), ()),
        profile,
        float_parts,
        promise=None,
        agreement=lambda _: found,
        seed=0,
        tell=lambda _: None,
        machine=machine,
    )


@pytest.mark.parametrize("float_parts", [(), ("stem",)])
def test_integers_that_are_not_faster_are_not_shipped(cnn, monkeypatch, float_parts):
    slow = made(cnn, monkeypatch, ratio=1.0, float_parts=float_parts)
    assert (slow.profile, slow.card) == (FP32, None)
    assert slow.reason == "FP32: INT8 takes 1.00 of FP32's time on this machine."
    assert cnn.with_name("out.onnx").read_bytes() == cnn.read_bytes()
    fast = made(cnn, monkeypatch, ratio=0.9, float_parts=float_parts)
    assert fast.profile is X86_AVX2
    assert fast.reason.startswith("INT8 by min-max")
    assert cnn.with_name("out.onnx").read_bytes() != cnn.read_bytes()


@pytest.mark.parametrize("found", [FAR, NAN])
def test_integers_that_see_something_else_are_not_shipped(cnn, monkeypatch, found):
    far = made(cnn, monkeypatch, ratio=0.5, found=found)
    assert (far.profile, far.card) == (FP32, None)
    assert "turns a patch vector to a cosine of " in far.reason
    assert "--search" in far.reason
    assert cnn.with_name("out.onnx").read_bytes() == cnn.read_bytes()


def test_the_time_of_another_machine_decides_nothing(cnn, monkeypatch):
    assert made(cnn, monkeypatch, ratio=2.0, profile=ARM64).profile is ARM64


def test_half_precision_is_what_was_asked(cnn, monkeypatch):
    assert made(cnn, monkeypatch, ratio=2.0, profile=FP16).profile is FP16
