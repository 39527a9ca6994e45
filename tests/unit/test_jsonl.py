"""Results as lines of JSON, on disks that are well and on disks that are not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import BadConfig
from edge.report.jsonl import JsonLines
from tests.results import result


def test_every_result_is_a_line_at_once_and_old_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for seq in (1, 2):
        lines = JsonLines(path)
        lines.put(result(seq))
        assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == list(range(1, seq + 1))
        lines.close()
    assert lines.lost == 0


def test_a_full_disk_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    lines = JsonLines(Path("/dev/full"))
    for seq in range(3):
        lines.put(result(seq))
    lines.close()
    assert lines.lost == 3
    assert [r.getMessage() for r in caplog.records] == [
        "results.path: /dev/full cannot be written: No space left on device; going on without it"
    ]


def test_room_for_half_a_line_leaves_no_half_line_and_the_return_of_room_is_said(tmp_path: Path) -> None:
    # The kernel's limit on a file's size behaves like a disk with that much room: it takes half of a line.
    script = """
import logging, resource, sys
from pathlib import Path
from edge.report.jsonl import JsonLines
from tests.results import result
logging.basicConfig(format="%(message)s")
lines = JsonLines(Path(sys.argv[1]))
lines.put(result(1))
room = Path(sys.argv[1]).stat().st_size * 5 // 2
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
for seq in range(2, 6):
    lines.put(result(seq))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
lines.put(result(6))
print(lines.lost)
"""
    path = tmp_path / "results.jsonl"
    command = [sys.executable, "-W", "error", "-c", script, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2, 6]
    assert done.stdout == "3\n"
    assert len(done.stderr.splitlines()) == 2
    assert "can be written again; 3 lines are missing" in done.stderr.splitlines()[1]


@pytest.mark.parametrize("name", [".", "absent/results.jsonl"])
def test_a_file_that_cannot_be_opened_is_refused_with_its_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadConfig, match=r"results\.path: "):
        JsonLines(tmp_path / name)
