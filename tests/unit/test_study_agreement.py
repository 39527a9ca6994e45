"""The attribute study gives the numbers of AIAG's own example, and knows what it cannot say."""

from pathlib import Path

import pytest

from calibration.study.agreement import Appraisal, Grade, study_agreement
from calibration.study.appraisers import read_appraisers
from calibration.study.kappa import cohen, fleiss
from calibration.study.samples import cautions_about
from calibration.study.trials import Part
from edge.errors import BadConfig
from edge.types import Decision
from tests.trials import THRESHOLD, answered, scored

OK, NOK, UNSURE = Decision.OK, Decision.NOK, Decision.NOT_DECIDABLE


def aiag_parts() -> list[Part]:
    """50 parts, 16 of them defective, three trials: appraiser A of AIAG's MSA manual, by its counts."""
    goods = [answered(f"g{n}", (OK, OK, NOK) if n < 5 else (OK, OK, OK)) for n in range(34)]
    bads = [answered(f"b{n}", (NOK, OK, NOK) if n < 3 else (NOK, NOK, NOK), "crack") for n in range(16)]
    return [*goods, *bads]


def device(parts: list[Part]) -> Appraisal:
    return study_agreement(parts, THRESHOLD, {}).device


def test_the_manuals_example_has_the_manuals_numbers() -> None:
    found = device(aiag_parts())
    assert (found.effectiveness.count, found.effectiveness.total) == (42, 50)
    assert (found.effectiveness.low, found.effectiveness.high) == (
        pytest.approx(0.71, abs=5e-3),
        pytest.approx(0.93, abs=5e-3),
    )
    assert found.miss.value == pytest.approx(0.0625)
    assert found.false_alarm.value == pytest.approx(0.049, abs=5e-4)
    assert found.kappa == pytest.approx(0.88, abs=5e-3)
    assert found.within is not None
    assert (found.within.count, found.within.total) == (42, 50)
    assert found.grades == (Grade.MARGINAL, Grade.UNACCEPTABLE, Grade.ACCEPTABLE)
    assert found.grade is Grade.UNACCEPTABLE


@pytest.mark.parametrize(
    ("wrong_goods", "wrong_bads", "grades"),
    [
        (5, 2, (Grade.ACCEPTABLE, Grade.ACCEPTABLE, Grade.ACCEPTABLE)),
        (6, 3, (Grade.ACCEPTABLE, Grade.MARGINAL, Grade.MARGINAL)),
        (10, 5, (Grade.ACCEPTABLE, Grade.MARGINAL, Grade.MARGINAL)),
        (11, 6, (Grade.ACCEPTABLE, Grade.UNACCEPTABLE, Grade.UNACCEPTABLE)),
        (21, 0, (Grade.MARGINAL, Grade.ACCEPTABLE, Grade.UNACCEPTABLE)),
    ],
)
def test_a_limit_itself_still_has_the_better_grade(wrong_goods: int, wrong_bads: int, grades: tuple[Grade, ...]) -> None:
    goods = [answered(f"g{n}", [NOK if n < wrong_goods else OK]) for n in range(100)]
    bads = [answered(f"b{n}", [OK if n < wrong_bads else NOK], "crack") for n in range(100)]
    assert device([*goods, *bads]).grades == grades


def test_not_decidable_is_never_right_never_a_miss_and_never_a_false_alarm() -> None:
    found = device([answered("g", [OK, UNSURE]), answered("b", [UNSURE, NOK], "crack"), answered("c", [NOK, NOK], "crack")])
    assert (found.effectiveness.count, found.miss.count, found.false_alarm.count) == (1, 0, 0)
    assert (found.not_decidable, found.trials) == (2, 6)
    assert found.kappa is not None
    assert found.kappa < 1


def test_fleiss_kappa_is_that_of_the_known_example() -> None:
    table = """0 0 0 0 14|0 2 6 4 2|0 0 3 5 6|0 3 9 2 0|2 2 8 1 1|7 7 0 0 0|3 2 6 3 0|2 5 3 2 2|6 5 2 1 0|0 2 2 3 7"""
    answers = [
        [category for category, times in enumerate(map(int, row.split())) for _ in range(times)] for row in table.split("|")
    ]
    assert fleiss(answers) == pytest.approx(0.210, abs=5e-4)  # type: ignore[arg-type] # numbers for answers


def test_kappas_of_one_answer_alone_are_not_numbers() -> None:
    assert fleiss([[OK, OK], [OK, OK]]) is None
    assert fleiss([[OK], [NOK]]) is None
    assert cohen([OK, OK], [OK, OK]) is None
    assert cohen([OK, NOK], [OK, NOK]) == 1
    assert cohen([OK, OK], [OK, NOK]) == 0


def test_people_are_compared_with_the_reference_and_with_the_device() -> None:
    parts = aiag_parts()
    people = {
        "anna": {part.name: (part.reference,) * 3 for part in parts},
        "copy": {part.name: part.answers for part in parts},
    }
    found = study_agreement(parts, THRESHOLD, people)
    assert [a.name for a in found.appraisals] == ["device", "anna", "copy"]
    assert found.appraisals[1].grade is Grade.ACCEPTABLE
    assert found.with_device == {"anna": pytest.approx(0.88, abs=5e-3), "copy": 1}
    assert len(found.wrong) == 8


def test_a_study_that_is_enough_is_not_cautioned() -> None:
    assert study_agreement(aiag_parts(), THRESHOLD, {}).cautions == ()


def test_a_study_that_is_too_small_too_good_or_too_clear_says_so() -> None:
    clear = [*(scored(f"g{n}", [1.0, 1.1]) for n in range(9)), scored("b", [9.0, 9.1], "crack")]
    few, defects, border = study_agreement(clear, THRESHOLD, {}).cautions
    assert few.startswith("10 parts are too few")
    assert defects.startswith("1 of 10 parts are defective")
    assert border.startswith("No borderline parts")
    once = study_agreement([scored("g", [1.0]), scored("b", [9.0], "crack")], THRESHOLD, {})
    assert once.cautions[-1].startswith("One trial a part")
    assert (once.device.within, once.device.fleiss) == (None, None)


def test_a_part_between_the_repeats_is_borderline_though_its_verdict_stands() -> None:
    parts = [scored("g", [1.0, 2.0]), scored("near", [4.5, 4.9]), scored("b", [9.0, 9.5], "crack")]
    assert not any("borderline" in caution for caution in study_agreement(parts, THRESHOLD, {}).cautions)


def test_a_master_that_a_repeat_may_flip_is_cautioned_against() -> None:
    rabbit = scored("rabbit", [9.0, 9.5], "crack")
    assert cautions_about([scored("gold", [1.0, 1.1]), rabbit], THRESHOLD) == []
    (near,) = cautions_about([scored("near", [4.6, 4.9]), rabbit], THRESHOLD)
    assert "A repeat may flip near:" in near
    (once,) = cautions_about([scored("gold", [1.0]), scored("rabbit", [9.0], "crack")], THRESHOLD)
    assert "one picture of each" in once


@pytest.mark.parametrize("separator", [",", ";"])
def test_inspectors_are_read_in_any_order_of_lines_and_columns(tmp_path: Path, separator: str) -> None:
    rows = [
        "Verdict,Trial,Appraiser,Part",
        "nok,2,anna,a",
        "OK,1,anna,a",
        "",
        "OK,1,anna,b",
        "NOT_DECIDABLE,1,ben,a",
        "OK,7,ben,b",
    ]
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).replace(",", separator).encode())
    assert read_appraisers(path, ["a", "b"]) == {"anna": {"a": (OK, NOK), "b": (OK,)}, "ben": {"a": (UNSURE,), "b": (OK,)}}


HEAD = "part,appraiser,trial,verdict\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line must name the columns"),
        ("part,appraiser,verdict\n", "first line must name the columns"),
        (HEAD, "holds no answers"),
        (HEAD + "a,anna,1\n", "line 2: has 3 columns"),
        (HEAD + "x,anna,1,OK\n", "line 2: there are no pictures of part x"),
        (HEAD + "a,anna,one,OK\n", "trial 'one' is no number"),
        (HEAD + "a,anna,1,good\n", "verdict 'good' is neither"),
        (HEAD + "a,device,1,OK\n", "'device' cannot be an appraiser's name"),
        (HEAD + "a,anna,1,OK\na,anna,1,OK\n", "line 3: anna's trial 1 of part a is given twice"),
        (HEAD + "a,anna,1,OK\n", "anna did not judge 1 of 2 parts, the first b"),
    ],
)
def test_every_mistake_in_the_inspectors_file_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text)
    with pytest.raises(BadConfig) as caught:
        read_appraisers(path, ["a", "b"])
    assert says in str(caught.value)


def test_an_inspectors_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with pytest.raises(BadConfig, match="cannot be read"):
        read_appraisers(path, ["a"])
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadConfig, match="not text in UTF-8"):
        read_appraisers(path, ["a"])
