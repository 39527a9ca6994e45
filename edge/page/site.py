"""What the page answers to which path."""

import asyncio
import json
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote

from pydantic import Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.errors import Refuse
from edge.page.guard import Guard, Sessions
from edge.page.journal import Ruling
from edge.page.pictures import Painter
from edge.page.rulings import Rulings
from edge.page.shelf import Shelf
from edge.page.stream import Desk
from edge.report.message import Result
from edge.strict import Strict

_ASSETS = Path(__file__).parent / "assets"
_MOST_BODY_BYTES = 4096
_JPEG, _STREAM = "image/jpeg", "text/event-stream"
_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Wish(Strict):
    """What a button asks for. who: as the operator calls himself."""

    decision: str = Field(pattern=f"^({'|'.join(Ruling)})$")
    who: str = Field(default="", max_length=40)


class Events(StreamingResponse):
    """A stream that counts as a viewer as long as it lasts."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.events(), media_type=_STREAM, headers={"X-Accel-Buffering": "no"})
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the browser or the page ends."""
        with self._desk.viewer():
            await super().__call__(scope, receive, send)


class Site:
    """The page of one station. viewers: at most so many may look at once."""

    def __init__(self, desk: Desk, shelf: Shelf, painter: Painter, rulings: Rulings, title: str, viewers: int) -> None:
        self._desk, self._shelf, self._painter, self._rulings = desk, shelf, painter, rulings
        self._title, self._most_viewers = title, viewers
        self._assets = {path.name: path.read_text() for path in _ASSETS.iterdir()}

    def application(self, names: tuple[str, ...], sessions: Sessions | None) -> ASGIApp:
        """Behind its guard. sessions: None where nobody is asked for a token."""
        routes = [
            Route("/", self._page),
            Route("/alive", self._alive),
            Route("/events", self._events),
            Route("/live.jpg", self._live),
            Route("/rejects/{result_id}.jpg", self._reject),
            Route("/rejects/{result_id}", self._rule, methods=["POST"]),
            *(Route(f"/{name}", partial(self._asset, name)) for name in _TYPES),
        ]
        if sessions:
            routes.append(Route("/login", partial(self._login, sessions), methods=["GET", "POST"]))
        return Guard(Starlette(routes=routes), names, sessions)

    async def _page(self, request: Request) -> Response:
        kind = "lamp" if "lamp" in request.query_params else "whole"
        # Levels of a topic hold no character that HTML treats in its own way.
        page = self._assets["page.html"].replace("{{title}}", self._title).replace("{{kind}}", kind)
        return Response(page, media_type="text/html")

    async def _asset(self, name: str, _request: Request) -> Response:
        return Response(self._assets[name], media_type=_TYPES[name])

    async def _alive(self, _request: Request) -> Response:
        return Response(status_code=204)

    async def _events(self, _request: Request) -> Response:
        if self._desk.viewers >= self._most_viewers:
            return PlainTextResponse(f"{self._most_viewers} look already; see page.viewers in the station file.\n", 503)
        return Events(self._desk)

    async def _live(self, _request: Request) -> Response:
        drawn = await self._painter.live()
        if drawn is None:
            return _picture(None)
        # A picture says whose it is: the lamp may be a part ahead of it.
        whose = {"X-Seq": str(drawn.result.seq), "X-Verdict": drawn.result.verdict, "X-Part": quote(drawn.result.part_id)}
        return _picture(drawn.jpeg, whose)

    async def _reject(self, request: Request) -> Response:
        result = self._find(request)
        return _picture(await self._painter.reject(result) if result else None)

    async def _rule(self, request: Request) -> Response:
        result = self._find(request)
        if result is None:
            return PlainTextResponse("This part is not in the gallery any more; nothing was done.", 404)
        body = await _body(request)
        try:
            wish = Wish.model_validate(json.loads(body))
        except (ValueError, ValidationError, RecursionError):
            return PlainTextResponse("This is no decision; reload the page.", 422)
        address = request.client.host if request.client else ""
        # In a thread: the disk may be slow, and whoever learns from accepted parts may need a second.
        try:
            said = await asyncio.to_thread(self._rulings.rule, result, Ruling(wish.decision), wish.who.strip(), address)
        except Refuse as err:
            return PlainTextResponse(str(err), 409)
        return PlainTextResponse(said)

    async def _login(self, sessions: Sessions, request: Request) -> Response:
        lamp = "?lamp" if "lamp" in request.query_params else ""
        if request.method == "GET":
            return self._ask_token("", lamp)
        if sessions.closed():
            return self._ask_token("Too many wrong tokens came; wait a minute.", lamp, 429)
        token = parse_qs((await _body(request)).decode(errors="replace")).get("token", [""])[0]
        if not sessions.opens(token.strip()):
            return self._ask_token("That is not the token.", lamp, 403)
        answer = RedirectResponse(f"/{lamp}", 303)
        sessions.begin(answer)
        return answer

    def _ask_token(self, trouble: str, lamp: str, status: int = 200) -> Response:
        page = self._assets["login.html"].replace("{{title}}", self._title).replace("{{trouble}}", trouble)
        return Response(page.replace("{{lamp}}", lamp), status, media_type="text/html")

    def _find(self, request: Request) -> Result | None:
        wanted = request.path_params["result_id"]
        return next((result for result in self._shelf.rejects() if result.result_id == wanted), None)


def _picture(jpeg: bytes | None, headers: dict[str, str] | None = None) -> Response:
    # Not 404: a part without a picture is no fault, and browsers would write one into their console.
    return Response(jpeg, headers=headers, media_type=_JPEG) if jpeg else Response(status_code=204)


async def _body(request: Request) -> bytes:
    """Of a request, if it is small; else nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            return b""
    return bytes(body)
