"""goodpart calibrate collect."""

import json
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.collect.session import Session
    from edge.capture.config import SourceConfig

KEY, AUTO = "key", "auto"


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-o", "--out", "good_dir", required=True, type=click.Path(path_type=Path), help="Folder of goods to fill.")
@click.option(
    "--trigger",
    type=click.Choice([KEY, AUTO]),
    help="A key takes the camera's newest picture, or every shot of the source is taken  [default: key for a camera on a "
    "terminal, else auto]",
)
@click.option("--part", metavar="NAME", help="All pictures show this one part  [default: parts are numbered]")
@click.option("--prefix", metavar="TEXT", help="Numbered parts are TEXT0001 and so on  [default: part-]")
@click.option(
    "--pictures-per-part",
    type=click.IntRange(1),
    help="The next part begins by itself after so many pictures  [default: 1 with auto; with keys, when you press n]",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N parts of this session.")
@page_option
@as_json_option
def collect(
    config: Path,
    good_dir: Path,
    trigger: str | None,
    part: str | None,
    prefix: str | None,
    pictures_per_part: int | None,
    count: int | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Take pictures of good parts with the source that the station file CONFIG names.

    CONFIG is the file that `goodpart run` will use; it needs no recipe, mqtt or results yet.

    \b
    Keys, with a camera:
      Enter, Space   take the newest picture: another one of the present part
      n              the next part; with --pictures-per-part 1 each picture is a part of its own
      u              take the last picture back (it is moved to discarded/)
      q, Ctrl-C      end, with a summary and a page

    Pictures are PART__1.png, PART__2.png, which `goodpart calibrate build` keeps together, each with its numbers in a .json
    beside it. Nothing is overwritten: numbers go on after the highest. A picture that shows no part (unreadable, one flat
    tone, or the very bytes of one that is there) is never stored; every other oddity is a hint only.

    \b
    Example:
      goodpart calibrate collect station.yaml -o good --pictures-per-part 1
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.collect.session import Order, Session
    from calibration.collect.sidecar import source_name
    from calibration.collect.store import filled
    from calibration.collect.words import summary
    from edge.config import load_capture_config
    from edge.errors import BadConfig

    station = load_capture_config(config)
    chosen = _trigger(trigger, station.source)
    if part and prefix:
        raise BadConfig("--part names one part for the whole session; leave out --prefix.")
    if chosen == AUTO and part is None:
        pictures_per_part = pictures_per_part or 1
    _apart(good_dir, station.source)
    order = Order(prefix or "part-", part, pictures_per_part, count)
    with filled(good_dir) as folder:
        session = Session(folder, order, station.station, source_name(station.source), version("goodpart"))
        _run(session, station.source, chosen)
        target = page_path(page, "collect", good_dir) if session.taken else None
        if target:
            _write(session, target)
    click.echo(_as_json(session, target) if as_json else summary(session, target))


def _trigger(asked: str | None, source: "SourceConfig") -> str:
    """The trigger to use, refused where it cannot work."""
    from edge.capture.config import LiveConfig
    from edge.errors import BadConfig

    live = isinstance(source, LiveConfig)
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if asked == KEY and not live:
        raise BadConfig(f"--trigger key: takes the newest picture of a camera, and source.kind is {source.kind}; use auto.")
    if asked == KEY and not terminal:
        raise BadConfig("--trigger key: needs a terminal for the keys and the hints; use --trigger auto without one.")
    return asked or (KEY if live and terminal else AUTO)


def _apart(good_dir: Path, source: "SourceConfig") -> None:
    """What is taken must not come back as a shot."""
    from edge.capture.config import LiveConfig
    from edge.errors import BadConfig

    if not isinstance(source, LiveConfig) and Path(source.path).resolve() == good_dir.resolve():
        raise BadConfig(f"-o: {good_dir} is the folder that source.path takes pictures from; choose another one.")


def _run(session: "Session", source: "SourceConfig", trigger: str) -> None:
    """Take pictures until the session ends, in whatever way."""
    from calibration.collect.keys import TerminalKeys
    from calibration.collect.live import LiveCamera
    from calibration.collect.screen import terminal
    from calibration.collect.triggers import ByKey, by_source
    from edge.app.sources import free_running, make_camera, make_source
    from edge.capture.camera import NewestFrame
    from edge.capture.config import LiveConfig
    from edge.capture.triggers import Triggers
    from edge.host.signals import stop_on_signals

    stop = threading.Event()
    stop_on_signals(stop)
    if trigger == KEY and isinstance(source, LiveConfig):
        frames = NewestFrame(make_camera(source), stop)
        try:
            with TerminalKeys() as keys, terminal() as screen:
                ByKey(session, LiveCamera(frames, source.timeout_s), keys, screen, stop).run()
        finally:
            stop.set()
            frames.join()
    else:
        shots = make_source(free_running(source), stop, Triggers())
        with terminal() as screen:
            by_source(session, shots, screen, stop)


def _write(session: "Session", target: Path) -> None:
    from calibration.collect.page import collect_page
    from calibration.page.render import write_page
    from calibration.progress import steps

    with steps() as shown:
        write_page(collect_page(session, shown), target)


def _as_json(session: "Session", page: Path | None) -> str:
    look = session.outlook
    return json.dumps(
        {
            "good_dir": str(session.folder.path),
            "pictures": [each.name for each in session.taken],
            "parts": session.parts,
            "discarded": session.discarded,
            "not_taken": session.not_taken,
            "hints": session.hint_counts(),
            "parts_in_folder": look.parts,
            "pictures_in_folder": session.folder.parts.total(),
            "parts_needed": look.needed,
            "could_promise": look.could,
            "page": str(page) if page else None,
        }
    )
