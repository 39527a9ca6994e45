"""The fastest quantised form whose verdicts can be trusted, or FP32 with the reason in words."""

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.inspect.card import QuantisationCard
from edge.types import Pixels
from export.parity import latency_ratio, open_session
from export.profiles import Profile, this_machine
from export.quantize import METHODS, Calibrated, Method, Settings, quantize
from export.sensitivity import Probe, encoder, leading, worst_first
from export.task import Task, TaskChange, halves

CALIBRATION: dict[Method, int] = {"minmax": 64, "percentile": 24, "entropy": 24}
"""Good pictures for the ranges, at most. Histograms cost ten times what extremes do."""

WORST = (1, 2, 4)
"""How many of the most spoiled groups of layers are spared; up to eleven candidates in all with this."""

ROUNDS = 40
"""Pairs of runs whose median ratio is the latency."""

NOISE = 0.05
"""Ratios that lie closer are the same: then the candidate that changes distances least is taken."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a candidate may change at most; not a number breaks a promise.

    flips: share of verdicts. auroc_drop: AUROC lost, only asked with defects. distance_p99: 99 % quantile of the relative
    change of patch distances. The last one speaks where pictures are few: no flip among 20 says little, and a bank learned
    from wrong features still judges by them, but thousands of patch distances tell. Measured with EfficientNet-Lite0 on
    solar cells and magnetic tiles: 0.05 with the layers at the input in FP32 and 0 to 1.7 % of verdicts flipped; 0.14 and
    0.19 with all layers in INT8 and 2.8 and 3.4 % flipped.
    """

    flips: float = 0.005
    auroc_drop: float = 0.005
    distance_p99: float = 0.1

    def broken_by(self, change: TaskChange) -> str | None:
        """Why a change breaks the promise, in words; None if it does not."""
        if not change.flips <= self.flips:
            flipped, judged = change.flipped_goods + change.flipped_defects, change.goods + change.defects
            return f"{flipped} of {judged} verdicts flip, {change.flips:.1%} where {self.flips:.1%} are promised"
        if change.auroc_drop is not None and not change.auroc_drop <= self.auroc_drop:
            return f"AUROC falls by {change.auroc_drop:.4f} where {self.auroc_drop:.4f} is promised"
        if not change.distance_p99 <= self.distance_p99:
            return f"patch distances change by up to {change.distance_p99:.0%} where {self.distance_p99:.0%} is promised"
        return None

    def options_to_keep(self, change: TaskChange) -> str:
        """The command's options with which a change would keep the promise; empty if none would do."""
        if not change.distance_p99 <= self.distance_p99:
            return ""
        wider = [("--max-flips", change.flips, self.flips)]
        if change.auroc_drop is not None:
            wider.append(("--max-auroc-drop", change.auroc_drop, self.auroc_drop))
        if any(math.isnan(found) for _, found, _ in wider):
            return ""
        # Rounded up, so that the number works as it stands.
        return " ".join(f"{option} {math.ceil(found * 1e4) / 1e4:g}" for option, found, limit in wider if found > limit)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One quantised form and what was measured. latency_ratio: its time over FP32's on this machine, one thread.

    quantisation: for the card; None for FP16.
    """

    settings: Settings
    change: TaskChange
    latency_ratio: float
    onnx_bytes: int
    quantisation: QuantisationCard | None


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome. chosen: None where FP32 was written; tried: in order of trial; reason: one sentence for people."""

    chosen: Candidate | None
    tried: tuple[Candidate, ...]
    reason: str


def search(
    fp32: Path,
    out: Path,
    pictures: Sequence[Pixels],
    defects: Sequence[Pixels],
    profile: Profile,
    promise: Promise,
    *,
    seed: int,
    tell: Callable[[str], None],
    machine: Profile | None = None,
) -> Found:
    """Write the fastest form that keeps the promise, or FP32.

    Ranges come from pictures of the bank, verdicts from pictures that are in neither.

    Args:
        fp32: the graph, input `image` 1×H×W×3 uint8, output `patches` 1×P×d.
        out: where to write.
        pictures: good pictures, at least 40, each H×W×3 uint8 BGR of the graph's size.
        defects: pictures of defects, or none.
        profile: the device's.
        promise: what may change.
        seed: of bank and held-out pictures; the same seed tries the same candidates.
        tell: hears what is being done and what came out of it.
        machine: what this machine is; None to look. Its time says nothing about a device of another kind, so for one the
            form with the fewest spared layers is taken instead of the fastest.

    Raises:
        TooFewGoods: fewer than 40 good pictures.
    """
    foreign = profile.precision == "int8" and profile != (machine or this_machine())
    if foreign:
        tell(
            f"this machine is none for {profile.name}: times and saturation are its own, so prove the encoder on the device"
        )
    with tempfile.TemporaryDirectory() as scratch:
        trials = _Trials(fp32, Path(scratch), pictures, defects, profile, promise, seed, tell)
        tried = tuple(trials.run())
        chosen = fastest(tried, promise, foreign)
        shutil.copyfile(fp32 if chosen is None else trials.file_of(chosen.settings), out)
    return Found(chosen, tried, _reason(chosen, tried, promise))


class _Trials:
    """Makes and measures candidates, one file each."""

    def __init__(
        self,
        fp32: Path,
        scratch: Path,
        goods: Sequence[Pixels],
        defects: Sequence[Pixels],
        profile: Profile,
        promise: Promise,
        seed: int,
        tell: Callable[[str], None],
    ) -> None:
        banked, _ = halves(len(goods), seed)
        self._fp32, self._scratch, self._profile, self._promise, self._tell = fp32, scratch, profile, promise, tell
        self._calibration = [goods[i] for i in banked]
        self._session = open_session(fp32)
        self._files: dict[Settings, Path] = {}
        tell(f"judging FP32 on {len(goods)} good pictures and {len(defects)} defects")
        self._task = Task(encoder(fp32), goods, defects, seed)

    def run(self) -> Iterator[Candidate]:
        """All candidates, the quick ones first."""
        match self._profile.precision:
            case "fp32":
                return
            case "fp16":
                yield self._measure(Settings(self._profile), None)
            case "int8":
                yield from self._integers()

    def file_of(self, settings: Settings) -> Path:
        """Where a candidate was written."""
        return self._files[settings]

    def _integers(self) -> Iterator[Candidate]:
        minmax = self._calibrate("minmax")
        probe = Probe(self._fp32, self._calibration)
        yield self._measure(Settings(self._profile), minmax)
        self._tell("looking for the layers at the input that INT8 spoils")
        first = leading(minmax, self._profile, probe)
        ranges = {method: minmax if method == "minmax" else self._calibrate(method) for method in METHODS}
        by_method = [self._measure(Settings(self._profile, method, first), ranges[method]) for method in METHODS]
        yield from by_method
        best = min(by_method, key=lambda candidate: (candidate.change.flips, candidate.change.distance_median))
        method = best.settings.calibration
        self._tell("quantising one group of layers at a time")
        order = worst_first(ranges[method], self._profile, probe)
        # Sparing more than the layers at the input is for the case that sparing those was not enough.
        starts = [first, ()] if self._promise.broken_by(best.change) else [()]
        for start in starts:
            for count in WORST:
                excluded = _spare(ranges[method], start, order, count)
                settings = Settings(self._profile, method, excluded)
                if settings not in self._files:
                    yield self._measure(settings, ranges[method])

    def _calibrate(self, method: Method) -> Calibrated:
        pictures = self._calibration[: CALIBRATION[method]]
        self._tell(f"ranges by {method} from {len(pictures)} pictures")
        return Calibrated(self._fp32, pictures, method)

    def _measure(self, settings: Settings, calibrated: Calibrated | None) -> Candidate:
        """Write and judge one form. Measuring the same settings twice gives the same file."""
        path = self._files.setdefault(settings, self._scratch / f"{len(self._files)}.onnx")
        if calibrated is None:
            card = quantize(self._fp32, path, [], settings)
        else:
            card = calibrated.write(path, settings.profile, settings.excluded)
        change = self._task.judge(encoder(path))
        ratio = latency_ratio(self._session, open_session(path), self._calibration[0], ROUNDS)
        self._tell(
            f"{_in_words(settings)}: {self._promise.broken_by(change) or 'keeps the promise'}; {ratio:.2f} of FP32's time"
        )
        return Candidate(settings, change, ratio, path.stat().st_size, card)


def _spare(calibrated: Calibrated, start: Sequence[str], order: Sequence[Sequence[str]], count: int) -> tuple[str, ...]:
    """The names in `start` and those of the `count` worst groups with layers beyond it, in the order of the graph."""
    beyond = [group for group in order if not set(group) <= set(start)][:count]
    spared = set(start).union(*beyond)
    return tuple(layer.name for layer in calibrated.layers if layer.name in spared)


def fastest(tried: Sequence[Candidate], promise: Promise, foreign: bool) -> Candidate | None:
    """The candidate to take, None for FP32. foreign: time on this machine says nothing about the device's."""
    kept = [candidate for candidate in tried if promise.broken_by(candidate.change) is None]
    if foreign:
        return min(kept, key=lambda c: (len(c.settings.excluded), c.change.distance_median), default=None)
    faster = [
        candidate for candidate in kept if candidate.latency_ratio < 1 or candidate.settings.profile.precision == "fp16"
    ]
    shortest = min((candidate.latency_ratio for candidate in faster), default=0.0)
    level = [candidate for candidate in faster if candidate.latency_ratio <= shortest + NOISE]
    return min(level, key=lambda candidate: candidate.change.distance_median, default=None)


def _reason(chosen: Candidate | None, tried: Sequence[Candidate], promise: Promise) -> str:
    if chosen:
        change = chosen.change
        judged = change.goods + change.defects
        words = (
            f"{_in_words(chosen.settings)}: {change.flipped_goods + change.flipped_defects} of {judged} verdicts flip, "
            f"{chosen.latency_ratio:.2f} of FP32's time here"
        )
        # Rule of three (Hanley & Lippman-Hand 1983).
        few = f"; so few pictures cannot show a rate below {3 / judged:.1%}" if 3 / judged > promise.flips else ""
        return f"{words}{few}."
    if not tried:
        return "FP32, as the profile says."
    broken = [(candidate, why) for candidate in tried if (why := promise.broken_by(candidate.change))]
    if len(broken) < len(tried):
        return "FP32: what keeps the promise is not faster than FP32 on this machine."
    nearest, why = min(broken, key=lambda pair: (pair[0].change.flips, pair[0].change.distance_median))
    options = promise.options_to_keep(nearest.change)
    mend = f"{options} would take it" if options else "no option loosens that, export without --search asks no verdicts"
    return (
        f"FP32: none of {len(tried)} candidates keeps the promise; with the nearest ({_in_words(nearest.settings)}) {why}; "
        f"{mend}."
    )


def _in_words(settings: Settings) -> str:
    if settings.profile.precision != "int8":
        return settings.profile.precision.upper()
    spared = f"{len(settings.excluded)} layers in FP32" if settings.excluded else "all layers"
    return f"INT8 by {settings.calibration}, {spared}"
