"""Nothing gets in that is not whole, allowed, signed where it must be, addressed here and meant for now."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.command.canonical import canonical
from edge.command.gatekeeper import Admitted, Now, Refusal, Request, admit, stale
from edge.command.models import MUST_BE_SIGNED, Code
from tests.asking import ALL, KEY, rules, vouched, wish

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BELIEVED = Now(NOW, synchronised=True)
THRESHOLD = {"recipe_id": "0" * 64, "threshold": 9.5, "min": 8.5, "max": 12.5}


def request(document: object, **more: Any) -> Request:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Request(raw, 0.0, **more)


def code(document: object, **more: Any) -> Code | None:
    found = admit(request(document, **more), rules())
    return found.code if isinstance(found, Refusal) else None


@pytest.mark.parametrize(
    "document",
    [
        wish("ping"),
        wish("status"),
        wish("resume"),
        wish("trigger", part_id="DMC 0815", job_id="job-7"),
        vouched(wish("pause")),
        vouched(wish("activate_recipe", recipe="other")),
        vouched(wish("set_threshold", **THRESHOLD)),
    ],
    ids=lambda document: document["command"],
)
def test_each_command_gets_in_when_all_is_well(document: dict[str, Any]) -> None:
    found = admit(request(document, response_topic="goodpart/answers/1", correlation=b"42"), rules())
    assert isinstance(found, Admitted)
    assert found.command.command == document["command"]
    assert found.command.command_id == document["command_id"]


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (b"", Code.REFUSED_SCHEMA),
        (b"\xff\xfe", Code.REFUSED_SCHEMA),
        (b"[" * 4000, Code.REFUSED_SCHEMA),
        (b'{"command": NaN}', Code.REFUSED_SCHEMA),
        (json.dumps(wish("ping")).encode()[:-1] + b', "command": "ping"}', Code.REFUSED_SCHEMA),
        (wish("reboot"), Code.REFUSED_SCHEMA),
        (wish("ping") | {"more": 1}, Code.REFUSED_SCHEMA),
        (wish("ping", format="goodpart.command/2"), Code.REFUSED_SCHEMA),
        (wish("ping", command_id="a b"), Code.REFUSED_SCHEMA),
        (wish("ping", command_id=7), Code.REFUSED_SCHEMA),
        (wish("ping", expires_utc="2026-11-24T06:00:00"), Code.REFUSED_SCHEMA),
        (wish("ping", expires_utc=1.8e9), Code.REFUSED_SCHEMA),
        (wish("ping", issued_utc="1764000000"), Code.REFUSED_SCHEMA),
        (wish("trigger", part_id="p"), Code.REFUSED_SCHEMA),
        (wish("trigger", part_id="a\x1b[2J", job_id="j"), Code.REFUSED_SCHEMA),
        (wish("trigger", part_id="a\ud800", job_id="j"), Code.REFUSED_SCHEMA),
        (wish("activate_recipe", recipe="../other"), Code.REFUSED_SCHEMA),
        (vouched(wish("set_threshold", **THRESHOLD | {"threshold": 13.5})), Code.REFUSED_SCHEMA),
        (wish("set_threshold", **THRESHOLD | {"max": 10**400}), Code.REFUSED_SCHEMA),
        (wish("ping", signature="x"), Code.REFUSED_SCHEMA),
        (b"{" + b" " * 4096 + b"}", Code.REFUSED_SIZE),
        (wish("ping", station={"site": "test", "area": "lab", "line": "line-1", "station": "other"}), Code.REFUSED_STATION),
        (wish("pause"), Code.REFUSED_SIGNATURE),
        (wish("set_threshold", **THRESHOLD), Code.REFUSED_SIGNATURE),
        (vouched(wish("pause")) | {"command_id": "another"}, Code.REFUSED_SIGNATURE),
        (vouched(wish("pause")) | {"expires_utc": "2099-01-01T00:00:00Z"}, Code.REFUSED_SIGNATURE),
        (vouched(wish("set_threshold", **THRESHOLD)) | {"threshold": 12.0}, Code.REFUSED_SIGNATURE),
        (vouched(wish("pause"), Ed25519PrivateKey.generate()), Code.REFUSED_SIGNATURE),
        (vouched(wish("ping")) | {"command_id": "another"}, Code.REFUSED_SIGNATURE),
    ],
)
def test_what_is_not_well_is_refused_with_its_code(document: object, wanted: Code) -> None:
    assert code(document) is wanted


def test_a_command_that_is_not_listed_is_refused_though_it_is_signed() -> None:
    found = admit(request(vouched(wish("pause"))), rules(frozenset({"ping"})))
    assert isinstance(found, Refusal)
    assert found.code is Code.REFUSED_NOT_ALLOWED


def test_without_a_key_no_signature_is_good() -> None:
    found = admit(request(vouched(wish("pause"))), rules(signed=None))
    assert isinstance(found, Refusal)
    assert found.code is Code.REFUSED_SIGNATURE


def test_the_order_and_spacing_of_a_signed_command_do_not_matter() -> None:
    document = vouched(wish("set_threshold", **THRESHOLD))
    turned = dict(reversed(document.items()))
    found = [admit(request(json.dumps(d, indent=i).encode()), rules()) for d, i in ((document, None), (turned, 3))]
    assert isinstance(found[0], Admitted)
    assert isinstance(found[1], Admitted)
    assert found[0].digest == found[1].digest


@pytest.mark.parametrize(
    ("topic", "good"),
    [
        ("goodpart/answers/7", True),
        ("goodpart/v1/test/lab/line-1/camera-1/response", True),
        ("goodpart/v1/test/lab/line-1/camera-1/response/mes", True),
        ("plant/answers", False),
        ("goodpart", False),
        ("goodpartner/answers", False),
        ("", False),
        ("goodpart/answers/#", False),
        ("goodpart/+/x", False),
        ("goodpart/v1/test/lab/line-1/camera-1/result", False),
        ("goodpart/v1/test/lab/line-1/camera-1/command", False),
        ("goodpart/v1/test/lab/line-1/camera-2/response", False),
        ("goodpart/v1/test/lab/line-1/camera-1/responses", False),
        ("goodpart/" + "a" * 600, False),
    ],
)
def test_answers_go_nowhere_but_where_answers_belong(topic: str, *, good: bool) -> None:
    assert (code(wish("ping"), response_topic=topic) is None) is good
    if not good:
        assert code(wish("ping"), response_topic=topic) is Code.REFUSED_RESPONSE_TOPIC


def test_retained_messages_and_long_correlation_data_are_refused() -> None:
    assert code(wish("ping"), retained=True) is Code.REFUSED_RETAINED
    assert code(wish("ping"), correlation=b"x" * 257) is Code.REFUSED_SIZE
    assert code(wish("ping"), correlation=b"x" * 256) is None


def test_a_refusal_names_the_command_where_it_can_be_read_and_quotes_nothing_that_moves_a_terminal() -> None:
    found = admit(request(wish("ping", command_id="abc") | {"\x1b[2J\n" * 200: 1}), rules())
    assert isinstance(found, Refusal)
    assert found.command_id == "abc"
    assert found.detail.isprintable()
    assert len(found.detail) <= 200


def fresh(document: dict[str, Any], now: Now, *, needs_clock: bool = True) -> Code | None:
    found = admit(request(document), rules())
    assert isinstance(found, Admitted)
    refusal = stale(found.command, replace(rules(), needs_synchronised_clock=needs_clock), now)
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("later_s", "wanted"),
    [
        (0, None),
        (59.9, None),
        (60, Code.REFUSED_EXPIRED),
        (1e6, Code.REFUSED_EXPIRED),
        (-30, None),
        (-31, Code.REFUSED_EXPIRED),
    ],
)
def test_a_command_is_good_from_its_issue_to_its_expiry(later_s: float, wanted: Code | None) -> None:
    assert fresh(wish("ping", NOW), Now(NOW + timedelta(seconds=later_s), synchronised=True)) is wanted


def test_a_command_for_longer_than_a_day_is_refused_and_the_zone_does_not_matter() -> None:
    day = NOW + timedelta(days=1)
    assert fresh(wish("ping", NOW, expires_utc=day.isoformat()), BELIEVED) is None
    assert fresh(wish("ping", NOW, expires_utc=(day + timedelta(seconds=1)).isoformat()), BELIEVED) is Code.REFUSED_EXPIRED
    assert fresh(wish("ping", NOW, issued_utc="2026-11-24T08:00:00+02:00"), BELIEVED) is None
    assert fresh(wish("ping", NOW, issued_utc="0001-01-01T00:00:00+14:00"), BELIEVED) is Code.REFUSED_EXPIRED
    ever = {"issued_utc": "9999-12-31T23:59:59-14:00", "expires_utc": "9999-12-31T23:59:59-14:00"}
    assert fresh(wish("ping", **ever), BELIEVED) is Code.REFUSED_EXPIRED


def test_with_a_clock_that_nobody_holds_signed_commands_wait_and_others_do_not() -> None:
    doubted = Now(NOW, synchronised=False)
    assert fresh(wish("ping", NOW), doubted) is None
    assert fresh(vouched(wish("pause", NOW)), doubted) is Code.REFUSED_CLOCK
    assert fresh(vouched(wish("pause", NOW)), doubted, needs_clock=False) is None


@given(st.binary(max_size=600), st.none() | st.text(max_size=40), st.none() | st.binary(max_size=300), st.booleans())
def test_no_message_makes_the_gatekeeper_fall_and_noise_never_gets_in(
    raw: bytes, topic: str | None, mark: bytes | None, retained: bool
) -> None:
    assert isinstance(admit(Request(raw, 0.0, topic, mark, retained), rules()), Refusal)


VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


@given(
    st.sampled_from([wish("ping"), wish("pause"), vouched(wish("pause")), vouched(wish("set_threshold", **THRESHOLD))]),
    st.sampled_from(["format", "command_id", "command", "station", "expires_utc", "threshold", "signature", "other"]),
    VALUES,
)
def test_a_signed_command_of_which_anything_was_changed_never_gets_in(
    document: dict[str, Any], key: str, value: object
) -> None:
    changed = document | {key: value}
    found = admit(request(changed), rules())
    if isinstance(found, Admitted):
        command = found.command
        assert command.command in ALL
        assert command.station == rules().station
        if command.command in MUST_BE_SIGNED:
            assert command.signature
            unsigned = {k: v for k, v in changed.items() if k != "signature"}
            KEY.public_key().verify(base64.b64decode(command.signature), canonical(unsigned))
            assert canonical(changed) == canonical(document)
