"""What the station file says about recipes on the device, and what it must not say."""

from pathlib import Path

import pytest

from edge.config import StationConfig, load_config
from edge.errors import BadConfig

_STATION = "station: {site: a, area: b, line: c, station: d}\n"
_RECIPES = "recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\n"
_SIGNED = "public_key_file: k, memory_file: m"
_JOBS = "recipes: {m8: a}\nchangeover: {rules: [{match: x, recipe: m8}]}"
_SHIFT_CHECK = "\nshift_check: {samples: s}"


def load(tmp_path: Path, text: str) -> StationConfig:
    path = tmp_path / "station.yaml"
    path.write_text(text)
    return load_config(path)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("changeover: {rules: [{match: x, recipe: m8}]}", "m8 is not among recipes"),
        ("recipes: {m8: a}\nchangeover: {rules: []}", "changeover.rules"),
        (_JOBS + "\nrecipe_store: {path: s}", "and recipe_store is about one recipe"),
        (_JOBS + _SHIFT_CHECK, "and shift_check is about one recipe"),
        ("recipe_store: {path: s}" + _SHIFT_CHECK, "would leave the recipe of shift_check"),
        ("recipe_store: {path: s, keep: 1}", "recipe_store.keep"),
        ("recipe_store: {}", "recipe_store.path: missing"),
        (_JOBS + f"\nmqtt: {{host: h}}\ncommands: {{allow: [activate_recipe], {_SIGNED}}}", "undone by the next job"),
        (f"mqtt: {{host: h}}\ncommands: {{allow: [rollback_recipe], {_SIGNED}}}", "recipe_store, which is missing"),
    ],
)
def test_every_mistake_about_recipes_on_the_device_is_named(tmp_path: Path, keys: str, says: str) -> None:
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, _STATION + _RECIPES + keys)
    assert says in str(caught.value)


@pytest.mark.parametrize("other", ["o", "./o", "sub/../o", "link", "{here}/o"])
def test_a_challenger_does_not_write_into_the_results_of_the_line(tmp_path: Path, other: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("o")
    other = other.format(here=tmp_path)
    with pytest.raises(BadConfig, match=r"shadow\.results: is the file of results\.path"):
        load(tmp_path, _STATION + _RECIPES + f"shadow: {{recipe: r2, results: '{other}'}}")
    shadow = load(tmp_path, _STATION + _RECIPES + "shadow: {recipe: r2, results: o2}").shadow
    assert shadow is not None
    assert shadow.results == str(tmp_path / "o2")
