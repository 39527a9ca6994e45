"""JSON read so that it has one meaning, and written so that it has one form (RFC 8785, JSON Canonicalization Scheme)."""

import json
import math
from typing import Never

from edge.errors import BadCommand

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_PLAIN_FROM, _PLAIN_BELOW = -7, 21
"""Exponents between which ECMAScript writes a number without one (ECMA-262, Number::toString)."""


def read_object(raw: bytes) -> dict[str, Json]:
    """One JSON object in UTF-8.

    Raises:
        BadCommand: anything else, or a key that is given twice, NaN, infinity, or nesting without end.
    """
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_each_key_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as err:
        raise BadCommand(f"not JSON that can be read in one way: {_first_words(err)}") from None
    if not isinstance(found, dict):
        raise BadCommand("expected one JSON object; send { … }")
    return found


def canonical(value: Json) -> bytes:
    """The one form of a JSON value, UTF-8.

    Raises:
        BadCommand: a number is no finite double, or a text holds half a character.
    """
    try:
        return _written(value).encode("utf-8")
    except (ValueError, OverflowError, RecursionError) as err:
        raise BadCommand(f"has no canonical form: {_first_words(err)}") from None


def _written(value: Json) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            # All numbers are doubles (RFC 8785, section 3.2.2.3).
            return _number(float(value))
        case list():
            return "[" + ",".join(_written(item) for item in value) + "]"
        case dict():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{_written(key)}:{_written(value[key])}" for key in keys) + "}"


def _number(value: float) -> str:
    """As ECMAScript writes a double; repr gives the same digits, the shortest that mean it, and another layout."""
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0")
    return ("-" if value < 0 else "") + _laid_out(digits, point)


def _laid_out(digits: str, point: int) -> str:
    """0.DIGITS · 10^point, by the cases of Number::toString."""
    if len(digits) <= point <= _PLAIN_BELOW:
        return digits.ljust(point, "0")
    if 0 < point <= _PLAIN_BELOW:
        return f"{digits[:point]}.{digits[point:]}"
    if _PLAIN_FROM < point - 1 < 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _each_key_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_number(_word: str) -> Never:
    raise ValueError("NaN and Infinity are no numbers of JSON")


def _first_words(err: Exception) -> str:
    """Python quotes none of the input but a byte or a character."""
    return "nested too deeply" if isinstance(err, RecursionError) else str(err).partition(";")[0]
