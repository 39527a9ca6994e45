"""The encoder on this CPU: who computes it, how fast, and whether that is what its certificate says."""

import platform
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from edge.doctor.symptom import Symptom, well, worry
from edge.errors import GoodpartError
from edge.host.machine import cpu_features
from edge.inspect.card import EncoderCard
from edge.inspect.encoder import Encoder, read_encoder, session_options

_RUNS = 15
_SLACK = 1.25
"""By how much the ratio may be worse than the certificate's: machines of one profile differ, and are busy."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "x86-vnni": ("avx512_vnni", "avx_vnni"),
    "x86-avx2": ("avx2",),
    "arm64": ("asimd",),
}
"""By a profile of `goodpart export`, the features of which its device's CPU has one, as the kernel calls them."""


def try_encoder(recipe: Path, interval_s: float | None) -> list[Symptom]:
    """CPU and speed; nothing where the encoder does not open, which `check` says. interval_s: of a free-running camera."""
    try:
        model, card = read_encoder(recipe)
        encoder = Encoder(model, card)
    except GoodpartError:
        return []
    here_s, floats_s = measure(encoder, model)
    return [_fits(card, cpu_features()), compare(card, here_s, floats_s), *_takt(here_s, interval_s)]


def measure(encoder: Encoder, model: bytes) -> tuple[float, float]:
    """Seconds of one picture on one thread: as it ships, and the same graph in FP32; the fastest of runs in turn.

    FP32 is the shipped file with INT8 kernels off and the rounding between layers taken out, so a device needs no other.
    """
    options = session_options(1)
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.add_session_config_entry("session.enable_quant_qdq_cleanup", "1")
    floats = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    encoder.buffer[:] = np.random.default_rng(0).integers(0, 256, encoder.buffer.shape, np.uint8)
    picture = {"image": encoder.buffer[None]}
    here, other = [], []
    for _ in range(_RUNS):
        began_s = time.perf_counter()
        encoder.encode()
        between_s = time.perf_counter()
        floats.run(None, picture)
        here.append(between_s - began_s)
        other.append(time.perf_counter() - between_s)
    return min(here), min(other)


def compare(card: EncoderCard, here_s: float, floats_s: float) -> Symptom:
    """The measured times against the certificate's."""
    found = f"{card.precision.upper()} takes {here_s * 1000:.1f} ms a picture on one thread"
    if card.precision != "int8":
        return well("speed", found)
    ratio, promised = here_s / floats_s, card.certificate.latency
    found += f", {ratio:.2f} of FP32's time; the certificate says {promised.shipped:.2f} ({promised.cpu})"
    if ratio >= 1:
        return worry("speed", f"{found}: INT8 is no faster on this CPU; export the encoder with --profile for it.")
    if ratio > promised.shipped * _SLACK:
        return worry("speed", f"{found}: is something else using the CPU, or is it another kind than the profile's?")
    return well("speed", found)


def _fits(card: EncoderCard, features: frozenset[str]) -> Symptom:
    needs: Sequence[str] = _NEEDS.get(card.profile, ())
    known = sorted(features & {name for names in _NEEDS.values() for name in names})
    words = f"{platform.machine()} with {', '.join(known) or 'nothing special'}"
    found = f"{words}, ONNX Runtime {ort.__version__} on CPU"
    if not needs or features & set(needs):
        return well("cpu", f"{found}; the encoder is for {card.profile}")
    return worry(
        "cpu",
        f"{found}, but the encoder is for {card.profile}: sums may overflow, and it may be slow; export it "
        "with --profile for this CPU and build the recipe with that.",
    )


def _takt(here_s: float, interval_s: float | None) -> list[Symptom]:
    if not interval_s or here_s < interval_s:
        return []
    return [
        worry("takt", f"source.interval_s: is {interval_s:g} s, and the encoder alone takes {here_s:.2f} s; parts are late.")
    ]
