"""The studies as the line engineer runs them: words, JSON, a page, and one sentence for each mistake."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import goodpart as command
from edge.errors import Refuse
from edge.recipe.recipe import open_recipe
from tests.commands import goodpart
from tests.conftest import part_picture, write_parts
from tests.trials import write_repeats

Study = Callable[..., str]


@pytest.fixture
def study(recipe_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Study:
    """Runs a study in this process, since starting one for each takes seconds; returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, folder: Path, *more: object) -> str:
        arguments = ["calibrate", "study", name, str(recipe_dir), str(folder), *map(str, more)]
        command.main(arguments, standalone_mode=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def repeats(tmp_path: Path) -> Path:
    """Three plates, three pictures of each; one of them scratched."""
    folder = write_repeats(tmp_path / "repeats", range(100, 102), 3)
    for picture in write_repeats(tmp_path / "scratched", range(200, 201), 3, defect=True).iterdir():
        shutil.copy(picture, folder)
    return folder


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    write_repeats(tmp_path / "parts" / "good", range(100, 103), 2)
    write_repeats(tmp_path / "parts" / "scratch", range(200, 202), 2, defect=True)
    return tmp_path / "parts"


def test_a_repeatability_study_in_words_and_as_json(recipe_dir: Path, study: Study, repeats: Path, tmp_path: Path) -> None:
    words = goodpart("calibrate", "study", "repeatability", recipe_dir, repeats, cwd=tmp_path)
    assert words.code == 0, words.err
    assert words.out.startswith("None of 3 parts changed its verdict")
    page = (tmp_path / "repeatability-plate.html").read_text()
    assert "Repeatability of plate" in page
    found = json.loads(study("repeatability", repeats, "--json", "--page", tmp_path / "p.html"))
    assert found["page"] == str(tmp_path / "p.html")
    assert (found["agreeing"], found["repeats"], found["flipping"]) == (9, 9, [])
    assert 0 < found["repeat"] < found["part"]
    assert [len(part["trials"]) for part in found["parts"]] == [3, 3, 3]


def test_parts_that_the_recipe_was_made_from_are_said(
    study: Study, recipe_dir: Path, goods_dir: Path, labelled: Path, repeats: Path, tmp_path: Path
) -> None:
    goods = open_recipe(recipe_dir).manifest.goods
    for folder, card in (
        (repeats, goods.bank[0]),
        (labelled / "good", goods.bank[0]),
        (labelled / "good", goods.held_out[0]),
    ):
        shutil.copy(goods_dir / card.picture, folder)
    in_bank = f"{goods.bank[0].picture}) shows a part that is in the recipe's bank"
    assert in_bank in study("repeatability", repeats)
    assert in_bank in (tmp_path / "repeatability-plate.html").read_text().replace("&#39;", "'")
    found = json.loads(study("agreement", labelled, "--json"))
    assert [twin["of"] for side in found["known"].values() for twin in side] == [
        goods.bank[0].picture,
        goods.held_out[0].picture,
    ]
    assert any(in_bank in caution for caution in found["cautions"])
    assert '<p class="lead warn">By AIAG' in (tmp_path / "agreement-plate.html").read_text()
    words = study("samples", labelled)
    assert in_bank in words
    assert f"{goods.held_out[0].picture}) shows a part that is among the recipe's held-out goods" in words


def test_parts_may_be_named_by_a_pattern_of_ones_own(study: Study, repeats: Path) -> None:
    for path in repeats.iterdir():
        path.rename(path.with_name(path.name.replace("__", "-")))
    out = study("repeatability", repeats, "--json", "--part-pattern", r"(?P<part>.+)-\d+")
    assert len(json.loads(out)["parts"]) == 3


def test_an_agreement_study_with_inspectors(study: Study, labelled: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    rows = [f"part-{n},anna,{t},{'OK' if n < 200 else 'NOK'}" for n in (100, 101, 102, 200, 201) for t in (1, 2)]
    people.write_text("\n".join(["part,appraiser,trial,verdict", *rows]))
    words = study("agreement", labelled, "--appraisers", people)
    assert words.startswith("By AIAG's limits the device is acceptable; it is right on 5 of 5 parts in every trial.")
    assert "5 parts are too few" in words
    page = (tmp_path / "agreement-plate.html").read_text()
    assert "anna" in page
    found = json.loads(study("agreement", labelled, "--appraisers", people, "--json"))
    assert [(a["name"], a["grade"], a["kappa"]) for a in found["appraisals"]] == [
        ("device", "acceptable", 1.0),
        ("anna", "acceptable", 1.0),
    ]
    assert found["appraisals"][1]["kappa_with_device"] == 1.0


def test_parts_of_one_name_in_two_folders_are_two_parts(study: Study, tmp_path: Path) -> None:
    for kind, seed in (("good", 100), ("scratch", 200)):
        (tmp_path / "parts" / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "parts" / kind / "000.png"), part_picture(seed, defect=kind == "scratch"))
    found = json.loads(study("agreement", tmp_path / "parts", "--json"))
    assert [part["part"] for part in found["parts"]] == ["good/000", "scratch/000"]


def test_master_parts_are_sealed_with_what_they_are(recipe_dir: Path, labelled: Path, tmp_path: Path) -> None:
    ended = goodpart("calibrate", "study", "samples", recipe_dir, labelled, "-o", tmp_path / "shift.json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    card = json.loads((tmp_path / "shift.json").read_text())
    assert card["recipe_name"] == "plate"
    assert [(s["name"], s["kind"], s["expected"]) for s in card["samples"]] == [
        ("part-100", "good", "OK"),
        ("part-101", "good", "OK"),
        ("part-102", "good", "OK"),
        ("part-200", "scratch", "NOK"),
        ("part-201", "scratch", "NOK"),
    ]
    assert "1  OK   golden sample part-100" in ended.out
    assert "Shift check of plate" in (tmp_path / "samples-plate.html").read_text()


def test_masters_that_do_not_come_out_as_they_should_are_named_and_nothing_is_written(
    recipe_dir: Path, labelled: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(labelled / "good" / "bent.png"), part_picture(300, defect=True))
    cv2.imwrite(str(labelled / "scratch" / "whole.png"), part_picture(301))
    sentence = goodpart("calibrate", "study", "samples", recipe_dir, labelled, cwd=tmp_path).sentence
    assert "golden sample bent is NOK with score" in sentence
    assert "red rabbit whole is OK with score" in sentence
    assert "part-100" not in sentence
    assert not list(tmp_path.glob("*.json"))


def test_mistakes_are_one_sentence_each(study: Study, labelled: Path, repeats: Path, tmp_path: Path) -> None:
    def sentence(name: str, folder: Path, *more: object) -> str:
        with pytest.raises(Refuse) as caught:
            study(name, folder, *more)
        return str(caught.value)

    assert "cannot be listed" in sentence("repeatability", tmp_path / "absent")
    single = write_parts(tmp_path / "single", range(100, 103))
    assert "every part has one picture" in sentence("repeatability", single)
    assert "needs a group named part" in sentence("repeatability", repeats, "--part-pattern", "x")
    assert "holds no folders" in sentence("agreement", labelled / "good")
    shutil.copytree(labelled / "good", tmp_path / "goods" / "good")
    assert "has no folders of defects" in sentence("samples", tmp_path / "goods")
    assert "--out" in sentence("samples", labelled, "--out", tmp_path / "absent" / "shift.json")
    shutil.copy(repeats / "part-100__1.png", repeats / "part-100__9.png")
    assert "are the same picture" in sentence("repeatability", repeats)
    (repeats / "part-100__9.png").write_bytes(b"no picture")
    assert "part-100__9.png" in sentence("repeatability", repeats)
    other = tmp_path / "other"
    other.mkdir()
    for number in (1, 2):
        cv2.imwrite(str(other / f"a__{number}.png"), np.full((50, 50, 3), 90 + number, np.uint8))
    assert "WRONG_SIZE" in sentence("repeatability", other)
    assert not list(tmp_path.glob("*.html"))
