"""Each CPU gets the numbers it multiplies best."""

import pytest

from edge.errors import BadConfig
from export.profiles import ARM64, FP32, PROFILES, X86_AVX2, X86_VNNI, detect, named, this_machine

INTEL = "processor\t: 0\nflags\t\t: fpu sse2 avx2 {}\nbugs\t\t: spectre_v1\n"


@pytest.mark.parametrize(
    ("machine", "cpuinfo", "wanted"),
    [
        ("x86_64", INTEL.format("avx512_vnni"), X86_VNNI),
        ("AMD64", INTEL.format("avx_vnni avx512f"), X86_VNNI),
        ("x86_64", INTEL.format("avx512f"), X86_AVX2),
        ("x86_64", INTEL.format("") + "model name : avx_vnni\n", X86_AVX2),
        ("x86_64", "", X86_AVX2),
        ("aarch64", "Features : fp asimd asimddp\n", ARM64),
        ("arm64", "", ARM64),
        ("riscv64", "", FP32),
        ("armv7l", "Features : neon\n", FP32),
    ],
)
def test_the_cpu_decides(machine, cpuinfo, wanted):
    assert detect(machine, cpuinfo) == wanted


def test_only_x86_without_vnni_needs_weights_of_seven_bits():
    assert [profile.name for profile in PROFILES if profile.reduce_range] == ["x86-avx2"]


def test_every_profile_has_its_name():
    assert [named(profile.name) for profile in PROFILES] == list(PROFILES)


def test_an_unknown_profile_is_one_sentence_with_the_known_ones():
    with pytest.raises(BadConfig, match="'tpu' is none; take one of x86-vnni, x86-avx2, arm64, fp32, fp16"):
        named("tpu")


def test_this_machine_has_a_profile():
    assert this_machine() in PROFILES
