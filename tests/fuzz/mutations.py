"""Valid files, made wrong: byte by byte, and key by key."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

HUGE = 10**400

STRANGE: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    65535,
    65536,
    2**31,
    2**63,
    2**64,
    HUGE,
    -HUGE,
    0.0,
    -0.5,
    1e-320,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    " ",
    ".",
    "..",
    "../..",
    "/",
    "a" * 300,
    "a" * 5000,
    "\0",
    "\n",
    "\x1b[2J",
    "\u202e",
    "\ufeff",
    "é",
    "e\u0301",
    "𝄞",
    "\ud800",
    "NaN",
    "1",
    "true",
    "null",
    "=",
    "<<",
    "*",
    "&a",
    "!!int 1",
    "2026-01-01",
    [],
    [[]],
    {},
    {"": 0},
    {"a": {}},
    ["OK"],
    ["OK", "OK"],
]
"""Numbers at every limit there is, words that some parser takes for something else, and empty things."""

TOKENS = [
    b"\0",
    b"\n",
    b"\r",
    b"\t",
    b"  ",
    b"-",
    b"- ",
    b": ",
    b"? ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b'"',
    b"'",
    b"#",
    b"|\n",
    b">\n",
    b"%YAML 1.1\n",
    b"---\n",
    b"...\n",
    b"&a ",
    b"*a",
    b"!!int ",
    b"!!bool ",
    b"!!timestamp ",
    b"!!binary ",
    b"!!set ",
    b"! ",
    b"!<tag:x> ",
    b"<<: ",
    b".nan",
    b".inf",
    b"1e999",
    b"0x10",
    b"0o7",
    b"1_0",
    b"1:30",
    b"9" * 5000,
    b'"\\0"',
    b'"\\ud800"',
    b'"\\e[2J"',
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"[" * 300,
    b"{a: " * 300,
]


@st.composite
def mutated(draw: st.DrawFn, raw: bytes) -> bytes:
    """These bytes after one to four small accidents."""
    found = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(found)))
        match draw(st.sampled_from(["change", "bit", "insert", "token", "cut", "drop", "repeat", "fill"])):
            case "change" if at < len(found):
                found[at] = draw(st.integers(0, 255))
            case "bit" if at < len(found):
                found[at] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                found[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "token":
                found[at:at] = draw(st.sampled_from(TOKENS))
            case "cut":
                del found[at:]
            case "drop":
                del found[at : at + draw(st.integers(1, 64))]
            case "repeat":
                found[at:at] = found[at : at + draw(st.integers(1, 64))]
            case "fill":
                found[at : at + 8] = draw(st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7]))
            case _:
                found += b"\0"
    return bytes(found)


@st.composite
def altered(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """This document as JSON, with one to three keys or items replaced, removed, added or given twice."""
    found = copy.deepcopy(document)
    twice = False
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(found))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "replace", "remove", "add", "move", "twice"])):
            case "replace":
                holder[key] = copy.deepcopy(draw(st.sampled_from(STRANGE)))
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["surprise", "", "\n", "\x1b", str(key).upper(), f"{key} "]))] = 1
            case "move":
                other, place = draw(st.sampled_from(places))
                if place in other or (isinstance(other, list) and place < len(other)):
                    holder[key] = copy.deepcopy(other[place])
            case _:
                twice = True
    text = json.dumps(found)
    if twice and text.startswith("{") and len(found) > 0:
        key = draw(st.sampled_from(sorted(found)))
        text = f"{{{json.dumps(key)}: {json.dumps(draw(st.sampled_from([found[key], None, 1])))}, {text[1:]}"
    return text.encode("utf-8", "surrogatepass")


def _places(value: object) -> Any:
    """Every key and item inside, with what holds it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inside:
        yield value, key
        yield from _places(child)
