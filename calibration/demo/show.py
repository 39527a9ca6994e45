"""The demo's story: cells → recipe → device with broker and subscriber → table and contact sheet."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from calibration.build import Plan, build
from calibration.demo.broker import HOST, running_broker, subscribed
from calibration.demo.cells import DEFECT, Cells, prepare
from calibration.demo.sheet import contact_sheet
from calibration.evaluate.folders import GOOD
from calibration.goods import PART_PATTERN
from calibration.progress import steps
from calibration.rates import Rate
from edge.errors import BadConfig, BrokerLost
from edge.recipe.recipe import open_recipe
from edge.report.message import Result
from edge.report.topics import topic
from edge.report.wire import StationName
from edge.types import Decision

_GOODS, _TEST_GOODS, _TEST_DEFECTS = 240, 16, 16
_STATION = StationName(site="demo", area="cells", line="line-1", station="el-camera")
_STATION_FILE = "station.yaml"
_COLOURS = {Decision.OK: "green", Decision.NOK: "red", Decision.NOT_DECIDABLE: "yellow"}
_ARRIVAL_S = 5.0


def show(out: Path, seed: int) -> None:
    """Run the whole demo into the folder `out`.

    Raises:
        BadConfig: `out` is not a demo's folder, or cannot be written.
        BrokerLost: not every verdict reached the subscriber.
    """
    began = time.monotonic()
    console = Console(highlight=False)
    _may_use(out)
    console.rule("1  good parts become a recipe")
    console.print(f"{_GOODS} good solar cells, {_TEST_GOODS} good and {_TEST_DEFECTS} defective ones to judge, seed {seed}")
    cells = prepare(out, _GOODS, _TEST_GOODS, _TEST_DEFECTS, seed)
    with steps() as shown:
        plan = Plan(cells.goods, out / "recipe", "solar-cell", PART_PATTERN, seed=seed, force=True)
        console.print(build(plan, shown).promise.sentence())
    console.rule("2  the line device judges, the MES listens")
    results = _run_line(out, cells, console)
    console.rule("3  what it was worth")
    console.print(_table(results, cells))
    console.print(_summary(results, cells))
    sheet = out / "contact-sheet.png"
    contact_sheet(sheet, open_recipe(out / "recipe"), cells, results)
    console.print(f"contact sheet: {sheet.resolve()}", soft_wrap=True)
    example = f"{sys.argv[0]} once {cells.parts / results[0].part_id}.png -r {plan.out}"
    console.print(f"one part again, from the command line: {example}", soft_wrap=True)
    console.print(f"{time.monotonic() - began:.0f} s in all")


def _may_use(out: Path) -> None:
    if out.exists() and not (out.is_dir() and ((out / _STATION_FILE).exists() or not any(out.iterdir()))):
        raise BadConfig(f"--out: {out} holds something else; choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    # First of all, so that a demo that was interrupted may be started again.
    (out / _STATION_FILE).touch()


def _run_line(out: Path, cells: Cells, console: Console) -> list[Result]:
    """`goodpart run` in a process of its own; returns what the subscriber received."""
    received: list[Result] = []
    complete = threading.Event()

    def receive(payload: bytes) -> None:
        result = Result.model_validate_json(payload)
        received.append(result)
        score = f"{result.score:.2f}" if result.score is not None else "-"
        colour = _COLOURS[result.verdict]
        console.print(f"  seq {result.seq:>3}  {result.part_id}  [{colour}]{result.verdict:<4}[/]  score {score}")
        if len(received) == len(cells.truth):
            complete.set()

    result_topic = topic("goodpart", _STATION, "result")
    with running_broker() as port, subscribed(port, result_topic, receive):
        console.print(f"subscribed to {result_topic}")
        _write_station(out, port)
        device = subprocess.run([sys.executable, "-m", "edge.cli", "run", out / _STATION_FILE], check=False)  # noqa: S603
        complete.wait(_ARRIVAL_S)
    if device.returncode or len(received) != len(cells.truth):
        raise BrokerLost(
            f"{len(received)} of {len(cells.truth)} verdicts arrived; the device ended with {device.returncode}."
        )
    return received


def _write_station(out: Path, port: int) -> None:
    station = {
        "station": _STATION.model_dump(),
        "recipe": "recipe",
        "source": {"kind": "folder", "path": "parts"},
        # The demo's broker speaks MQTT 3.1.1 only; a plant's broker gets version 5, the default.
        # Without an outbox a demo that was interrupted leaves nothing for the next one.
        "mqtt": {"host": HOST, "port": port, "protocol": "3.1.1", "outbox": "none"},
        "results": {"path": "results.jsonl"},
        # Real cells, but of no production.
        "simulated": True,
    }
    (out / _STATION_FILE).write_text(yaml.safe_dump(station, sort_keys=False))


def _table(results: list[Result], cells: Cells) -> Table:
    table = Table("part", "truth", "verdict", "score", "threshold", "regions", "ms", title="verdicts by score")
    for column in table.columns[3:]:
        column.justify = "right"
    for r in sorted(results, key=lambda r: -(r.score or 0)):
        score = f"{r.score:.2f}" if r.score is not None else "-"
        verdict = f"[{_COLOURS[r.verdict]}]{r.verdict}[/]"
        table.add_row(
            r.part_id,
            cells.truth[r.part_id],
            verdict,
            score,
            f"{r.threshold:.2f}",
            f"{len(r.regions)}",
            f"{r.inspect_ms:.0f}",
        )
    return table


def _summary(results: list[Result], cells: Cells) -> str:
    def rate(truth: str, decision: Decision) -> str:
        group = [r for r in results if cells.truth[r.part_id] == truth]
        found = Rate.of(sum(r.verdict is decision for r in group), len(group))
        return f"{found.count} of {found.total} (95 % interval {found.low:.0%} to {found.high:.0%})" if found else "-"

    scored = [(cells.truth[r.part_id] == DEFECT, r.score) for r in results if r.score is not None]
    auroc = roc_auc_score([truth for truth, _ in scored], [score for _, score in scored])
    return (
        f"{len(results)} verdicts sent, {len(results)} received; image AUROC {auroc:.3f}; "
        f"false rejects {rate(GOOD, Decision.NOK)}; escapes {rate(DEFECT, Decision.OK)}"
    )
