"""The certificate: torch, ONNX and the shipped file side by side, for the card and in words."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from edge.inspect.card import EncoderCard, LatencyCard, ParityCard, TaskCard
from edge.types import Pixels
from export.design import Design
from export.parity import Agreement, Features, reference
from export.pictures import Chosen
from export.sensitivity import encoder
from export.task import FEWEST_GOODS, Task
from export.vectors import Reference, Vectors, sample_rows

CERTIFICATE_FILE = "certificate.txt"

REFERENCES = 2
"""Pictures kept as reference vectors: all layers take part in one already."""

_ROUNDS = 15


def parity_card(found: Agreement) -> ParityCard:
    """An agreement as the card has it."""
    return ParityCard(
        pictures=found.pictures,
        max_abs=found.max_abs,
        cosine=found.cosine,
        embedding_max_abs=found.embedding_max_abs,
        embedding_cosine=found.embedding_cosine,
    )


def judge_task(design: Design, model: Path, chosen: Chosen, seed: int) -> TaskCard | None:
    """What the file changes in verdicts against torch; None with fewer than 40 good pictures."""
    if len(chosen.goods) < FEWEST_GOODS:
        return None
    task = Task(lambda picture: reference(design, picture).patches, chosen.goods, chosen.defects, seed)
    change = task.judge(encoder(model))
    return TaskCard(
        goods=change.goods,
        defects=change.defects,
        distance_median=change.distance_median,
        distance_p99=change.distance_p99,
        spearman=change.spearman,
        flipped=change.flipped_goods + change.flipped_defects,
        auroc_torch=change.auroc_reference,
        auroc_here=change.auroc_candidate,
    )


def latencies(design: Design, fp32: ort.InferenceSession, shipped: ort.InferenceSession, picture: Pixels) -> LatencyCard:
    """Median ratios to ONNX FP32, all three run in turns so that a busy machine slows them alike."""
    runs: tuple[Callable[[], object], ...] = (
        lambda: fp32.run(None, {"image": picture[None]}),
        lambda: shipped.run(None, {"image": picture[None]}),
        lambda: reference(design, picture),
    )
    rounds = np.array([[_seconds(run) for run in runs] for _ in range(_ROUNDS + 1)])[1:]  # the first round allocates
    _, shipped_ratio, torch_ratio = np.median(rounds / rounds[:, :1], axis=0)
    return LatencyCard(cpu=_cpu(), torch=float(torch_ratio), shipped=float(shipped_ratio))


def keep_references(
    session: ort.InferenceSession, pictures: Sequence[Pixels], features: Sequence[Features]
) -> tuple[Reference, ...]:
    """The first pictures with what torch and the shipped file make of them."""
    kept = []
    for picture, wanted in list(zip(pictures, features, strict=True))[:REFERENCES]:
        patches, embedding = session.run(["patches", "embedding"], {"image": picture[None]})
        rows = sample_rows(len(wanted.patches))
        kept.append(
            Reference(picture, Vectors(wanted.patches[rows], wanted.embedding), Vectors(patches[0][rows], embedding[0]))
        )
    return tuple(kept)


def certificate_in_words(card: EncoderCard) -> str:
    """What the card proves, for people."""
    proof = card.certificate
    time_of = proof.latency
    lines = [
        f"{card.name}: {card.source}",
        f"weights sha256 {card.weights_sha256}",
        f"numbers   {proof.reason} Profile {card.profile}.",
        f"          FP32 {proof.fp32_bytes / 1e6:.2f} MB, this file {card.onnx_bytes / 1e6:.2f} MB",
        _parity_line("ONNX FP32", proof.fp32),
        _parity_line("this file", proof.shipped),
        *_task_lines(proof.task),
        f"time      {time_of.shipped:.2f} of ONNX FP32, torch {time_of.torch:.2f}; one thread, {time_of.cpu}",
        f"made      {card.made_utc:%Y-%m-%d}, " + ", ".join(f"{name} {version}" for name, version in card.made_with.items()),
    ]
    return "\n".join(lines) + "\n"


def _parity_line(name: str, found: ParityCard) -> str:
    return (
        f"{name} against torch on {found.pictures} pictures: patches differ by {found.max_abs:.2g} at most, lowest cosine "
        f"{found.cosine:.5f}; embedding {found.embedding_max_abs:.2g}, {found.embedding_cosine:.5f}"
    )


def _task_lines(task: TaskCard | None) -> list[str]:
    if task is None:
        return [f"verdicts  not compared: that takes {FEWEST_GOODS} good pictures"]
    judged = task.goods + task.defects
    lines = [
        f"verdicts  {task.flipped} of {judged} differ from torch's; rank correlation of scores {task.spearman:.4f}",
        f"          patch distances change by {task.distance_median:.2%} in the median, {task.distance_p99:.2%} at 99 %",
    ]
    if task.auroc_torch is not None and task.auroc_here is not None:
        lines.append(f"          AUROC {task.auroc_here:.4f}, torch {task.auroc_torch:.4f}, on {task.defects} defects")
    return lines


def _seconds(run: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    run()
    return time.perf_counter() - began_s


def _cpu() -> str:
    """The CPU's name as Linux has it."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown CPU"
