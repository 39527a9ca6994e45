"""From the files that the device writes to a sentence about drift, and to one sentence where a file is damaged."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from calibration.drift.results import Aside, Results, read_results
from calibration.progress import steps
from edge.errors import BadConfig
from edge.recipe.recipe import open_recipe
from edge.report.jsonl import JsonLines
from edge.report.message import Result
from edge.report.wire import to_wire
from edge.types import Decision, Origin, Reason
from tests.commands import goodpart
from tests.results import result

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
OURS, THRESHOLD = "0" * 64, 10.0


def one(seq: int, score: float | None = 1.0, **more: object) -> Result:
    """A result as the device would have judged this score, ten minutes after the one before."""
    verdict = (
        (Decision.NOT_DECIDABLE, Reason.TOO_DARK)
        if score is None
        else (Decision.NOK, Reason.ABOVE_THRESHOLD)
        if score > THRESHOLD
        else (Decision.OK, Reason.WITHIN_THRESHOLD)
    )
    given = {"score": score, "verdict": verdict[0], "reason": verdict[1], "taken_utc": START + timedelta(minutes=10 * seq)}
    return result(seq).model_copy(update={"origin": Origin.LIVE} | given | more)


def write(path: Path, results: list[Result]) -> Path:
    lines = JsonLines(path)
    for each in results:
        lines.put(each)
    lines.close()
    return path


def read(*paths: Path, recipe_id: str = OURS) -> Results:
    with steps() as shown:
        return read_results(paths, recipe_id, shown)


def test_what_the_device_writes_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    late = write(tmp_path / "b.jsonl", [one(3, 3.0), one(4, None), one(5, 20.0)])
    early = write(tmp_path / "a.jsonl", [one(1, 1.0), one(2, 2.0), one(6, 6.0, recipe_id="1" * 64)])
    found = read(late, early)
    assert np.nan_to_num(found.score, nan=-1).tolist() == [1, 2, 3, -1, 20]
    assert found.taken_s[0] == (START + timedelta(minutes=10)).timestamp()
    assert found.where(Decision.NOK).tolist() == [False, False, False, False, True]
    assert found.others == {("plate", "1" * 64): 1}
    assert (found.cut_off, found.repeated) == (0, 0)


def test_parts_that_a_threshold_set_by_command_has_judged_are_left_out_and_counted(tmp_path: Path) -> None:
    by_command = [one(seq, 20.0, threshold_command_id="c-1", verdict=Decision.OK) for seq in range(11, 15)]
    path = write(tmp_path / "r.jsonl", [*(one(seq) for seq in range(1, 11)), *by_command, by_command[0]])
    found = read(path)
    assert (len(found.score), found.score.max(), found.aside) == (10, 1.0, {Aside.BY_COMMAND: 4})
    assert found.boots[0].missing == 0, "they are there"
    with pytest.raises(
        BadConfig, match=r"no result of production with recipe 000000000000, but others \(judged_by_command 4"
    ):
        read(write(tmp_path / "only.jsonl", by_command))


def test_master_parts_replays_and_simulations_are_left_out_and_counted_by_kind(tmp_path: Path) -> None:
    aside = [
        *(one(seq, 1.5, purpose="golden_sample", sample="master-1") for seq in (3, 4)),
        one(5, 20.0, purpose="red_rabbit", sample="scratched"),
        one(6, 20.0, origin=Origin.REPLAY),
        one(7, None, origin=Origin.SIMULATED),
    ]
    path = write(tmp_path / "r.jsonl", [one(1), one(2), *aside, one(8), aside[0]])
    found = read(path)
    assert found.score.tolist() == [1.0, 1.0, 1.0]
    assert found.aside == {Aside.GOLDEN_SAMPLE: 2, Aside.RED_RABBIT: 1, Aside.REPLAY: 1, Aside.SIMULATED: 1}
    assert [(b.first, b.last, b.missing) for b in found.boots] == [(1, 8, 0)], "they are there"
    with pytest.raises(
        BadConfig, match=r"but others \(golden_sample 2, red_rabbit 1, replay 1, simulated 1\); give what the"
    ):
        read(write(tmp_path / "only.jsonl", aside))


def test_cameras_whose_results_do_not_count_are_not_among_the_stations(tmp_path: Path) -> None:
    bench = one(2, origin=Origin.REPLAY, station=one(1).station.model_copy(update={"line": "bench"}))
    assert read(write(tmp_path / "r.jsonl", [one(1), bench])).stations == ("test/lab/line-1/camera-1",)


def test_results_beside_taught_parts_stay_and_are_counted(tmp_path: Path) -> None:
    taught = [one(seq, taught=2) for seq in range(11, 15)]
    found = read(write(tmp_path / "r.jsonl", [*(one(seq) for seq in range(1, 11)), *taught, taught[0]]))
    assert (len(found.score), found.taught) == (14, 4)


def test_lost_and_repeated_results_are_counted_for_each_start(tmp_path: Path) -> None:
    first = [one(seq) for seq in (1, 2, 5, 6)]
    second = [one(seq, boot_id="second") for seq in (4, 5)]
    path = write(tmp_path / "r.jsonl", [*first, *second, one(5)])
    found = read(path, path)
    assert [(b.boot_id, b.first, b.last, b.missing) for b in found.boots] == [("boot", 1, 6, 2), ("second", 4, 5, 0)]
    assert len(found.score) == 6
    assert found.repeated == 8


def test_a_line_that_a_power_cut_ended_is_left_out_and_counted(tmp_path: Path) -> None:
    whole = [to_wire(one(seq)) + b"\n" for seq in range(1, 5)]
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"".join(whole) + whole[0][:100])
    assert (len(read(path).score), read(path).cut_off) == (4, 1)
    # The next start appends behind it.
    path.write_bytes(whole[0] + whole[1][:100] + whole[2] + whole[3])
    assert (len(read(path).score), read(path).cut_off) == (3, 1)
    path.write_bytes(whole[0] + b"\0" * 4096)
    assert (len(read(path).score), read(path).cut_off) == (1, 1)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b'{"format": "goodpart.result/2"}', "line 2: damaged, or from another version of goodpart (format"),
        (b"", "line 2: damaged"),
        (to_wire(one(2)).replace(b'"seq":2', b'"seq":0'), "line 2: damaged (seq"),
        (
            to_wire(one(2)).replace(b'"score":1.0', b'"score":"1"'),
            "line 2: damaged, or from another version of goodpart (score",
        ),
        (to_wire(one(2)).replace(b'"detail"', b'"details"'), "line 2: damaged"),
    ],
)
def test_other_damage_is_named_with_file_and_line(tmp_path: Path, damage: bytes, says: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(to_wire(one(1)) + b"\n" + damage + b"\n" + to_wire(one(3)) + b"\n")
    with pytest.raises(BadConfig, match="line 2") as err:
        read(path)
    assert says in str(err.value)


def test_files_without_a_result_of_the_recipe_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [one(1)])
    with pytest.raises(BadConfig, match="holds no result of recipe 999999999999, but plate 000000000000"):
        read(path, recipe_id="9" * 64)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(BadConfig, match="no results at all"):
        read(tmp_path / "empty.jsonl")
    with pytest.raises(BadConfig, match="cannot be read"):
        read(tmp_path / "absent.jsonl")


def scores(shift_at: int, rejects_at: int = 10_000) -> list[float]:
    rng = np.random.default_rng(0)
    drawn = rng.gamma(4, 0.5, 900) + 2.0 * (np.arange(900) >= shift_at)
    return np.where(
        (np.arange(900) >= rejects_at) & (np.arange(900) % 3 == 0), 2 * THRESHOLD, np.minimum(drawn, 9.9)
    ).tolist()


def judged(recipe_dir: Path, folder: Path, values: list[float], *args: object) -> tuple[int, dict[str, object]]:
    identity = open_recipe(recipe_dir).id
    path = write(folder / "r.jsonl", [one(seq, score, recipe_id=identity) for seq, score in enumerate(values, start=1)])
    ended = goodpart("calibrate", "drift", recipe_dir, path, "--json", *args, cwd=folder)
    assert ended.err == ""
    return ended.code, json.loads(ended.out)


def test_calm_results_are_no_drift(recipe_dir: Path, tmp_path: Path) -> None:
    code, record = judged(recipe_dir, tmp_path, scores(10_000), "--fail-on-drift")
    assert (code, record["drifting"], record["compared"], record["missing"]) == (0, False, 700, 0)
    assert str(record["verdict"]).startswith("No drift in 700 parts judged OK")
    assert "Control charts" in (tmp_path / str(record["page"])).read_text()


def test_a_shift_is_dated_and_fails_where_that_is_asked_for(recipe_dir: Path, tmp_path: Path) -> None:
    code, record = judged(recipe_dir, tmp_path, scores(600), "--fail-on-drift")
    assert (code, record["drifting"], record["upwards"]) == (1, True, True)
    # Part 600, ten minutes each, is 100 hours after the start.
    assert str(record["since_utc"]).startswith("2026-03-06 ")
    assert "towards the threshold. Recalibrate: " in str(record["verdict"])


def test_risen_rejects_are_said_though_the_other_parts_are_calm(recipe_dir: Path, tmp_path: Path) -> None:
    code, record = judged(recipe_dir, tmp_path, scores(10_000, rejects_at=800))
    assert (code, record["drifting"], record["since_utc"]) == (0, True, None)
    assert "Rejects have risen from 0.00 %" in str(record["verdict"]).replace("%", " %")


def test_red_rabbits_are_no_rejects_of_the_line_and_are_said(recipe_dir: Path, tmp_path: Path) -> None:
    identity = open_recipe(recipe_dir).id
    rabbits = [one(s, 20.0, recipe_id=identity, purpose="red_rabbit", sample="x", boot_id="second") for s in range(1, 61)]
    write(tmp_path / "r.jsonl", rabbits)
    code, record = judged(recipe_dir, tmp_path, scores(10_000), "--fail-on-drift")
    assert (code, record["drifting"], record["results"]) == (0, False, 900)
    assert record["left_out"] == {
        "golden_sample": 0,
        "red_rabbit": 60,
        "replay": 0,
        "simulated": 0,
        "judged_by_command": 0,
    }
    assert "60 results left out that show red rabbits of the shift check" in str(record["notes"])


def test_all_parts_are_held_against_the_promise_and_the_last_ones_against_those_before(
    recipe_dir: Path, tmp_path: Path
) -> None:
    """The recipe promises 20 % at most; a third of the first 600 is rejected, and none of the last 300."""
    values = [2 * THRESHOLD if at < 600 and at % 3 == 0 else value for at, value in enumerate(scores(10_000))]
    _, record = judged(recipe_dir, tmp_path, values)
    rejects = record["rejects"]
    assert isinstance(rejects, dict)
    assert (rejects["whole"]["count"], rejects["whole"]["total"]) == (200, 900)
    assert (rejects["recent"]["count"], rejects["recent"]["total"]) == (0, 200)
    assert rejects["p_promise"] == pytest.approx(binomtest(200, 900, 0.2, alternative="greater").pvalue)
    words = goodpart("calibrate", "drift", recipe_dir, tmp_path / "r.jsonl", cwd=tmp_path).out
    assert "0.00% (95 % interval 0.00% to 1.83%) of the last 200 parts are rejected, 28.57%" in words
    assert "Of all 900 parts 22.22% (95 % interval 19.5" in words
    assert "are rejected: not beyond the 20.00% promised of goods (p = 0.0" in words


def test_too_few_results_and_a_wrong_baseline_are_one_sentence(recipe_dir: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [one(1, recipe_id=open_recipe(recipe_dir).id)])
    assert "--baseline 200 needs more" in goodpart("calibrate", "drift", recipe_dir, path, cwd=tmp_path).sentence
    assert goodpart("calibrate", "drift", recipe_dir, path, "--baseline", 49, cwd=tmp_path).code == 2
