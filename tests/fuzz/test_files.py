"""Files that people and machines write wrong: each is read as it stands, or refused in one sentence that names it."""

import json
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import altered, mutated
from tests.fuzz.targets import STATIONS, TARGETS

# The same examples in every run; `with_atheris.py` and a larger number look further.
FEW, SOME = (settings(max_examples=number, deadline=None, derandomize=True) for number in (40, 100))

JSON = ["encoder card", "view card", "shift card", "commands done"]


def feed(name: str, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        TARGETS[name].feed(raw, Path(folder))


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_valid_is_accepted(name: str) -> None:
    for seed in TARGETS[name].seeds():
        feed(name, seed)


@pytest.mark.parametrize("name", TARGETS)
@FEW
@given(data=st.data())
def test_bytes_that_were_damaged_are_read_rightly_or_refused(name: str, data: st.DataObject) -> None:
    feed(name, data.draw(mutated(data.draw(st.sampled_from(TARGETS[name].seeds())))))


@pytest.mark.parametrize("name", TARGETS)
@FEW
@given(raw=st.binary(max_size=400))
def test_any_bytes_are_read_rightly_or_refused(name: str, raw: bytes) -> None:
    feed(name, raw)


@SOME
@given(raw=st.sampled_from(STATIONS).flatmap(altered))
def test_a_station_file_with_wrong_keys_and_values_says_which(raw: bytes) -> None:
    feed("station", raw)


@pytest.mark.parametrize("name", JSON)
@FEW
@given(data=st.data())
def test_a_card_with_wrong_keys_and_values_says_which(name: str, data: st.DataObject) -> None:
    feed(name, data.draw(altered(json.loads(TARGETS[name].seeds()[0]))))


def test_a_time_is_no_number_in_quotation_marks() -> None:
    for name in ("shift card", "commands done", "encoder card"):
        raw = re.sub(rb'"2026-[^"]*Z"', b'"0000000000"', TARGETS[name].seeds()[0])
        assert raw != TARGETS[name].seeds()[0]
        feed(name, raw)


@FEW
@given(text=st.text(max_size=200))
def test_any_text_is_a_station_file_or_refused(text: str) -> None:
    feed("station", text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("side", [30_000, 8_193])
def test_a_small_file_that_claims_more_pixels_than_the_unit_has_memory_for_takes_none(tmp_path: Path, side: int) -> None:
    """In a process of its own, where nothing has imported OpenCV before the device did."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(b"\0" * (side + 1)) for _ in range(side)) + packer.flush()
    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"IDAT", rows), (b"IEND", b"")]
    crc = [struct.pack(">I", zlib.crc32(kind + held)) for kind, held in chunks]
    whole = [struct.pack(">I", len(held)) + kind + held + c for (kind, held), c in zip(chunks, crc, strict=True)]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(whole))
    # Not getrusage: what the process was forked from counts there.
    code = (
        "import sys; from pathlib import Path; from edge.capture.sources import shoot_file; "
        "shot = shoot_file(Path(sys.argv[1]), 0); "
        "print(shot.reason, Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0], shot.detail)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "bomb.png"], check=True, capture_output=True, text=True)
    reason, peak_kib, detail = done.stdout.split(maxsplit=2)
    assert reason == "UNREADABLE"
    assert int(peak_kib) < 400 * 1024
    assert "claims more than 67,108,864 pixels and is not decoded" in detail
