"""Who may look and press buttons: Host against DNS rebinding, Origin against forged requests, a token for all else."""

import asyncio
import hashlib
import hmac
import socket
import time
from collections import deque
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SESSION_S = 90 * 24 * 3600
"""A screen on the wall must not go dark in the night shift."""

_TRIES, _TRIES_S = 10, 60.0
"""Wrong tokens in so many seconds, of all callers together; then nobody is asked for a while."""

_OPEN = frozenset({"/login", "/page.css", "/page.js", "/icon.svg"})
"""Paths that show nothing of the station."""

_ENDS = "The station is being stopped; look later whether this was done.\n"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, browsers hide the origin of a form from us, too
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Sessions:
    """Who has shown the token. A cookie is the time of the login and a seal on it (HMAC-SHA-256 with the token).

    So it holds through a restart of the device, and ends when the token is changed.
    """

    def __init__(self, token: str, port: int, wall_s: Callable[[], float] = time.time) -> None:
        self._token, self._wall_s = token.encode(), wall_s
        self._wrong: deque[float] = deque(maxlen=_TRIES)
        # Browsers do not keep the cookies of two ports of one computer apart.
        self.cookie = f"goodpart-{port}"

    def closed(self) -> bool:
        """Whether too many wrong tokens came lately."""
        return len(self._wrong) == _TRIES and time.monotonic() - self._wrong[0] < _TRIES_S

    def opens(self, token: str) -> bool:
        """Whether it is the token."""
        right = hmac.compare_digest(hashlib.sha256(token.encode()).digest(), hashlib.sha256(self._token).digest())
        if not right:
            self._wrong.append(time.monotonic())
        return right

    def begin(self, answer: Response) -> None:
        """Let whoever gets this answer in from now on."""
        since = str(int(self._wall_s()))
        value = f"{since}.{self._seal(since)}"
        answer.set_cookie(self.cookie, value, max_age=_SESSION_S, httponly=True, samesite="strict")

    def knows(self, headers: Headers) -> bool:
        """Whether a request comes from somebody who was let in."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        since, _, seal = morsel.value.partition(".") if morsel else ("", "", "")
        if not (since.isascii() and since.isdigit() and hmac.compare_digest(seal.encode(), self._seal(since).encode())):
            return False
        # The clock of a device may start years ago and be set later; only what is too old is refused.
        return self._wall_s() - int(since) < _SESSION_S

    def _seal(self, since: str) -> str:
        return hmac.new(self._token, f"goodpart page {self.cookie} {since}".encode(), hashlib.sha256).hexdigest()


class Guard:
    """Stands before the page and adds the headers that keep a browser from doing more than the page needs.

    names: by which browsers may call this computer, besides its addresses, `localhost` and its own name. An address cannot
    be rebound: a page of another site never has it as its origin.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], sessions: Sessions | None) -> None:
        own = socket.gethostname().lower()
        self._app, self._sessions = app, sessions
        self._names = {"localhost", own, f"{own}.local", *names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refusal(scope) or self._app
        try:
            await answer(scope, receive, send_guarded)
        except asyncio.CancelledError:
            # The page ends, and waits neither for the disk nor for a part that is being taught.
            if not begun:
                await PlainTextResponse(_ENDS, 503)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This name is not known here; add it to page.names in the station file.\n", 421)
        if scope["method"] not in {"GET", "HEAD"} and not _from_this_page(headers, host):
            return PlainTextResponse("Only this page itself may do that.\n", 403)
        if self._sessions is None or scope["path"] in _OPEN or self._sessions.knows(headers):
            return None
        if scope["path"] == "/":
            lamp = b"lamp" in scope["query_string"]
            return RedirectResponse("/login?lamp" if lamp else "/login", 303)
        return PlainTextResponse("Log in first.\n", 401)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _from_this_page(headers: Headers, host: str) -> bool:
    """Browsers say with every POST where its page is from (Origin, RFC 6454); the scheme may differ behind a proxy."""
    try:
        return urlsplit(headers.get("origin", "")).netloc == host
    except ValueError:
        return False
