"""What a line is doing now, in the one sentence that `systemctl status` shows."""

from edge.capture.sources import LiveSource
from edge.loop import Line
from edge.report.books import Linked
from edge.types import Decision


def standing(line: Line) -> str:
    """Paused, or what is wrong with the camera first, then what was judged, then who waits."""
    parts = [_doing(line), _judged(line)]
    away = (sink for sink in line.sinks if isinstance(sink, Linked) and not sink.link().connected)
    parts += [f"waits for the broker, {sink.waiting:,} results in the outbox" for sink in away]
    if lost := sum(sink.lost for sink in line.sinks):
        parts.append(f"{lost:,} results lost")
    return "; ".join(part for part in parts if part)


def _doing(line: Line) -> str:
    if line.controls.paused:
        return "paused by a command"
    if not isinstance(line.source, LiveSource):
        return "judging"
    feed = line.source.feed()
    if not feed.up:
        return "no pictures: the source is lost, tried again for ever" if feed.losses else "waits for the first picture"
    return f"judges no part, {feed.fault.reason}: {feed.fault.detail}" if feed.fault else "judging"


def _judged(line: Line) -> str:
    tally = line.board.tally()
    counts = dict.fromkeys(Decision, 0)
    for (decision, _), count in tally.parts.items():
        counts[decision] += count
    words = [f"{count:,} {decision}" for decision, count in counts.items() if count]
    samples = sum(tally.samples.values())
    return ", ".join(words or ["no part yet"]) + (f", {samples:,} samples" if samples else "")
