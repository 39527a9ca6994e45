"""From a source to the graph of its tapped layers: trace, choose, cut, and doubt what the checkpoint left open."""

import difflib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch
from torch import fx

from edge.errors import BadSource, BadTaps, BadWeights
from export.places import check_places
from export.sources.preparation import not_twice
from export.sources.source import Source
from export.stages import HEADS, Layers, Stage
from export.tracing import check_multiple, trace

MOST_NAMED = 8
"""So many names of layers or keys fit a sentence."""


@dataclass(frozen=True, slots=True)
class Design:
    """What the encoder is made of.

    size: height and width in pixels. taps: finest first. body: the layers up to the taps, 1×3×H×W float32 to one
    tensor a tap. unused: the checkpoint's keys that were left out because they lie beyond the taps or beside the backbone.
    """

    source: Source
    size: tuple[int, int]
    taps: tuple[Stage, ...]
    body: fx.GraphModule
    unused: tuple[str, ...]


def draw(source: Source, size: tuple[int, int], wanted: Sequence[str] | None = None) -> Design:
    """Trace the backbone and cut it at the taps.

    Args:
        source: the backbone.
        size: height and width of the input in pixels.
        wanted: names of the layers to tap; None takes the source's, or those `Layers.propose` finds.

    Raises:
        BadSource: it does not run, or no layer has places of the picture.
        Untraceable: torch.export cannot follow it.
        BadTaps: a wanted layer does not exist or cannot be tapped.
        BadConfig: the size is no multiple of what the taps need.
        BadWeights: the checkpoint lacks a weight the taps need, has one they do not know, or holds NaN.
    """
    graph = trace(source, size)
    layers = Layers(graph.graph, size)
    names = wanted or source.taps or layers.propose()
    if not names:
        raise BadSource(
            f"{source.name}: no layer gives features at places of the picture at strides 4 to 32; name layers with --taps, "
            f"here {listed([stage.name for stage in layers.distinct()]) or 'there are none'}."
        )
    taps = choose(layers, names)
    _check_multiples(size, taps)
    body = _cut(graph, [layers.outputs[tap.name] for tap in taps])
    used = {name for name, _ in body.named_parameters()} | {name for name, _ in body.named_buffers()}
    _check_finite(source, body)
    check_places(body, size, taps)
    source = replace(source, preparation=not_twice(source.preparation, used))
    return Design(source, size, taps, body, _beyond_the_taps(source, used))


def choose(layers: Layers, names: Sequence[str]) -> tuple[Stage, ...]:
    """The stages of these names, finest first.

    Raises:
        BadTaps: a layer does not exist, or its output has no places of the picture.
    """
    stages = [layers.stages.get(name) or _refuse(layers, name) for name in dict.fromkeys(names)]
    return tuple(sorted(stages, key=lambda stage: (stage.stride, layers.finished(stage.name))))


def _refuse(layers: Layers, name: str) -> Stage:
    if name in layers.outputs:
        value = layers.outputs[name].meta.get("val")
        shape = "×".join(str(side) for side in value.shape) if isinstance(value, torch.Tensor) else "no tensor"
        raise BadTaps(
            f"--taps: {name} gives {shape}, not features at places of the picture (1×C×h×w, or tokens 1×N×C with the "
            f"patches last); take one of {listed([stage.name for stage in layers.distinct()])}."
        )
    near = difflib.get_close_matches(name, layers.stages, MOST_NAMED, 0.5) or [s.name for s in layers.distinct()]
    raise BadTaps(f"--taps: there is no layer {name} that gives one tensor; near it are {listed(near)}.")


def _check_multiples(size: tuple[int, int], taps: Sequence[Stage]) -> None:
    step = math.lcm(*(tap.stride for tap in taps))
    for side in size:
        check_multiple(side, step, "these taps")


def _cut(graph: fx.GraphModule, ends: list[fx.Node]) -> fx.GraphModule:
    """The part of the graph that computes `ends`, with only the weights it needs."""
    output = next(node for node in graph.graph.nodes if node.op == "output")
    graph.graph.erase_node(output)
    graph.graph.set_codegen(fx.graph.CodeGen())
    graph.graph.output(tuple(ends))
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    needed = {str(node.target) for node in graph.graph.nodes if node.op == "get_attr"}
    for name in [name for name, _ in (*graph.named_parameters(), *graph.named_buffers()) if name not in needed]:
        owner, _, leaf = name.rpartition(".")
        delattr(graph.get_submodule(owner), leaf)
    graph.recompile()
    return graph


def _check_finite(source: Source, body: fx.GraphModule) -> None:
    # Buffers may hold -inf on purpose, as attention masks do; statistics of batch norm may not.
    statistics = [(name, value) for name, value in body.named_buffers() if "running_" in name]
    broken = [name for name, value in (*body.named_parameters(), *statistics) if not torch.isfinite(value).all()]
    if broken:
        raise BadWeights(f"{source.weights}: NaN or infinite values in {listed(broken)}; export a checkpoint from before.")


def _beyond_the_taps(source: Source, used: set[str]) -> tuple[str, ...]:
    """The doubts that do not matter; the others are one error."""
    doubts = source.doubts
    heads = {key for key in doubts.unexpected if _is_head(key, used)}
    faults = [
        f"{words} {listed(keys)}"
        for words, keys in (
            ("missing", [key for key in doubts.missing if key in used]),
            ("unexpected", [key for key in doubts.unexpected if key not in heads]),
            ("of another shape", [f"{key} ({words})" for key, words in doubts.other_shape.items() if key in used]),
        )
        if keys
    ]
    if faults:
        raise BadWeights(
            f"{source.weights}: does not fit {source.name}: {'; '.join(faults)}; take the checkpoint of this very backbone."
        )
    others = (f"{key} ({words})" for key, words in doubts.other_shape.items())
    return (*doubts.unexpected, *others, *doubts.beside)


def _is_head(key: str, used: Collection[str]) -> bool:
    """Whether it belongs to a head, at the outermost level or in a wrapper's one below, of which the taps use nothing."""
    parts = key.split(".")
    outer = [".".join(parts[: depth + 1]) for depth, part in enumerate(parts[:2]) if part in HEADS]
    return any(not any(f"{name}.".startswith(f"{head}.") for name in used) for head in outer)


def listed(names: Sequence[str]) -> str:
    """Names as part of a sentence, the first eight of them."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
