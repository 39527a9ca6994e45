"""What a challenger has said beside the recipe in use, from the files of `shadow.results`."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calibration.compare.comparison import Comparison, compare
from calibration.compare.shadow import LeftOut, read_shadow
from calibration.compare.words import in_words, notes
from calibration.progress import steps
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.jsonl import JsonLines
from edge.report.message import EvidenceRef
from edge.report.wire import to_wire
from edge.shadow.counts import compare as agreement
from edge.shadow.message import ShadowReport, Side
from edge.types import Decision, Origin, Reason
from tests.browser import PHONE, WIDE, chromium, look
from tests.commands import goodpart
from tests.recipes import renamed
from tests.results import STATION

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def challenger_dir(recipe_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return renamed(recipe_dir, tmp_path_factory.mktemp("recipes") / "new", "new")


@pytest.fixture
def a(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


@pytest.fixture
def b(challenger_dir: Path) -> Recipe:
    return open_recipe(challenger_dir)


def told(recipe: Recipe, ratio: float | None) -> Side:
    """What a recipe says of a score that is so many times its threshold; None: the part cannot be decided."""
    threshold = recipe.manifest.threshold
    decision, reason = (
        (Decision.NOT_DECIDABLE, Reason.NOT_ALIGNED)
        if ratio is None
        else (Decision.NOK, Reason.ABOVE_THRESHOLD)
        if ratio > 1
        else (Decision.OK, Reason.WITHIN_THRESHOLD)
    )
    return Side(
        recipe_name=recipe.manifest.name,
        recipe_id=recipe.id,
        verdict=decision,
        reason=reason,
        score=None if ratio is None else ratio * threshold,
        threshold=threshold,
    )


def report(number: int, champion: Side, challenger: Side) -> ShadowReport:
    taken = START + timedelta(minutes=number)
    rejected = champion.verdict is Decision.NOK
    return ShadowReport(
        result_id=f"{number:032x}",
        boot_id="boot",
        station=STATION,
        part_id=f"part-{number}",
        taken_utc=taken,
        compared_utc=taken,
        agreement=agreement(champion.verdict, challenger.verdict),
        champion=champion,
        challenger=challenger,
        evidence=EvidenceRef(path=f"nok/{number}.png", sha256="e" * 64, overlay=None) if rejected else None,
    )


def shift(a: Recipe, b: Recipe) -> list[ShadowReport]:
    """100 parts: B lets pass two that A rejects, rejects one that A lets pass, and cannot decide one."""
    ratios: list[tuple[float | None, float | None]] = [(0.5, 0.4)] * 90 + [(1.5, 1.4)] * 6
    ratios += [(1.1, 0.9), (2.0, 0.5), (0.9, 1.2), (0.6, None)]
    return [report(n, told(a, of_a), told(b, of_b)) for n, (of_a, of_b) in enumerate(ratios, start=1)]


def write(path: Path, reports: list[ShadowReport]) -> Path:
    lines = JsonLines(path, "shadow.results")
    for each in reports:
        lines.write(each)
    lines.close()
    return path


def read(a: Recipe, b: Recipe, *paths: Path) -> Comparison:
    with steps() as shown:
        pairs, line = read_shadow(paths, a, b, shown)
    return compare(pairs, a.manifest, b.manifest, line)


def test_flips_and_rates_are_those_of_the_line_and_the_worst_disagreement_comes_first(
    a: Recipe, b: Recipe, tmp_path: Path
) -> None:
    found = read(a, b, write(tmp_path / "shadow.jsonl", shift(a, b)))
    assert (found.parts, found.labelled, found.latency) == (100, False, None)
    assert found.flips == {
        (Decision.NOK, Decision.OK, None): 2,
        (Decision.OK, Decision.NOK, None): 1,
        (Decision.OK, Decision.NOT_DECIDABLE, None): 1,
    }
    assert (found.rejects.a.count, found.rejects.b.count) == (8, 7)
    assert (found.rejects.test.only_a, found.rejects.test.only_b) == (2, 1)
    words = in_words(found, "A", "B")
    assert "B rejects 1 part that A does not, A 2 that B does not (p = 1.000, not beyond chance), of 100." in words
    assert (
        "parts          100 judged by both on the line, 2026-03-02 06:01:00 UTC to 2026-03-02 07:40:00 UTC, at test/lab"
        in words
    )
    assert "1 part is NOT_DECIDABLE for B only, A can judge it." in notes(found)
    assert words.index("07:38:00 UTC part-98: A: NOK 2.00; B: OK 0.50") < words.index("part-99: A: OK 0.90; B: NOK 1.20")
    assert "\ntime " not in words


def test_what_does_not_compare_these_two_is_left_out_and_said(a: Recipe, b: Recipe, tmp_path: Path) -> None:
    reports = shift(a, b)
    swapped = [report(200 + n, told(b, 0.5), told(a, 2.0)) for n in range(3)]
    by_command = report(300, told(a, 0.5).model_copy(update={"threshold": 1.0}), told(b, 2.0))
    late = told(a, 2.0).model_copy(update={"verdict": Decision.NOT_DECIDABLE, "reason": Reason.LATE})
    other = [
        by_command,
        report(301, late, told(b, 2.0)),
        report(302, told(a, 2.0), told(b, 0.5)).model_copy(update={"origin": Origin.REPLAY}),
        report(303, told(a, 2.0), told(b, 0.5)).model_copy(update={"origin": Origin.SIMULATED}),
    ]
    taught = reports.pop().model_copy(update={"taught": 3})
    path = write(tmp_path / "shadow.jsonl", [*reports, taught, *swapped, *other, reports[0]])
    path.write_bytes(path.read_bytes() + to_wire(reports[1])[:80])
    found = read(a, b, path, path)
    assert found.parts == 100
    assert found.line is not None
    assert (found.line.others.total(), found.line.repeated, found.line.cut_off) == (3, 109, 2)
    assert (found.line.left_out, found.line.taught) == (Counter(LeftOut), 1)
    said = "\n".join(notes(found))
    assert f"3 left out that compare other recipes (new {b.id[:12]} with plate {a.id[:12]}: 3)" in said
    assert "1 left out in which a threshold set by command has judged for A" in said
    assert "1 left out in which A's verdict came too late" in said
    assert "In 1 of these A had been taught parts" in said
    with pytest.raises(
        BadConfig, match=f"but new {b.id[:12]} with plate {a.id[:12]}; give the recipe that was in use first"
    ):
        read(a, b, write(tmp_path / "swapped.jsonl", swapped))


def test_damage_is_named_with_file_and_line(a: Recipe, b: Recipe, tmp_path: Path) -> None:
    path = write(tmp_path / "shadow.jsonl", shift(a, b))
    path.write_bytes(path.read_bytes().replace(b'"part_id":"part-2"', b'"part_id":2', 1))
    with pytest.raises(BadConfig, match=r"shadow\.jsonl, line 2: damaged, or from another version of goodpart \(part_id"):
        read(a, b, path)


def test_a_whole_line_that_is_no_comparison_is_damage_and_not_unfinished(a: Recipe, b: Recipe, tmp_path: Path) -> None:
    path = write(tmp_path / "shadow.jsonl", shift(a, b))
    path.write_bytes(path.read_bytes() + b'{"nonsense": 1}\n')
    with pytest.raises(BadConfig, match=r"shadow\.jsonl, line 101: damaged"):
        read(a, b, path)


def test_the_command_says_it_in_words_on_a_page_and_as_one_object(
    a: Recipe, b: Recipe, recipe_dir: Path, challenger_dir: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "shadow.jsonl", shift(a, b))
    ended = goodpart("calibrate", "compare", recipe_dir, challenger_dir, "--shadow", path, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["parts"], record["line"]["stations"]) == (100, ["test/lab/line-1/camera-1"])
    worst = record["judged"][0]
    assert (len(record["judged"]), worst["part"], worst["path"]) == (4, "part-98", "nok/98.png")
    assert (worst["a"]["verdict"], worst["a"]["ratio"], worst["a"]["inspect_ms"]) == ("NOK", pytest.approx(2.0), None)
    with chromium() as browser:
        for size in (WIDE, PHONE):
            shown = look(browser, tmp_path / record["page"], size)
            assert (shown.complaints, shown.fetched, shown.too_wide, shown.charts) == ([], [], False, [True])
            assert "nok/98.png" in shown.text


def test_pictures_and_results_of_a_line_are_not_mixed(recipe_dir: Path, tmp_path: Path) -> None:
    args = ("calibrate", "compare", recipe_dir, recipe_dir)
    assert "PICTURES: nothing to compare on" in goodpart(*args, cwd=tmp_path).sentence
    assert "leave PICTURES out, or --shadow" in goodpart(*args, tmp_path, "--shadow", "s.jsonl", cwd=tmp_path).sentence
    pattern = ("--shadow", "s.jsonl", "--part-pattern", "(?P<part>.+)")
    assert "--part-pattern: tells parts by the names" in goodpart(*args, *pattern, cwd=tmp_path).sentence
