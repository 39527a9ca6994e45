"""What `make soak` runs, as its user runs it, for a short while."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.faults.endurance import Sample, judge, live, plot

PARTS = 1000


def test_ctrl_c_ends_a_soak_in_order_and_prints_the_books(tmp_path: Path) -> None:
    more = ["--seed", "1", "--longest", "300", "--json", str(tmp_path / "soak.json")]
    command = [sys.executable, "-m", "tests.faults.soak", *more]
    soak = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
    assert soak.stdout
    said = soak.stdout.readline()
    soak.send_signal(signal.SIGINT)
    said += soak.communicate(timeout=100)[0]
    assert soak.returncode == 0, said
    assert re.search(r"^missing +0 ", said, re.MULTILINE)
    assert "first new result after" in said
    assert '"objections": []' in (tmp_path / "soak.json").read_text()


def test_endurance_counts_every_part_and_looks_from_outside(tmp_path: Path) -> None:
    lived = live(tmp_path, PARTS, lambda _: None, health_s=0.1)
    assert lived.whole, lived
    assert (lived.parts, lived.received, lived.copies) == (PARTS, PARTS, 0)
    last = lived.samples[-1]
    assert min(last.rss_mb, last.descriptors, last.threads, last.outbox_mb, last.evidence_mb, last.cpu_s, last.p50_ms) > 0
    assert [sample.inspected for sample in lived.samples] == sorted(sample.inspected for sample in lived.samples)


def test_endurance_finds_what_grows_and_draws_it(tmp_path: Path) -> None:
    def sample(number: int) -> Sample:
        rss_mb = 136.0 + 0.1 * number
        return Sample(number, 1000 * number, 3, rss_mb, 13, 12, 4.2, 0.99, 1.5 * number, 1.4, 11.0 + number % 3, 1.0)

    samples = [sample(number) for number in range(1, 200)]
    assert [found.name for found in judge(samples) if not found.flat] == ["memory"]
    plot(samples, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
