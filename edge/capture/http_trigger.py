"""`POST /trigger`: a part for whoever can send one HTTP request, and its verdict for whoever can wait.

202 with the `result_id`; with `?wait=1` 200 with the verdict, too. 409: another trigger waits to be served, or the line is
paused. 503: the line has ended, for `?wait=1` also when it ends before the part was seen. 504: no verdict in time. 400, 401,
403, 404, 405, 411, 413: the request is refused, and the answer says why.
"""

import hmac
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from socket import AF_INET, AF_INET6
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from edge.capture.trigger_config import HttpTriggerConfig
from edge.capture.triggers import Offered, Trigger, Triggers
from edge.command.models import PlantId
from edge.errors import BadConfig
from edge.host.clock import utc_now
from edge.host.secrets import read_token
from edge.host.serving import served
from edge.strict import Strict
from edge.types import Verdict

_MOST_BYTES = 4096
_PATIENCE_S = 5.0
"""A caller that says nothing for so long is hung up on."""

_VERDICT_S = 30.0
"""How long `?wait=1` waits: longer than any takt, shorter than a PLC's own patience."""

_IPV6 = 6


class Request(Strict):
    """The body, which may be left out: `{"part_id": "…"}`. Without a name the part is called by its time."""

    part_id: PlantId | None = None


@contextmanager
def listening(config: HttpTriggerConfig, triggers: Triggers, paused: Callable[[], bool]) -> Iterator[int]:
    """Take triggers until the end; yields the port.

    Raises:
        BadConfig: host and port cannot be listened at, or the token cannot be used.
    """
    token = read_token(config.token_file, config.token_credential, "source.http.token")
    family = AF_INET6 if ip_address(config.host).version == _IPV6 else AF_INET

    class Server(_Server):
        address_family = family

    class Handler(_Handler):
        desk = _Desk(triggers, paused, token.encode() if token else None)

    try:
        server = Server((config.host, config.port), Handler)
    except OSError as err:
        raise BadConfig(
            f"source.http: {config.host}:{config.port} cannot be listened at: {err.strerror}; choose another port."
        ) from None
    with served(server, "http trigger"):
        yield int(server.server_address[1])


class _Answer(Exception):
    """How a request ends."""

    def __init__(self, status: HTTPStatus, **words: str | None) -> None:
        super().__init__(status)
        self.status, self.words = status, words


class _Desk:
    """Takes triggers of all callers. paused: whether parts are left alone."""

    def __init__(self, triggers: Triggers, paused: Callable[[], bool], token: bytes | None) -> None:
        self._triggers, self._paused, self._token = triggers, paused, token

    def admit(self, authorization: str) -> None:
        """Refuse whoever does not know the token."""
        if self._token and not hmac.compare_digest(authorization.encode(), b"Bearer " + self._token):
            raise _Answer(HTTPStatus.UNAUTHORIZED, error="send Authorization: Bearer and the token that source.http names")

    def take(self, request: Request, mono_s: float, *, wait: bool) -> _Answer:
        """Offer the part to the line. mono_s: when the request came."""
        if self._paused():
            return _Answer(HTTPStatus.CONFLICT, error="the line is paused")
        now, result_id = utc_now(), uuid.uuid4().hex
        part_id = request.part_id or f"{now:%Y%m%dT%H%M%S.%f}"
        verdicts: SimpleQueue[Verdict | None] = SimpleQueue()
        match self._triggers.offer(Trigger(part_id, None, mono_s, now, result_id, verdicts.put if wait else None)):
            case Offered.BUSY:
                return _Answer(HTTPStatus.CONFLICT, error="busy: the part before still waits to be served")
            case Offered.ENDED:
                return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, error="the line has ended")
            case Offered.TAKEN:
                part = {"result_id": result_id, "part_id": part_id}
                return _verdict(verdicts, part) if wait else _Answer(HTTPStatus.ACCEPTED, **part)


def _verdict(verdicts: SimpleQueue[Verdict | None], part: dict[str, str]) -> _Answer:
    """Wait for it. part: what the answer calls it."""
    try:
        verdict = verdicts.get(timeout=_VERDICT_S)
    except Empty:
        return _Answer(HTTPStatus.GATEWAY_TIMEOUT, error="no verdict in time", **part)
    if verdict is None:
        return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, error="the line ended before the part was seen", **part)
    return _Answer(HTTPStatus.OK, **part, verdict=verdict.decision, reason=verdict.reason, detail=verdict.detail)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # whoever still waits for a verdict must not keep the process from ending

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's signature
        """A caller that goes away or stays silent is no fault of ours; anything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S
    desk: _Desk

    def do_POST(self) -> None:
        """One trigger."""
        came_s = time.monotonic()
        try:
            answer = self._take(came_s)
        except _Answer as early:
            answer = early
        self._send(answer)

    def do_GET(self) -> None:
        """Nothing to read here."""
        self._send(_Answer(HTTPStatus.METHOD_NOT_ALLOWED, error="send POST /trigger"))

    def _take(self, came_s: float) -> _Answer:
        # A page in somebody's browser must not move the line; browsers always say where a POST comes from.
        if self.headers.get("Origin"):
            raise _Answer(HTTPStatus.FORBIDDEN, error="not for browsers")
        self.desk.admit(self.headers.get("Authorization", ""))
        asked = urlsplit(self.path)
        if asked.path != "/trigger":
            raise _Answer(HTTPStatus.NOT_FOUND, error="send POST /trigger")
        wait = parse_qs(asked.query).get("wait", ["0"])[-1]
        if wait not in {"0", "1"}:
            raise _Answer(HTTPStatus.BAD_REQUEST, error="wait: is 0 or 1")
        return self.desk.take(self._body(), came_s, wait=wait == "1")

    def _body(self) -> Request:
        if self.headers.get("Transfer-Encoding"):
            raise _Answer(HTTPStatus.LENGTH_REQUIRED, error="send Content-Length")
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise _Answer(HTTPStatus.BAD_REQUEST, error="Content-Length: is not a number")
        if int(length) > _MOST_BYTES:
            raise _Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error=f"the body has more than {_MOST_BYTES} bytes")
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            raise _Answer(HTTPStatus.BAD_REQUEST, error="the body is shorter than Content-Length")
        try:
            return Request.model_validate_json(raw) if raw else Request()
        except ValidationError as err:
            first = err.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise _Answer(HTTPStatus.BAD_REQUEST, error=f"{where}: {first['msg']}") from None

    def _send(self, answer: _Answer) -> None:
        raw = json.dumps(answer.words).encode()
        # What is left of a body that was refused would be read as the next request.
        self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's signature
        """Requests do not fill the journal."""
