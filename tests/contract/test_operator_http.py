"""Who may look and who may press buttons, as callers that are no browser find out."""

import json
import signal
import socket
import time
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from edge.errors import BadConfig
from edge.evidence.names import name_of
from edge.page.guard import Sessions
from edge.recipe.recipe import Recipe, open_recipe
from tests.brokers import HOST, Mosquitto, Subscriber, free_port, wait_until
from tests.conftest import station_file, write_parts
from tests.devices import Device
from tests.lines import BAD, GOOD
from tests.pages import TOKEN, Opened, page_open, some_pixels, token_file


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def logged_in(page: Opened, token: str = TOKEN) -> tuple[int, str]:
    answer = page.ask("/login", "POST", f"token={token.replace(' ', '+')}", Origin=page.origin)
    return answer.status, (answer.getheader("Set-Cookie") or "").partition(";")[0]


def test_a_browser_is_told_to_load_nothing_from_elsewhere_and_to_be_in_no_frame(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        for path in ("/", "/page.js", "/live.jpg", "/no-such-thing"):
            answer = page.ask(path)
            policy = answer.getheader("Content-Security-Policy") or ""
            assert policy.startswith("default-src 'none'; script-src 'self'; ")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.getheader("X-Frame-Options") == "DENY"
            assert answer.getheader("Cache-Control") == "no-store"
            assert answer.getheader("Server") is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1"])
def test_a_name_that_is_not_ours_is_refused(recipe: Recipe, tmp_path: Path, host: str) -> None:
    with page_open(tmp_path, recipe) as page:
        assert page.ask("/", Host=host).status == 421


def test_addresses_and_names_of_ours_are_answered(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, names=["hall.example"]) as page:
        for host in ("localhost:1", "192.0.2.7:8080", "[::1]:8080", "hall.example", socket.gethostname()):
            assert page.ask("/", Host=host).status == 200


def test_only_the_page_itself_may_rule(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        told = page.judge(BAD, pixels=some_pixels())
        for origin in ("http://evil.example", "http://[", "null", "", f"http://{HOST}:{page.port + 1}"):
            assert page.rule(told, "accepted", Origin=origin).status == 403
        assert page.ask(f"/rejects/{told.result_id}", "POST", {"decision": "accepted"}).status == 403
        assert page.journal.read_text() == ""
        assert page.rule(told, "accepted").status == 200
        assert [line["decision"] for line in page.decisions()] == ["accepted"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[" * 4000,
        b"[]",
        {"decision": "sold"},
        {"decision": "accepted", "who": "x" * 41},
        {"decision": "accepted", "more": 1},
        {"decision": "accepted", "who": "x" * 9000},
    ],
)
def test_what_is_no_decision_is_refused(recipe: Recipe, tmp_path: Path, body: object) -> None:
    with page_open(tmp_path, recipe) as page:
        told = page.judge(BAD)
        answer = page.ask(f"/rejects/{told.result_id}", "POST", body, Origin=page.origin)
        assert answer.status == 422
        assert page.journal.read_text() == ""


def test_a_part_that_is_not_in_the_gallery_cannot_be_ruled_on(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        assert page.rule(page.judge(GOOD), "accepted").status == 404
        assert page.rule(page.judge(BAD), "undone").status == 409


def test_without_the_token_nothing_of_the_station_is_shown(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, token_file=token_file(tmp_path)) as page:
        told = page.judge(BAD, pixels=some_pixels())
        for path in ("/events", "/live.jpg", f"/rejects/{told.result_id}.jpg", "/alive", "/no-such-thing"):
            assert page.ask(path).status == 401
        assert page.rule(told, "accepted").status == 401
        asked = page.ask("/?lamp")
        assert (asked.status, asked.getheader("Location")) == (303, "/login?lamp")
        assert logged_in(page, "wrong token, but long") == (403, "")
        status, cookie = logged_in(page)
        assert status == 303
        for path in ("/", "/live.jpg", f"/rejects/{told.result_id}.jpg"):
            assert page.ask(path, Cookie=cookie).status == 200
        assert page.rule(told, "accepted", Cookie=cookie).status == 200


def test_the_cookie_is_the_browsers_alone(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, token_file=token_file(tmp_path)) as page:
        answer = page.ask("/login", "POST", f"token={TOKEN}", Origin=page.origin)
        given = (answer.getheader("Set-Cookie") or "").lower()
        assert "httponly" in given
        assert "samesite=strict" in given
        assert TOKEN not in given
        forged = f"{answer.getheader('Set-Cookie')}".partition(";")[0]
        for cookie in (forged[:-1] + "x", forged.replace("=1", "=2"), "goodpart=1", '"', f"goodpart-{page.port}=é.x"):
            assert page.ask("/alive", Cookie=cookie).status == 401


def test_tokens_cannot_be_guessed_one_after_another(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, token_file=token_file(tmp_path)) as page:
        assert [logged_in(page, f"a guess of many {number}")[0] for number in range(11)] == [403] * 10 + [429]
        assert logged_in(page)[0] == 429


def test_a_session_ends_after_a_quarter_or_with_the_token() -> None:
    clock = [1_000_000.0]
    sessions, answer = Sessions(TOKEN, 80, lambda: clock[0]), Response()
    sessions.begin(answer)
    headers = Headers({"cookie": answer.headers["set-cookie"].partition(";")[0]})
    assert sessions.knows(headers)
    assert not Sessions(TOKEN + "2", 80, lambda: clock[0]).knows(headers)
    clock[0] += 91 * 24 * 3600
    assert not sessions.knows(headers)


def test_the_page_ends_with_the_line_though_somebody_looks(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        viewer = socket.create_connection((HOST, page.port))
        viewer.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert viewer.recv(12).endswith(b"200")
    viewer.close()
    with socket.socket() as again:
        assert again.connect_ex((HOST, page.port)) != 0


def test_a_taken_port_is_one_sentence(recipe: Recipe, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(BadConfig, match=rf"^page: {HOST}:{port} cannot be .*choose another page\.port\.$"),
            page_open(tmp_path, recipe, port=port),
        ):
            pass


def test_a_reject_is_shown_from_the_evidence_even_if_it_is_written_a_little_later(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, station={"evidence": {"path": "evidence"}}) as page:
        told = page.judge(BAD, "../part", some_pixels())
        page.judge(GOOD, "next", some_pixels())
        path = tmp_path / "evidence" / name_of(told.taken_utc, told.seq, told.part_id).overlay
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a picture")
        answer = page.ask(f"/rejects/{told.result_id}.jpg")
        assert (answer.status, answer.text) == (200, "a picture")  # type: ignore[attr-defined]


def test_a_picture_that_nobody_has_any_more_is_none(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        told = page.judge(BAD)
        assert page.ask(f"/rejects/{told.result_id}.jpg").status == 204
        assert page.ask("/rejects/no-such-result.jpg").status == 204
        assert page.ask("/live.jpg").status == 204


def test_live_pictures_come_at_a_bounded_rate_and_say_whose_they_are(recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        began_s, found = time.monotonic(), []
        for number in range(4):
            page.judge(BAD, f"<part> {number}", some_pixels(number))
            found.append(page.ask("/live.jpg"))
        took_s = time.monotonic() - began_s
        assert took_s >= 3 * 0.25
        assert [answer.getheader("X-Part") for answer in found] == [f"%3Cpart%3E%20{number}" for number in range(4)]
        assert {answer.getheader("X-Verdict") for answer in found} == {"NOK"}


def test_a_ruling_is_an_event_for_the_mes_and_outlives_a_kill(recipe_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    write_parts(tmp_path / "incoming", range(200, 201), defect=True)
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "watch", "path": "incoming"},
            mqtt={"host": HOST, "port": broker.port},
            page={"port": port},
        )
        with Device(config) as device:
            wait_until(plant.results, "a result")
            told = plant.results()[0]
            page = Opened(port, None, None, tmp_path / "station.decisions.jsonl")  # type: ignore[arg-type] # another process's
            headers = {"Origin": page.origin}
            answer = page.ask(f"/rejects/{told['result_id']}", "POST", {"decision": "confirmed", "who": "AB"}, **headers)
            assert answer.status == 200
            wait_until(lambda: [e for e in plant.events() if e["code"] == "PART_CONFIRMED"], "the event")
            device.send(signal.SIGKILL)
    event = next(e for e in plant.events() if e["code"] == "PART_CONFIRMED")
    assert told["result_id"] in event["detail"]
    assert event["detail"].endswith("by AB")
    line = json.loads(page.journal.read_text())
    assert (line["result_id"], line["decision"], line["part_id"]) == (told["result_id"], "confirmed", told["part_id"])
