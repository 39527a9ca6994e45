"""The operator's page of a line that a test feeds, in this process, and callers that are no browser."""

import http.client
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from edge.app.page import page_of
from edge.config import load_config
from edge.events import Events, Happening
from edge.loop import Line
from edge.page.rulings import Accepting
from edge.recipe.recipe import Recipe
from edge.report.message import Result, make_result
from edge.shift.card import SampleCard
from edge.types import Frame, Origin, Pixels, Reason, Unfit, Verdict
from tests.brokers import HOST, free_port
from tests.conftest import part_picture, station_file
from tests.lines import Quiet, checkup_of, line_of
from tests.results import STATION

TOKEN = "correct horse battery"  # noqa: S105 - of tests only


@dataclass
class Opened:
    """A page that answers."""

    port: int
    line: Line
    recipe: Recipe
    journal: Path
    heard: list[Happening] = field(default_factory=list)
    _seq: Iterator[int] = field(default_factory=itertools.count)

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def judge(
        self, verdict: Verdict, part_id: str = "part", pixels: Pixels | None = None, sample: SampleCard | None = None
    ) -> Result:
        """What the loop does with a shot once it is judged; without pixels, a shot that gave no picture."""
        seq, now = next(self._seq), datetime.now(UTC)
        shot = (
            Unfit(part_id, seq, 0.0, now, Reason.UNREADABLE, "damaged")
            if pixels is None
            else Frame(part_id, seq, 0.0, now, pixels)
        )
        found = make_result(
            *(shot, verdict, STATION, self.recipe, self.line.boot, 0.01, sample),
            origin=Origin.LIVE,
            clock_synced=True,
            latency_s=0.02,
        )
        for watcher in self.line.watchers:
            watcher.saw(shot, verdict, found)
        self.line.board.begin()
        self.line.board.told(verdict, 0.01, 0.02, pictured=pixels is not None, sample=sample is not None)
        return found

    def decisions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def ask(self, path: str, method: str = "GET", body: object = None, **headers: str) -> http.client.HTTPResponse:
        """One request and its answer, whose body is in `text`."""
        caller = http.client.HTTPConnection(HOST, self.port, timeout=30)
        raw = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        caller.request(method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = caller.getresponse()
        answer.text = answer.read().decode(errors="replace")  # type: ignore[attr-defined]
        caller.close()
        return answer

    def rule(self, result: Result, decision: str, who: str = "", **headers: str) -> http.client.HTTPResponse:
        """Press a button, as the page itself does."""
        headers = {"Origin": self.origin, **headers}
        return self.ask(f"/rejects/{result.result_id}", "POST", {"decision": decision, "who": who}, **headers)

    def told(self, wanted: str) -> Any:
        """The first event of a name that a new viewer is told."""
        caller = http.client.HTTPConnection(HOST, self.port, timeout=30)
        caller.request("GET", "/events")
        answer = caller.getresponse()
        assert answer.status == 200, answer.read()
        name = ""
        for line in answer:
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"data: ") and name == wanted:
                caller.close()
                answer.close()
                return json.loads(line[6:])
        raise AssertionError(f"no {wanted}")


@contextmanager
def page_open(
    folder: Path,
    recipe: Recipe,
    *,
    source: Quiet | None = None,
    accepting: Accepting | None = None,
    station: dict[str, object] | None = None,
    **page: object,
) -> Iterator[Opened]:
    """The page as the station file's `page:` asks for it; station: other keys of that file."""
    port = free_port()
    settings = {"port": port, **page}
    more = {"results": {"path": "results.jsonl"}, **(station or {}), "page": settings}
    config = load_config(station_file(folder, folder, {"kind": "folder", "path": "."}, **more))
    line = line_of(recipe, (), source)
    events, heard = Events(), list[Happening]()
    events.listen(heard.append)
    with page_of(config, line, checkup_of(line, folder), events, accepting):
        yield Opened(port, line, recipe, folder / "station.decisions.jsonl", heard)


def token_file(folder: Path, token: str = TOKEN) -> str:
    path = folder / "token"
    path.write_text(token + "\n")
    return str(path)


def some_pixels(seed: int = 0) -> np.ndarray:
    return part_picture(seed, defect=True)
