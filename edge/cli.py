"""goodpart run | once | check | doctor | status | schema | sign | recipe | teach: the device's side of the one command.

`calibrate`, `demo` and `export` join through the entry-point group "goodpart.commands" and are imported only when asked for.
"""

import faulthandler
import json
import logging
import os
import sys
import threading
from collections import Counter
from dataclasses import asdict
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.command.cli import sign
from edge.doctor.cli import doctor
from edge.errors import BadConfig, GoodpartError, Refuse
from edge.host.ending import end_if_abandoned
from edge.host.journal import say_error
from edge.recipe.cli import recipe as recipe_commands
from edge.teach.cli import teach

if TYPE_CHECKING:
    from edge.recipe.recipe import Recipe
    from edge.types import Decision, Verdict

EXIT_OK, EXIT_NOK, EXIT_REFUSED, EXIT_NOT_DECIDABLE, EXIT_WAITING, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130

COMMAND_GROUP = "goodpart.commands"


class Commands(click.Group):
    """The commands of this package, and by name those of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names; nothing is imported for that."""
        return sorted({*super().list_commands(ctx), *(e.name for e in entry_points(group=COMMAND_GROUP))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Ours, or one found by its entry point."""
        if own := super().get_command(ctx, cmd_name):
            return own
        for entry in entry_points(group=COMMAND_GROUP, name=cmd_name):
            command = entry.load()
            assert isinstance(command, click.Command)  # noqa: S101 - entry points of our own distribution
            return command
        return None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("goodpart"), prog_name="goodpart")
def goodpart() -> None:
    """Visual quality checks that learn from good parts.

    \b
    Training engineer   goodpart export      backbone  →  encoder
    Line engineer       goodpart calibrate   good parts  →  recipe
    Line device         goodpart run         camera  →  verdicts over MQTT

    Exit codes: 0 all went well (for `once`: OK), 1 NOK or results lost, 2 refused with one sentence why, 3 NOT_DECIDABLE,
    4 nothing lost but results wait in the outbox for the next start, 130 interrupted.
    """  # noqa: D301 - click wants the backspace character itself


@goodpart.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-v", "--verbose", is_flag=True, help="Also log connections and each verdict.")
def run(config: Path, verbose: bool) -> None:
    """Judge parts as the station file CONFIG says, until its source ends or the process is told to stop.

    \b
    A station file:
      station: {site: ulm, area: cells, line: line-1, station: el-camera}
      recipe: recipes/cell
      source: {kind: watch, path: incoming}    # or folder, video (path:), camera (device:)
      mqtt: {host: broker.example}             # results on goodpart/v1/ulm/cells/line-1/el-camera/result
      results: {path: results.jsonl}           # and as lines of JSON
      sparkplug: {group: Ulm, edge_node: line-1, device: el-camera}  # and as a Sparkplug B device
      home_assistant: {}                       # and found by Home Assistant
      page: {port: 8080}                       # and for the operator's browser, on http://localhost:8080
      shift_check: {samples: shift.json, at: ["06:00", "14:00", "22:00"]}
      commands: {allow: [ping, status]}        # heard on …/command; nothing else is allowed

    With `shift_check` no part is judged before the samples of `goodpart calibrate study samples` came out as they should.
    SIGUSR1 asks for another check, also after the line was blocked.
    """  # noqa: D301 - click wants the backspace character itself
    from edge.app.line import built
    from edge.config import load_config
    from edge.host.journal import start_logging
    from edge.host.signals import asked_by_signal, stop_on_signals

    station = load_config(config)
    start_logging(logging.INFO if verbose else logging.WARNING, "/".join(station.station.model_dump().values()))
    # Where a thread is when the watchdog ends the process goes to the journal.
    faulthandler.enable()
    stop = threading.Event()
    stop_on_signals(stop)
    with built(station, stop, asked_by_signal()) as line:
        tally = line.run()
    waiting, lost = sum(sink.waiting for sink in line.sinks), sum(sink.lost for sink in line.sinks)
    samples = f"; samples of the shift check, not counted: {_counts(line.samples)}" if line.samples else ""
    fate = f"{lost} lost, {waiting} waiting in the outbox"
    click.echo(f"judged {tally.total()}: {_counts(tally)}; {fate}{samples}", err=True)
    sys.exit(EXIT_NOK if lost else EXIT_WAITING if waiting else EXIT_OK)


@goodpart.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("-r", "--recipe", required=True, type=click.Path(path_type=Path), help="Recipe folder.")
@click.option(
    "-o",
    "--overlay",
    "target",
    type=click.Path(path_type=Path),
    help="Overlay picture  [default: IMAGE-overlay.png here]",
)
@click.option("--explain", is_flag=True, help="Write IMAGE-explained.png: each region beside the nearest good part.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def once(image: Path, recipe: Path, target: Path | None, explain: bool, as_json: bool) -> None:
    """Judge one picture, print its verdict and write a picture that shows where the defect is."""
    import cv2
    from threadpoolctl import threadpool_limits

    from edge.capture.sources import shoot_file
    from edge.loop import inspect
    from edge.recipe.recipe import open_recipe
    from edge.report.explain import explained
    from edge.report.overlay import overlay
    from edge.types import Decision, Frame

    threadpool_limits(1)  # as `run` does
    opened = open_recipe(recipe)
    opened.reproduce_golden()
    shot = shoot_file(image, 0)
    verdict = inspect(shot, opened)
    threshold = opened.manifest.threshold
    written: Path | None = None
    if isinstance(shot, Frame):
        written = target or Path(f"{image.stem}-overlay.png")
        _write_picture(written, cv2.imencode(".png", overlay(shot.pixels, verdict, threshold))[1].tobytes())
        pairs = explained(shot.pixels, verdict, opened) if explain else None
        if pairs is not None:
            _write_picture(Path(f"{image.stem}-explained.png"), cv2.imencode(".png", pairs)[1].tobytes())
    words = _as_json(image, verdict, opened, written) if as_json else _in_words(verdict, opened, written)
    click.echo(words)
    sys.exit({Decision.OK: EXIT_OK, Decision.NOK: EXIT_NOK}.get(verdict.decision, EXIT_NOT_DECIDABLE))


@goodpart.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(config: Path, as_json: bool) -> None:
    """Try everything CONFIG names before the shift: recipe and golden pictures, source, broker, files."""
    from edge.check import check_station

    findings = check_station(config)
    if as_json:
        click.echo(json.dumps([{"what": f.what, "ok": f.ok, "detail": f.detail} for f in findings]))
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<{width}}  {finding.detail}")
    sys.exit(EXIT_OK if all(f.ok for f in findings) else EXIT_REFUSED)


@goodpart.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(config: Path, as_json: bool) -> None:
    """Say how the station of CONFIG is: 0 healthy, 1 not.

    Its Prometheus endpoint is asked if it answers on this computer, else the broker, which keeps the last words of a station
    that is away. Healthy is a station that is online, tells its health in time, gets pictures, has lost no result, and whose
    counts add up.
    """
    from edge.config import load_config
    from edge.health.ask import ask_station, troubles
    from edge.health.words import as_json as to_json
    from edge.health.words import in_words
    from edge.host.clock import utc_now

    station = load_config(config)
    heard, now_utc = ask_station(station), utc_now()
    found = troubles(heard, now_utc)
    click.echo(to_json(heard, found) if as_json else in_words(station.station, heard, found, now_utc))
    sys.exit(EXIT_NOK if found else EXIT_OK)


@goodpart.command()
@click.argument("kind", required=False)
@click.option("--asyncapi", "as_asyncapi", is_flag=True, help="The whole interface as an AsyncAPI 3.0 document in YAML.")
@click.option(
    "--station",
    type=click.Path(path_type=Path),
    help="With --asyncapi: station file to take topics and broker from  [default: any station]",
)
@click.option("--exact", is_flag=True, help="Unknown keys are an error in what the device sends, too.")
def schema(kind: str | None, as_asyncapi: bool, station: Path | None, exact: bool) -> None:
    """Print the JSON Schema (2020-12) of the messages of one KIND, such as `result`, or of all.

    Keys may be added within a version of a message, so unknown ones are allowed in what the device sends.
    """
    from edge.schema.command import describe_interface, describe_messages

    if as_asyncapi and (kind or exact):
        raise BadConfig("--asyncapi: describes all kinds as they are sent; leave out KIND and --exact.")
    if station and not as_asyncapi:
        raise BadConfig("--station: belongs to --asyncapi; the messages of all stations are the same.")
    click.echo(describe_interface(station) if as_asyncapi else describe_messages(kind, exact=exact))


goodpart.add_command(sign)
goodpart.add_command(recipe_commands)
goodpart.add_command(doctor)
goodpart.add_command(teach)


def _in_words(verdict: "Verdict", recipe: "Recipe", written: Path | None) -> str:
    words = f"{verdict.decision}  {verdict.reason}"
    if verdict.score:
        words += f"  score {verdict.score.value:.3f}, threshold {recipe.manifest.threshold:.3f}"
    if verdict.detail:
        words += f"  ({verdict.detail})"
    for region in verdict.regions:
        good = recipe.good_patch(region.nearest)
        words += (
            f"\n  {region.width}×{region.height} pixels at ({region.x}, {region.y}), peak {region.peak:.2f}, nearest good "
            f"patch: row {good.row}, column {good.col} of {good.picture}"
        )
    return words + (f"\noverlay: {written}" if written else "")


def _as_json(image: Path, verdict: "Verdict", recipe: "Recipe", written: Path | None) -> str:
    return json.dumps(
        {
            "image": str(image),
            "verdict": verdict.decision,
            "reason": verdict.reason,
            "detail": verdict.detail,
            "score": verdict.score.value if verdict.score else None,
            "threshold": recipe.manifest.threshold,
            "regions": [
                asdict(region) | {"nearest": asdict(recipe.good_patch(region.nearest))} for region in verdict.regions
            ],
            "overlay": str(written) if written else None,
        }
    )


def _write_picture(path: Path, raw: bytes) -> None:
    try:
        path.write_bytes(raw)
    except OSError as err:
        raise Refuse(f"{path}: cannot be written: {err.strerror}; choose another place with --overlay.") from None


def _counts(tally: "Counter[Decision]") -> str:
    return ", ".join(f"{count} {decision}" for decision, count in sorted(tally.items())) or "nothing"


def main() -> None:
    """Run the command line; an error raised on purpose is one sentence and exit code 2, never a traceback."""
    try:
        _main()
    except SystemExit as ended:
        end_if_abandoned(ended.code)
        raise
    end_if_abandoned(EXIT_OK)


def _main() -> None:
    # OpenCV and FFmpeg write their own complaints to stderr; ours say the same with the file's name.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        goodpart(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as err:
        err.show()
        sys.exit(EXIT_REFUSED)
    except GoodpartError as err:
        say_error(str(err))
        sys.exit(EXIT_REFUSED)
    except BrokenPipeError:
        # The reader of our output has gone, as with `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_OK)


if __name__ == "__main__":
    main()
