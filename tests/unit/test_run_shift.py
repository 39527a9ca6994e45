"""`goodpart run` with a shift check, from pictures to lines of JSON, and what `goodpart check` says of its file."""

import json
import signal
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge.check import check_station
from edge.errors import BadConfig
from edge.host.clock import utc_now
from edge.recipe.recipe import open_recipe
from edge.shift.card import SampleCard, ShiftCard, open_shift_card
from edge.types import Decision
from tests.brokers import wait_until
from tests.commands import goodpart
from tests.conftest import part_picture, station_file
from tests.devices import Device

GOOD, BAD = False, True


@pytest.fixture
def samples(recipe_dir: Path, tmp_path: Path) -> Path:
    """One golden sample and one red rabbit."""
    identity = open_recipe(recipe_dir).id
    card = ShiftCard(
        made_utc=utc_now(),
        recipe_name="plate",
        recipe_id=identity,
        samples=(
            SampleCard(name="gold", kind="good", expected=Decision.OK, score=1.0),
            SampleCard(name="rabbit", kind="scratch", expected=Decision.NOK, score=9.0),
        ),
    )
    path = tmp_path / "shift.json"
    path.write_text(card.model_dump_json())
    return path


def picture(folder: Path, name: str, *, bad: bool) -> None:
    draft = folder / f".{name}.png"
    cv2.imwrite(str(draft), part_picture(300, defect=bad))
    draft.rename(folder / f"{name}.png")


def shown(folder: Path, *parts: bool) -> Path:
    folder.mkdir()
    for number, bad in enumerate(parts):
        picture(folder, f"{number:02d}", bad=bad)
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [(line["verdict"], line["purpose"], line["sample"]) for line in found]


def test_parts_are_judged_after_the_samples_and_samples_are_not_counted(
    recipe_dir: Path, samples: Path, tmp_path: Path
) -> None:
    folder = shown(tmp_path / "parts", GOOD, BAD, GOOD, BAD, GOOD)
    (folder / "00z.png").touch()  # between the two samples, and no picture
    source: dict[str, object] = {"kind": "folder", "path": str(folder)}
    config = station_file(
        tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, shift_check={"samples": samples.name}
    )
    ended = goodpart("run", config)
    assert ended.code == 0, ended.err
    found = lines(tmp_path / "results.jsonl")
    assert told(found) == [
        ("OK", "golden_sample", "gold"),
        ("NOT_DECIDABLE", "red_rabbit", "rabbit"),
        ("NOK", "red_rabbit", "rabbit"),
        ("OK", None, None),
        ("NOK", None, None),
        ("OK", None, None),
    ]
    assert [line["seq"] for line in found] == [1, 2, 3, 4, 5, 6]
    assert "judged 3: 1 NOK, 2 OK; 0 lost, 0 waiting in the outbox" in ended.err
    assert "samples of the shift check, not counted: 1 NOK, 1 NOT_DECIDABLE, 1 OK" in ended.err
    assert ended.err.count("WARNING shift check") == 3
    assert "present golden sample gold (1 of 2)" in ended.err
    assert "the line is released" in ended.err


def test_a_red_rabbit_that_passes_blocks_the_line(recipe_dir: Path, samples: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(shown(tmp_path / "parts", *(GOOD,) * 4, BAD, GOOD, BAD))}
    check = {"samples": str(samples), "tries": 2}
    config = station_file(tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, shift_check=check)
    ended = goodpart("run", config)
    found = lines(tmp_path / "results.jsonl")
    assert [line["sample"] for line in found] == ["gold", "rabbit", "gold", "rabbit", None, None, None]
    assert {(line["verdict"], line["reason"], line["score"]) for line in found[4:]} == {
        ("NOT_DECIDABLE", "SHIFT_CHECK_FAILED", None)
    }
    assert "red rabbit rabbit" in found[4]["detail"]
    assert ended.err.count("the line is blocked") == 1
    assert "judged 3: 3 NOT_DECIDABLE" in ended.err


def test_an_operator_repeats_the_round_with_a_signal(recipe_dir: Path, samples: Path, tmp_path: Path) -> None:
    incoming, results = tmp_path / "incoming", tmp_path / "results.jsonl"
    incoming.mkdir()
    source: dict[str, object] = {"kind": "watch", "path": str(incoming), "poll_s": 0.01}
    check = {"samples": str(samples), "tries": 1}
    config = station_file(tmp_path, recipe_dir, source, results={"path": str(results)}, shift_check=check)
    with Device(config) as device:
        device.wait_for_line("present golden sample gold")

        def present(name: str, *, bad: bool) -> None:
            before = len(lines(results))
            picture(incoming, name, bad=bad)
            wait_until(lambda: len(lines(results)) > before, f"a verdict on {name}")

        present("a", bad=BAD)
        present("b", bad=GOOD)
        device.send(signal.SIGUSR1)
        present("c", bad=GOOD)
        present("d", bad=BAD)
        present("e", bad=GOOD)
        device.send(signal.SIGTERM)
        assert device.ended() == 0
    assert told(lines(results)) == [
        ("NOK", "golden_sample", "gold"),
        ("NOT_DECIDABLE", None, None),
        ("OK", "golden_sample", "gold"),
        ("NOK", "red_rabbit", "rabbit"),
        ("OK", None, None),
    ]


def test_a_line_without_a_check_says_nothing_of_samples_and_survives_the_signal(recipe_dir: Path, tmp_path: Path) -> None:
    incoming, results = tmp_path / "incoming", tmp_path / "results.jsonl"
    incoming.mkdir()
    source: dict[str, object] = {"kind": "watch", "path": str(incoming)}
    with Device(station_file(tmp_path, recipe_dir, source, results={"path": str(results)})) as device:
        wait_until(lambda: (incoming / "failed").is_dir() and device.catches(signal.SIGUSR1), "the start")
        device.send(signal.SIGUSR1)
        picture(incoming, "a", bad=GOOD)
        wait_until(lambda: bool(lines(results)), "a verdict")
        device.send(signal.SIGTERM)
        assert device.ended() == 0
    assert told(lines(results)) == [("OK", None, None)]
    assert "shift check" not in device.err


def test_check_reads_the_samples_and_names_what_does_not_fit(recipe_dir: Path, samples: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(shown(tmp_path / "parts", GOOD))}
    config = station_file(
        tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, shift_check={"samples": samples.name}
    )

    def finding() -> tuple[bool, str]:
        return next((f.ok, f.detail) for f in check_station(config) if f.what == "samples")

    ok, detail = finding()
    assert ok
    assert detail.startswith("golden samples 1, red rabbits 1, sealed ")
    card = json.loads(samples.read_text())
    samples.write_text(json.dumps({**card, "recipe_id": "0" * 64}))
    ok, detail = finding()
    assert not ok
    assert "was sealed with recipe plate 000000000000" in detail
    assert goodpart("run", config).sentence == f"error: {detail}"
    station_file(
        tmp_path, tmp_path, source, results={"path": "results.jsonl"}, shift_check={"samples": samples.name}
    )  # no recipe there
    assert "cannot be compared" in finding()[1]
    station_file(tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, shift_check={"samples": samples.name})
    samples.unlink()
    assert finding() == (False, f"{samples}: cannot be read: No such file or directory; check the path.")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"samples": []}, "at least 2 items"),
        ({"format": "goodpart.shift/2"}, "format"),
        ({"recipe_name": "other"}, "was sealed with recipe other"),
        ({"extra": 1}, "extra: unknown key"),
        (
            {"samples": [{"name": n, "kind": "good", "expected": "OK", "score": 1.0} for n in "ab"]},
            "a red rabbit are needed",
        ),
        ({"samples": [{"name": "a", "kind": "k", "expected": e, "score": 1.0} for e in ("OK", "NOK")]}, "given twice"),
        ({"samples": [{"name": n, "kind": "k", "expected": "NOT_DECIDABLE", "score": 1.0} for n in "ab"]}, "expected"),
    ],
)
def test_a_file_of_samples_that_proves_nothing_is_refused(samples: Path, change: dict[str, object], says: str) -> None:
    card = json.loads(samples.read_text())
    samples.write_text(json.dumps(card | change))
    with pytest.raises(BadConfig) as caught:
        open_shift_card(samples, "plate", card["recipe_id"])
    assert says in str(caught.value)
