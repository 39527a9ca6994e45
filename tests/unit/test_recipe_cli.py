"""`goodpart recipe`, as somebody at the device uses it while the station stands still."""

import json
from pathlib import Path

import pytest

from edge.recipe.slot_file import owning
from tests.commands import Ended, goodpart
from tests.conftest import station_file, write_parts
from tests.recipes import renamed, unsound


@pytest.fixture
def config(recipe_dir: Path, tmp_path: Path) -> Path:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 302)))}
    store = {"path": "store", "trial_parts": 5}
    return station_file(tmp_path, recipe_dir, source, results={"path": "-"}, recipe_store=store)


def recipe(command: str, config: Path, *args: object) -> Ended:
    return goodpart("recipe", command, config, *args)


def judged_with(config: Path) -> set[str]:
    return {json.loads(line)["recipe_name"] for line in goodpart("run", config).out.splitlines()}


def roles(config: Path) -> dict[str, str | None]:
    return {each["name"]: each["role"] for each in json.loads(recipe("list", config, "--json").out)["recipes"]}


def test_a_recipe_is_added_activated_taken_back_and_removed(recipe_dir: Path, config: Path, tmp_path: Path) -> None:
    second = renamed(recipe_dir, tmp_path / "second", "plate-2")
    added = json.loads(recipe("add", config, second, "--json").out)
    assert added["name"] == "plate-2"
    assert "on trial" in recipe("activate", config, added["id"][:8]).out
    assert judged_with(config) == {"plate-2"}
    words = recipe("list", config).out
    assert "on trial plate-2" in words
    assert "(2 of 5 parts, 0 deaths)" in words
    assert sorted(line.split()[:2] for line in words.splitlines()[1:]) == [["good", "plate"], ["trial", "plate-2"]]
    assert "is needed: it is on trial" in recipe("remove", config, "plate-2").sentence
    assert recipe("rollback", config).code == 0
    assert judged_with(config) == {"plate"}
    assert recipe("remove", config, "plate-2").code == 0
    assert roles(config) == {"plate": "good"}


def test_what_cannot_be_used_is_one_sentence_and_changes_nothing(recipe_dir: Path, config: Path, tmp_path: Path) -> None:
    assert (
        "has no recipe store"
        in recipe("list", station_file(tmp_path / "parts", recipe_dir, SOURCE, results=NOBODY)).sentence
    )
    assert "cannot be read" in recipe("add", config, tmp_path).sentence
    assert "is not in the recipe store" in recipe("activate", config, "plate-9").sentence
    assert recipe("add", config, unsound(recipe_dir, tmp_path / "wicked", tmp_path)).code == 0
    assert "is no sound index" in recipe("activate", config, "wicked").sentence
    assert json.loads(recipe("list", config, "--json").out)["slots"] is None
    with owning(tmp_path / "store"):
        assert "send it the command activate_recipe" in recipe("activate", config, "plate").sentence
        assert "send it the command activate_recipe" in goodpart("run", config).sentence


def test_the_store_judges_and_check_and_run_say_so_where_the_station_file_names_another_recipe(
    recipe_dir: Path, config: Path, tmp_path: Path
) -> None:
    assert judged_with(config) == {"plate"}
    text = json.loads(config.read_text()) | {"recipe": str(renamed(recipe_dir, tmp_path / "second", "plate-2"))}
    config.write_text(json.dumps(text))
    ended = goodpart("run", config)
    assert "second does not judge: the recipe store says that plate" in ended.err
    assert {json.loads(line)["recipe_name"] for line in ended.out.splitlines()} == {"plate"}
    found = {line.split()[1]: line for line in goodpart("check", config).out.splitlines()}
    assert " plate " in found["recipe"]
    assert "good plate" in found["recipe_store"]


SOURCE: dict[str, object] = {"kind": "folder", "path": "."}
NOBODY = {"path": "-"}
