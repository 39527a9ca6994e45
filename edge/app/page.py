"""The operator's page, as the station file asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from edge.config import StationConfig
from edge.errors import BadConfig, NotTaught
from edge.events import Events
from edge.health.checkup import Checkup
from edge.host.files import hindrance
from edge.host.secrets import read_token
from edge.loop import Line
from edge.page.config import PageConfig
from edge.page.journal import Journal
from edge.page.rulings import Accepting, Rulings
from edge.page.shelf import Shelf
from edge.teach.teacher import Teacher

if TYPE_CHECKING:
    from edge.page.guard import Sessions

_SOMEBODY = "somebody at the page"


@dataclass(frozen=True, slots=True)
class Learning:
    """Parts that are accepted on the page are taught."""

    teacher: Teacher

    def accept(self, result_id: str, who: str) -> str:
        """As the teacher does."""
        try:
            return _as_sentence(self.teacher.accept(result_id, who or _SOMEBODY, "accepted on the operator's page"))
        except NotTaught as err:
            raise NotTaught(f"Not taught: {err}") from None

    def undo(self, result_id: str, who: str) -> str:
        """As the teacher does."""
        try:
            return _as_sentence(self.teacher.undo(who or _SOMEBODY, "taken back on the operator's page", result_id))
        except NotTaught as err:
            raise NotTaught(f"Not taken back: {err}") from None


def _as_sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


@contextmanager
def page_of(
    config: StationConfig, line: Line, checkup: Checkup, events: Events, accepting: Accepting | None = None
) -> Iterator[None]:
    """Show the line to browsers until the end, if the station file wants it. accepting: who learns from accepted parts.

    Raises:
        BadConfig: the extra is not installed, or token, journal or port cannot be used.
    """
    if (page := config.page) is None:
        yield
        return
    sessions = make_sessions(page)
    from edge.page.news import News  # noqa: PLC0415 - only a station that wants a page needs the extra
    from edge.page.pictures import Painter  # noqa: PLC0415
    from edge.page.server import listen, serving  # noqa: PLC0415
    from edge.page.site import Site  # noqa: PLC0415
    from edge.page.stream import Desk  # noqa: PLC0415

    drawn = config.evidence if config.evidence and config.evidence.overlay else None
    shelf = Shelf(drawn.keep if drawn else ())
    journal = Journal(Path(str(page.decisions)))
    try:
        rulings = Rulings(journal, events, accepting)
        desk = Desk(News(line, shelf, checkup, rulings, page.silent_s), shelf, rulings)
        painter = Painter(shelf, Path(drawn.folder) if drawn else None)
        site = Site(desk, shelf, painter, rulings, line.station.station, page.viewers)
        listener = listen(page.host, page.port, ipv6=isinstance(page.address, IPv6Address))
        line.watchers.append(shelf)
        with serving(site.application(page.names, sessions), listener, page.viewers, desk.end):
            yield
    finally:
        journal.close()


def try_page(config: PageConfig) -> str:
    """Who may look, and where; the port is left alone, since the station may be running.

    Raises:
        BadConfig: as `page_of`, but for the port.
    """
    asked = "a token is asked for" if make_sessions(config) else "no token is asked for"
    # Only looked at: a file that root would make here is not the service's.
    if why := hindrance(Path(str(config.decisions))):
        raise BadConfig(f"page.decisions: {config.decisions} cannot be written: {why}; choose another file.")
    host = f"[{config.host}]" if isinstance(config.address, IPv6Address) else config.host
    return f"http://{host}:{config.port}, {asked}, at most {config.viewers} look at once"


def make_sessions(config: PageConfig) -> "Sessions | None":
    """Who has shown the token; None where none is asked for.

    Raises:
        BadConfig: the extra is not installed, or the token cannot be used.
    """
    for package in ("starlette", "uvicorn"):
        try:
            import_module(package)
        except ModuleNotFoundError:
            raise BadConfig(
                f"page: the package {package} is not there; pip install 'goodpart[page]', or remove the key."
            ) from None
    from edge.page.guard import Sessions  # noqa: PLC0415 - only a station that wants a page needs the extra

    token = read_token(config.token_file, config.token_credential, "page.token")
    return Sessions(token, config.port) if token is not None else None
