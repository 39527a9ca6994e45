"""Files written by people and machines become typed, frozen objects, or one sentence that says which key is wrong.

YAML is read as the 1.2 core schema: ``no`` is a word, ``0123`` is a word, only ``true``/``false`` are booleans, and a key is
the word that is written, ``1.10`` too. Duplicate keys, aliases (and with them alias bombs), tags, control characters and
files over 64 KB are refused. Nothing is converted or clamped.
"""

import json
import os
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)

from edge.errors import BadConfig, Refuse

MAX_YAML_BYTES = 64 * 1024
MAX_JSON_BYTES = 4 * 1024 * 1024


Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""Something, such as a name."""


def _from_its_folder(path: str, info: ValidationInfo) -> str:
    # os.path.join keeps an absolute second part as it is.
    return path if info.context is None else os.path.join(info.context, path)  # noqa: PTH118


Place = Annotated[Text, AfterValidator(_from_its_folder)]
"""A path; one that is relative starts at the folder of the YAML file it stands in."""


_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")


def _as_rfc_3339(value: object) -> object:
    """Pydantic alone would also take a number in quotation marks for a time."""
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value):
        raise ValueError("write the time as 2026-11-24T06:00:00Z")
    return datetime.fromisoformat(value)


Time = Annotated[AwareDatetime, BeforeValidator(_as_rfc_3339)]
"""RFC 3339 with its zone."""


class Strict(BaseModel):
    """A record in which an unknown key, another type or a value out of range is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Record = TypeVar("Record", bound=Strict)
Value = TypeVar("Value")


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema of YAML 1.2 and no way to say a thing twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's own signature
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call] # PyYAML ships stubs without it
            raise yaml.MarkedYAMLError(problem="aliases are not allowed; write the value out", problem_mark=event.start_mark)
        event = self.peek_event()  # type: ignore[no-untyped-call] # as above
        if tag := getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem=f"tags are not allowed; leave out {tag}", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        text = str(super().construct_scalar(node))
        # Only an escape such as "\\0" brings one; no path, topic or name may hold it, and a terminal would obey it.
        if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
            raise yaml.MarkedYAMLError(
                problem="holds a control character or half a character; remove it", problem_mark=node.start_mark
            )
        return text

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a plain word", problem_mark=key.start_mark)
            word = self.construct_scalar(key)
            if word in found:
                raise yaml.MarkedYAMLError(problem=f"key '{word}' is given twice", problem_mark=key.start_mark)
            found[word] = self.construct_object(value, deep)
        return found


# None of the 1.1 rules, by which `no` is false and 0123 is 83. What has more than 300 digits is no number of anything.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]{0,299})", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def load_yaml(path: Path, record: type[Record]) -> Record:
    """Read a YAML file into `record`.

    Raises:
        BadConfig: unreadable file, bad YAML, or any key that is unknown, missing, twice, of another type or out of range.
    """
    text = read_limited(path, MAX_YAML_BYTES, BadConfig)
    try:
        # Not yaml.load on an unsafe loader: _Loader is a SafeLoader.
        plain = yaml.load(text, _Loader)  # noqa: S506
    except yaml.MarkedYAMLError as err:
        where = f" line {err.problem_mark.line + 1}" if err.problem_mark else ""
        raise BadConfig(f"{path}{where}: {_shown(err.problem or 'not valid YAML')}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise BadConfig(f"{path}: not valid YAML: {_shown(str(err).splitlines()[0])}.") from None
    if not isinstance(plain, dict):
        raise BadConfig(f"{path}: expected keys and values, found {type(plain).__name__}.")
    try:
        return record.model_validate_json(json.dumps(plain), context=path.resolve().parent)
    except ValidationError as err:
        raise BadConfig(f"{path}: {_explain(err, _MENDS, _MOST_MENDS)}.") from None


def load_json(path: Path, record: type[Record], error: type[Refuse]) -> Record:
    """Read a JSON file into `record`; raises `error` like `load_yaml` does."""
    return parse(read_limited(path, MAX_JSON_BYTES, error), record, path, error)


def parse(raw: bytes, record: type[Record], name: object, error: type[Refuse]) -> Record:
    """JSON bytes that goodpart wrote itself to `record`; `name` is what the message calls them.

    Raises:
        error: with the wrong keys, each as ``key.path: what is wrong``, the first `_MOST_FAULTS` of them; or with one that
            is given twice.
    """
    try:
        found = record.model_validate_json(raw)
        # pydantic takes the last of two.
        json.loads(raw, object_pairs_hook=each_key_once)
    except ValueError as err:
        faults = _explain(err, _FAULTS, _MOST_FAULTS) if isinstance(err, ValidationError) else _shown(str(err))
        raise error(
            f"{name}: damaged, or from another version of goodpart ({faults}); make it again with this one."
        ) from None
    return found


def each_key_once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    """For `json.loads`, which otherwise takes the last of several.

    Raises:
        ValueError: a key is given twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"key '{_shown(twice)}' is given twice")
    return found


_MOST_MENDS, _MOST_FAULTS = 12, 3
"""A person mends a file key by key; one that a machine wrote differs in hundreds of places for one reason."""


def _explain(err: ValidationError, words: dict[str, str], most: int) -> str:
    faults = [
        _key_path(e["loc"]) + _shown(words.get(e["type"], e["msg"].removeprefix("Value error, "))) for e in err.errors()
    ]
    more = [f"and {len(faults) - most} more"] if len(faults) > most else []
    return "; ".join([*faults[:most], *more])


_FAULTS = {"extra_forbidden": "unknown key", "missing": "missing"}
"""For files nobody writes by hand."""

_MENDS = {
    "extra_forbidden": "unknown key; check its spelling or remove it",
    "missing": "missing; add it",
    "union_tag_not_found": "missing 'kind'; add it",
}


_MOST_SHOWN = 300
"""Characters of what a file holds that a message repeats."""


def _shown(text: str) -> str:
    """One line that a journal and a terminal take as it is."""
    cut = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in cut)


def _key_path(loc: tuple[int | str, ...]) -> str:
    """With its colon; empty for what is about several keys, which then says so itself."""
    return _shown(".".join(str(part) for part in loc)) + ": " if loc else ""


def read_limited(path: Path, limit: int, error: type[Refuse]) -> bytes:
    """All bytes of a file that has no more than `limit` of them.

    Raises:
        error: it cannot be read, is no file, or has more.
    """
    try:
        # Reading a pipe or a device could wait for ever; a folder says so itself.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise error(f"{path}: is not a file; check the path.")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as err:
        raise error(f"{path}: cannot be read: {err.strerror}; check the path.") from None
    if len(raw) > limit:
        most = f"{limit} bytes" if limit % 1024 else f"{limit // 1024} KB"
        raise error(f"{path}: larger than {most}; is it the right file?")
    return raw
