"""A file is read as it is written, or refused with the key."""

import os
from pathlib import Path

import pytest
from pydantic import Field

from edge.errors import BadConfig
from edge.strict import Strict, load_json, load_yaml


class Inner(Strict):
    number: int = Field(default=1, ge=0, le=10)
    share: float = 0.5


class Outer(Strict):
    word: str
    switch: bool = False
    inner: Inner = Inner()


def read(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return load_yaml(path, Outer)


def test_words_that_older_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    for word in ("no", "yes", "on", "0123", "12:30:45", "2026-01-02", "0x1f", "1_000", "=", "<<"):
        assert read(tmp_path, f"word: {word}").word == word


def test_numbers_and_switches_are_read_as_such(tmp_path: Path) -> None:
    found = read(tmp_path, "word: w\nswitch: true\ninner: {number: 7, share: 2.5e-1}")
    assert (found.switch, found.inner.number, found.inner.share) == (True, 7, 0.25)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("word: w\nwrod: x", "wrod: unknown key"),
        ("switch: true", "word: missing"),
        ("word: w\nword: v", "line 2: key 'word' is given twice"),
        ("word: w\ninner: {number: 1, number: 2}", "key 'number' is given twice"),
        ("word: 7", "word: "),
        ("word: w\nswitch: 1", "switch: "),
        ("word: w\ninner: {number: 11}", "inner.number: "),
        ("word: w\ninner: {number: 1.5}", "inner.number: "),
        ("word: w\ninner: {share: .nan}", "inner.share: "),
        ("word: &a w\nswitch: *a", "line 2: aliases are not allowed"),
        ("word: !!python/object:os.system x", "line 1: tags are not allowed"),
        ("word: w\nswitch: !!bool perhaps", "line 2: tags are not allowed"),
        ("word: w\ninner: {number: !!int ''}", "line 2: tags are not allowed"),
        ("word: !!timestamp 2026-01-01", "tags are not allowed"),
        ("word: ! w", "tags are not allowed"),
        ('word: "a\\0b"', "line 1: holds a control character"),
        ('word: "a\\ud800b"', "line 1: holds a control character or half a character"),
        ("word: |\n  w\n", "line 1: holds a control character"),
        ("word: w\n1.10: x", "1.10: unknown key"),
        ("word: w\ninner: {number: " + "9" * 5000 + "}", "inner.number: "),
        ("word: [", "line 1"),
        ("- word", "expected keys and values"),
        ("", "expected keys and values"),
        ("word: \x01", "not valid YAML"),
        ("? {a: b}\n: w", "a key must be a plain word"),
    ],
)
def test_everything_else_is_one_error_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "file.yaml" in str(caught.value)


def test_all_wrong_keys_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, "wrod: w\ninner: {number: -1}")
    assert all(key in str(caught.value) for key in ("wrod", "word: missing", "inner.number"))


def test_a_file_that_is_too_large_or_no_text_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="larger than 64 KB"):
        read(tmp_path, "word: " + "w" * 70_000)
    with pytest.raises(BadConfig, match="No such file"):
        load_yaml(tmp_path / "absent.yaml", Outer)
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(BadConfig, match="not valid YAML"):
        load_yaml(tmp_path / "binary.yaml", Outer)


def test_deep_nesting_is_refused_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(BadConfig):
        read(tmp_path, "word: " + "[" * 20_000)


def test_a_file_of_another_version_names_some_faults_and_counts_the_others(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, "word: w\n" + "\n".join(f"key{number}: 1" for number in range(300)))
    assert str(caught.value).count("unknown key") == 12
    assert str(caught.value).endswith("and 288 more.")


def test_a_message_repeats_no_more_of_a_file_than_a_line_can_show(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, "word: w\n" + "k" * 60_000 + ": 1")
    assert len(str(caught.value)) < 1000


def test_a_file_of_json_says_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('{"word": "w", "inner": {"number": 1, "number": 2}}')
    with pytest.raises(BadConfig, match=r"file\.json: .*key 'number' is given twice"):
        load_json(path, Outer, BadConfig)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(BadConfig, match=r"pipe\.yaml: is not a file"):
        load_yaml(tmp_path / "pipe.yaml", Outer)
