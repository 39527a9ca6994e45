"""One HTTP request is a trigger; whoever is not meant to send one is told why not."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.capture.http_trigger import listening
from edge.capture.trigger_config import HttpTriggerConfig
from edge.capture.triggers import Trigger, Triggers
from edge.errors import BadConfig
from edge.types import Verdict
from tests.brokers import HOST, PATIENCE_S, free_port, wait_until
from tests.cameras import MjpegCamera
from tests.conftest import part_picture, station_file
from tests.devices import Device
from tests.lines import GOOD


def post(port: int, path: str = "/trigger", body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


class Desk:
    """A port, and what has come in there."""

    def __init__(self, port: int, triggers: Triggers, pause: Callable[[bool], None]) -> None:
        self.port, self.triggers, self.pause = port, triggers, pause

    @property
    def waiting(self) -> Trigger | None:
        return self.triggers.waiting(threading.Event())


@contextmanager
def desk(**config: Any) -> Iterator[Desk]:
    triggers, paused = Triggers(), [False]
    with listening(HttpTriggerConfig(port=free_port(), **config), triggers, lambda: paused[0]) as port:
        yield Desk(port, triggers, lambda on: paused.__setitem__(0, on))


def test_a_part_with_its_name_is_accepted_and_waits_for_its_frame() -> None:
    with desk() as open_desk:
        status, answer = post(open_desk.port, body=b'{"part_id": "DMC 1"}')
        waiting = open_desk.waiting
        assert waiting
        assert (status, answer) == (202, {"result_id": waiting.result_id, "part_id": "DMC 1"})
        assert (waiting.part_id, waiting.order, waiting.told) == ("DMC 1", None, None)


def test_a_part_without_a_name_is_called_by_its_time() -> None:
    with desk() as open_desk:
        _, answer = post(open_desk.port)
        assert answer["part_id"].startswith("20")


def test_the_second_one_is_busy_and_a_paused_line_says_so() -> None:
    with desk() as open_desk:
        assert post(open_desk.port)[0] == 202
        assert post(open_desk.port) == (409, {"error": "busy: the part before still waits to be served"})
        open_desk.triggers.taken()
        open_desk.pause(True)
        assert post(open_desk.port) == (409, {"error": "the line is paused"})
        assert open_desk.triggers.refused == 1


def test_whoever_waits_gets_the_verdict() -> None:
    with desk() as open_desk:
        got: list[tuple[int, Any]] = []
        asking = threading.Thread(target=lambda: got.append(post(open_desk.port, "/trigger?wait=1")), daemon=True)
        asking.start()
        wait_until(lambda: open_desk.waiting, "the trigger")
        told = open_desk.waiting
        assert told
        assert told.told
        told.told(GOOD)
        asking.join()
        status, answer = got[0]
        assert (status, answer["verdict"], answer["reason"], answer["result_id"]) == (
            200,
            "OK",
            "WITHIN_THRESHOLD",
            told.result_id,
        )


def test_whoever_waits_when_the_line_ends_hears_so_at_once_and_who_comes_later_does_too() -> None:
    with desk() as open_desk:
        got: list[tuple[int, Any]] = []
        asking = threading.Thread(
            target=lambda: got.append(post(open_desk.port, "/trigger?wait=1", b'{"part_id": "DMC 1"}')), daemon=True
        )
        asking.start()
        wait_until(lambda: open_desk.waiting, "the trigger")
        left = open_desk.triggers.close()
        asking.join()
        assert left
        said = {"error": "the line ended before the part was seen", "result_id": left.result_id, "part_id": "DMC 1"}
        assert got == [(503, said)]
        assert post(open_desk.port) == (503, {"error": "the line has ended"})
        assert open_desk.triggers.refused == 0


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/", b"", {}, 404),
        ("/trigger?wait=yes", b"", {}, 400),
        ("/trigger", b"part=7", {}, 400),
        ("/trigger", b'{"part": "7"}', {}, 400),
        ("/trigger", b'{"part_id": 7}', {}, 400),
        ("/trigger", b'{"part_id": "a\\nb"}', {}, 400),
        ("/trigger", b"[]", {}, 400),
        ("/trigger", b"\xff\xfe", {}, 400),
        ("/trigger", b"{}" + b" " * 5000, {}, 413),
        ("/trigger", b"", {"Content_Length": "-1"}, 400),
        ("/trigger", b"", {"Content_Length": "many"}, 400),
        ("/trigger", b"0\r\n\r\n", {"Transfer_Encoding": "chunked"}, 411),
        ("/trigger", b"", {"Origin": "http://evil.example"}, 403),
    ],
)
def test_what_is_no_trigger_is_refused_and_none_comes_of_it(
    path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    with desk() as open_desk:
        found, answer = post(open_desk.port, path, body, **headers)
        assert (found, list(answer)) == (status, ["error"])
        assert open_desk.triggers.free
        assert post(open_desk.port)[0] == 202, "and the next one is served"


def test_reading_is_not_asked_for() -> None:
    with desk() as open_desk:
        connection = http.client.HTTPConnection(HOST, open_desk.port, timeout=PATIENCE_S)
        connection.request("GET", "/trigger")
        assert connection.getresponse().status == 405


def test_where_a_token_is_asked_for_only_who_knows_it_may_trigger(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("correct horse battery\n")
    with desk(token_file=str(token)) as open_desk:
        assert post(open_desk.port)[0] == 401
        assert post(open_desk.port, Authorization="Bearer wrong")[0] == 401
        assert open_desk.triggers.free
        assert post(open_desk.port, Authorization="Bearer correct horse battery")[0] == 202


@pytest.mark.parametrize(("content", "words"), [("short", "has 5 characters"), (None, "cannot be read")])
def test_a_token_that_protects_nothing_is_refused(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content:
        path.write_text(content)
    with pytest.raises(BadConfig, match=words) as refused, desk(token_file=str(path)):
        pass
    assert str(refused.value).startswith("source.http.token_file: ")


def test_a_token_may_come_as_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trigger").write_text("correct horse battery\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with desk(token_credential="trigger") as open_desk:  # noqa: S106 - its name
        assert post(open_desk.port)[0] == 401
        assert post(open_desk.port, Authorization="Bearer correct horse battery")[0] == 202


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"host": "0.0.0.0", "expose": True}, "others could trigger; add token_file or token_credential"),  # noqa: S104 - refused
        ({"token_file": "a", "token_credential": "b"}, "remove one"),
    ],
)
def test_where_others_can_trigger_one_token_is_named(more: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HttpTriggerConfig.model_validate({"port": 8000, **more})


def test_a_port_that_somebody_has_is_named() -> None:
    with desk() as open_desk, pytest.raises(BadConfig, match="choose another port"):  # noqa: SIM117 - one opens before the other
        with listening(HttpTriggerConfig(port=open_desk.port), Triggers(), lambda: False):
            pass


def test_a_part_that_is_asked_for_by_http_is_judged_and_its_result_has_the_id_that_was_told(
    recipe_dir: Path, tmp_path: Path
) -> None:
    port, results = free_port(), tmp_path / "results.jsonl"
    with MjpegCamera(part_picture(300)) as camera:
        source: dict[str, object] = {
            "kind": "camera",
            "device": camera.url,
            "timeout_s": 20.0,
            "frozen_frames": 100_000,
            "trigger": "http",
            "http": {"port": port},
        }
        config = station_file(tmp_path, recipe_dir, source, results={"path": str(results)}, evidence={"path": "evidence"})
        with Device(config) as device:
            camera.wait_for_viewer()
            status, answer = _patient(lambda: post(port, "/trigger?wait=1", b'{"part_id": "DMC 7"}'))
            assert status == 200
            assert device.err == ""
    (told,) = [json.loads(line) for line in results.read_text().splitlines()]
    assert (told["result_id"], told["part_id"], told["verdict"]) == (answer["result_id"], "DMC 7", answer["verdict"])


def _patient(ask: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    got: list[tuple[int, Any]] = []

    def asked() -> bool:
        try:
            got.append(ask())
        except OSError:
            return False
        return True

    wait_until(asked, "an answer")
    return got[0]


def test_a_verdict_may_come_when_nobody_waits_any_more() -> None:
    with desk() as open_desk:
        connection = http.client.HTTPConnection(HOST, open_desk.port, timeout=PATIENCE_S)
        connection.request("POST", "/trigger?wait=1")
        wait_until(lambda: open_desk.waiting, "the trigger")
        waiting: Trigger | None = open_desk.waiting
        connection.close()
        assert waiting
        assert waiting.told
        verdict: Verdict = GOOD
        waiting.told(verdict)
        open_desk.triggers.taken()
        assert post(open_desk.port)[0] == 202
