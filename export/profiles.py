"""What the device's CPU multiplies best, and how weights and activations are stored for it.

Rules of ONNX Runtime's quantisation guide (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html):
x86-64 takes unsigned activations and signed weights; without VNNI the products of two neighbours are added into 16 bits and
saturate, which weights of 7 bits cannot reach; ARM64 takes both signed.
"""

import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.errors import BadConfig

ProfileName = Literal["x86-vnni", "x86-avx2", "arm64", "fp32", "fp16"]

VNNI_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
"""How Linux calls the two instruction sets that add four 8-bit products into 32 bits."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How numbers are stored for one kind of CPU.

    precision: of weights and, for int8, activations; signed_activations: int8 instead of uint8; reduce_range: weights of
    7 bits instead of 8; words: for people.
    """

    name: ProfileName
    precision: Literal["int8", "fp16", "fp32"]
    signed_activations: bool
    reduce_range: bool
    words: str


X86_VNNI = Profile("x86-vnni", "int8", False, False, "x86-64 with VNNI: U8S8, full range")
X86_AVX2 = Profile("x86-avx2", "int8", False, True, "x86-64 without VNNI: U8S8, weights of 7 bits")
ARM64 = Profile("arm64", "int8", True, False, "64-bit ARM: S8S8")
FP32 = Profile("fp32", "fp32", False, False, "any CPU: FP32")
FP16 = Profile("fp16", "fp16", False, False, "half the file: FP16 inside, the same inputs and outputs")

PROFILES = (X86_VNNI, X86_AVX2, ARM64, FP32, FP16)


def named(name: str) -> Profile:
    """The profile of that name.

    Raises:
        BadConfig: there is none.
    """
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise BadConfig(f"--profile: '{name}' is none; take one of {', '.join(profile.name for profile in PROFILES)}.")


def detect(machine: str, cpuinfo: str) -> Profile:
    """The profile of a CPU.

    Args:
        machine: what `platform.machine` says, such as ``x86_64`` or ``aarch64``.
        cpuinfo: the text of /proc/cpuinfo; empty where there is none.

    Returns:
        FP32 for a CPU that no integer profile is made for.
    """
    if machine.lower() in {"aarch64", "arm64"}:
        return ARM64
    if machine.lower() in {"x86_64", "amd64"}:
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
        return X86_VNNI if flags and VNNI_FLAGS & set(flags[1].split()) else X86_AVX2
    return FP32


def this_machine() -> Profile:
    """The profile of the CPU this runs on."""
    cpuinfo = Path("/proc/cpuinfo")
    return detect(platform.machine(), cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else "")
